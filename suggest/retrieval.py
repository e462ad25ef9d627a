"""Second step: from what is meant to what might answer it. Replies and passages are two pools; each channel gives a floor of hits whatever `top_k` is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.embedder import Embedder, Vectors
from indexes.snapshot import Snapshot
from suggest.understanding import Understanding

# Keys a channel gives. Never tied to top_k: otherwise asking for more would reorder the head.
FLOOR_KEYS = 120
SCENARIO_REPLIES = 150
_LIKELY_SCENARIO = 0.1
_BM25_HALF = 12.0  # the BM25 score that counts as .5; median of a reply's own trigger on the demo shop, 2026-11-21


@dataclass(frozen=True, slots=True)
class ReplySimilarities:
    """How near each candidate reply is to the question. All arrays are [n_candidates], aligned with `reply_rows`."""

    reply_rows: npt.NDArray[np.int64]  # ascending: ascending ids
    trigger: npt.NDArray[np.float32]  # best cosine of a trigger to the message
    trigger_in_context: npt.NDArray[np.float32]  # the same with history, weighed by how much the message leans on it
    words: npt.NDArray[np.float32]  # cosine of the reply's own words, in context
    lexical: npt.NDArray[np.float32]  # BM25 of the best key, squashed to [0, 1)
    needs: npt.NDArray[np.float32]  # Bhattacharyya coefficient of need distributions, in context


@dataclass(frozen=True, slots=True)
class PassageSimilarities:
    """How near each passage is to the question, [n_passages]."""

    dense: npt.NDArray[np.float32]
    lexical: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found for one question."""

    replies: ReplySimilarities
    passages: PassageSimilarities


def retrieve(question: Understanding, snapshot: Snapshot, embedder: Embedder) -> Hits:
    """Gives the candidate replies and every passage's similarity."""
    vectors = embedder.encode_query([reading.text for reading in question.readings])
    needs = np.sqrt(np.stack([reading.needs for reading in question.readings]))
    lexical = snapshot.key_terms.scores(question.text)
    in_context = snapshot.key_terms.scores(question.readings[-1].text) if len(question.readings) > 1 else lexical
    lean = question.lean_on_history
    rows = _candidate_keys(snapshot, vectors, needs, lexical, in_context)
    reply_rows = np.unique(np.concatenate([snapshot.key_reply_rows[rows], _of_likely_scenarios(question, snapshot)]))
    return Hits(
        replies=_reply_similarities(question, snapshot, vectors, needs, (1 - lean) * lexical + lean * in_context, reply_rows),
        passages=_passage_similarities(question, snapshot, vectors),
    )


def _candidate_keys(
    snapshot: Snapshot, vectors: Vectors, needs: Vectors, lexical: npt.NDArray[np.float32], in_context: npt.NDArray[np.float32]
) -> npt.NDArray[np.int64]:
    found = [hits.rows for hits in snapshot.key_vectors.search(vectors, n_rows=FLOOR_KEYS)]
    found += [hits.rows for hits in snapshot.key_needs.search(needs, n_rows=FLOOR_KEYS)]
    found += [_best_rows(scores, FLOOR_KEYS) for scores in (lexical, in_context)]
    return np.unique(np.concatenate(found))


def _of_likely_scenarios(question: Understanding, snapshot: Snapshot) -> npt.NDArray[np.int64]:
    """Rows of replies of the likeliest scenarios: «还没收到» shares no word with the reply for a stalled parcel, but the order says it is one.

    Scenarios with more replies than `SCENARIO_REPLIES` are left to the other channels, which find the nearest of many.
    """
    likely = sorted(name for name, probability in question.scenarios.items() if probability >= _LIKELY_SCENARIO)
    rows = [row for name in likely for row in snapshot.scenario_replies.get(name, ()) if len(snapshot.scenario_replies[name]) <= SCENARIO_REPLIES]
    return np.array(rows, dtype=np.int64)


def _best_rows(scores: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.int64]:
    positive = np.flatnonzero(scores > 0)
    return positive[np.lexsort((positive, -scores[positive]))[:n]].astype(np.int64)


def _in_context(values: npt.NDArray[np.float32], lean: float) -> npt.NDArray[np.float32]:
    """From [n, n_readings] to [n]: the message's own value and the best with history, weighed by how much the message leans on it."""
    if lean == 0:
        return values[:, 0]
    return np.asarray((1 - lean) * values[:, 0] + lean * values[:, 1:].max(axis=1), dtype=np.float32)


def _reply_similarities(
    question: Understanding, snapshot: Snapshot, vectors: Vectors, needs: Vectors, lexical: npt.NDArray[np.float32], reply_rows: npt.NDArray[np.int64]
) -> ReplySimilarities:
    keys = np.flatnonzero(np.isin(snapshot.key_reply_rows, reply_rows))
    position = np.searchsorted(reply_rows, snapshot.key_reply_rows[keys])  # key → candidate
    is_trigger = snapshot.key_is_trigger[keys]
    cosines = snapshot.key_vectors.vectors(keys) @ vectors.T  # [n_keys, n_readings]
    overlaps = snapshot.key_needs.vectors(keys) @ needs.T

    def best(values: npt.NDArray[np.float32], among: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """The best value of each candidate's keys, 0 where it has none."""
        result = np.zeros(len(reply_rows), dtype=np.float32)
        np.maximum.at(result, position[among], values[among])
        return result

    lean = question.lean_on_history
    every = np.ones(len(keys), dtype=np.bool_)
    scores = lexical[keys]
    return ReplySimilarities(
        reply_rows=reply_rows,
        trigger=best(cosines[:, 0], is_trigger),
        trigger_in_context=best(_in_context(cosines, lean), is_trigger),
        words=best(_in_context(cosines, lean), ~is_trigger),
        lexical=best(scores / (scores + _BM25_HALF), every),
        needs=best(_in_context(overlaps, lean), is_trigger),
    )


def _passage_similarities(question: Understanding, snapshot: Snapshot, vectors: Vectors) -> PassageSimilarities:
    n_passages = len(snapshot.shop.passages)
    if n_passages == 0:
        nothing = np.empty(0, dtype=np.float32)
        return PassageSimilarities(nothing, nothing)
    rows = np.arange(n_passages)
    cosines = snapshot.passage_vectors.vectors(rows) @ vectors.T
    lean = question.lean_on_history
    dense = _in_context(cosines, lean)
    text = question.text if lean == 0 else question.readings[-1].text
    lexical = snapshot.passage_terms.scores(text)
    return PassageSimilarities(dense=dense, lexical=lexical / (lexical + _BM25_HALF))
