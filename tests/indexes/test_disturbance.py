import random
import re
from collections import Counter

import pytest

pytest.importorskip("pypinyin")

from pypinyin import lazy_pinyin

from indexes.disturbance import Disturber

KNOWN = ["再在腿退云运废费块快第递货或获没每煤", "我要退款", "快递没发", "衣服几天到"]
TEXTS = ["我要退货运费谁出", "快递3天没动了还在吗", "在吗我要退款", "这件衣服掉不掉色啊想先问清楚再买", "发票抬头能改成公司的名字吗 急用"]
HAN = re.compile(r"[一-鿿]")


@pytest.fixture(scope="module")
def disturber() -> Disturber:
    return Disturber(KNOWN)


def sounds(text: str) -> Counter[str]:
    """The letters of every character's sound; letters that stand there are themselves."""
    return Counter("".join("".join(lazy_pinyin(char)) if HAN.match(char) else char for char in text))


def copies(disturber: Disturber, text: str) -> list[str]:
    return [disturber.misspell(text, random.Random(seed)) for seed in range(200)]


@pytest.mark.parametrize("text", ["", "退款", "退货吗", "where is my parcel", "12345 67890", "退A款B吗"])
def test_short_texts_and_texts_without_chinese_characters_stay(disturber: Disturber, text: str):
    assert set(copies(disturber, text)) == {text}


@pytest.mark.parametrize("text", TEXTS)
def test_a_misspelt_copy_sounds_alike_but_for_what_was_dropped(disturber: Disturber, text: str):
    syllables = {syllable for char in text for syllable in lazy_pinyin(char)}
    for copy in copies(disturber, text):
        dropped = sounds(text) - sounds(copy)
        assert sounds(copy) - sounds(text) == Counter()
        assert dropped.total() <= 2 * max(map(len, syllables))
        assert re.findall(r"\d", copy) == re.findall(r"\d", text)


@pytest.mark.parametrize("text", TEXTS)
def test_most_of_a_text_stands_as_it_was(disturber: Disturber, text: str):
    """Two characters at most are rewritten, and two may have changed places."""
    disturbed = 2 if len(HAN.findall(text)) > 9 else 1
    for copy in copies(disturber, text):
        assert copy != text
        assert (Counter(text) - Counter(copy)).total() <= disturbed


def test_all_ways_to_misspell_occur(disturber: Disturber):
    text = "我要退货运费谁出"
    found = copies(disturber, text)

    assert any(re.search("[a-z]", copy) for copy in found), "pinyin left standing"
    assert any(len(copy) == len(text) - 1 for copy in found), "dropped"
    assert any(sorted(copy) == sorted(text) for copy in found) or any(copy[0] == text[1] for copy in found), "swapped"
    assert any("腿" in copy for copy in found), "sound-alike"


def test_sound_alikes_come_from_the_known_texts(disturber: Disturber):
    strangers = {char for text in TEXTS for copy in copies(disturber, text) for char in copy if HAN.match(char) and char not in text}

    assert strangers
    assert strangers <= set("".join(KNOWN))


def test_only_the_commonest_characters_are_sound_alikes():
    few = Disturber(["腿" * 5, "云"], common=1)
    found = "".join(few.misspell("我要退运费吗", random.Random(seed)) for seed in range(300))

    assert "腿" in found
    assert "云" not in found


def test_the_same_seed_gives_the_same_copy():
    one, other = Disturber(KNOWN), Disturber(reversed(KNOWN))

    assert [one.misspell(text, random.Random(7)) for text in TEXTS] == [one.misspell(text, random.Random(7)) for text in TEXTS]
    assert {char for copy in copies(one, TEXTS[0]) for char in copy} == {char for copy in copies(other, TEXTS[0]) for char in copy}
