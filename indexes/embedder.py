"""Text to unit vectors. Two readers: a static model read directly (no torch), and any sentence-transformers model.

Queries and documents are encoded by different calls on purpose: many models prompt them differently.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load
from tokenizers import Tokenizer

from indexes.errors import ModelUnavailable
from indexes.model_files import NOT_INSTALLED, ModelFiles, find_model, prompts_of
from knowledge.normalise import match_form

Vectors = npt.NDArray[np.float32]  # [n_texts, dimension], each row of unit length, or zero when the text says nothing

_FEW = 32  # handing texts to the library's threads costs 2 ms
_REMEMBERED = 4_096  # texts whose vector is at hand: one request asks three classifiers and the index about the same words, the next brings its history again
_AT_ONCE = 256  # texts held by the tokenizer's lock at once: a message must not wait for a whole reindex
_GATHERED = 512  # token vectors summed at once: they stay in the processor's cache, and a long text takes no gigabytes
BUNDLED_MODEL = Path(__file__).parent / "models" / "zh-static"
_UNKNOWN_TOKENS = ("<unk>", "[UNK]")  # they have a vector of their own, the same for every emoji: alone it says nothing


class Embedder(Protocol):
    """What the index needs of a model."""

    model_id: str
    dimension: int
    quick: bool  # encodes a message in far less than a millisecond

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Gives one unit vector a text that asks, in order."""
        ...

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives one unit vector a text that is searched, in order."""
        ...


def load_embedder(model: str = "") -> Embedder:
    """Gives the embedder of a folder or hub id; the bundled model when empty.

    Raises:
        ModelUnavailable: it is not on this machine and cannot be fetched, or it cannot be read.
    """
    if not model:
        return bundled_embedder()
    files = find_model(model)
    if _is_static(files.folder):
        return StaticEmbedder(files.folder, model_id=files.model_id if files.commit else "")
    return TransformerEmbedder(files)


@lru_cache(maxsize=1)
def bundled_embedder() -> "StaticEmbedder":
    """Gives the model that ships; all who read it share one."""
    return StaticEmbedder(BUNDLED_MODEL)


def _is_static(path: Path) -> bool:
    modules = path / "modules.json"
    if not modules.exists():
        return False
    listed = json.loads(modules.read_text(encoding="utf-8"))
    return len(listed) == 1 and listed[0]["type"].endswith("StaticEmbedding") and not listed[0].get("path")


class StaticEmbedder:
    """A token table and a mean, read with tokenizers and NumPy: the same vectors as sentence-transformers gives, without torch.

    The tokenizer is guarded by a lock: the library raises «Already borrowed» when one tokenizer is used by several threads.
    """

    quick = True

    def __init__(self, path: Path, *, model_id: str = "") -> None:
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
        self.model_id = model_id or f"{path.name}@{sha256(content).hexdigest()[:12]}"
        self.dimension = int(self._table.shape[1])
        self._at_hand: dict[str, Vectors] = {}

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """A static model knows no difference between asking and answering."""
        return self.encode_document(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives the normalised mean of each text's token vectors; zero for a text without a known token."""
        if 0 < len(texts) <= _FEW:
            return self._vector(texts[0]).reshape(1, -1) if len(texts) == 1 else np.array([self._vector(text) for text in texts])
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            forms = [match_form(text) for text in texts[start : start + _AT_ONCE]]
            with self._lock:
                encodings = self._tokenizer.encode_batch_fast(forms, add_special_tokens=False)
            self._add_up([encoding.ids for encoding in encodings], sums[start : start + _AT_ONCE])
        return unit(sums)

    def _vector(self, text: str) -> Vectors:
        """The vector of one text, [dimension]; tokenised alone, for handing a text or two to the library's threads costs more than the work."""
        at_hand = self._at_hand.get(text)
        if at_hand is not None:
            return at_hand
        form = match_form(text)
        with self._lock:
            ids = self._tokenizer.encode(form, add_special_tokens=False).ids
        known = not self._unknown.issuperset(ids)
        total = self._table.take(ids, axis=0).sum(axis=0) if known else np.zeros(self.dimension, dtype=np.float32)
        if len(self._at_hand) >= _REMEMBERED:
            self._at_hand.clear()
        vector = self._at_hand[text] = np.asarray(unit(total.reshape(1, -1))[0])
        return vector

    def _add_up(self, token_ids: list[list[int]], sums: Vectors) -> None:
        """Writes each text's sum of token vectors, texts of equal length together; the mean differs only in length, which `unit` takes away."""
        rows_by_length: dict[int, list[int]] = defaultdict(list)
        for row, ids in enumerate(token_ids):
            if not self._unknown.issuperset(ids):
                rows_by_length[len(ids)].append(row)
        for length, rows in rows_by_length.items():
            step = max(1, _GATHERED // length)
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                sums[some] = self._table.take([token_ids[row] for row in some], axis=0).sum(axis=1)  # [texts, tokens, dimension] -> [texts, dimension]


class TransformerEmbedder:
    """Any sentence-transformers model, with its own prompts or those published for it. Imports torch only when it is chosen.

    `prompts` says what stands before each query and document.
    """

    quick = False

    def __init__(self, files: ModelFiles) -> None:
        folder = str(files.folder)
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ModelUnavailable(files.name, NOT_INSTALLED) from error
        try:
            self._model = SentenceTransformer(folder, device="cpu", local_files_only=True)
            self.model_id = files.model_id
        except Exception as error:  # each architecture and file format raises its own kind
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelUnavailable(files.name, f"{folder} cannot be read: {reason}") from error
        self._lock = threading.Lock()
        self.prompts = prompts_of(files.name, self._model.prompts)
        self.dimension = int(self._model.encode_document(["?"], show_progress_bar=False).shape[1])  # not every model can tell without a text

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Gives vectors with the query prompt."""
        with self._lock:
            return self._unit(self._model.encode_query(list(texts), prompt=self.prompts.query, show_progress_bar=False))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives vectors with the document prompt."""
        with self._lock:
            return self._unit(self._model.encode_document(list(texts), prompt=self.prompts.document, show_progress_bar=False))

    def _unit(self, vectors: npt.ArrayLike) -> Vectors:
        return unit(np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension))


def unit(vectors: Vectors) -> Vectors:
    """Gives the rows scaled to length 1; a zero row stays zero."""
    lengths = np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    lengths[lengths == 0] = 1
    return np.asarray(vectors / lengths, dtype=np.float32)
