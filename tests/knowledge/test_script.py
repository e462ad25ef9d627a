import re

import pytest

from knowledge.script import in_script, same_words, script_of
from knowledge.shop import Shop


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        pytest.param(["申請退貨一直是「審核中」，還要等多久"], "taiwan", id="Traditional"),
        pytest.param(["隻杯打開爛咗邊，點算"], "hong_kong", id="Cantonese"),
        pytest.param(["这里的软件打不开"], "simplified", id="Simplified"),
        pytest.param(["寄台湾的那個 还没到吗"], "simplified", id="one Traditional character in Simplified words"),
        pytest.param(["ok?", "請問何時出貨"], "taiwan", id="the message tells nothing, an earlier one does"),
        pytest.param(["ok", "40"], None, id="nothing tells"),
    ],
)
def test_script_is_read_from_the_first_text_that_shows_one(texts, script):
    assert script == script_of(texts)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("taiwan", "請聯絡我們，把影片和商品品質問題發來，審核後綁定支付寶，結果一出就告訴您，面單留著。"),
        ("hong_kong", "請聯繫我們，把視頻和商品質量問題發來，審核後綁定支付寶，結果一出就告訴您，面單留着。"),
        ("simplified", "请联系我们，把视频和商品质量问题发来，审核后绑定支付宝，结果一出就告诉您，面单留着。"),
    ],
)
def test_words_and_not_only_characters_are_converted_and_what_the_library_gets_wrong_is_mended(wanted, text):
    source = "请联系我们，把视频和商品质量问题发来，审核后绑定支付宝，结果一出就告诉您，面单留着。"

    assert text == in_script(source, written="simplified", wanted=wanted)


def test_names_titles_and_numbers_stay_as_they_are():
    text = in_script("后羿先生，您的云朵羽绒服单号云2026发88已发出", written="simplified", wanted="taiwan", keep=["后羿", "云朵羽绒服", "云2026发88"])

    assert "后羿先生，您的云朵羽绒服單號云2026发88已發出" == text


def test_a_traditional_shop_answers_a_simplified_customer():
    assert "软件的品质" == in_script("軟體的品質", written="taiwan", wanted="simplified").replace("质量", "品质")


def test_no_reply_of_our_shops_reads_wrong_in_traditional(demo_shop: Shop, fresh_shop: Shop, home_shop: Shop):
    """The characters that stand for two in Simplified, beside the words in which they were found wrong."""
    wrong = re.compile("一齣|麵單|[發金生]?髮[出貨我]|隻能|稽核|繫結|區域性|許可權|專案|(?<!烘)晾幹|莓幹")
    texts = [source for shop in (demo_shop, fresh_shop, home_shop) for one in shop.replies for source in one.templates().values()]

    assert [] == [found.group() for text in texts if (found := wrong.search(in_script(text, written="simplified", wanted="taiwan")))]


@pytest.mark.parametrize("words", ["48小时内", "质量问题", "视频", "优惠券", "卫生", "网点", "满减"])
@pytest.mark.parametrize("script", ["taiwan", "hong_kong"])
def test_same_words_make_both_scripts_alike(words, script):
    assert same_words(words) == same_words(in_script(words, written="simplified", wanted=script))
