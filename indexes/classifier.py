"""A linear text classifier stored as data: probabilities of labels from a static vector and hashed character n-grams.

One class serves needs, emotions and threats. Reading needs NumPy only; fitting is in `fitting`.
"""

import json
import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from indexes.embedder import Embedder, StaticEmbedder
from knowledge.normalise import match_form

Probabilities = npt.NDArray[np.float32]  # [n_texts, n_labels], rows sum to 1
MODELS = Path(__file__).parent / "models"
_NOT_WORD = re.compile(r"[^\w]+")
_LATIN = re.compile(r"[a-z]")
_LATIN_WORDS = re.compile(r"[a-z]+")
_LATIN_CHARS = 4
NGRAM_LENGTHS = (1, 2, 3)


def hashed_ngrams(text: str, *, n_buckets: int) -> list[int]:
    """Gives the buckets of the text's n-grams, each once, sorted; CRC-32 so that every machine agrees.

    Chinese: 1 to 3 characters. Latin letters say little one by one: words, pairs of words, and 4 characters for typos.
    """
    form = f"^{_NOT_WORD.sub(' ', match_form(text)).strip()}$"
    grams = {form[i : i + n] for n in NGRAM_LENGTHS for i in range(len(form) - n + 1) if not _LATIN.search(form[i : i + n])}
    words = _LATIN_WORDS.findall(form)
    grams |= {*words, *(f"{one} {two}" for one, two in pairwise(words))}
    grams |= {f" {word} "[i : i + _LATIN_CHARS] for word in words for i in range(len(word) + 3 - _LATIN_CHARS)}
    return sorted({zlib.crc32(gram.encode()) % n_buckets for gram in grams})


class TextClassifier:
    """Softmax over labels; the temperature was fitted on texts kept out of training, so a probability means what it says."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        card = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self._temperature = float(card["temperature"])
        self._ngrams = weights["ngrams"].astype(np.float32) * weights["ngram_scale"].astype(np.float32)  # [n_buckets, n_labels]
        self._dense = weights["dense"].astype(np.float32)  # [dimension, n_labels]
        self._bias = weights["bias"].astype(np.float32)  # [n_labels]
        self._embedder = embedder

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Gives the probability of every label for every text, in order."""
        return softmax(self.logits(texts) / self._temperature)

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Gives the scores before the temperature and the softmax, [n_texts, n_labels]."""
        logits = self._embedder.encode_query(texts) @ self._dense + self._bias
        for row, text in enumerate(texts):
            buckets = hashed_ngrams(text, n_buckets=len(self._ngrams))
            logits[row] += self._ngrams[buckets].sum(axis=0) / np.sqrt(len(buckets))
        return np.asarray(logits, dtype=np.float32)


def softmax(logits: npt.NDArray[np.float32]) -> Probabilities:
    """Gives the rows' softmax."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def load_classifier(name: str) -> TextClassifier:
    """Gives a bundled classifier. They read the bundled embedding whatever model the shop searches with: they were fitted on it."""
    return TextClassifier(MODELS / name, StaticEmbedder(MODELS / "zh-static"))
