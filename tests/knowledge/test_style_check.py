from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.records import Store
from knowledge.shop import Shop
from knowledge.style_check import StyleChecker, style_checker_of
from knowledge.style_records import BannedPhrase, Style
from knowledge.style_rules import shipped_style_book
from knowledge.templates import literal_words

ZH = Store(id="shop", name="店", address_customer_as="您")
EN = Store(id="shop_en", name="Shop", language="en")
LIMIT = Decimal(30)


def marked(text: str, *, store: Store = ZH, channel: str = "im") -> list[tuple[str, str]]:
    found = style_checker_of(store).check(text, channel=channel, amount_limit=LIMIT)
    return [(one.code, text[one.start : one.end]) for one in found]


WRONG = [
    # cold
    ("请您耐心等待。", [("cold", "耐心等待")]),
    ("亲请耐心等待哦", [("cold", "请耐心等待")]),
    ("请耐心等待哦", [("cold", "请耐心等待")]),
    ("請耐心等待哦", [("cold", "請耐心等待")]),
    ("这个我不清楚哦", [("cold", "不清楚")]),
    ("这是规定，改不了的", [("cold", "这是规定"), ("no_way_out", "改不了")]),
    ("这个真没办法", [("cold", "没办法")]),
    ("您自己看详情页吧", [("cold", "自己看详情页")]),
    ("刚才说过了，不包安装", [("cold", "刚才说过了")]),
    ("急也没用", [("cold", "急也没用")]),
    ("不是我们的问题，您找快递吧", [("cold", "不是我们的问题")]),
    # 你 for 您, blame
    ("你稍等，我看一下", [("address", "你")]),
    ("您没看清规格吧", [("blame", "您没看清")]),
    ("你自己弄坏的", [("address", "你"), ("blame", "你自己弄")]),
    ("是您使用不当造成的", [("blame", "您使用不当")]),
    # the Advertising Law
    ("这款是全网最低价", [("absolute_claim", "全网最")]),
    ("我们家质量最好了", [("absolute_claim", "质量最好")]),
    ("这是最好的面料", [("absolute_claim", "最")]),
    ("已经是最低价了", [("absolute_claim", "最")]),
    ("国家级品质，顶级用料", [("absolute_claim", "国家级"), ("absolute_claim", "顶级")]),
    ("绝对不掉色", [("absolute_claim", "绝对")]),
    ("100%不起球", [("absolute_claim", "100%")]),
    ("１００％不起球", [("absolute_claim", "１００％")]),
    ("全国销量第一的牌子", [("absolute_claim", "销量第一")]),
    ("这是唯一一款能这样用的", [("absolute_claim", "唯一")]),
    ("万能清洁剂什么都能洗", [("absolute_claim", "万能")]),
    # off the platform
    ("您加我微信吧", [("off_platform", "加我微信")]),
    ("加V细聊", [("off_platform", "加V")]),
    ("给我您的QQ号", [("off_platform", "QQ号")]),
    ("邮费我支付宝转账给您", [("off_platform", "支付宝转账")]),
    ("咱们私下给您补，别走售后", [("off_platform", "私下给")]),
    ("到 https://elsewhere.example/buy 下单更便宜", [("off_platform", "https://elsewhere.example/buy")]),
    # promises without a time
    ("我们会尽快处理。", [("no_time", "尽快")]),
    ("稍后给您回复。", [("no_time", "稍后")]),
    ("过几天就给您退。", [("no_time", "过几天")]),
    ("放心，会给您处理的", [("no_time", "会给您处理的")]),
    ("会尽快给您退款。今天内到账。", [("no_time", "尽快")]),  # the time is another sentence's
    # a refusal and nothing else
    ("这个退不了。", [("no_way_out", "退不了")]),
    ("抱歉，定制商品不支持退货。", [("no_way_out", "不支持")]),
    # money, personal data, efficacy
    ("我赔偿您50元。", [("over_authority", "赔偿您50元")]),
    ("給您補償 ¥30.01 元", [("over_authority", "給您補償 ¥30.01 元")]),
    ("手机号是13812345678对吗", [("personal_data", "13812345678")]),
    ("电话 138 1234 5678", [("personal_data", "138 1234 5678")]),
    ("身份证11010519491231002X已登记", [("personal_data", "11010519491231002X")]),
    ("退到6222020000000000018", [("personal_data", "6222020000000000018")]),
    ("寄到浙江省杭州市西湖区文三路88号3单元502室", [("personal_data", "浙江省杭州市西湖区文三路88号3单元502室")]),
    ("这款茶能减肥，还能降血压", [("efficacy_claim", "减肥"), ("efficacy_claim", "降血压")]),
    ("面霜可以消炎", [("efficacy_claim", "消炎")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[text for text, _ in WRONG])
def test_what_should_not_be_sent_is_marked_where_it_stands(text: str, expected: list[tuple[str, str]]) -> None:
    found = marked(text)

    # a phrase may be marked with a little more of its words, never with less and never elsewhere
    assert [code for code, _ in found] == [code for code, _ in expected]
    assert all(words in text and (wanted in words or words in wanted) for (_, words), (_, wanted) in zip(found, expected, strict=True))


FINE = [
    # waiting with a time, asking back
    "请耐心等待，2小时内给您回复。", "感谢您的耐心等待。", "不用您耐心等，我现在就办。", "照片看不清楚，麻烦您再拍一张。", "有不清楚的地方随时问我。",
    "我不清楚，我这就去问一下仓库。", "我不知道您平时穿几码，说一下我来配。",
    "这个没办法改，不过可以帮您换一件。", "不会让您觉得没人管。", "有没有办法能早点到？", "您拍下来给我看，坏的您自己处理就行。",
    # 您
    "你好，请问有什么能帮您？", "迷你款也有货。", "您说的「你们家什么时候发货」我看到了。", "《致你》这本书有货。",
    # 最, 第一, 绝对, 100, 唯一
    "最近天气冷，最晚明天到。", "最迟后天、最多三件、最少两件、最快今晚。", "最后一步是点确认。", "最新的物流在杭州。", "您最好先拍张照片。",
    "最大码是2XL，最小码是S。", "最高可抵10%。", "最好用温水洗。", "最好吃完再放冰箱。",
    "最佳赏味期是7天。", "第一时间通知您。", "第一次使用先清洗。", "第一步打开订单。", "第一件8元，第二件半价。", "绝对值不用管。",
    "这点不能说绝对。", "满100元减10元。", "面料是100%棉。", "成分100%羊毛。", "电量充到100%再用。",
    "每件都有唯一编号。", "万能遥控器也有货。", "不敢说是最便宜的。", "哪款最便宜，我帮您看。", "我不能保证今天一定到，但我会盯着。", "家具发货前会检查。",
    # staying on the platform
    "支持微信支付和支付宝。", "退款退回微信零钱。", "请勿添加陌生人微信，谨防诈骗。", "我们不会加您微信。", "有人要求您私下转账，一定是骗子。",
    "快递打我电话了。", "店铺页面在 https://help.shop.example/size 。",
    # a time is there, or it is the customer's turn
    "我会尽快处理，今天18点前回您。", "今天下午会尽快给您发出。", "请您尽快确认收货。", "收到后尽快放冰箱。", "您可以稍后再试。",
    "有货通知您，预计11月20日到。", "〔预计送达时间〕前会尽快送到。", "第一时间给您退款。",
    # a refusal with a way out, what is no refusal
    "定制商品不支持退货，可以帮您返修。", "能不能发张照片？", "洗了就不能退，您看换货行吗？", "机器无法开机是吗？", "不能水洗，请干洗。",
    # money that is the customer's own, within authority, or only a rule
    "我补偿您30元。", "退您50元差价，原路退回。", "退款129元已原路退回。", "满300元减50元。", "补差价45元后发货。", "保费最高80元。",
    "送您50片试用装。", "送您一张满300减20元的券。", "补您40件以内都行。",
    # masked or other numbers
    "尾号5678的手机", "138****5678", "运单SF1234567890123", "订单号6222020000000000018", "单号13812345678901", "身份证号110105194912310021",
    "仓库退货地址：杭州市文三路88号3单元502室", "寄到杭州市西湖区。",
    # health that is no claim
    "过敏请停用并就医，听医生的治疗方案。", "本品不能替代药物治疗。", "这款茶没有减肥功效。", "就医的治疗费用请保留票据。",
]  # fmt: skip


@pytest.mark.parametrize("text", FINE)
def test_near_misses_pass(text: str) -> None:
    store = ZH.model_copy(update={"style": Style(own_sites=("shop.example",))})

    assert marked(text, store=store) == []


ENGLISH = [
    ("As per our policy, no.", [("cold", "As per our policy")]),
    ("Like I said, it ships Monday.", [("cold", "Like I said")]),
    ("Please calm down.", [("cold", "calm down")]),
    ("You should have read it.", [("blame", "You should have")]),
    ("You didn\u2019t follow the steps.", [("blame", "You didn\u2019t follow")]),
    ("This is the best quality, risk-free.", [("absolute_claim", "best quality"), ("absolute_claim", "risk-free")]),
    ("Text me at 212-555-0147.", [("off_platform", "Text me at"), ("personal_data", "212-555-0147")]),
    ("I can pay you by Venmo.", [("off_platform", "Venmo")]),
    ("We'll get back to you.", [("no_time", "We'll get back to you")]),
    ("It will ship as soon as possible.", [("no_time", "as soon as possible")]),
    ("This cannot be returned.", [("no_way_out", "cannot")]),
    ("It cures eczema.", [("efficacy_claim", "cures")]),
    ("I will send you a $50 coupon.", [("over_authority", "send you a $50")]),
]
ENGLISH_FINE = [
    "That way somebody doesn't have to wait in all day.", "Nobody has to wait in: a safe place will do, so you don't have to wait.",
    "A lower price afterwards can't be credited by us. An unused item can be returned to them.",
    "Here is how it works.", "It comes in a relaxed fit.", "You should have a receipt by 5 pm.", "It's not your fault.",
    "The best time to water it is morning.", "We will get back to you by noon today.",
    "I will reply within two hours, as soon as possible.", "This cannot be returned, but you can exchange it.",
    "Venmo is not accepted; beware of scams.", "Dog treats are in stock.", "Call me Ann.", "100% cotton.", "It ships shortly, by Friday.",
    "I will send you a $20 coupon.", "Your refund of $50 is on its way.",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ENGLISH, ids=[text for text, _ in ENGLISH])
def test_english_words_are_marked(text: str, expected: list[tuple[str, str]]) -> None:
    assert [code for code, _ in marked(text, store=EN)] == [code for code, _ in expected]
    assert all(wanted in words or words in wanted for (_, words), (_, wanted) in zip(marked(text, store=EN), expected, strict=True))


@pytest.mark.parametrize("text", ENGLISH_FINE)
def test_english_near_misses_pass(text: str) -> None:
    assert marked(text, store=EN) == []


def test_message_says_what_to_say_instead() -> None:
    [found] = style_checker_of(ZH).check("已经是最低价了")

    assert found.message == "「最」字的绝对化用语，《广告法》不允许；可改为：换成能查证的说法，如「近30天卖出最多的三款之一」改为具体数字"
    assert style_checker_of(EN).check("Calm down.")[0].message == "Tells people how to feel; say: I understand why this is frustrating"


@pytest.mark.parametrize(
    ("channel", "text", "codes"),
    [
        ("im", "好" * 300, []),
        ("im", "好" * 301, ["too_long"]),
        ("sms", "好" * 71, ["too_long"]),
        ("email", "好" * 301, []),
        ("pager", "好" * 301, ["too_long"]),
        ("sms", "查件看 https://a.shop.example/1 😀", ["channel_emoji", "channel_link"]),
        ("im", "查件看 https://a.shop.example/1 😀", []),
        ("review", "谢谢您 😀", []),
    ],
)
def test_channel_decides_length_links_and_emoji(channel: str, text: str, codes: list[str]) -> None:
    store = ZH.model_copy(update={"style": Style(own_sites=("shop.example",))})

    assert sorted(code for code, _ in marked(text, store=store, channel=channel)) == codes


def test_shop_extends_the_rules() -> None:
    style = Style(
        banned_phrases=(BannedPhrase(phrase="亲亲", reason="太随意", use_instead="您", exceptions=("亲亲宝贝",)),),
        allowed_phrases=("顶级会员卡", "绝对零度"), channel_max_chars={"sms": 20},
    )  # fmt: skip
    store = ZH.model_copy(update={"style": style})

    assert marked("亲亲，亲亲宝贝系列有货", store=store) == [("banned_phrase", "亲亲")]
    assert marked("顶级会员卡和绝对零度保温杯都有，不是顶级面料", store=store) == []
    assert marked("顶级面料", store=store) == [("absolute_claim", "顶级")]
    assert marked("好" * 21, store=store, channel="sms") == [("too_long", "好")]


def test_own_words_of_the_shop_stand_for_the_general_rule() -> None:
    store = ZH.model_copy(update={"style": Style(banned_phrases=(BannedPhrase(phrase="没办法", reason="没有给出路"),))})

    assert marked("这个没办法", store=store) == [("banned_phrase", "没办法")]


def test_shop_that_says_ni_is_not_told_to_say_nin() -> None:
    assert marked("你稍等", store=ZH.model_copy(update={"address_customer_as": ""})) == []


@given(
    st.text(max_size=120)
    | st.lists(
        st.sampled_from(["最低价", "尽快", "「你", "」", "138", "12345678", "不能", "。", "加微信", "𠮷", "İ", "ﬁ", "１００％", "賠您99元"]), max_size=12
    ).map("".join)
)
def test_places_are_inside_the_text_and_in_order(text: str) -> None:
    for store in (ZH, EN):
        found = style_checker_of(store).check(text, channel="sms", amount_limit=Decimal(1))

        assert all(0 <= one.start < one.end <= len(text) for one in found)
        assert found == sorted(set(found))


def test_equal_stores_are_checked_alike_and_one_store_once() -> None:
    assert style_checker_of(ZH) is style_checker_of(ZH)
    assert StyleChecker(ZH, shipped_style_book("zh-TW")).check("尽快处理") == style_checker_of(ZH).check("尽快处理")


@pytest.mark.parametrize("name", ["demo_shop", "english_shop", "fresh_shop", "home_shop"])
def test_shipped_replies_and_articles_keep_the_rules(name: str, request: pytest.FixtureRequest) -> None:
    shop: Shop = request.getfixturevalue(name)
    checker = style_checker_of(shop.store)
    replies = {one.id: "。".join(literal_words(part) for part in one.templates().values()) for one in shop.replies if one.status == "approved"}
    law = {"absolute_claim", "off_platform", "efficacy_claim", "personal_data", "blame", "cold"}

    assert {key: [one.code for one in checker.check(text) if one.code in law] for key, text in replies.items()} == {key: [] for key in replies}
    assert [one for article in shop.articles if article.audience == "customer" for one in checker.check(article.body) if one.code in law] == []
