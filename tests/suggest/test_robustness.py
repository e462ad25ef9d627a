"""The bad writing that robustness is measured with: each disturbance does what it is called, and only that."""

import random
from collections import Counter

import pytest

from knowledge.normalise import match_form, strip_console
from suggest.robustness import DISTURBANCES

MESSAGES = ["快递3天没动了，在哪里", "发票抬头写错了", "退货运费谁出啊我买的是170码的羽绒服", "羽绒服掉色怎么办"]
each_message = pytest.mark.parametrize("message", MESSAGES)
RUNS = 60


def disturbed(name: str, message: str) -> list[str]:
    return [DISTURBANCES[name](message, random.Random(seed)) for seed in range(RUNS)]


@pytest.mark.parametrize("name", DISTURBANCES)
@each_message
def test_the_same_seed_disturbs_alike(name: str, message: str):
    assert disturbed(name, message) == disturbed(name, message)


@each_message
def test_a_typo_drops_doubles_or_swaps_a_character(message: str):
    copies, most = disturbed("typo", message), 2 if len(message) > 12 else 1

    for copy in copies:
        assert abs(len(copy) - len(message)) <= most
        assert (Counter(message) - Counter(copy)).total() <= most
        assert set(copy) <= set(message)
    assert {len(copy) - len(message) for copy in copies} >= {-1, 0, 1}


def test_a_typo_of_a_character_or_two_leaves_something():
    for message in ("退", "退货", "退货吗"):
        assert all(copy for copy in disturbed("typo", message))


@each_message
def test_a_homophone_changes_one_or_two_characters_in_their_places(message: str):
    for copy in disturbed("homophone", message):
        assert len(copy) == len(message)
        assert 1 <= sum(one != other for one, other in zip(message, copy, strict=True)) <= 2


def test_a_text_without_such_characters_has_no_homophone():
    assert set(disturbed("homophone", "羽绒服 XL")) == {"羽绒服 XL"}


@pytest.mark.parametrize("message", ["发票抬头写错了", "快递3天没动了", "退货运费谁出"])
def test_traditional_writing_is_another_text_and_folds_back(message: str):
    [copy] = set(disturbed("繁體", message))

    assert copy != message
    assert match_form(copy) == match_form(message)


def test_full_width_writing_folds_back_but_for_its_exclamation_marks():
    [copy] = set(disturbed("full-width", "XL 170cm 的有货吗?"))

    assert copy == "ＸＬ １７０ｃｍ 的有货吗？！！"
    assert match_form(copy) == "xl 170cm 的有货吗?!!"


@each_message
@pytest.mark.parametrize("name", ["pasted order card", "greeting noise", "repeated line"])
def test_cards_greetings_and_repeated_lines_are_stripped(name: str, message: str):
    copies = set(disturbed(name, message))

    assert all(message in copy and copy != message for copy in copies)
    assert {strip_console(copy) for copy in copies} == {strip_console(message)}


@each_message
def test_politeness_stands_around_the_matter_and_its_ends_are_stripped(message: str):
    [copy] = set(disturbed("polite padding", message))
    words = strip_console(copy)

    assert message in copy
    assert match_form(message) in words
    assert not words.startswith("您好")
    assert not words.endswith("谢谢")


@each_message
def test_emoji_follow_the_matter_and_platform_codes_are_stripped(message: str):
    copies = set(disturbed("emoji", message))

    assert all(copy.startswith(message) and len(copy) > len(message) for copy in copies)
    assert {match_form(copy).rstrip("😭🙏😡") for copy in copies} == {match_form(message)}
    assert len(copies) == 5
