"""Second step: from what is meant to what might answer it. Replies and passages are two pools; each channel gives a floor of hits whatever `top_k` is."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.embedder import Embedder, Vectors
from indexes.snapshot import Snapshot
from suggest.understanding import Understanding

# Up to this many keys every reply is a candidate: looking at all costs less than choosing.
_FEW_KEYS = 4_000
# Keys a channel gives in a larger shop. Never tied to top_k: otherwise asking for more would reorder the head.
FLOOR_KEYS = 120
SCENARIO_REPLIES = 150
_LIKELY_SCENARIO = 0.1
_BM25_HALF = 12.0  # the BM25 score that counts as .5; median of a reply's own trigger on the demo shop, 2026-11-21

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ReplyHits:
    """Candidate replies and how near each of their keys is to the question.

    Keys stand reply by reply; `starts[i]` is where those of `reply_rows[i]` begin. A reply's keys are its triggers, then its own words.
    """

    reply_rows: npt.NDArray[np.int64]  # [n_replies], ascending: ascending ids
    starts: npt.NDArray[np.int64]  # [n_replies]
    is_trigger: npt.NDArray[np.bool_]  # [n_keys]
    cosines: Values  # [n_keys, n_texts]: of every reading, then of every clause, then of what the agent said last
    key_needs: Values  # [n_keys, n_needs], square roots of the keys' need probabilities
    lexical: Values  # [n_keys], BM25 of the message, squashed to [0, 1)
    lexical_in_context: Values  # [n_keys], the same with the last turns
    voted: Values  # [n_replies], the loudest vote of the shop's own chats

    def best_trigger(self, values: Values) -> Values:
        """Gives each reply's best trigger by a value of its keys, [n_replies]; 0 where none is positive."""
        return self._best(np.where(self.is_trigger, values, 0.0).astype(np.float32))

    def own_words(self, values: Values) -> Values:
        """Gives the value of each reply's own words, [n_replies]."""
        return self._best(np.where(self.is_trigger, 0.0, values).astype(np.float32))

    def best_key(self, values: Values) -> Values:
        """Gives each reply's best key of either kind, [n_replies]."""
        return self._best(values)

    def mean_trigger(self, values: Values) -> Values:
        """Gives the mean over each reply's triggers, [n_replies]; 0 where it has none."""
        counts = np.add.reduceat(self.is_trigger.astype(np.float32), self.starts)
        sums = np.add.reduceat(np.where(self.is_trigger, values, 0.0), self.starts)
        return np.asarray(sums / np.maximum(counts, 1), dtype=np.float32)

    def _best(self, values: Values) -> Values:
        return np.asarray(np.maximum(np.maximum.reduceat(values, self.starts), 0.0), dtype=np.float32)

    def of(self, chosen: npt.NDArray[np.int64]) -> "ReplyHits":
        """Gives the hits of some of the replies, by their positions in `reply_rows`, ascending."""
        ends = np.append(self.starts[1:], len(self.is_trigger))
        keys = np.concatenate([np.arange(self.starts[i], ends[i]) for i in chosen]) if len(chosen) else np.empty(0, dtype=np.int64)
        lengths = (ends - self.starts)[chosen]
        return ReplyHits(
            self.reply_rows[chosen], (np.cumsum(lengths) - lengths).astype(np.int64), self.is_trigger[keys], self.cosines[keys],
            self.key_needs[keys], self.lexical[keys], self.lexical_in_context[keys], self.voted[chosen],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PassageSimilarities:
    """How near each passage is to the question, [n_passages]."""

    dense: Values
    lexical: Values


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found for one question."""

    replies: ReplyHits
    passages: PassageSimilarities


def retrieve(question: Understanding, snapshot: Snapshot, embedder: Embedder, *, left_out: Collection[str] = ()) -> Hits:
    """Gives the candidate replies and every passage's similarity; conversations left out have no vote."""
    texts = [*(one.text for one in question.readings), *(one.text for one in question.clauses), *([question.said_last] if question.said_last else [])]
    vectors = embedder.encode_query(texts)
    lexical = snapshot.key_terms.scores(question.text)
    in_context = snapshot.key_terms.scores(question.readings[-1].text) if len(question.readings) > 1 else lexical
    mixed = question.shares @ vectors[: len(question.readings)]
    votes = snapshot.cases.votes(mixed[None], len(snapshot.shop.replies), left_out=left_out)
    return Hits(
        replies=_reply_hits(question, snapshot, vectors, lexical, in_context, votes),
        passages=_passage_similarities(question, snapshot, vectors[: len(question.readings)]),
    )


def _reply_hits(question: Understanding, snapshot: Snapshot, vectors: Vectors, lexical: Values, in_context: Values, votes: Values) -> ReplyHits:
    if len(snapshot.keys) <= _FEW_KEYS:
        reply_rows, keys = np.arange(len(snapshot.shop.replies)), np.arange(len(snapshot.keys))
        cosines, key_needs = snapshot.key_vectors.matrix @ vectors.T, snapshot.key_needs.matrix
        starts = snapshot.reply_key_starts
        is_trigger = snapshot.key_is_trigger
    else:
        reply_rows = np.union1d(_candidates(question, snapshot, vectors[: len(question.readings)], lexical, in_context), _best_rows(votes, FLOOR_KEYS))
        lengths = snapshot.reply_key_ends[reply_rows] - snapshot.reply_key_starts[reply_rows]
        starts = np.cumsum(lengths) - lengths
        rows = np.repeat(snapshot.reply_key_starts[reply_rows] - starts, lengths) + np.arange(lengths.sum())
        cosines, key_needs = snapshot.key_vectors.matrix[rows] @ vectors.T, snapshot.key_needs.matrix[rows]
        is_trigger, keys = snapshot.key_is_trigger[rows], rows
    return ReplyHits(
        reply_rows=reply_rows, starts=starts, is_trigger=is_trigger, cosines=cosines, key_needs=key_needs,
        lexical=_squashed(lexical[keys]), lexical_in_context=_squashed(in_context[keys]), voted=votes[reply_rows],
    )  # fmt: skip


def _candidates(question: Understanding, snapshot: Snapshot, vectors: Vectors, lexical: Values, in_context: Values) -> npt.NDArray[np.int64]:
    """Rows of the replies that any channel finds, ascending."""
    found = [hits.rows for hits in snapshot.key_vectors.search(vectors, n_rows=FLOOR_KEYS)]
    found += [_best_rows(scores, FLOOR_KEYS) for scores in (lexical, in_context)]
    return np.unique(np.concatenate([snapshot.key_reply_rows[np.concatenate(found)], _of_likely_scenarios(question, snapshot)]))


def _of_likely_scenarios(question: Understanding, snapshot: Snapshot) -> npt.NDArray[np.int64]:
    """Rows of replies of the likeliest scenarios: «还没收到» shares no word with the reply for a stalled parcel, but the order says it is one.

    Scenarios with more replies than `SCENARIO_REPLIES` are left to the other channels, which find the nearest of many.
    """
    likely = sorted(name for name, probability in question.scenarios.items() if probability >= _LIKELY_SCENARIO)
    rows = [row for name in likely for row in snapshot.scenario_replies.get(name, ()) if len(snapshot.scenario_replies[name]) <= SCENARIO_REPLIES]
    return np.array(rows, dtype=np.int64)


def _best_rows(scores: Values, n: int) -> npt.NDArray[np.int64]:
    positive = np.flatnonzero(scores > 0)
    return positive[np.lexsort((positive, -scores[positive]))[:n]].astype(np.int64)


def _squashed(scores: Values) -> Values:
    return np.asarray(scores / (scores + _BM25_HALF), dtype=np.float32)


def _passage_similarities(question: Understanding, snapshot: Snapshot, vectors: Vectors) -> PassageSimilarities:
    if not len(snapshot.shop.passages):
        nothing = np.empty(0, dtype=np.float32)
        return PassageSimilarities(nothing, nothing)
    cosines = snapshot.passage_vectors.matrix @ vectors.T
    lean = question.lean_on_history
    dense = cosines[:, 0] if lean == 0 else (1 - lean) * cosines[:, 0] + lean * cosines[:, 1:].max(axis=1)
    text = question.text if lean == 0 else question.readings[-1].text
    return PassageSimilarities(dense=np.asarray(dense, dtype=np.float32), lexical=_squashed(snapshot.passage_terms.scores(text)))
