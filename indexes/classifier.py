"""A text classifier stored as data: probabilities of labels from character n-grams and a static vector.

One class serves needs, emotions and threats. Reading needs NumPy only; fitting is in `fitting`.
"""

import json
import math
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from indexes.compiled import compiled
from indexes.embedder import Embedder, Vectors, bundled_embedder
from knowledge.normalise import match_form

Probabilities = npt.NDArray[np.float32]  # [n_texts, n_labels], rows sum to 1
MODELS = Path(__file__).parent / "models"
_NOT_WORD = re.compile(r"[^\w]+")
_LATIN = re.compile(r"[a-z]")
_LATIN_WORDS = re.compile(r"[a-z]+")
_LATIN_CHARS = 4
NGRAM_LENGTHS = (1, 2)
# The static vector is this long beside the n-grams' mean, so that neither half is lost on the other.
DENSE_LENGTH = 3.0
_DENSE_LENGTH = np.float32(DENSE_LENGTH)
_GRAMS_KEPT = 1_000_000
_LEADING_BITS, _TRAILING_BITS = 16, 16  # of an n-gram's code
Codes = npt.NDArray[np.uint32]
_NO_CODES: Codes = np.empty(0, dtype=np.uint32)


def ngram_codes(text: str) -> list[int]:
    """Gives the CRC-32 of each of the text's n-grams, each once, sorted; the same on every machine.

    Chinese: 1 and 2 characters. Latin letters say little one by one: words, pairs of words, and 4 characters for typos.
    """
    return sorted({zlib.crc32(gram.encode()) for gram in _ngrams(text)})


def _ngrams(text: str) -> set[str]:
    form = f"^{_NOT_WORD.sub(' ', match_form(text)).strip()}$"
    grams = {form[i : i + n] for n in NGRAM_LENGTHS for i in range(len(form) - n + 1)}
    if not _LATIN.search(form):
        return grams
    grams = {gram for gram in grams if not _LATIN.search(gram)}
    words = _LATIN_WORDS.findall(form)
    grams |= {*words, *(f"{one} {two}" for one, two in pairwise(words))}
    return grams | {f" {word} "[i : i + _LATIN_CHARS] for word in words for i in range(len(word) + 3 - _LATIN_CHARS)}


@lru_cache(maxsize=4_096)  # one request asks three classifiers about the same words, and the next brings its history again
def _codes_heard(text: str) -> Codes:
    return np.array(ngram_codes(text), dtype=np.uint32)


class TextClassifier:
    """Softmax over labels; the temperature was fitted on texts kept out of training, so a probability means what it says."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        card = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        content = (folder / "model.safetensors").read_bytes()
        weights = load(content)
        self.labels: tuple[str, ...] = tuple(card["labels"])
        # The name alone would let a refitted classifier be compared with an older one's distributions.
        self.model_id = f"{folder.name}@{sha256(content + repr(card).encode()).hexdigest()[:12]}"
        self._temperature = float(card["temperature"])
        self._codes: Codes = weights["codes"].copy()  # [n_ngrams] ascending
        self._leading = np.searchsorted(self._codes, np.arange((1 << _LEADING_BITS) + 1, dtype=np.uint64) << np.uint64(_TRAILING_BITS)).astype(np.int64)
        self._ngrams = weights["ngrams"].copy()  # [n_ngrams, width], one byte a weight; what was read is read-only, which compiled loops take slowly
        self._ngram_scale = weights["ngram_scale"].astype(np.float32)  # [width]
        self._output = weights["output"].astype(np.float32)  # [width + dimension, n_labels]
        self._bias = weights["bias"].astype(np.float32)  # [n_labels]
        self._embedder = embedder
        self._row_of_gram: dict[str, int] = {}  # n-grams met among many texts; -1: never seen in training

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Gives the probability of every label for every text, in order."""
        return _shares(self._features(texts) @ self._output, self._bias, np.float32(self._temperature))

    def probabilities_of_many(self, texts: Sequence[str], vectors: Vectors | None = None) -> Probabilities:
        """As `probabilities`, for the texts of a large shop: n-grams come again and again, and so their rows are kept.

        Args:
            texts: any.
            vectors: of the texts by the bundled embedding, where they are known.
        """
        if len(self._row_of_gram) > _GRAMS_KEPT:
            self._row_of_gram.clear()
        found = [np.array(sorted({*map(self._row, _ngrams(text))} - {-1}), dtype=np.int64) for text in texts]
        return softmax(self._logits(found, self._embedder.encode_query(texts) if vectors is None else vectors) / self._temperature)

    def reads(self, embedder: Embedder) -> bool:
        """Whether the classifier reads the vectors of this embedding."""
        return embedder is self._embedder

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Gives the scores before the temperature and the softmax, [n_texts, n_labels]."""
        return np.asarray(self._features(texts) @ self._output + self._bias, dtype=np.float32)

    def _features(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        codes = [_codes_heard(text) for text in texts]
        ends = np.array([*accumulate(map(len, codes))], dtype=np.int64)
        wanted = codes[0] if len(codes) == 1 else np.concatenate([_NO_CODES, *codes])
        return _features(wanted, ends, self._codes, self._leading, self._ngrams, self._ngram_scale, self._embedder.encode_query(texts))

    def _logits(self, found: Sequence[npt.NDArray[np.int64]], vectors: Vectors) -> npt.NDArray[np.float32]:
        """As `logits`, of texts whose known n-grams' rows and static vectors are given."""
        features = np.empty((len(found), len(self._output)), dtype=np.float32)
        width = self._ngrams.shape[1]
        for row, own in enumerate(found):
            features[row, :width] = self._ngrams.take(own, axis=0).sum(axis=0, dtype=np.int32) * (self._ngram_scale / math.sqrt(max(1, len(own))))
        features[:, width:] = vectors * DENSE_LENGTH
        return np.asarray(features @ self._output + self._bias, dtype=np.float32)

    def _row(self, gram: str) -> int:
        row = self._row_of_gram.get(gram)
        if row is None:
            known = known_rows(self._codes, [zlib.crc32(gram.encode())]).tolist()
            row = self._row_of_gram[gram] = known[0] if known else -1
        return row


@compiled
def _features(
    wanted: Codes,
    ends: npt.NDArray[np.int64],
    codes: Codes,
    leading: npt.NDArray[np.int64],
    ngrams: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    dense: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """What the output layer sees of each text, [n_texts, width + dimension]: the mean of its known n-grams' weights, then its static vector.

    `leading` says where the codes with the same first bits begin in the ascending `codes`: they are so evenly spread that hardly two share a place.
    """
    n_texts, width = len(ends), ngrams.shape[1]
    found = np.empty((n_texts, width + dense.shape[1]), dtype=np.float32)
    sums = np.empty(width, dtype=np.int32)
    start = 0
    for text in range(n_texts):
        sums[:] = 0
        n_known = 0
        for code in wanted[start : ends[text]]:
            for row in range(leading[code >> _TRAILING_BITS], leading[(code >> _TRAILING_BITS) + 1]):
                if codes[row] == code:
                    n_known += 1
                    for place in range(width):
                        sums[place] += ngrams[row, place]
        root = np.float32(math.sqrt(max(1, n_known)))
        for place in range(width):
            found[text, place] = np.float64(sums[place]) * np.float64(scale[place] / root)
        for place in range(dense.shape[1]):
            found[text, width + place] = dense[text, place] * _DENSE_LENGTH
        start = ends[text]
    return found


@compiled
def _shares(scores: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], temperature: np.float32) -> Probabilities:
    """Turns the output layer's sums into probabilities, in their place."""
    for row in scores:
        for label in range(len(row)):
            row[label] = (row[label] + bias[label]) / temperature
        largest, total = row.max(), np.float32(0.0)
        for label in range(len(row)):
            row[label] = math.exp(row[label] - largest)
            total += row[label]
        row /= total
    return scores


def known_rows(codes: Codes, wanted: Sequence[int] | Codes) -> npt.NDArray[np.int64]:
    """Gives the rows of the wanted n-grams in the ascending table; n-grams never seen in training are left out."""
    looked_for = np.asarray(wanted if len(codes) else (), dtype=np.uint32)
    rows = codes.searchsorted(looked_for)
    return np.asarray(rows[codes.take(rows, mode="clip") == looked_for], dtype=np.int64)


def label_groups(labels: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Gives the groups of labels `group/label`, sorted, and which label is in which: float32[n_labels, n_groups] of 0 and 1.

    `probabilities @ membership` are the groups' probabilities; of needs, the scenarios'.
    """
    names = sorted({label.split("/")[0] for label in labels})
    return names, np.array([[label.split("/")[0] == name for name in names] for label in labels], dtype=np.float32)


def softmax(logits: npt.NDArray[np.float32]) -> Probabilities:
    """Gives the rows' softmax."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def load_classifier(name: str) -> TextClassifier:
    """Gives a bundled classifier. They read the bundled embedding whatever model the shop searches with: they were fitted on it."""
    return TextClassifier(MODELS / name, bundled_embedder())
