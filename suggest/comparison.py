"""Two systems on the same chats, paired: whether a difference is more than chance, and which chats got better or worse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from suggest.errors import UnpairedReports, UnreadableReport
from suggest.evaluation import Estimate, Evaluation, bootstrap

HEADLINE = ("success@1", "acceptable@1", "success@3", "acceptable@3", "nDCG@3", "passage_recall@3", "unanswerable_abstained", "answerable_abstained")
REPORT_FILE = "evaluation.json"
_ROUNDS = 10_000
_EXACT_UNITS = 13  # up to so many conversations that differ, all 2^13 = 8,192 ways are counted instead of drawn
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ChatOutcome:
    """One chat's result as a report keeps it. `unit` is drawn and flipped as one: a contrast group, else the chat itself."""

    id: str
    unit: str
    message: str
    answerable: bool
    wanted: Mapping[str, int]
    reply_ids: tuple[str, ...]
    confidences: tuple[float, ...]
    abstained: bool
    scores: Mapping[str, float]

    @property
    def measured(self) -> dict[str, float]:
        """The scores, and silence: right for the unanswerable, wrong for the answerable."""
        return {**self.scores, "answerable_abstained" if self.answerable else "unanswerable_abstained": float(self.abstained)}

    @property
    def worth(self) -> float:
        """For ordering changes, 0..3: success@1 + acceptable@1 + nDCG@3, or silence (1) where nothing should be said."""
        if not self.answerable:
            return float(self.abstained)
        return self.scores.get("success@1", 0.0) + self.scores.get("acceptable@1", 0.0) + self.scores.get("nDCG@3", 0.0)


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric of A and of B over the chats where it applies to both; the difference is B - A, the p-value two-sided."""

    metric: str
    a: Estimate
    b: Estimate
    difference: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class ChatChange:
    """A chat that got better or worse: `by` is B's worth less A's, never 0."""

    a: ChatOutcome
    b: ChatOutcome

    @property
    def by(self) -> float:
        """How much, -3..3."""
        return self.b.worth - self.a.worth


@dataclass(frozen=True, slots=True)
class Comparison:
    """B against A. Metrics as in HEADLINE, those that no chat has left out; changes the largest first, ties by chat id."""

    name_a: str
    name_b: str
    n_chats: int
    metrics: tuple[MetricChange, ...]
    better: tuple[ChatChange, ...]
    worse: tuple[ChatChange, ...]


def outcomes_of(evaluation: Evaluation) -> list[ChatOutcome]:
    """Gives the outcomes of an evaluation in the order of its chats."""
    return [
        ChatOutcome(
            id=one.chat.id,
            unit=one.chat.contrast_group or one.chat.id,
            message=one.chat.message,
            answerable=one.chat.labels.answerable,
            wanted=one.chat.labels.replies,
            reply_ids=one.reply_ids,
            confidences=one.confidences,
            abstained=one.abstained,
            scores=one.scores,
        )
        for one in evaluation.results
    ]


def read_outcomes(path: Path) -> list[ChatOutcome]:
    """Gives the outcomes of an earlier report: its folder, or its evaluation.json.

    Raises:
        UnreadableReport: the file is not there, is not JSON, or holds no results by chat.
    """
    file = path / REPORT_FILE if path.is_dir() else path
    try:
        return [_outcome(one) for one in json.loads(file.read_text(encoding="utf-8"))["chats"]]
    except OSError as error:
        raise UnreadableReport(file, "cannot be read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableReport(file, "holds no results by chat") from error


def outcome_as_json(one: ChatOutcome) -> dict[str, Any]:
    """Gives what `read_outcomes` reads; scores are not rounded, or a rounding would be counted as a change."""
    return {
        "id": one.id, "unit": one.unit, "message": one.message, "answerable": one.answerable, "wanted": dict(one.wanted), "got": list(one.reply_ids),
        "confidence": list(one.confidences), "abstained": one.abstained, "scores": dict(one.scores),
    }  # fmt: skip


def compare(a: Sequence[ChatOutcome], b: Sequence[ChatOutcome], *, name_a: str, name_b: str, seed: int = 7) -> Comparison:
    """Compares B with A on the same chats.

    Raises:
        UnpairedReports: the chats are not the same, or the same chats were labelled differently.
    """
    pairs = _paired(a, b)
    changes = [ChatChange(one, other) for one, other in pairs if abs(other.worth - one.worth) > _ROUNDING]
    better, worse = [one for one in changes if one.by > 0], [one for one in changes if one.by < 0]
    metrics = [change for metric in HEADLINE if (change := _metric_change(metric, pairs, seed)) is not None]
    return Comparison(
        name_a, name_b, len(pairs), tuple(metrics),
        better=tuple(sorted(better, key=lambda one: (-one.by, one.a.id))), worse=tuple(sorted(worse, key=lambda one: (one.by, one.a.id))),
    )  # fmt: skip


def randomisation_test(differences: npt.NDArray[np.float64], *, seed: int = 7, n_rounds: int = _ROUNDS) -> float:
    """Gives the two-sided p-value that B - A is chance: how often flipping the signs of whole conversations gives at least as large a sum.

    Args:
        differences: float64[n_units], each unit's sum of B - A; units without a difference change nothing and may be left in.
        seed: of the flips, where not all can be counted.
        n_rounds: flips drawn then; the p-value is (1 + as large) / (1 + n_rounds), never 0.

    Returns:
        0..1; 1 where nothing differs. Exact up to 13 units that differ.

    Source: Smucker, Allan & Carterette 2007 (CIKM), the paired randomisation test; the added 1 as in Phipson & Smyth 2010.
    """
    moved = differences[np.abs(differences) > _ROUNDING]
    if not len(moved):
        return 1.0
    observed = abs(moved.sum()) - _ROUNDING
    if len(moved) <= _EXACT_UNITS:
        flips = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1
        return float((np.abs((2 * flips - 1) @ moved) >= observed).mean())
    signs = np.random.default_rng(seed).integers(0, 2, size=(n_rounds, len(moved)), dtype=np.int8) * 2.0 - 1
    return (1 + int((np.abs(signs @ moved) >= observed).sum())) / (1 + n_rounds)


def _metric_change(metric: str, pairs: Sequence[tuple[ChatOutcome, ChatOutcome]], seed: int) -> MetricChange | None:
    both = [(one.unit, one.measured[metric], other.measured[metric]) for one, other in pairs if metric in one.measured and metric in other.measured]
    if not both:
        return None
    units = [unit for unit, _, _ in both]
    values_a, values_b = np.array([value for _, value, _ in both]), np.array([value for _, _, value in both])
    index = np.unique(units, return_inverse=True)[1]
    p_value = randomisation_test(np.bincount(index, weights=values_b - values_a).astype(np.float64), seed=seed)
    return MetricChange(metric, bootstrap(values_a, units), bootstrap(values_b, units), bootstrap(values_b - values_a, units), p_value)


def _paired(a: Sequence[ChatOutcome], b: Sequence[ChatOutcome]) -> list[tuple[ChatOutcome, ChatOutcome]]:
    of_b = {one.id: one for one in b}
    strangers = sorted({one.id for one in a} ^ set(of_b))
    if strangers:
        raise UnpairedReports(f"{len(strangers)} chats are in one of the two only, such as {strangers[0]!r}")
    relabelled = [one.id for one in a if (one.message, one.answerable, dict(one.wanted)) != _asked(of_b[one.id])]
    if relabelled:
        raise UnpairedReports(f"{len(relabelled)} chats have other words or other labels, such as {relabelled[0]!r}")
    return [(one, of_b[one.id]) for one in a]


def _asked(one: ChatOutcome) -> tuple[str, bool, dict[str, int]]:
    return one.message, one.answerable, dict(one.wanted)


def _outcome(one: dict[str, Any]) -> ChatOutcome:
    return ChatOutcome(
        id=one["id"], unit=one["unit"], message=one["message"], answerable=one["answerable"], wanted=one["wanted"], reply_ids=tuple(one["got"]),
        confidences=tuple(one["confidence"]), abstained=one["abstained"], scores=one["scores"],
    )  # fmt: skip
