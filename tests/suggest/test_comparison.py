import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suggest.comparison import ChatOutcome, compare, outcome_as_json, randomisation_test, read_outcomes
from suggest.errors import UnpairedReports, UnreadableReport


def outcome(chat_id: str, score: float | None = None, **fields: Any) -> ChatOutcome:
    scores = {} if score is None else dict.fromkeys(("success@1", "acceptable@1", "nDCG@3"), score)
    known: dict[str, Any] = {
        "unit": chat_id, "message": "发票", "answerable": score is not None, "wanted": {}, "reply_ids": (), "confidences": (), "abstained": False,
        "scores": scores,
    }  # fmt: skip
    return ChatOutcome(id=chat_id, **(known | fields))


def test_randomisation_by_hand() -> None:
    """Differences 2, 1, 1: the sum is 4, and of the eight signings only +++ and --- are as far from 0. p = 2/8."""
    assert 2 / 8 == randomisation_test(np.array([2.0, 1.0, 1.0]))


def test_randomisation_equals_counting_every_signing() -> None:
    differences = np.array([0.5, -1.0, 2.0, 0.25, -0.75, 1.0])
    sums = [abs(sum(sign * one for sign, one in zip(signs, differences, strict=True))) for signs in itertools.product((1, -1), repeat=6)]
    expected = sum(one >= abs(differences.sum()) - 1e-9 for one in sums) / 64

    assert expected == randomisation_test(differences)


def test_randomisation_ignores_units_that_do_not_differ() -> None:
    assert randomisation_test(np.array([2.0, 1.0, 1.0])) == randomisation_test(np.array([2.0, 0.0, 1.0, 0.0, 1.0] + [0.0] * 50))


@pytest.mark.parametrize("differences", [[], [0.0, 0.0], [1.0, -1.0]], ids=["no units", "no difference", "as much better as worse"])
def test_randomisation_finds_nothing_where_there_is_nothing(differences: list[float]) -> None:
    assert 1.0 == randomisation_test(np.array(differences))


def test_randomisation_draws_where_it_cannot_count_and_is_the_same_each_time() -> None:
    """Twenty units, all better by one: 2 of 2^20 signings are as far, so no draw of 10,000 is likely to find one, and p is at its floor."""
    drawn = randomisation_test(np.ones(20))
    even = randomisation_test(np.array([1.0, -1.0] * 10 + [1.0]))

    assert pytest.approx(1 / 10_001, abs=2e-4) == drawn
    assert 0.9 < even <= 1
    assert drawn == randomisation_test(np.ones(20))


def test_drawn_and_counted_agree() -> None:
    """Fourteen units are drawn, and the exact p of a sum of 14 signs at 8 or beyond is 2 * P(at least 11 of 14) = 2 * 470/16384."""
    drawn = randomisation_test(np.array([1.0] * 11 + [-1.0] * 3))

    assert pytest.approx(2 * 470 / 2**14, abs=0.006) == drawn


def test_compare_pairs_by_chat_and_tells_better_from_worse() -> None:
    a = [outcome("one", 1.0), outcome("two", 0.0), outcome("three", 0.0), outcome("nothing fits", None, abstained=True)]
    b = [outcome("nothing fits", None, abstained=False), outcome("three", 0.5), outcome("two", 1.0), outcome("one", 1.0)]

    found = compare(a, b, name_a="old", name_b="new")

    assert [("two", 3.0), ("three", 1.5)] == [(one.a.id, one.by) for one in found.better]
    assert [("nothing fits", -1.0)] == [(one.a.id, one.by) for one in found.worse]
    success = found.metrics[0]
    assert ("success@1", pytest.approx(1 / 3), pytest.approx(2.5 / 3), pytest.approx(1.5 / 3), 3) == (
        success.metric, success.a.mean, success.b.mean, success.difference.mean, success.difference.n,
    )  # fmt: skip
    assert 2 / 4 == success.p_value
    silence = {one.metric: one.difference.mean for one in found.metrics}
    assert (-1.0, 0.0) == (silence["unanswerable_abstained"], silence["answerable_abstained"])
    assert "passage_recall@3" not in silence


def test_a_contrast_group_is_one_unit() -> None:
    """Three chats of one conversation moved: that is one coin, not three."""
    a, b = ([outcome(f"c{i}", score, unit="group") for i in range(3)] for score in (0.0, 1.0))

    assert 1.0 == compare(a, b, name_a="a", name_b="b").metrics[0].p_value


def test_the_same_twice_is_no_change() -> None:
    same = [outcome("one", 1.0), outcome("two", 0.3)]
    found = compare(same, same, name_a="a", name_b="a")

    assert ((), ()) == (found.better, found.worse)
    assert {(0.0, 1.0)} == {(one.difference.mean, one.p_value) for one in found.metrics}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param([outcome("one", 1.0)], "1 chats are in one of the two only, such as 'two'", id="a chat less"),
        pytest.param([outcome("one", 1.0), outcome("two", 1.0, wanted={"x": 2})], "other labels, such as 'two'", id="relabelled"),
        pytest.param([outcome("one", 1.0), outcome("two", 1.0, message="别的")], "other words", id="another message"),
    ],
)
def test_chats_that_are_not_the_same_are_refused(other: list[ChatOutcome], said: str) -> None:
    with pytest.raises(UnpairedReports, match=said):
        compare([outcome("one", 1.0), outcome("two", 1.0)], other, name_a="a", name_b="b")


def test_outcomes_survive_the_report_file(tmp_path: Path) -> None:
    kept = [outcome("one", 0.5, wanted={"a": 2}, reply_ids=("a", "b"), confidences=(0.9, 0.4)), outcome("two", None, abstained=True)]
    (tmp_path / "evaluation.json").write_text(json.dumps({"chats": [outcome_as_json(one) for one in kept]}), encoding="utf-8")

    assert kept == read_outcomes(tmp_path) == read_outcomes(tmp_path / "evaluation.json")


@pytest.mark.parametrize("content", [None, "no json", "[]", '{"chats": [{"id": 1}]}'], ids=["no file", "no JSON", "another shape", "half a chat"])
def test_a_file_that_is_no_report_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "evaluation.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(UnreadableReport, match=r"evaluation\.json .*scripts\.evaluate --report"):
        read_outcomes(path)
