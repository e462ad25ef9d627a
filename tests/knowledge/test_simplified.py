"""The form of a text is the same whether the conversion to Simplified was left out or not."""

import re
import subprocess
import unicodedata
from pathlib import Path

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.normalise import _PLATFORM_CODES, _may_be_traditional, clean, match_form

CONVERTER = opencc.OpenCC("t2s")
OPENCC_FILES = Path(opencc.__file__).parent / "clib"


def always_converted(text: str) -> str:
    """What `match_form` was before it learnt to leave the conversion out."""
    plain = _PLATFORM_CODES.sub(" ", unicodedata.normalize("NFKC", clean(text)).lower())
    return re.sub(r"\s+", " ", CONVERTER.convert(plain)).strip()


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.one_of(
            st.characters(exclude_categories=["Cs"]),
            st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
            st.sampled_from("沈默重覆瞭解藉口土坏英哩衹得甦醒乾後裏快递退货，。 \t\x85\u2028😀"),
        ),
        max_size=40,
    )
)
def test_leaving_the_conversion_out_changes_no_form(text):
    assert always_converted(text) == match_form(text)


def test_every_single_character_has_the_converters_form():
    characters = [chr(code) for code in range(0x80, 0x30000) if not 0xD800 <= code <= 0xDFFF]
    left_out = [one for one in characters if not _may_be_traditional().search(one)]

    assert CONVERTER.convert("\n".join(left_out)) == "\n".join(left_out)
    assert len(left_out) > 40_000


def test_no_phrase_of_the_converters_dictionary_is_left_out(tmp_path):
    """Some phrases change though each of their characters alone stays: 沈默 → 沉默. A newer OpenCC may bring another."""
    tool, dictionary = OPENCC_FILES / "bin" / "opencc_dict", next(OPENCC_FILES.rglob("TSPhrases.ocd2"))
    if not tool.exists():
        pytest.skip("this OpenCC was installed without its dictionary tool")
    subprocess.run([tool, "-i", dictionary, "-o", tmp_path / "phrases.txt", "-f", "ocd2", "-t", "text"], check=True, timeout=30)
    phrases = [line.split("\t")[0] for line in (tmp_path / "phrases.txt").read_text(encoding="utf-8").splitlines() if "\t" in line]

    assert [phrase for phrase in phrases if CONVERTER.convert(phrase) != phrase and not _may_be_traditional().search(phrase)] == []
    assert len(phrases) > 400


@pytest.mark.parametrize(("phrase", "expected"), [("沈默", "沉默"), ("重覆", "重复"), ("不瞭解", "不了解"), ("找藉口", "找借口"), ("坏了", "坏了")])
def test_phrases_are_converted_where_single_characters_would_stay(phrase, expected):
    assert expected == match_form(phrase)
