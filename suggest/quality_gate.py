"""Whether the shop's labelled chats get worse drafts from a new snapshot than from the live one: paired, through the endpoint's own pipeline.

Reports name chats and replies by id; no customer's words leave here.
"""

from collections.abc import Sequence, Set
from typing import Any

import numpy as np

from indexes.gate import Refusal, Verdict
from indexes.snapshot import Snapshot
from knowledge.chats import BEST, LabelledChat
from suggest.comparison import ChatOutcome, Comparison, MetricChange, compare, outcomes_of
from suggest.evaluation import evaluate
from suggest.live import Models
from suggest.pipeline import Suggester

GATED = ("success@1", "acceptable@1", "unanswerable_abstained")
MAX_CHATS = 200  # some seconds, live and new together
MIN_LOST = 3  # in a small set one chat is more than any margin
_SEED = 7


def judge_chats(live: Snapshot | None, new: Snapshot, chats: Sequence[LabelledChat], models: Models, *, max_worse: float | None = None) -> Verdict:
    """Gives the paired figures of the chats, the ids of those that break, and a refusal for each metric that loses too much.

    Chats whose right replies were taken out of the knowledge cannot be answered as labelled any more: they are listed, and not counted as lost.

    Args:
        live: what serves now; without one nothing is compared.
        new: what would take its place.
        chats: labelled ones; of more than `MAX_CHATS` a seeded sample of conversations.
        models: what serves.
        max_worse: 0..1, how much a metric may lose, instead of the new shop's own `[gate] max_worse`; at least `MIN_LOST` chats must be lost too.
    """
    max_worse = new.shop.store.gate.max_worse if max_worse is None else max_worse
    if live is None or not chats:
        return Verdict({"n_chats": 0})
    asked = sample(chats)
    gone = {chat.id for chat in asked if impossible(chat, live, new)}
    kept = [chat for chat in asked if chat.id not in gone]
    outcomes = [outcomes_of(evaluate(kept, _suggester(snapshot, models), system="", check=False)) for snapshot in (live, new)]
    found = compare(outcomes[0], outcomes[1], name_a="live", name_b="new")
    lost = {change.metric: _n_lost(change) for change in found.metrics if change.metric in GATED}
    refusals = [
        Refusal("chats", _reason(change, max_worse))
        for change in found.metrics
        if change.metric in GATED and -change.difference.mean > max_worse and lost[change.metric] >= MIN_LOST
    ]
    return Verdict(_figures(found, n_asked=len(asked), n_all=len(chats), gone=sorted(gone), live=live, new=new), tuple(refusals))


def sample(chats: Sequence[LabelledChat], n_chats: int = MAX_CHATS) -> list[LabelledChat]:
    """Gives up to `n_chats` chats, whole conversations, the same ones each night while the file is the same."""
    if len(chats) <= n_chats:
        return list(chats)
    conversations = sorted({chat.conversation for chat in chats})
    rank = {name: int(place) for name, place in zip(conversations, np.random.default_rng(_SEED).permutation(len(conversations)), strict=True)}
    chosen = sorted(chats, key=lambda chat: (rank[chat.conversation], chat.id))[:n_chats]
    ids = {chat.id for chat in chosen}
    return [chat for chat in chats if chat.id in ids]


def impossible(chat: LabelledChat, live: Snapshot, new: Snapshot) -> bool:
    """Whether the replies an expert would send were there and all are gone: somebody took them out, and no ranking can bring them back."""
    best = {reply_id for reply_id, grade in chat.labels.replies.items() if grade == BEST}
    return any(_any_of(wanted, live) and not _any_of(wanted, new) for wanted in (best, set(chat.labels.replies)))


def _any_of(reply_ids: Set[str], snapshot: Snapshot) -> bool:
    return any(snapshot.columns.row_of(one) is not None for one in reply_ids)


def _suggester(snapshot: Snapshot, models: Models) -> Suggester:
    return Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)


def _n_lost(change: MetricChange) -> int:
    """Chats lost, less chats won."""
    return round(-change.difference.mean * change.difference.n)


def _reason(change: MetricChange, max_worse: float) -> str:
    return (
        f"{change.metric} of the labelled chats falls from {change.a.mean:.3f} to {change.b.mean:.3f}: {_n_lost(change)} of {change.difference.n} chats lost, "
        f"at most {100 * max_worse:g} points may be (p = {change.p_value:.3f})"
    )


def _figures(found: Comparison, *, n_asked: int, n_all: int, gone: list[str], live: Snapshot, new: Snapshot) -> dict[str, Any]:
    metrics = {
        change.metric: {
            "n": change.difference.n,
            "live": round(change.a.mean, 4),
            "new": round(change.b.mean, 4),
            "change": round(change.difference.mean, 4),
            "interval": [round(change.difference.low, 4), round(change.difference.high, 4)],
            "p_value": round(change.p_value, 4),
        }
        for change in found.metrics
        if change.metric in GATED
    }
    told = {one for change in found.worse for one in (*change.a.wanted, *change.b.reply_ids[:1])}
    fresh = {one for one in told if live.reply(one) is None and new.reply(one) is not None}
    edited = {one for one in told if new.reply(one) is not None and live.reply(one) != new.reply(one)}
    return {
        "n_chats": n_asked,
        "n_all": n_all,
        "metrics": metrics,
        "broken": [_broken(change.a, change.b, fresh=fresh, edited=edited) for change in found.worse],
        "mended": [change.a.id for change in found.better],
        "impossible": gone,
    }


def _broken(live: ChatOutcome, new: ChatOutcome, *, fresh: Set[str], edited: Set[str]) -> dict[str, Any]:
    """One chat that gets worse: why as far as ids tell, the replies an expert would send, and what came first."""
    wanted = sorted(live.wanted, key=lambda reply_id: (-live.wanted[reply_id], reply_id))
    return {"id": live.id, "why": _why(live, new, fresh, edited), "wanted": wanted, "live": list(live.reply_ids[:1]), "new": list(new.reply_ids[:1])}


def _why(live: ChatOutcome, new: ChatOutcome, fresh: Set[str], edited: Set[str]) -> str:
    if not live.answerable:
        return "no longer silent"
    if new.reply_ids and new.reply_ids[0] in fresh:
        return "a new reply comes first"
    if edited & {reply_id for reply_id, grade in live.wanted.items() if grade == BEST}:
        return "its reply was edited"
    return "ranked otherwise" if new.reply_ids else "silent"
