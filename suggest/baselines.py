"""What ours is measured against: word search, word and vector search that look at the order, and our own pipeline blind to it."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from indexes.embedder import Embedder
from indexes.reply_columns import Gate
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.conditions import ALWAYS, Outcome, Verdict
from knowledge.facts import FactTree
from suggest.contract import SuggestionRequest
from suggest.eligibility import ALLOWED, Eligibility
from suggest.evaluation import ChatResult, Evaluation, scored
from suggest.pipeline import Suggester
from suggest.scoring import DEPTH, Offer
from suggest.understanding import Understanding

BM25 = "BM25 on triggers"
BM25_CONDITIONS = "BM25 + conditions"
DENSE_CONDITIONS = "dense + conditions"
WITHOUT_CONDITIONS = "without conditions"
_SHORTLIST = 10  # of the nearest that the order does not rule out; within it those that hold go before those that cannot be decided
_N_PASSAGES = 10


class Baselines:
    """Answers the chats that it is shown, three ways. None of them ever stays silent while it finds a thing.

    - «BM25 on triggers»: the reply whose trigger shares most with the message, whatever the order.
    - «BM25 + conditions»: only replies whose condition is not false; among the ten nearest, true ones before unknown ones.
    - «dense + conditions»: the same by the best cosine between message and trigger.
    """

    def __init__(self, snapshot: Snapshot, embedder: Embedder) -> None:
        self._snapshot, self._embedder = snapshot, embedder
        rows = np.flatnonzero(snapshot.key_is_trigger)
        self._trigger_vectors = snapshot.key_vectors.vectors(rows)  # [n_triggers, dimension]
        self._trigger_replies = snapshot.key_reply_rows[rows]
        self._found: dict[str, tuple[list[ChatResult], list[Offer]]] = {name: ([], []) for name in (BM25, BM25_CONDITIONS, DENSE_CONDITIONS)}

    def observe(self, chat: LabelledChat, eligibility: Eligibility | None) -> None:
        """Answers one chat; without `eligibility` by BM25 alone."""
        snapshot = self._snapshot
        words = _best_of_replies(snapshot, np.where(snapshot.key_is_trigger, snapshot.key_terms.scores(chat.message), 0.0))
        by_words = _articles(snapshot, snapshot.passage_terms.search(chat.message, n_rows=_N_PASSAGES).rows)
        self._note(BM25, chat, _nearest_rows(words)[:DEPTH], by_words)
        if eligibility is not None:
            vectors = self._embedder.encode_query([chat.message])
            self._note(BM25_CONDITIONS, chat, self._allowed(words, eligibility), by_words)
            passages = snapshot.passage_vectors.search(vectors, n_rows=_N_PASSAGES)[0].rows
            self._note(DENSE_CONDITIONS, chat, self._allowed(self._cosines(vectors), eligibility), _articles(snapshot, passages))

    def evaluations(self) -> list[Evaluation]:
        """Gives each baseline's results over the chats observed; one that observed none is left out."""
        return [Evaluation(name, scored(results, offers)) for name, (results, offers) in self._found.items() if results]

    def _cosines(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        best = np.zeros(len(self._snapshot.shop.replies))
        np.maximum.at(best, self._trigger_replies, (self._trigger_vectors @ vectors[0]).astype(np.float64))
        return best

    def _allowed(self, nearness: npt.NDArray[np.float64], eligibility: Eligibility) -> list[int]:
        kept: list[tuple[bool, int]] = []
        for row in _nearest_rows(nearness):
            outcome = eligibility.of_reply(self._snapshot.shop.replies[row]).outcome
            if outcome is not Outcome.FALSE:
                kept.append((outcome is Outcome.UNKNOWN, row))
            if len(kept) == _SHORTLIST:
                break
        return [row for _, row in sorted(kept, key=lambda one: one[0])][:DEPTH]  # the sort is stable: nearest first within each

    def _note(self, system: str, chat: LabelledChat, rows: Sequence[int], articles: tuple[str, ...]) -> None:
        ids = tuple(self._snapshot.shop.replies[row].id for row in rows)
        results, offers = self._found[system]
        results.append(ChatResult(chat, ids, (), not ids, {}))
        offers.append(Offer(chat.labels, ids, articles, first_text=None))


def evaluate_bm25(chats: Sequence[LabelledChat], snapshot: Snapshot, embedder: Embedder) -> Evaluation:
    """Gives the baseline that most tools are: BM25 of the message over the triggers, no order, no abstention."""
    baselines = Baselines(snapshot, embedder)
    for chat in chats:
        baselines.observe(chat, None)
    return baselines.evaluations()[0]


class UnconditionalSuggester(Suggester):
    """The same pipeline, blind to the order: every condition counts as true. For comparison only."""

    def _eligibility(self, request: SuggestionRequest, facts: FactTree, understanding: Understanding, now: datetime) -> Eligibility:
        usual = super()._eligibility(request, facts, understanding, now)
        return _Everything(usual.circumstances, self._traits.gates)


class _Everything(Eligibility):
    def outcomes(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        return np.full(len(rows), ALLOWED, dtype=np.int8)

    def of_gate(self, gate: Gate) -> Verdict:
        del gate
        return ALWAYS


def _best_of_replies(snapshot: Snapshot, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The best key of each reply, from [n_keys] to [n_replies]."""
    best = np.zeros(len(snapshot.shop.replies))
    np.maximum.at(best, snapshot.key_reply_rows, scores)
    return best


def _nearest_rows(nearness: npt.NDArray[np.float64]) -> list[int]:
    """Rows with anything in common, nearest first, ties by row."""
    rows = np.flatnonzero(nearness > 0)
    return list(rows[np.argsort(-nearness[rows], kind="stable")].tolist())


def _articles(snapshot: Snapshot, passage_rows: npt.NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(snapshot.shop.passages[row].article_id for row in passage_rows))[:DEPTH]
