"""Text to unit vectors. Two readers: a static model read directly (no torch), and any sentence-transformers model.

Queries and documents are encoded by different calls on purpose: many models prompt them differently.
"""

import json
import threading
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load
from tokenizers import Encoding, Tokenizer

from indexes.errors import ModelUnavailable
from knowledge.normalise import match_form

Vectors = npt.NDArray[np.float32]  # [n_texts, dimension], each row of unit length, or zero when the text says nothing

_FEW = 8
BUNDLED_MODEL = Path(__file__).parent / "models" / "zh-static"
_UNKNOWN_TOKENS = ("<unk>", "[UNK]")  # they have a vector of their own, the same for every emoji: alone it says nothing


class Embedder(Protocol):
    """What the index needs of a model."""

    model_id: str
    dimension: int

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Gives one unit vector a text that asks, in order."""
        ...

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives one unit vector a text that is searched, in order."""
        ...


def load_embedder(model: str = "") -> Embedder:
    """Gives the embedder of a folder or hub id; the bundled model when empty.

    Raises:
        ModelUnavailable: the folder or the hub's cache does not hold it.
    """
    path = Path(model) if model else BUNDLED_MODEL
    if _is_static(path):
        return StaticEmbedder(path)
    if not model:
        raise ModelUnavailable(str(path), "the bundled model is missing from this installation")
    return TransformerEmbedder(model)


def _is_static(path: Path) -> bool:
    modules = path / "modules.json"
    if not modules.exists():
        return False
    types = [module["type"] for module in json.loads(modules.read_text(encoding="utf-8"))]
    return len(types) == 1 and types[0].endswith("StaticEmbedding")


class StaticEmbedder:
    """A token table and a mean, read with tokenizers and NumPy: the same vectors as sentence-transformers gives, without torch.

    The tokenizer is guarded by a lock: the library raises «Already borrowed» when one tokenizer is used by several threads.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            content = (path / "model.safetensors").read_bytes()
            self._table: Vectors = load(content)["embedding.weight"].astype(np.float32)
        except Exception as error:  # tokenizers raises a bare Exception for a missing or damaged file
            raise ModelUnavailable(str(path), str(error)) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._unknown = {self._tokenizer.token_to_id(token) for token in _UNKNOWN_TOKENS}
        self._lock = threading.Lock()
        # The name alone would let a retrained model search an older one's vectors.
        self.model_id = f"{path.name}@{sha256(content).hexdigest()[:12]}"
        self.dimension = int(self._table.shape[1])

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """A static model knows no difference between asking and answering."""
        return self.encode_document(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives the normalised mean of each text's token vectors; zero for a text without a known token."""
        forms = [match_form(text) for text in texts]
        with self._lock:
            encodings = self._encode(forms)
        vectors = np.zeros((len(forms), self.dimension), dtype=np.float32)
        for row, encoding in enumerate(encodings):
            if not self._unknown.issuperset(encoding.ids):
                vectors[row] = self._table[encoding.ids].mean(axis=0)
        return unit(vectors)

    def _encode(self, forms: list[str]) -> list[Encoding]:
        """One by one for a message or two: handing a batch to the library's threads costs more than the work."""
        if len(forms) <= _FEW:
            return [self._tokenizer.encode(form, add_special_tokens=False) for form in forms]
        return list(self._tokenizer.encode_batch(forms, add_special_tokens=False))


class TransformerEmbedder:
    """Any sentence-transformers model, with its own prompts. Imports torch only when it is chosen."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ModelUnavailable(model, "sentence-transformers is not installed: pip install 'huashu[models]'") from error
        try:
            self._model = SentenceTransformer(model, device="cpu")
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelUnavailable(model, str(error).splitlines()[0]) from error
        self._lock = threading.Lock()
        self.model_id = model
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Gives vectors with the model's query prompt."""
        with self._lock:
            return unit(np.asarray(self._model.encode_query(list(texts)), dtype=np.float32))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives vectors with the model's document prompt."""
        with self._lock:
            return unit(np.asarray(self._model.encode_document(list(texts)), dtype=np.float32))


def unit(vectors: Vectors) -> Vectors:
    """Gives the rows scaled to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)
