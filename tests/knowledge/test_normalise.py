import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.normalise import clean, match_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("快遞還沒到，請幫我查詢", "快递还没到,请帮我查询", id="traditional to simplified, full-width comma"),
        pytest.param("ＩＰＨＯＮＥ１５", "iphone15", id="full-width letters and digits"),
        pytest.param("  什么\t时候\n发货  ", "什么 时候 发货", id="all white space is one space"),
        pytest.param("好的#E-s01谢谢", "好的 谢谢", id="JD emoji code"),
        pytest.param("#E-s01你好", "你好", id="an emoji code ends where the words begin"),
        pytest.param("[微笑]您好［愛心］", "您好", id="bracket emoji, also full-width and traditional"),
        pytest.param("[2件装]", "[2件装]", id="brackets around other things stay"),
        pytest.param("退\u200b款\ufeff", "退款", id="zero-width characters"),
        pytest.param("[微笑]#E-s12 ", "", id="nothing but codes"),
        pytest.param("", "", id="empty"),
        pytest.param("①号", "1号", id="compatibility characters"),
    ],
)
def test_match_form_is_the_one_form_of_a_text(text, expected):
    assert expected == match_form(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("第一行\n第二行\t。", "第一行\n第二行\t。", id="line breaks and tabs stay"),
        pytest.param("a\x00b\x1bc\x7f", "abc", id="control characters go"),
        pytest.param("\u202eabc\u202c", "abc", id="direction overrides go"),
        pytest.param("Ａ 繁體 [微笑]", "Ａ 繁體 [微笑]", id="what a person reads is not rewritten"),
    ],
)
def test_clean_takes_only_what_is_invisible(text, expected):
    assert expected == clean(text)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="薴", exclude_categories=["Cs"]), max_size=40))
def test_match_form_is_idempotent(text):
    once = match_form(text)

    assert once == match_form(once)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("退款[]#eE-s0 1微笑\u200b\n貨"), max_size=20))
def test_match_form_has_single_spaces_inside_and_none_at_the_ends(text):
    form = match_form(text)

    assert " ".join(form.split()) == form
