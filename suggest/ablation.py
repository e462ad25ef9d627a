"""What each signal and each step of understanding is worth: the ranking fitted again without it, judged on chats it was not fitted to, pair by pair.

Only the order of candidates is judged, before thresholds, folding of variants and drafting: what a signal does, it does here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from indexes.build import build_snapshot
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from suggest.evaluation import Estimate, bootstrap
from suggest.fitting import Example, examples, fit_order
from suggest.history import HistoryGate
from suggest.live import Models
from suggest.meaning import MeaningModel
from suggest.moods import MoodModel
from suggest.pipeline import Suggester
from suggest.ranking import Ranker, best_first
from suggest.reading_fitting import heard_chats, refitted
from suggest.scoring import Offer, score
from suggest.signals import REQUEST_SIGNALS, SIGNALS, SignalTable
from suggest.understanding import MessageReader
from suggest.unseen import LabelledShop

METRICS = ("success@1", "acceptable@1", "acceptable@3", "nDCG@3")
FULL = "everything"
_HISTORY = ("trigger_with_", "needs_with_turns", "lexical_in_context", "said_before", "lean_on_history", "has_history")
# Signals that go together, by how their names begin.
SIGNAL_GROUPS: Mapping[str, tuple[str, ...]] = {
    "triggers, dense": ("trigger", "best_trigger"),
    "replies' own words": ("words", "needs_words", "lexical_words"),
    "needs": ("needs", "best_needs", "surest_need", "need_entropy"),
    "BM25": ("lexical", "best_lexical"),
    "scenarios": ("scenario", "in_top_scenario", "doubt", "other"),
    "best of its scenario": ("trigger_mixed_in_scenario", "needs_profile_in_scenario", "specific_in_scenario"),
    "clauses": ("trigger_clause", "needs_clause"),
    "history": _HISTORY,
    "conditions": ("unknown", "specific", "conditional", "about_case", "asks_for_order", "ignores_order", "has_order"),
    "notable facts": ("covers_notable", "ignores_notable", "looks_elsewhere"),
    "tone and mood": ("upset", "calm", "neutral", "threat"),
    "product": ("own_product",),
    "cited articles": ("cited_article",),
    "tier and authority": ("tier", "lead"),
    "distance from the best": tuple(name for name in SIGNALS if name.endswith("_from_best")),
    "the question itself": REQUEST_SIGNALS,
}
Step = Callable[[MessageReader], MessageReader]
_ONLY_MESSAGE = HistoryGate(((50.0,) + (0.0,) * 6,) + ((0.0,) * 7,) * 3)
# Steps of understanding: the reader that does without.
STEPS: Mapping[str, Step] = {
    "history in the reading": lambda reader: reader.leaning_by(_ONLY_MESSAGE),
    "the order and the mood in what is meant": lambda reader: reader.understanding_by(meaning=MeaningModel.as_heard(reader.needs)),
    "what the message is about in the mood": lambda reader: reader.understanding_by(moods=MoodModel.as_heard()),
}


def _whole(reader: MessageReader) -> MessageReader:
    return reader


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is left out, the mean of each metric without it, and the paired difference to everything, negative when it was of use."""

    without: str
    means: Mapping[str, float]
    differences: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class JudgedChat:
    """A labelled chat with the signals of its candidates."""

    shop: str
    chat: LabelledChat
    example: Example


def gather(shops: Sequence[LabelledShop], models: Models, snapshots: Mapping[str, Snapshot], *, step: Step = _whole) -> list[JudgedChat]:
    """Gives every answerable chat that has a candidate, with its signals by what the other shops taught the reader; the shops' own chats have no votes.

    `step` changes the reader after it was taught.
    """
    heard = {one.id: heard_chats(one.chats, one.shop, models.reader) for one in shops}
    found = []
    for one in shops:
        reader = step(refitted(models.reader, [chat for other in shops if other.id != one.id for chat in heard[other.id]]))
        blank = Suggester(snapshots[one.id], embedder=models.embedder, reader=reader, ranker=Ranker.unfitted())
        for chat in one.chats:
            if chat.labels.answerable:
                found += [JudgedChat(one.id, chat, example) for example in examples([chat], blank)]
    return found


def ablate(shops: Sequence[LabelledShop], models: Models, *, now: datetime, on_done: Callable[[str], None] | None = None) -> list[Ablation]:
    """Gives everything first, then without each group of signals and each step, leave-one-shop-out over the shops.

    Args:
        shops: at least two, with labelled chats.
        models: those that serve.
        now: when, for the snapshots' ids.
        on_done: hears the name of each that is done.
    """
    tell = on_done or (lambda _name: None)
    snapshots = {one.id: build_snapshot(one.shop, embedder=models.embedder, needs=models.reader.needs, now=now) for one in shops}
    full = gather(shops, models, snapshots)
    baseline = by_other_shops(full)
    found = [_ablation(FULL, full, baseline, baseline)]
    tell(FULL)
    for name, beginnings in SIGNAL_GROUPS.items():
        found.append(_ablation(name, full, by_other_shops([_blinded(one, beginnings) for one in full]), baseline))
        tell(name)
    for name, step in STEPS.items():
        without = gather(shops, models, snapshots, step=step)
        found.append(_ablation(name, full, _aligned(full, without, by_other_shops(without)), baseline))
        tell(name)
    return found


def by_other_shops(judged: Sequence[JudgedChat]) -> list[dict[str, float]]:
    """Gives each chat's scores by an order fitted on the other shops."""
    return _held_out(judged, [one.shop for one in judged])


def by_other_scenarios(judged: Sequence[JudgedChat], *, n_folds: int) -> list[dict[str, float]]:
    """Gives each chat's scores by an order fitted on chats of other scenarios; scenarios are dealt to the folds in the order of their names."""
    names = sorted({one.chat.labels.scenarios[0] for one in judged})
    fold = {name: number % n_folds for number, name in enumerate(names)}
    return _held_out(judged, [str(fold[one.chat.labels.scenarios[0]]) for one in judged])


def _held_out(judged: Sequence[JudgedChat], folds: Sequence[str]) -> list[dict[str, float]]:
    offers: list[Offer | None] = [None] * len(judged)
    for fold in sorted(set(folds)):
        order = fit_order([one.example for one, own in zip(judged, folds, strict=True) if own != fold])
        for place, (one, own) in enumerate(zip(judged, folds, strict=True)):
            if own == fold:
                table = one.example.table
                first = best_first(table, order.scores(table.values))
                offers[place] = Offer(one.chat.labels, tuple(table.replies[row].id for row in first[:10]), (), None)
    return score([offer for offer in offers if offer is not None])


def _blinded(one: JudgedChat, beginnings: Sequence[str]) -> JudgedChat:
    values = one.example.table.values.copy()
    values[:, [place for place, name in enumerate(SIGNALS) if name.startswith(tuple(beginnings))]] = 0.0
    table = SignalTable(one.example.table.replies, one.example.table.verdicts, values)
    example = one.example
    return JudgedChat(one.shop, one.chat, replace(example, table=table))


def _aligned(full: Sequence[JudgedChat], without: Sequence[JudgedChat], scores: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """The scores in the order of `full`; a chat that has no candidate any more has 0."""
    by_chat = {(one.shop, one.chat.id): found for one, found in zip(without, scores, strict=True)}
    return [by_chat.get((one.shop, one.chat.id), dict.fromkeys(METRICS, 0.0)) for one in full]


def _ablation(name: str, judged: Sequence[JudgedChat], scores: Sequence[dict[str, float]], baseline: Sequence[dict[str, float]]) -> Ablation:
    """Means over shops, each weighing the same; intervals over conversations."""
    weights = _shop_weights([one.shop for one in judged])
    units = [f"{one.shop}/{one.chat.conversation}" for one in judged]
    values = {metric: np.array([found[metric] for found in scores]) for metric in METRICS}
    usual = {metric: np.array([found[metric] for found in baseline]) for metric in METRICS}
    means = {metric: float((values[metric] * weights).mean()) for metric in METRICS}
    return Ablation(name, means, {metric: bootstrap((values[metric] - usual[metric]) * weights, units) for metric in METRICS})


def _shop_weights(shops: Sequence[str]) -> np.ndarray:
    """So that the plain mean over chats is the mean over shops."""
    n = {shop: shops.count(shop) for shop in set(shops)}
    return np.array([len(shops) / (len(n) * n[shop]) for shop in shops])
