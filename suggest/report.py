"""What an evaluation found, as figures: the content of evaluation.json and of the page. Knows no HTML and no terminal."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from knowledge.chats import BEST
from knowledge.shop import Shop
from knowledge.templates import literal_words
from suggest.calibration import Bin, CoveragePoint, at_threshold, coverage_curve, expected_calibration_error, reliability
from suggest.comparison import ChatChange, Comparison, outcome_as_json, outcomes_of
from suggest.evaluation import Estimate, Evaluation
from suggest.heard import heard_rightly
from suggest.misses import Miss, first_confidence, first_grade, misses_of
from suggest.scoring import METRICS, UNJUDGED
from suggest.slices import Slice, slices_of

_SLICED = ("success@1", "acceptable@1", "acceptable@3")
_THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(20))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of one evaluation. `confusion` holds (labelled, heard) → chats, main scenarios."""

    shop: Shop
    snapshot_id: str
    threshold: float
    ours: Evaluation
    others: tuple[Evaluation, ...]
    slices: tuple[Slice, ...]
    bins: tuple[Bin, ...]
    curve: tuple[CoveragePoint, ...]
    thresholds: tuple[CoveragePoint, ...]
    confusion: dict[tuple[str, str], int]
    stages_ms: dict[str, dict[str, float]]
    misses: tuple[Miss, ...]

    @property
    def calibration_error(self) -> float:
        """ECE of the first draft's confidence against «acceptable», over the drafts that were shown."""
        return expected_calibration_error(self.bins)


def report_of(ours: Evaluation, others: Sequence[Evaluation], *, shop: Shop, snapshot_id: str, threshold: float) -> Report:
    """Gathers the figures of one evaluation.

    Reliability is over the first drafts that were shown. Coverage and precision are over all messages, the unanswerable too (a draft for those is wrong), and
    go below the threshold in force by the nearest candidate of each silent chat.
    """
    shown = [one for one in ours.results if one.confidences]
    nearest = [one for one in ours.results if one.confidences or one.nearest]
    confidences, right = [first_confidence(one) for one in nearest], [first_grade(one) > 0 for one in nearest]
    n = len(ours.results)
    return Report(
        shop=shop,
        snapshot_id=snapshot_id,
        threshold=threshold,
        ours=ours,
        others=tuple(others),
        slices=tuple(slices_of([one.chat for one in ours.results], shop)),
        bins=tuple(reliability([one.confidences[0] for one in shown], [one.grade > 0 for one in shown])),
        curve=tuple(coverage_curve(confidences, right, n_messages=n)),
        thresholds=tuple(at_threshold(confidences, right, one, n_messages=n) for one in (threshold, *_THRESHOLDS)),
        confusion=_confusion(ours),
        stages_ms=_stages(ours),
        misses=tuple(misses_of(ours)),
    )


def as_json(report: Report) -> dict[str, Any]:
    """Gives evaluation.json. Shares are rounded to 4 decimals; a figure without any chat is null."""
    ours, others = report.ours, report.others
    return {
        "snapshot_id": report.snapshot_id,
        "n_chats": len(ours.results),
        "threshold": round(report.threshold, 4),
        "systems": {one.system: {metric: plain(one.estimate(metric)) for metric in (*METRICS, *UNJUDGED)} for one in [ours, *others]},
        "abstention": {name: plain(value) for name, value in ours.abstention.items()},
        "auto_reply": {name: plain(value) for name, value in ours.auto_replies.items()},
        "hole@1": plain(ours.estimate("hole@1")),
        "hole@3": plain(ours.estimate("hole@3")),
        "slices": {one.name: {metric: plain(ours.estimate(metric, where=one.holds)) for metric in _SLICED} for one in report.slices},
        "calibration": {"ece": _figure(report.calibration_error), "bins": [_figures(one) for one in report.bins]},
        "coverage": [_figures(one) for one in report.thresholds],
        "confusions": [{"labelled": a, "heard": b, "n": n} for (a, b), n in largest_confusions(report)],
        "heard": heard_rightly(ours.results).as_json(),
        "violations": ours.violations,
        "ms": {name: round(value, 3) for name, value in report.stages_ms.get("total", {}).items()},
        "stages_ms": {stage: {name: round(value, 3) for name, value in values.items()} for stage, values in report.stages_ms.items()},
        "misses": [_miss(one) for one in report.misses],
        "chats": [outcome_as_json(one) for one in outcomes_of(ours)],
    }


def comparison_as_json(found: Comparison) -> dict[str, Any]:
    """Gives comparison.json; differences are B - A."""
    return {
        "a": found.name_a,
        "b": found.name_b,
        "n_chats": found.n_chats,
        "metrics": {
            one.metric: {"a": plain(one.a), "b": plain(one.b), "difference": plain(one.difference), "p_value": round(one.p_value, 5)} for one in found.metrics
        },
        "better": [_change(one) for one in found.better],
        "worse": [_change(one) for one in found.worse],
    }


def plain(value: Estimate) -> dict[str, float | int | None]:
    """Gives an estimate as JSON."""
    return {"mean": _figure(value.mean), "low": _figure(value.low), "high": _figure(value.high), "n": value.n}


def largest_confusions(report: Report) -> list[tuple[tuple[str, str], int]]:
    """Gives (labelled, heard) pairs that differ with their number of chats, the most first, ties by name."""
    return sorted(((pair, n) for pair, n in report.confusion.items() if pair[0] != pair[1]), key=lambda item: (-item[1], item[0]))


def wanted_words(report: Report, reply_id: str) -> str:
    """Gives the words of a reply without its template code; empty for one the shop does not have."""
    reply = next((one for one in report.shop.replies if one.id == reply_id), None)
    return " ".join(literal_words(source) for source in reply.templates().values()).strip() if reply else ""


def _change(one: ChatChange) -> dict[str, Any]:
    drafts = {"a": list(one.a.reply_ids), "b": list(one.b.reply_ids), "wanted": dict(one.a.wanted)}
    return {"id": one.a.id, "by": round(one.by, 4), "message": one.a.message, **drafts}


def _miss(miss: Miss) -> dict[str, Any]:
    result = miss.result
    return {
        "id": result.chat.id,
        "kind": miss.kind,
        "got": list(result.reply_ids),
        "confidence": list(result.confidences),
        "wanted": result.chat.labels.replies,
        "wanted_best": [asdict(one) for one in miss.wanted if one.grade == BEST],
        "heard": result.heard,
        "parts": dict(miss.parts),
    }


def _confusion(ours: Evaluation) -> dict[tuple[str, str], int]:
    pairs = Counter((one.chat.labels.scenarios[0], one.heard) for one in ours.results if one.chat.labels.scenarios and one.heard)
    return dict(sorted(pairs.items()))


def _stages(ours: Evaluation) -> dict[str, dict[str, float]]:
    """p50, p95 and p99 of each stage over the chats, in the order of the pipeline, in milliseconds."""
    names = dict.fromkeys(stage for one in ours.results for stage in one.stages_ms)
    values = {stage: np.array([one.stages_ms[stage] for one in ours.results if stage in one.stages_ms]) for stage in names}
    return {stage: {f"p{q}": float(np.percentile(found, q)) for q in (50, 95, 99)} for stage, found in values.items()}


def _figures(one: Bin | CoveragePoint) -> dict[str, float | int | None]:
    return {name: value if isinstance(value, int) else _figure(value) for name, value in asdict(one).items()}


def _figure(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 4)
