import pytest

from knowledge.style_records import OtherWords
from knowledge.style_rules import shipped_style_book
from suggest.apologies import Apologies

CHINESE, ENGLISH = (shipped_style_book(language).apologies for language in ("zh-CN", "en"))


@pytest.mark.parametrize(
    ("said", "text", "fresh"),
    [
        pytest.param("很抱歉给您带来不便", "等了这么久还没有下落，非常抱歉。", "等了这么久还没有下落，非常对不起。", id="another wording"),
        pytest.param("抱歉。对不起，久等了", "收到坏的，对不起。", "收到坏的。", id="two were used: none"),
        pytest.param("抱歉。对不起", "真的抱歉。这单我来跟。", "这单我来跟。", id="a sentence that is nothing else goes"),
        pytest.param("抱歉，对不起", "催了才知道缺货，抱歉没早告诉您。", "催了才知道缺货，没早告诉您。", id="before its matter"),
        pytest.param("让您久等了", "让您久等了，这单是我们晚了。", "让您多等了，这单是我们晚了。", id="kept waiting"),
        pytest.param("好的，我看看", "很抱歉，这单晚了。", "很抱歉，这单晚了。", id="nothing was said"),
        pytest.param("很抱歉", "包裹在路上。", "包裹在路上。", id="no apology to change"),
        pytest.param("I'm so sorry about that.", "I am sorry for the delay.", "I apologize for the delay.", id="en: another wording"),
        pytest.param(
            "Sorry!", "You are right to ask, and I'm sorry we are late.", "You are right to ask, and I regret that we are late.", id="en: before its matter"
        ),
        pytest.param("Sorry!", "I'm sorry. We missed the date.", "We missed the date.", id="en: a sentence that is nothing else goes"),
        pytest.param("Sorry, and my apologies.", "I'm really sorry we are late. It ships today.", "It ships today.", id="en: two were used: none"),
        pytest.param("One moment.", "I'm sorry we are late.", "I'm sorry we are late.", id="en: nothing was said"),
    ],
)
def test_no_apology_is_made_twice_in_the_same_words(said: str, text: str, fresh: str) -> None:
    assert fresh == Apologies([said], ENGLISH if said.isascii() else CHINESE).fresh(text)


def test_a_shops_own_phrase_is_said_otherwise_the_second_time_and_not_a_third():
    own = (OtherWords(said="给您带来困扰", instead="让您受累了"),)

    assert "让您受累了，我来办。" == Apologies(["给您带来困扰。"], CHINESE, own).fresh("给您带来困扰，我来办。")
    assert "我来办。" == Apologies(["给您带来困扰。", "让您受累了。"], CHINESE, own).fresh("给您带来困扰，我来办。")
    assert "给您带来困扰，我来办。" == Apologies(["好的"], CHINESE, own).fresh("给您带来困扰，我来办。")
