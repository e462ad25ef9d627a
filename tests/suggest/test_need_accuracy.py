"""The need classifier's figures against hand-counted ones."""

import numpy as np
import pytest

from knowledge.needs_bank import Phrasing
from suggest.need_accuracy import accuracy, confusions, heard_as_other


class Labels:
    """A classifier that hears what it is told."""

    labels = ("chat.other/noise", "invoice/paper", "invoice/title", "order.cancel/after_ship")

    def __init__(self, rows: list[list[float]]) -> None:
        self._rows = rows

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return np.array(self._rows[: len(texts)], dtype=np.float32)


ROWS = [
    [0.0, 0.1, 0.9, 0.0],  # right
    [0.0, 0.6, 0.4, 0.0],  # wrong need, right scenario
    [0.0, 0.3, 0.3, 0.4],  # the need's scenario is likelier in sum than the likeliest need's
    [0.1, 0.2, 0.1, 0.6],  # wrong in both; invoice in sum is .3
]
ASKED = [Phrasing("invoice/title", text, "t1") for text in "甲乙丙丁"]


def test_needs_and_scenarios_are_counted_apart():
    figures = accuracy(Labels(ROWS), ASKED, np.array(ROWS, dtype=np.float32))  # type: ignore[arg-type]

    assert (figures["need top-1"], figures["need top-3"], figures["scenario top-1"]) == (0.25, 0.75, 0.75)
    assert figures["scenario macro-F1"] == pytest.approx(2 * 3 / (3 + 4), abs=1e-4)
    # Surest scenarios 1, 1, .6 (right) and .6 (wrong): bins .9–1 of two and .6–.7 of two.
    assert figures["scenario calibration error"] == pytest.approx(0.5 * abs(1 - 1) + 0.5 * abs(0.5 - 0.6), abs=1e-4)


def test_confusions_of_both_directions_stand_together():
    asked = [*ASKED, Phrasing("invoice/paper", "戊", "t1")]
    found = np.array([*ROWS, [0.0, 0.2, 0.8, 0.0]], dtype=np.float32)

    assert confusions(Labels(ROWS), asked, found) == [  # type: ignore[arg-type]
        ("invoice/paper", "invoice/title", 2),
        ("invoice/title", "order.cancel/after_ship", 2),
    ]


def test_heard_as_other_goes_by_the_scenario():
    assert heard_as_other(Labels([[0.5, 0.3, 0.2, 0.0], [0.4, 0.3, 0.3, 0.0]]), ASKED[:2]) == 0.5  # type: ignore[arg-type]
