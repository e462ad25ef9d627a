"""The key indexes of a shop by its size: exact up to `EXACT_UP_TO` keys, approximate beyond, with the recall measured on what customers may ask."""

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from indexes.approximate_index import ApproximateIndex
from indexes.byte_rows import ByteRows
from indexes.embedder import Embedder, Vectors
from indexes.errors import SnapshotRefused
from indexes.large_lexical_index import LargeLexicalIndex
from indexes.lexical_index import LexicalIndex
from indexes.vector_index import VectorIndex
from knowledge.needs_bank import read_phrasings

# Looking at every key takes a millisecond for each 7,000; the approximate index takes one for any number up to a hundred thousand.
EXACT_UP_TO = 16_384
RECALL_FLOOR = 0.98  # an index that finds less of the 50 nearest keys is not published
_ASKED = 300  # triggers with a character lost, and as many lines of the needs bank
_SEED = 5
_BLOCK = 8_192


def key_indexes(
    texts: Sequence[str], vectors: Vectors, needs: Vectors, starts: Sequence[int], is_trigger: Sequence[bool], embedder: Embedder, *, exact_up_to: int
) -> tuple[dict[str, Any], float | None]:
    """Gives the indexes of the keys for `assemble`, and the recall where they are approximate.

    Args:
        texts: of the keys.
        vectors: [n_keys, dimension].
        needs: [n_keys, n_needs], square roots of probabilities.
        starts: [n_replies], where each reply's keys begin.
        is_trigger: [n_keys].
        embedder: for the texts asked.
        exact_up_to: keys up to which every key is looked at.
    """
    if len(texts) <= exact_up_to:
        exact = {"key_vectors": VectorIndex.build(vectors), "key_needs": VectorIndex.build(needs), "key_terms": LexicalIndex.build(texts)}
        return exact, None
    asked = embedder.encode_query(questions([text for text, trigger in zip(texts, is_trigger, strict=True) if trigger]))
    key_vectors, recall = ApproximateIndex.build(vectors, asked)
    return {
        "key_vectors": key_vectors,
        "key_needs": ByteRows.build(needs),
        "key_terms": LargeLexicalIndex.build(texts, np.asarray(is_trigger, dtype=np.bool_)),
        "reply_needs": ByteRows.build(np.sqrt(mean_needs(needs, np.asarray(starts), np.asarray(is_trigger)))),
    }, round(recall, 4)


def check_recall(recall: float | None) -> None:
    """Proves that an approximate index finds what looking at every key would find.

    Raises:
        SnapshotRefused: it finds less than `RECALL_FLOOR` of it.
    """
    if recall is not None and recall < RECALL_FLOOR:
        raise SnapshotRefused([low_recall(recall)])


def low_recall(recall: float | None) -> str:
    """Gives why an index of this recall is not published; empty where it may be."""
    if recall is None or recall >= RECALL_FLOOR:
        return ""
    return f"the approximate index finds {recall:.1%} of the 50 nearest keys, at least {RECALL_FLOOR:.0%} are wanted; many keys that say the same may be why"


def questions(triggers: Sequence[str], n: int = _ASKED) -> list[str]:
    """Gives what may be asked: up to `n` of the triggers with a character lost, and `n` lines of the needs bank; always the same ones."""
    random = Random(_SEED)
    lines = [line.text for line in read_phrasings("zh")]
    disturbed = [_without_one(trigger, random) for trigger in random.sample(list(triggers), min(n, len(triggers)))]
    return [*disturbed, *random.sample(lines, n)]


def mean_needs(roots: Vectors, starts: np.ndarray, is_trigger: np.ndarray) -> Vectors:
    """Gives each reply's needs: the mean distribution of its triggers, [n_replies, n_needs]; zero where it has none."""
    means = np.empty((len(starts), roots.shape[1]), dtype=np.float32)
    ends = np.append(starts[1:], len(roots))
    for first in range(0, len(starts), _BLOCK):
        own = slice(first, first + _BLOCK)
        keys = slice(int(starts[first]), int(ends[own][-1]))
        weights = is_trigger[keys].astype(np.float32)
        sums = np.add.reduceat(roots[keys] ** 2 * weights[:, None], starts[own] - starts[first], axis=0)
        means[own] = sums / np.maximum(np.add.reduceat(weights, starts[own] - starts[first]), 1)[:, None]
    return means


def _without_one(text: str, random: Random) -> str:
    place = random.randrange(max(1, len(text)))
    return text[:place] + text[place + 1 :] or text
