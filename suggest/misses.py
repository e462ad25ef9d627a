"""The chats that went wrong, worst first, each with what was wanted, what came and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from suggest.evaluation import ChatResult, Evaluation

_PARTS = 4
Kind = Literal["wrong", "unwanted", "silent"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reply that the labels want: what became of it. `place` is its rank among the nearest candidates, from 1; None beyond them."""

    reply_id: str
    grade: int
    ruled_out: bool
    place: int | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Miss:
    """One chat that went wrong.

    - wrong: an answer exists and the first draft is not acceptable.
    - unwanted: nothing fits, and a draft was offered all the same.
    - silent: an answer exists and none was offered.
    """

    kind: Kind
    result: ChatResult
    wanted: tuple[Wanted, ...]
    parts: tuple[tuple[str, float], ...]  # (signal, its part in the first draft's log-odds), the largest few by size

    @property
    def confidence(self) -> float:
        """Of the first draft; of the nearest candidate where none was offered."""
        return first_confidence(self.result)


def misses_of(evaluation: Evaluation) -> list[Miss]:
    """Gives the misses: confident and wrong first (unwanted ones among them), then silence where an answer existed, nearest to the threshold first."""
    found = [Miss(kind, one, _wanted(one), _largest(one.signals)) for one in evaluation.results if (kind := _kind(one)) is not None]
    return sorted(found, key=lambda miss: (miss.kind == "silent", -miss.confidence, miss.result.chat.id))


def first_confidence(result: ChatResult) -> float:
    """Gives how sure the first draft was, else the nearest candidate that stayed below the threshold; 0 where there was none."""
    if result.confidences:
        return result.confidences[0]
    return result.nearest[0].confidence if result.nearest else 0.0


def first_grade(result: ChatResult) -> int:
    """Gives the label of that same draft or candidate: 2, 1, or 0."""
    ids = [*result.reply_ids[:1], *(one.reply_id for one in result.nearest[:1])]
    return result.chat.labels.replies.get(ids[0], 0) if ids else 0


def _kind(result: ChatResult) -> Kind | None:
    if not result.reply_ids:
        return "silent" if result.chat.labels.answerable else None
    if not result.chat.labels.answerable:
        return "unwanted"
    return "wrong" if result.grade == 0 else None


def _wanted(result: ChatResult) -> tuple[Wanted, ...]:
    places = {one.reply_id: (place, one.confidence) for place, one in enumerate(result.nearest, start=1)}
    found: Sequence[tuple[str, int]] = sorted(result.chat.labels.replies.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Wanted(one, grade, one in result.ruled_out, *places.get(one, (None, None))) for one, grade in found)


def _largest(parts: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(parts.items(), key=lambda item: (-abs(item[1]), item[0]))[:_PARTS])
