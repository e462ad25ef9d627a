"""How much a shop gains by its own models: K-fold over conversations, each judged by models that never saw it. Needs torch.

Only the first steps of the path are judged, without the order: whether an acceptable reply is near, and whether the scenario is heard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.adaptation import Adaptation, Adapter
from indexes.classifier import label_groups, softmax
from indexes.embedder import Vectors
from indexes.errors import AdaptationRefused
from indexes.needs_tuning import Layer
from indexes.shop_pairs import Lessons, conversation
from knowledge.chats import LabelledChat
from knowledge.normalise import match_form, strip_console
from knowledge.records import ProvenReply

MEASURES = ("recall@1", "recall@10", "scenario@1")
_CUTOFFS = (1, 10)


@dataclass(frozen=True, slots=True)
class Judged:
    """One chat before and after; a measure that does not apply to it is absent."""

    conversation: str
    before: dict[str, float]
    after: dict[str, float]


def cross_validate(
    adapter: Adapter, lessons: Lessons, judged: Sequence[LabelledChat], *, folds: int, seed: int = 7, on_fold: Callable[[int, int], None] | None = None
) -> list[Judged]:
    """Gives every judged chat once, in order, `after` by models tuned without its conversation and without its words.

    A fold that would be refused for what it forgets keeps the models it began with, as a shop would.
    """
    names = sorted({conversation(chat) for chat in judged})
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[name]: position % folds for position, name in enumerate(order)}
    before = measure(adapter, judged, lessons.replies, adapter.table, adapter.layers.layer)
    after: list[dict[str, float]] = [{} for _ in judged]
    for fold in range(folds):
        rows = [row for row, chat in enumerate(judged) if fold_of[conversation(chat)] == fold]
        chats = [judged[row] for row in rows]
        tuned = _without(adapter, lessons, chats)
        found = measure(adapter, chats, lessons.replies, tuned.table, tuned.layer) if tuned else [before[row] for row in rows]
        for row, one in zip(rows, found, strict=True):
            after[row] = one
        if on_fold is not None:
            on_fold(fold + 1, folds)
    return [Judged(conversation(chat), one, other) for chat, one, other in zip(judged, before, after, strict=True)]


def _without(adapter: Adapter, lessons: Lessons, chats: Sequence[LabelledChat]) -> Adaptation | None:
    rest = lessons.without((chat.message for chat in chats), (conversation(chat) for chat in chats))
    try:
        return adapter.adapt(rest)
    except AdaptationRefused:
        return None


def measure(adapter: Adapter, chats: Sequence[LabelledChat], replies: Sequence[ProvenReply], table: Vectors, layer: Layer) -> list[dict[str, float]]:
    """Gives each chat's measures: is an acceptable reply among the first by its nearest trigger; is the likeliest scenario a labelled one."""
    keys = [(row, match_form(trigger)) for row, reply in enumerate(replies) for trigger in reply.triggers]
    words = [strip_console(chat.message) for chat in chats]
    cosines = adapter.pieces.vectors(table, words) @ adapter.pieces.vectors(table, [text for _, text in keys]).T  # [n_chats, n_keys]
    nearest = np.full((len(chats), len(replies)), -1.0, dtype=np.float32)
    np.maximum.at(nearest.T, np.array([row for row, _ in keys], dtype=np.int64), cosines.T)
    scenarios = _likeliest_scenarios(adapter, words, layer)
    found = []
    for row, chat in enumerate(chats):
        measures: dict[str, float] = {}
        acceptable = [number for number, reply in enumerate(replies) if reply.id in chat.labels.replies and reply.triggers]
        if chat.labels.answerable and acceptable:
            rank = 1 + int((nearest[row] > nearest[row, acceptable].max()).sum())
            measures |= {f"recall@{cutoff}": float(rank <= cutoff) for cutoff in _CUTOFFS}
        if chat.labels.answerable and chat.labels.scenarios:
            measures["scenario@1"] = float(scenarios[row] in chat.labels.scenarios)
        found.append(measures)
    return found


def _likeliest_scenarios(adapter: Adapter, words: Sequence[str], layer: Layer) -> list[str]:
    names, member = label_groups(adapter.layers.labels)
    probabilities = softmax(adapter.layers.features(words) @ layer / adapter.layers.temperature)
    return [names[row] for row in (probabilities @ member).argmax(axis=1)]
