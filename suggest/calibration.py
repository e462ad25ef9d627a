"""Whether a confidence means what it says, and what a threshold buys: pure functions of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

N_BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Drafts whose confidence lies in [low, high); the last bin holds 1 too. `confidence` and `accepted` are means, NaN in an empty bin."""

    low: float
    high: float
    n: int
    confidence: float
    accepted: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """At this threshold: the share of all messages that get a draft, and the share of those whose first draft is right; precision is NaN at no coverage."""

    threshold: float
    coverage: float
    precision: float


def reliability(confidences: Sequence[float], accepted: Sequence[bool], *, n_bins: int = N_BINS) -> list[Bin]:
    """Gives bins of equal width over 0..1, lowest first, empty ones included.

    Args:
        confidences: of the first drafts, each in 0..1.
        accepted: whether the draft was acceptable, in the same order.
        n_bins: at least 1.

    Raises:
        ValueError: the two differ in length, or a confidence is outside 0..1.

    Source: DeGroot & Fienberg 1983; the bins as in Guo et al. 2017.
    """
    _check(confidences, accepted)
    inside: list[list[tuple[float, bool]]] = [[] for _ in range(n_bins)]
    for confidence, right in zip(confidences, accepted, strict=True):
        # Rounded first: 0.7 * 10 is 7.000000000000001, and 0.29 * 100 is 28.999999999999996.
        inside[min(math.floor(round(confidence * n_bins, 9)), n_bins - 1)].append((confidence, right))
    return [
        Bin(place / n_bins, (place + 1) / n_bins, len(held), _mean([one for one, _ in held]), _mean([float(right) for _, right in held]))
        for place, held in enumerate(inside)
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Gives the mean distance of confidence and acceptance over the bins, each weighed by its drafts: 0 is honest, 1 the worst; NaN without drafts.

    Source: Naeini et al. 2015.
    """
    n = sum(one.n for one in bins)
    return sum(one.n / n * abs(one.confidence - one.accepted) for one in bins if one.n) if n else math.nan


def coverage_curve(confidences: Sequence[float], accepted: Sequence[bool], *, n_messages: int) -> list[CoveragePoint]:
    """Gives a point for every different confidence as threshold (drafts at or above it are shown), highest first.

    Args:
        confidences: the best candidate's for each message that has one.
        accepted: whether it was acceptable, in the same order.
        n_messages: all messages, those without any candidate too.

    Raises:
        ValueError: lengths differ, a confidence is outside 0..1, or there are fewer messages than confidences.

    Source: risk against coverage, El-Yaniv & Wiener 2010, with 1 - risk.
    """
    _check(confidences, accepted)
    if n_messages < len(confidences):
        raise ValueError(f"expected at least as many messages as confidences, got {n_messages} and {len(confidences)}")
    ordered = sorted(zip(confidences, accepted, strict=True), key=lambda one: -one[0])
    points = []
    right = 0
    for shown, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        if shown == len(ordered) or ordered[shown][0] != confidence:
            points.append(CoveragePoint(confidence, shown / n_messages, right / shown))
    return points


def at_threshold(confidences: Sequence[float], accepted: Sequence[bool], threshold: float, *, n_messages: int) -> CoveragePoint:
    """Gives the point of one threshold."""
    shown = [right for confidence, right in zip(confidences, accepted, strict=True) if confidence >= threshold]
    return CoveragePoint(threshold, len(shown) / n_messages if n_messages else math.nan, _mean([float(right) for right in shown]))


def _check(confidences: Sequence[float], accepted: Sequence[bool]) -> None:
    if len(confidences) != len(accepted):
        raise ValueError(f"expected one judgement for each confidence, got {len(accepted)} for {len(confidences)}")
    outside = [one for one in confidences if not 0 <= one <= 1]
    if outside:
        raise ValueError(f"expected confidences in 0..1, got {outside[0]}")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
