"""Whether a built snapshot may take the place of the live one. What needs the whole pipeline, the labelled chats, is judged by who calls us."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexes.history import Event
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat

COUNTED = ("replies", "articles")
MIN_GONE = 3  # fewer than so many are somebody's edit, however small the shop


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason not to publish: a word for machines and a sentence for people."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the labelled chats say: figures for the report, and refusals."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()


Judge = Callable[[Snapshot | None, Snapshot, Sequence[LabelledChat]], Verdict]  # (live, new, chats); live is None where none can be compared with


def fewer(old: Mapping[str, int], new: Mapping[str, int], *, max_fewer: float) -> list[Refusal]:
    """Refuses a snapshot that lost more than `max_fewer` (0..1) of the last one's replies or articles: half a file was read, or an export failed."""
    refusals = []
    for name in COUNTED:
        before, after = old.get(name, 0), new.get(name, 0)
        if before - after >= MIN_GONE and (before - after) / before > max_fewer:
            reason = f"{after} {name}, the live snapshot has {before}: {(before - after) / before:.0%} fewer, at most {max_fewer:.0%} may go at once"
            refusals.append(Refusal("counts", reason))
    return refusals


def rolled_back(event: Event | None) -> list[Refusal]:
    """Refuses what people rolled back from: the same words would bring the same harm back at night."""
    if event is None:
        return []
    why = f" ({event.reason})" if event.reason else ""
    return [Refusal("rolled_back", f"{event.by} rolled back from this very knowledge on {event.at}{why}; mend the files first")]
