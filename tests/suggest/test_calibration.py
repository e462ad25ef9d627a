import math

import pytest

from suggest.calibration import Bin, CoveragePoint, at_threshold, coverage_curve, expected_calibration_error, reliability


def test_reliability_puts_a_confidence_in_its_bin_whatever_the_rounding() -> None:
    """0.7 * 10 is 7.000000000000001 and 0.3 / 0.1 is 2.9999999999999996: an edge belongs to the bin above it, 1 to the last."""
    bins = reliability([0.0, 0.3, 0.7, 0.6999, 1.0], [True] * 5)

    assert [1, 0, 0, 1, 0, 0, 1, 1, 0, 1] == [one.n for one in bins]


def test_reliability_gives_means_and_empty_bins() -> None:
    low, high = reliability([0.2, 0.4, 0.3], [True, False, False], n_bins=2)

    assert (0.0, 0.5, 3, pytest.approx(0.3), pytest.approx(1 / 3)) == (low.low, low.high, low.n, low.confidence, low.accepted)
    assert (0.5, 1.0, 0, True, True) == (high.low, high.high, high.n, math.isnan(high.confidence), math.isnan(high.accepted))


def test_calibration_error_by_hand() -> None:
    """Two at .95 of which one is right: |.95 - .5| = .45. Two at .15, both wrong: .15. ECE = 2/4 * .45 + 2/4 * .15 = .30."""
    bins = reliability([0.95, 0.95, 0.15, 0.15], [True, False, False, False])

    assert pytest.approx(2 / 4 * 0.45 + 2 / 4 * 0.15) == expected_calibration_error(bins)


def test_calibration_error_of_an_honest_confidence_is_zero() -> None:
    assert pytest.approx(0.0) == expected_calibration_error(reliability([0.75] * 4, [True, True, True, False]))


def test_calibration_error_without_drafts_is_no_number() -> None:
    assert math.isnan(expected_calibration_error(reliability([], [])))
    assert math.isnan(expected_calibration_error([Bin(0, 1, 0, math.nan, math.nan)]))


def test_coverage_by_hand() -> None:
    """Five messages, one of which has no candidate at all. The two at .8 come in together: nobody can set a threshold between them."""
    curve = coverage_curve([0.8, 0.9, 0.8, 0.4], [False, True, True, False], n_messages=5)

    assert [CoveragePoint(0.9, 1 / 5, 1 / 1), CoveragePoint(0.8, 3 / 5, 2 / 3), CoveragePoint(0.4, 4 / 5, 2 / 4)] == curve


def test_coverage_at_one_threshold() -> None:
    confidences, right = [0.8, 0.9, 0.8, 0.4], [False, True, True, False]

    assert CoveragePoint(0.8, 3 / 5, 2 / 3) == at_threshold(confidences, right, 0.8, n_messages=5)
    above = at_threshold(confidences, right, 0.95, n_messages=5)
    assert (0.0, True) == (above.coverage, math.isnan(above.precision))


@pytest.mark.parametrize(
    ("confidences", "right", "n", "said"),
    [
        pytest.param([0.5], [], 1, "one judgement for each confidence", id="lengths"),
        pytest.param([1.2], [True], 1, "in 0..1, got 1.2", id="range"),
        pytest.param([0.5, 0.5], [True, True], 1, "at least as many messages", id="more confidences than messages"),
    ],
)
def test_bad_input_is_refused(confidences: list[float], right: list[bool], n: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        coverage_curve(confidences, right, n_messages=n)
