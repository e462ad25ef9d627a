"""Double questions: where a message is cut, whether it asks two things, and which words go to which."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes.classifier import TextClassifier, label_groups
from knowledge.chats import LabelledChat, read_chats
from suggest.question_fitting import fit_question_splitter
from suggest.questions import Hearing, Piece, QuestionSplitter, best_pair, pieces_of, words_to_split
from tests.fakes import SPLITTER

STORES = Path(__file__).parents[2] / "knowledge" / "stores"
IS_MATTER = np.array([True, True, False])  # two scenarios and a greeting


def heard(*pieces: tuple[float, float, float], whole: tuple[float, float, float] = (0.5, 0.5, 0.0)) -> Hearing:
    rows = np.array(pieces, dtype=np.float32)
    return Hearing(np.array(whole, dtype=np.float32), rows, rows, IS_MATTER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("票申请好几天了没信儿，枕套能单买不", [("票申请好几天了没信儿", False, False), ("枕套能单买不", False, True)]),
        ("少的那双补么 剩下的我洗了没事吧", [("少的那双补么", False, True), ("剩下的我洗了没事吧", False, True)]),
        ("付款付不上就关闭了…现在有货没", [("付款付不上就关闭了", False, False), ("现在有货没", False, True)]),
        ("没收到货，另外发票怎么开", [("没收到货", False, False), ("发票怎么开", True, True)]),
        ("where is my order, and can i change the size?", [("where is my order", False, True), ("can i change the size", True, True)]),
        ("it arrived broken, very sad", [("it arrived broken, very sad", False, False)]),
        ("do u take cards & do you deliver abroad", [("do u take cards", False, True), ("do you deliver abroad", True, True)]),
        ("how long is the guarantee and could i swap mine", [("how long is the guarantee", False, True), ("could i swap mine", True, True)]),
        ("need an invoice and fyi the box was wet", [("need an invoice", False, False), ("the box was wet", True, False)]),
        ("android charger? oh and is it fast", [("android charger", False, True), ("is it fast", True, True)]),
        ("is it black and white", [("is it black and white", False, True)]),
        ("my wife and i ordered two beds", [("my wife and i ordered two beds", False, False)]),
        ("can i get the S & M sizes", [("can i get the S & M sizes", False, True)]),
        ("it's for me and my dog", [("it's for me and my dog", False, False)]),
        ("a cap is snapped and i cant find the cable", [("a cap is snapped", False, False), ("i cant find the cable", True, False)]),
    ],
)
def test_pieces_know_what_led_to_them_and_whether_they_ask(text: str, expected: list[tuple[str, bool, bool]]):
    assert expected == [(piece.text, piece.joined, piece.asks) for piece in pieces_of(text)]


def test_two_scenarios_are_two_questions_and_every_piece_goes_with_the_nearer():
    pieces = [Piece("还没发货", False, False), Piece("都三天了", False, False), Piece("发票怎么开", False, True)]

    split = SPLITTER.split(pieces, heard((0.9, 0.1, 0), (0.6, 0.4, 0), (0.0, 1.0, 0)))

    assert split is not None
    assert ("还没发货，都三天了", "发票怎么开") == split.texts
    assert split.sure
    assert split.probability == pytest.approx(1 / (1 + np.exp(-1.0)))  # log-odds of 1 by hand


@pytest.mark.parametrize(("threshold", "perhaps", "sure"), [(0.5, 0.5, True), (1.5, 0.5, False), (2.5, 1.5, None)])
def test_between_the_two_limits_two_things_are_perhaps_asked(threshold: float, perhaps: float, sure: bool | None):
    splitter = replace(SPLITTER, threshold=threshold, perhaps=perhaps)

    split = splitter.split([Piece("还没发货", False, True), Piece("发票怎么开", False, True)], heard((1.0, 0.0, 0), (0.0, 1.0, 0)))

    assert (split.sure if split else None) is sure


@pytest.mark.parametrize("second", [(0.9, 0.1, 0.0), (0.1, 0.0, 0.9)], ids=["the same scenario", "a greeting"])
def test_one_scenario_is_one_question(second: tuple[float, float, float]):
    pieces = [Piece("还没发货", False, True), Piece("快点发吧", False, True)]

    assert None is SPLITTER.split(pieces, heard((1.0, 0.0, 0.0), second))


def test_one_piece_is_never_split():
    assert None is SPLITTER.split([Piece("还没发货", False, True)], heard((1.0, 0.0, 0.0)))


def test_the_best_pair_differs_the_most_by_hand():
    pieces = [Piece("一一一", False, True), Piece("二二二", False, True), Piece("三三三", True, False)]

    features, pair = best_pair(pieces, heard((1.0, 0.0, 0.0), (0.2, 0.8, 0.0), (0.5, 0.5, 0.0)))

    # worth: .8 · 1 · √.8 = .716 for the first two, less for any pair with the third, which asks nothing and is half of each
    assert pair == (0, 1)
    assert features[:5] == pytest.approx([0.8, 1 - np.sqrt(0.2), 0.8, 1.0, 1.0], abs=1e-6)


def test_written_and_read_back_it_splits_alike(tmp_path: Path):
    SPLITTER.write(tmp_path / "splitter.json")

    assert SPLITTER == QuestionSplitter.load(tmp_path / "splitter.json")


@pytest.fixture(scope="module")
def chats() -> dict[str, list[LabelledChat]]:
    return {split: [one for store in ("demo", "fresh", "home") for one in _read(store, split)] for split in ("train", "test")}


def _read(store: str, split: str) -> list[LabelledChat]:
    found, bad = read_chats(STORES / store / "chats" / f"{split}.jsonl", root=STORES / store)
    assert bad == []
    return found


def test_on_chats_it_was_not_fitted_to_it_finds_most_double_questions_and_leaves_most_others(chats: dict[str, list[LabelledChat]], needs: TextClassifier):
    """Fitted on train chats, judged on test chats: floors with room for a change of the need model, not targets."""
    splitter = fit_question_splitter(chats["train"], needs)
    names, to_scenario = label_groups(needs.labels)
    is_matter = np.array([not name.startswith("chat.") for name in names])
    split = {True: 0, False: 0}
    perhaps = {True: 0, False: 0}
    n = {True: 0, False: 0}
    for chat in chats["test"]:
        if not chat.labels.answerable:
            continue
        pieces = pieces_of(words_to_split(chat.message))
        double = bool(chat.labels.questions)
        n[double] += 1
        if len(pieces) > 1:
            row = needs.probabilities([words_to_split(chat.message), *(piece.text for piece in pieces)])
            hearing = Hearing(row[0] @ to_scenario, row[1:] @ to_scenario, row[1:], is_matter)
            found = splitter.split(pieces, hearing)
            split[double] += found is not None and found.sure
            perhaps[double] += found is not None

    assert n[True] >= 60
    assert split[True] / n[True] >= 0.6
    assert split[False] / n[False] <= 0.13
    assert perhaps[True] / n[True] >= 0.75
    assert perhaps[False] / n[False] <= 0.27


def test_too_few_double_questions_are_told(needs: TextClassifier, chats: dict[str, list[LabelledChat]]):
    with pytest.raises(ValueError, match="expected at least 5 double questions"):
        fit_question_splitter([chat for chat in chats["train"] if not chat.labels.questions][:40], needs)
