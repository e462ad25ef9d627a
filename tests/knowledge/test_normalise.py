import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.normalise import clean, match_form, strip_console


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


# ---- what consoles paste around a customer's words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param("订单编号：20261109001 什么时候发", "什么时候发", id="order number card"),
        pytest.param("咨询订单号:[20261109001] 订单金额:129.00元 下单时间：2026-11-09 10:00:00 什么时候发货", "什么时候发货", id="whole order card"),
        pytest.param("咨询订单号:66192837 订单金额:¥3299.00 下单时间:6号 冰箱不制冷", "冰箱不制冷", id="order card with a short date"),
        pytest.param("订单号 [ORDERID_10187709] 到哪了", "到哪了", id="masked order number"),
        pytest.param("商品链接：https://shop.example/p/1 这个有货吗", "这个有货吗", id="product card"),
        pytest.param("商品链接卡：儿童安全座椅 退这个寄去哪", "退这个寄去哪", id="product card with a name"),
        pytest.param("商品链接卡【儿童绘本 全20册】有一页印歪了", "有一页印歪了", id="product card in brackets"),
        pytest.param("商品链接:[牛皮腰带 男款] 头层的吗", "头层的吗", id="product card with a colon and brackets"),
        pytest.param("【商品：羊毛衫】会起球吗", "会起球吗", id="brackets around the whole card"),
        pytest.param("商品链接卡 这款坐垫能拆洗吗", "这款坐垫能拆洗吗", id="nothing tells the name from the matter: both stay"),
        pytest.param("訂單編號：20261109001 還沒到", "还没到", id="traditional card"),
        pytest.param("订单编号：20261109001\n订单金额：129.00元\n能改地址吗", "能改地址吗", id="card over several lines"),
        pytest.param("什么时候发货\n什么时候发货", "什么时候发货", id="line said twice"),
        pytest.param("我要退货\n怎么退\n我要退货", "我要退货 怎么退", id="line said again later"),
        pytest.param("怎么退货！怎么退货！！", "怎么退货!!", id="said twice in a row"),
        pytest.param("怎么退货怎么退货怎么退货怎么退货", "怎么退货", id="said four times without a break"),
        pytest.param("转接中 转接中 转接中，转哪去了", "转接中,转哪去了", id="said three times before the matter"),
        pytest.param("where is it where is it", "where is it where is it", id="several words said twice are left"),
        pytest.param("你好，在吗？我的快递到哪了", "我的快递到哪了", id="greeting before the matter"),
        pytest.param("你好你好 我的快递到哪了", "我的快递到哪了", id="greeting said twice"),
        pytest.param("哈喽 有人吗 我的快递到哪了", "我的快递到哪了", id="asking whether anyone is there"),
        pytest.param("亲，衣服掉色吗", "衣服掉色吗", id="address before the matter"),
        pytest.param("Hi, where is my order", "where is my order", id="English greeting"),
        pytest.param("您好，转人工", "您好,转人工", id="greeting before a request for a person"),
        pytest.param("转人工 我要换绑定电话", "我要换绑定电话", id="request for a person before the matter"),
        pytest.param("转人工\n转人工客服\n发票抬头错了", "发票抬头错了", id="request for a person on lines of its own"),
        pytest.param("转人工 转人工", "转人工", id="request for a person twice and nothing else"),
        pytest.param("衣服掉色吗，谢谢", "衣服掉色吗", id="thanks at the end"),
        pytest.param("can i change the address? Thank you!", "can i change the address? thank you!", id="thanks after a question mark stay"),
        pytest.param("please change the address, thanks", "please change the address", id="English thanks"),
        pytest.param("谢谢，再问一下发票", "谢谢,再问一下发票", id="thanks at the beginning stay"),
        pytest.param("170 170 130斤穿多大", "170 170 130斤穿多大", id="numbers are never taken for said twice"),
        pytest.param("尾号0716的手机，订单10010010", "尾号0716的手机,订单10010010", id="numbers stay"),
    ],
)
def test_strip_console_leaves_the_customers_own_words(message, words):
    assert words == strip_console(message)


@pytest.mark.parametrize(
    "message",
    ["转人工", "您好", "在吗", "hello", "谢谢", "https://shop.example/p/1", "订单号:123456", "😀", "订单号在哪看"],
)
def test_strip_console_keeps_a_message_that_is_nothing_else(message):
    assert message == strip_console(message)


@pytest.mark.parametrize(
    "message",
    [
        "寄回去要不要写订单号在里面,写在哪",
        "付款后订单号变了,跟短信不一样",
        "去提货要报订单号还是手机号",
        "她订单编号我不知道",
        "请核对订单金额,不对",
        "你们商品链接打不开",
        "我改下单时间可以吗",
        "call off tomorrows collection, neighbour is bringing it instead",
        "the truck drove over it",
        "total with the stand and the cover included",
        "what is in this history",
    ],
)
def test_strip_console_leaves_words_that_only_look_like_a_card_or_said_twice(message):
    assert message == strip_console(message)


@pytest.mark.parametrize("nothing", ["", " ", "\n\n", "\u200b"])
def test_strip_console_of_nothing_is_nothing(nothing):
    assert "" == strip_console(nothing)


MATTERS = st.sampled_from(["快递到哪了", "衣服170穿什么码", "发票抬头写错了", "订单号变了怎么办", "where is my parcel", "羽绒服掉色", "3天没动了"])
BEFORE = st.sampled_from(
    ["", "您好，", "在吗 ", "转人工 ", "你好你好 ", "Hi, ", "咨询订单号:309855127 订单金额:89.00 下单时间:3月2日 ", "商品链接卡【保温杯】"]
)
AFTER = st.sampled_from(["", "，谢谢", "，辛苦了！", " thanks", "\n订单编号：88201"])


@settings(max_examples=150, deadline=None)
@given(BEFORE, MATTERS, AFTER, st.integers(1, 3))
def test_strip_console_finds_the_matter_whatever_stands_around_it(before, matter, after, times):
    said = "\n".join([before + matter + after] * times)

    assert matter == strip_console(said)
    assert matter == strip_console(strip_console(said))


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("退款货多久到账吗订单号:0123456789,。？ \n"), max_size=40))
def test_strip_console_never_empties_or_lengthens_a_message(message):
    form, words = match_form(message), strip_console(message)

    assert len(words) <= len(form)
    assert bool(words) == bool(form)
