"""The moods' and threats' figures against hand-counted ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from knowledge.needs_bank import Mood
from suggest.mood_accuracy import mood_figures
from suggest.understanding import THREATENS

MOODS = ("angry", "anxious", "calm", "upset")


class Moods:
    """Hears the mood it is told of each text."""

    labels = MOODS

    def __init__(self, heard: Mapping[str, str]) -> None:
        self._heard = heard

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[0.7 if name == self._heard[text] else 0.1 for name in MOODS] for text in texts], dtype=np.float32).reshape(-1, len(MOODS))


class Threats:
    """As sure of a threat as it is told of each clause, and of no other."""

    labels = ("none", "threat")

    def __init__(self, sure: Mapping[str, float] | None = None) -> None:
        self._sure = sure or {}

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[1 - self._sure.get(text, 0.0), self._sure.get(text, 0.0)] for text in texts], dtype=np.float64)


def mood(text: str, emotion: str = "calm", *, threatens: bool = False) -> Mood:
    return Mood(text, emotion, threatens, "t1")


def figures(asked: list[Mood], heard: Mapping[str, str] | None = None, sure: Mapping[str, float] | None = None) -> dict[str, float | int]:
    return mood_figures(Moods(heard or {one.text: one.emotion for one in asked}), Threats(sure), asked)  # type: ignore[arg-type]


def test_f1_of_each_mood_and_their_mean():
    meant = {"甲甲甲": "calm", "乙乙乙": "calm", "丙丙丙": "calm", "丁丁丁": "angry", "戊戊戊": "upset", "己己己": "anxious"}
    heard = meant | {"丙丙丙": "angry", "戊戊戊": "angry"}
    found = figures([mood(text, emotion) for text, emotion in meant.items()], heard)

    calm = 2 * 2 / (2 + 3)  # both that were heard are right, one of three was missed
    angry = 2 * 1 / (3 + 1)  # three were heard, one of them right
    assert found["held-out lines"] == 6
    assert [found[f"F1 of {name}"] for name in MOODS] == [angry, 1.0, calm, 0.0]
    assert found["mood macro-F1"] == pytest.approx((angry + 1.0 + calm + 0.0) / 4, abs=1e-4)


def test_moods_heard_right_have_an_f1_of_one():
    found = figures([mood(f"{name}{number}", name) for name in MOODS for number in range(2)])

    assert [found["mood macro-F1"], *(found[f"F1 of {name}"] for name in MOODS)] == [1.0] * 5


def test_precision_and_recall_of_threats():
    """Three are found, two of them threats; one of the three threats is missed."""
    asked = [mood("甲甲甲", threatens=True), mood("乙乙乙", threatens=True), mood("丙丙丙", threatens=True), mood("丁丁丁"), mood("戊戊戊")]
    found = figures(asked, sure={"甲甲甲": 0.9, "乙乙乙": 0.8, "丙丙丙": 0.3, "丁丁丁": 0.7, "戊戊戊": 0.1})

    assert (found["threat precision"], found["threat recall"]) == (round(2 / 3, 4), round(2 / 3, 4))


def test_precision_and_recall_are_not_the_same_thing():
    """One of four threats is found, and nothing else: surely right, mostly deaf."""
    asked = [mood(one * 3, threatens=True) for one in "甲乙丙丁"]
    found = figures(asked, sure={"甲甲甲": 0.9})

    assert (found["threat precision"], found["threat recall"]) == (1.0, 0.25)


@pytest.mark.parametrize(("sure", "recall"), [(THREATENS, 1.0), (THREATENS - 0.01, 0.0)], ids=["enough", "not quite"])
def test_a_threat_is_found_from_where_the_service_takes_it_for_one(sure: float, recall: float):
    assert figures([mood("甲甲甲", threatens=True)], sure={"甲甲甲": sure})["threat recall"] == recall


def test_a_threat_in_the_last_clause_is_found():
    text = "货还没到,等着12315吧"

    assert figures([mood(text, threatens=True)], sure={"等着12315吧": 0.9})["threat recall"] == 1.0


def test_lines_are_read_without_what_the_console_pasted():
    """The classifiers would never see the order card in the service, so they do not here."""
    found = mood_figures(
        Moods({"怎么还没到": "angry"}),  # type: ignore[arg-type]
        Threats({"怎么还没到": 0.9}),  # type: ignore[arg-type]
        [mood("您好，怎么还没到 订单编号：202637499", "angry", threatens=True)],
    )

    assert (found["F1 of angry"], found["threat recall"]) == (1.0, 1.0)


def test_no_threats_meant_or_found_divide_by_nothing():
    found = figures([mood("甲甲甲")])

    assert (found["threat precision"], found["threat recall"]) == (0.0, 0.0)
    assert (found["F1 of calm"], found["F1 of angry"]) == (1.0, 0.0)
