"""How many acceptable replies the channels find among ten, before any ranking: each channel alone, fused, and with what the need model hears.

Fusion is reciprocal rank (Cormack et al. 2009, k = 60): no weight is fitted, so the figures say what the channels are worth, not the ranker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.chats import LabelledChat
from knowledge.conditions import Outcome
from suggest.pipeline import Suggester
from suggest.retrieval import Hits, ReplyHits
from suggest.understanding import Understanding

CHANNELS = ("dense", "BM25", "both", "both + needs")
CUTOFF = 10
_RANK_CONSTANT = 60.0
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recall:
    """For one chat: whether an acceptable reply is among the first ten, by channel; among all replies and among those the order allows."""

    among_all: dict[str, float]
    among_allowed: dict[str, float]


def recall(chats: Sequence[LabelledChat], suggester: Suggester, *, messages: Sequence[str] | None = None) -> list[Recall]:
    """Gives one figure a chat that should be answered, in order; `messages` stand in for the chats' own."""
    replies = suggester.snapshot.shop.replies
    found = []
    for number, chat in enumerate(chats):
        given = chat if messages is None else chat.model_copy(update={"message": messages[number]})
        questions, eligibility = suggester.retrieved(given)
        allowed = np.array([eligibility.of_reply(reply).outcome is not Outcome.FALSE for reply in replies])
        acceptable = np.array([reply.id in chat.labels.replies for reply in replies])
        by_channel = _channel_scores(questions, len(replies), [reply.scenario for reply in replies])
        among_all = {name: _found(scores, acceptable) for name, scores in by_channel.items()}
        among_allowed = {name: _found(np.where(allowed, scores, -1.0), acceptable) for name, scores in by_channel.items()}
        found.append(Recall(among_all, among_allowed))
    return found


def _found(scores: Scores, acceptable: npt.NDArray[np.bool_]) -> float:
    first = np.argsort(-scores, kind="stable")[:CUTOFF]
    return float(bool((acceptable[first] & (scores[first] > 0)).any()))


def _channel_scores(questions: Sequence[tuple[Understanding, Hits]], n_replies: int, scenarios: Sequence[str]) -> dict[str, Scores]:
    """Scores of every reply by channel, [n_replies]; of several questions the better one counts; 0 where the channel has nothing."""
    best = {name: np.zeros(n_replies) for name in CHANNELS}
    for question, hits in questions:
        near = hits.replies
        probability = np.array([question.scenarios.get(scenarios[row], 0.0) for row in near.reply_rows])
        mixed, needs = near.cosines[:, : len(question.readings)] @ question.shares, near.key_needs @ np.sqrt(question.mixed_needs)
        channels = {"dense": near.best_trigger(mixed), "BM25": near.best_key(_lexical(question, near)), "needs": near.best_trigger(needs)}
        channels["scenario"] = probability
        reciprocal = {name: _reciprocal_ranks(np.asarray(values, dtype=np.float64)) for name, values in channels.items()}
        reciprocal["both"] = reciprocal["dense"] + reciprocal["BM25"]
        reciprocal["both + needs"] = reciprocal["both"] + reciprocal.pop("needs") + reciprocal.pop("scenario")
        for name in CHANNELS:
            np.maximum.at(best[name], near.reply_rows, reciprocal[name])
    return best


def _lexical(question: Understanding, near: ReplyHits) -> npt.NDArray[np.float32]:
    lean = np.float32(question.lean_on_history)
    return np.asarray((1 - lean) * near.lexical + lean * near.lexical_in_context, dtype=np.float32)


def _reciprocal_ranks(values: Scores) -> Scores:
    """1 / (60 + rank), equal values sharing the best rank among them; 0 for what was not found at all."""
    order = np.sort(-values)
    ranks = np.searchsorted(order, -values, side="left") + 1
    return np.where(values > 0, 1.0 / (_RANK_CONSTANT + ranks), 0.0)
