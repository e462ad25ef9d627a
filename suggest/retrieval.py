"""Second step: from what is meant to what might answer it. Replies and passages are two pools; each channel gives a floor of hits whatever `top_k` is.

Which of them the order allows is not asked here. Those it does are looked at in passing, by two figures a trigger (`Hits.in_passing`); the few that may be
offered then closely (`Hits.closely`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from indexes.byte_rows import ByteRows
from indexes.compiled import compiled
from indexes.embedder import Embedder, Vectors
from indexes.grown import GrownRows
from indexes.snapshot import Snapshot
from indexes.vector_index import VectorIndex
from suggest.understanding import Understanding

# Up to this many keys every reply is in the pool: looking at all costs less than choosing.
_FEW_KEYS = 4_000
# Keys a channel gives in a larger shop. Never tied to top_k: otherwise asking for more would reorder the head.
FLOOR_KEYS = 120
SCENARIO_REPLIES = 150
_LIKELY_SCENARIO = 0.1
_BM25_HALF = np.float32(12.0)  # the BM25 score that counts as .5; median of a reply's own trigger on the demo shop, 2026-11-21

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReplyPool:
    """The replies that may answer."""

    reply_rows: Rows  # [n_replies], ascending: ascending ids
    voted: Values  # [n_replies], the loudest vote of the shop's own chats


@dataclass(frozen=True, slots=True)
class ReplyHits:
    """Replies looked at closely: how near each of their keys is to the question, in every channel.

    Keys stand reply by reply; `starts[i]` is where those of `reply_rows[i]` begin. A reply's keys are its triggers, then its own words.
    """

    reply_rows: Rows  # [n_replies], ascending: ascending ids
    starts: Rows  # [n_replies]
    is_trigger: npt.NDArray[np.bool_]  # [n_keys]
    cosines: Values  # [n_keys, n_texts]: of every reading, then of every clause, then of what the agent said last
    key_rows: Rows  # [n_keys], rows of the snapshot's keys
    needs: VectorIndex | ByteRows | GrownRows  # of all the snapshot's keys: square roots of their need probabilities
    lexical: Values  # [n_keys], BM25 of the message, squashed to [0, 1)
    lexical_in_context: Values  # [n_keys], the same with the last turns
    voted: Values  # [n_replies], the loudest vote of the shop's own chats

    def best_trigger(self, values: Values) -> Values:
        """Gives each reply's best trigger by values of its keys, [n_replies]; 0 where none is positive."""
        return _best_of(values * self.is_trigger, self.starts)

    def overlaps(self, roots: Values) -> Values:
        """Gives how far each key's needs overlap with each of some distributions, given by their square roots: [n_keys, n_distributions], 0 to 1."""
        return self.needs.cosines(self.key_rows, roots)

    @property
    def key_needs(self) -> Values:
        """Square roots of the keys' need probabilities, [n_keys, n_needs]."""
        return self.needs.vectors(self.key_rows)

    def best_key(self, values: Values) -> Values:
        """Gives each reply's best key of either kind, [n_replies]."""
        return _best_of(values, self.starts)


@dataclass(frozen=True)
class PassageSimilarities:
    """How near each passage is to the question, [n_passages]."""

    dense: Values
    lexical: Values

    @cached_property
    def cosines(self) -> list[float]:
        """`dense` as plain numbers, for looking at them one by one."""
        plain: list[float] = self.dense.tolist()
        return plain


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found for one question."""

    question: Understanding
    snapshot: Snapshot
    vectors: Vectors  # [n_texts, dimension], of the question's texts, see `ReplyHits.cosines`
    mixed: Vectors  # [dimension], all readings taken together
    pool: ReplyPool
    passages: PassageSimilarities

    def in_passing(self, places: Rows) -> Values:
        """Gives the best trigger by cosine and by BM25 of some of the pool's replies, [2, n_replies]; 0 where none is positive."""
        snapshot, rows = self.snapshot, self.pool.reply_rows[places]
        keys, starts = _keys_of(rows, snapshot.reply_key_starts, snapshot.reply_key_ends, 1)  # without the reply's own words, which stand last
        cosines = snapshot.key_vectors.cosines(keys, self.mixed.reshape(1, -1))
        return _best_triggers(cosines, snapshot.key_terms.scores_of(self.question.text, keys), starts)

    def closely(self, places: Rows) -> ReplyHits:
        """Gives some of the pool's replies, by their places in it, ascending, looked at in every channel."""
        snapshot, question, rows = self.snapshot, self.question, self.pool.reply_rows[places]
        keys, starts = _keys_of(rows, snapshot.reply_key_starts, snapshot.reply_key_ends, 0)
        lexical = _squashed(snapshot.key_terms.scores_of(question.text, keys))
        in_context = _squashed(snapshot.key_terms.scores_of(question.readings[-1].text, keys)) if len(question.readings) > 1 else lexical
        return ReplyHits(
            reply_rows=rows, starts=starts[:-1], is_trigger=snapshot.key_is_trigger[keys],
            cosines=snapshot.key_vectors.cosines(keys, self.vectors), key_rows=keys, needs=snapshot.key_needs,
            lexical=lexical, lexical_in_context=in_context, voted=self.pool.voted[places],
        )  # fmt: skip

    @property
    def replies(self) -> ReplyHits:
        """The whole pool looked at closely: for measuring channels and for tests, the path of a message has no time for it."""
        return self.closely(np.arange(len(self.pool.reply_rows)))


def retrieve(question: Understanding, snapshot: Snapshot, embedder: Embedder, *, left_out: Collection[str] = ()) -> Hits:
    """Gives the pool of replies and every passage's similarity; conversations left out have no vote."""
    texts = [*(one.text for one in question.readings), *(one.text for one in question.clauses), *([question.said_last] if question.said_last else [])]
    vectors = embedder.encode_query(texts)
    mixed = question.shares @ vectors[: len(question.readings)]
    pool = _pool(question, snapshot, vectors, mixed, left_out)
    return Hits(question, snapshot, vectors, mixed, pool, _passage_similarities(question, snapshot, vectors[: len(question.readings)]))


def _pool(question: Understanding, snapshot: Snapshot, vectors: Vectors, mixed: Values, left_out: Collection[str]) -> ReplyPool:
    n_replies = len(snapshot.shop.replies)
    if len(snapshot.keys) <= _FEW_KEYS and isinstance(snapshot.key_vectors, VectorIndex):
        return ReplyPool(np.arange(n_replies), snapshot.cases.votes(mixed[None], n_replies, left_out=left_out))
    voted_for, votes = snapshot.cases.votes_for(mixed[None], left_out=left_out)
    reply_rows = np.union1d(_candidates(question, snapshot, vectors, mixed), voted_for[_best_rows(votes, FLOOR_KEYS)])
    voted = np.zeros(len(reply_rows), dtype=np.float32)
    _, places, of_votes = np.intersect1d(reply_rows, voted_for, assume_unique=True, return_indices=True)
    voted[places] = votes[of_votes]
    return ReplyPool(reply_rows, voted)


def _candidates(question: Understanding, snapshot: Snapshot, vectors: Vectors, mixed: Values) -> Rows:
    """Rows of the replies that any channel finds, ascending. None of them looks at all keys of a large shop."""
    asked = np.array([mixed, vectors[0]]) if len(question.readings) > 1 else vectors[:1]
    found = [hits.rows for hits in snapshot.key_vectors.search(asked, n_rows=FLOOR_KEYS)]
    found.append(snapshot.key_terms.search(question.text, n_rows=FLOOR_KEYS).rows)
    return np.unique(np.concatenate([snapshot.key_reply_rows[np.concatenate(found)], _of_likely_scenarios(question, snapshot)]))


def _of_likely_scenarios(question: Understanding, snapshot: Snapshot) -> Rows:
    """Rows of replies of the likeliest scenarios: «还没收到» shares no word with the reply for a stalled parcel, but the order says it is one.

    Scenarios with more replies than `SCENARIO_REPLIES` are left to the other channels, which find the nearest of many.
    """
    likely = sorted(name for name, probability in question.scenarios.items() if probability >= _LIKELY_SCENARIO)
    all_rows = [snapshot.scenario_replies[name] for name in likely if name in snapshot.scenario_replies]
    return np.concatenate([np.empty(0, dtype=np.int64), *(rows for rows in all_rows if len(rows) <= SCENARIO_REPLIES)])


def _best_rows(scores: Values, n: int) -> Rows:
    """Rows of the `n` largest positive scores, ties by row."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > n:
        least = np.partition(scores[positive], -n)[-n]
        positive = positive[scores[positive] >= least]
    return positive[np.lexsort((positive, -scores[positive]))[:n]].astype(np.int64)


def _best_of(values: Values, starts: Rows) -> Values:
    """The best of each reply's keys; 0 where none is positive."""
    return np.maximum(np.maximum.reduceat(values, starts), np.float32(0.0))


@compiled
def _keys_of(rows: Rows, starts: Rows, ends: Rows, without: int) -> tuple[Rows, Rows]:
    """The keys of some replies but the last few of each, one reply after the other, and where each reply's begin and the last one's end, [n_replies + 1]."""
    begin = np.zeros(len(rows) + 1, dtype=np.int64)
    for reply, row in enumerate(rows):
        begin[reply + 1] = begin[reply] + ends[row] - starts[row] - without
    keys = np.empty(begin[-1], dtype=np.int64)
    for reply, row in enumerate(rows):
        for place in range(begin[reply], begin[reply + 1]):
            keys[place] = starts[row] + place - begin[reply]
    return keys, begin


@compiled
def _best_triggers(cosines: Values, lexical: Values, starts: Rows) -> Values:
    best = np.zeros((2, len(starts) - 1), dtype=np.float32)
    for reply in range(len(starts) - 1):
        for key in range(starts[reply], starts[reply + 1]):
            best[0, reply] = max(best[0, reply], cosines[key, 0])
            best[1, reply] = max(best[1, reply], lexical[key] / (lexical[key] + _BM25_HALF))
    return best


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
