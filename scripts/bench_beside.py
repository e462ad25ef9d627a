"""txtai's bare retrieval beside ours, in the same run: the same texts, vectors and messages, dense and BM25 (`hybrid`), where txtai is installed.

It is no dependency: `pip install --no-deps txtai==9.14.0` beside the extra `models` is enough.
"""

import time
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from indexes.embedder import Embedder

TXTAI = "txtai"
_WANTED = 50  # the floor of each of our channels
_WARM_UP = 50


def is_installed() -> bool:
    """Whether there is a txtai to measure."""
    return find_spec(TXTAI) is not None


def searching_ms(texts: Sequence[str], messages: Sequence[str], embedder: Embedder) -> dict[str, float]:
    """Gives p50, p95 and p99 milliseconds of finding 50 of the texts for each message, message after message in one thread.

    Args:
        texts: what is indexed, one vector and one BM25 document each; ids are their places.
        messages: asked twice over, after a warm-up.
        embedder: gives the vectors, ours and therefore theirs.
    """

    def transform(texts: Sequence[str]) -> np.ndarray:  # a plain function: anything else txtai calls for an object of its own
        return embedder.encode_query(list(texts))

    embeddings = import_module(TXTAI).Embeddings({"method": "external", "transform": transform, "hybrid": True, "content": False, "backend": "faiss"})
    embeddings.index((number, text, None) for number, text in enumerate(texts))
    for message in messages[:_WARM_UP]:
        embeddings.search(message, _WANTED)
    seconds = np.empty(2 * len(messages))
    for place in range(len(seconds)):
        started = time.perf_counter()
        embeddings.search(messages[place % len(messages)], _WANTED)
        seconds[place] = time.perf_counter() - started
    return {f"{TXTAI}_p{q}_ms": round(float(np.percentile(seconds * 1_000, q)), 1) for q in (50, 95, 99)}
