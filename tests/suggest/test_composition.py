"""What a draft is made of, each behaviour with one request and its draft."""

from datetime import datetime
from typing import Any

import pytest

from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from knowledge.records import Product, Promotion, Store
from knowledge.style_records import Frame, Style
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.pipeline import Suggester
from tests.suggest.drafted import GREETED, candidate, draft, drafter, reply

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
FRAMED = Store(
    id="shop", name="店", country="CN", calendar=(Promotion.model_validate({"name": "返场", "from": "2026-11-20", "to": "2026-11-30"}),),
    style=Style(
        openings=(
            Frame(text="新春快乐！", holidays=("春节",)),
            Frame(text="您好，感谢您一直支持。", when='customer.tier == "vip"'),
            Frame(text="您好，又见到您了。", when="customer.is_repeat"),
            Frame(text="谢谢您的评价。", channels=("review",)),
        ),
        closings=(
            Frame(text="{{ promotion.name }}到{{ promotion.ends | date }}结束。", promotions=("*",), scenarios=("product",), when="!has(order.status)"),
            Frame(text="祝您节日愉快。", holidays=("*",), scenarios=("chat.closing",)),
            Frame(text="请在订单页联系我们。", channels=("review",), emotions=("calm", "upset")),
        ),
        empathy=(Frame(text="您一直在等，着急我理解。", scenarios=("order.expedite",), emotions=("upset", "angry")),),
    ),
)  # fmt: skip
VIP, RETURNING = {"tier": "vip", "orders_count": 9}, {"orders_count": 2}


def ask(suggester: Suggester, message: str, **fields: Any) -> SuggestionResponse:
    request = SuggestionRequest.model_validate({"message": message, "now": NOW} | fields)
    return suggester.suggest(request, now=request.now or NOW, request_id="r")


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        pytest.param({"customer": VIP}, "您好，感谢您一直支持。在备货。", id="valued"),
        pytest.param({"customer": RETURNING}, "您好，又见到您了。在备货。", id="returning"),
        pytest.param({"customer": {"tier": "regular"}}, "在备货。", id="nobody in particular: none"),
        pytest.param({"customer": VIP, "now": datetime.fromisoformat("2026-02-17T10:00:00+08:00")}, "新春快乐！在备货。", id="holiday before customer"),
        pytest.param({"customer": VIP, "history": GREETED}, "在备货。", id="under way: none"),
        pytest.param({"customer": VIP, "emotion": "upset"}, "您一直在等，着急我理解。在备货。", id="the upset are heard, not greeted"),
        pytest.param({"customer": VIP, "emotion": "anxious"}, "在备货。", id="none for the anxious"),
        pytest.param({"customer": VIP, "channel": "sms"}, "在备货。", id="none on a channel it is not for"),
    ],
)
def test_opening_by_customer_holiday_mood_and_place(request_, text):
    assert text == draft(reply(information="在备货。"), store=FRAMED, **request_).text


def test_opening_is_not_put_before_a_greeting_nor_a_complaint():
    assert "您好，在备货。" == draft(reply(information="您好，在备货。"), store=FRAMED, customer=VIP).text
    assert "已转主管。" == draft(reply(scenario="complaint.service", information="已转主管。"), store=FRAMED, customer=VIP).text


@pytest.mark.parametrize(
    ("scenario", "request_", "text"),
    [
        pytest.param("product.spec", {}, "是纯棉的。返场到11月30日结束。", id="before an order"),
        pytest.param("product.spec", {"order": {"status": "delivered"}}, "是纯棉的。", id="not on an order under way"),
        pytest.param("product.spec", {"now": datetime.fromisoformat("2026-12-01T10:00:00+08:00")}, "是纯棉的。", id="over at midnight"),
        pytest.param("product.spec", {"history": GREETED}, "是纯棉的。", id="not in the middle"),
        pytest.param("product.spec", {"emotion": "upset"}, "是纯棉的。", id="nothing to sell to the upset"),
        pytest.param(
            "chat.closing", {"history": GREETED, "now": datetime.fromisoformat("2026-10-01T10:00:00+08:00")}, "是纯棉的。祝您节日愉快。", id="goodbye"
        ),
    ],
)
def test_closing_with_the_first_answer_or_the_goodbye(scenario, request_, text):
    made = draft(reply(scenario=scenario, information="是纯棉的。"), store=FRAMED, **request_)

    assert text == made.text
    assert () == made.warnings  # the promotion's day comes from the shop's calendar


def test_words_of_empathy_that_were_said_are_not_said_again():
    history = (Turn(role="agent", text="您一直在等，着急我理解。"), Turn(role="customer", text="那呢"))

    assert "在备货。" == draft(reply(information="在备货。"), store=FRAMED, emotion="angry", history=history).text


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        pytest.param("im", "货在" + "备" * 40 + "。" + "好" * 30 + "。我来催。", id="a chat has room"),
        pytest.param("sms", "货在" + "备" * 40 + "。我来催。", id="a text message goes without the value part"),
    ],
)
def test_value_is_let_go_where_the_channel_is_short(channel, text):
    wanted = reply(information="货在" + "备" * 40 + "。", value="好" * 30 + "。", action="我来催。")

    assert text == draft(wanted, store=FRAMED, channel=channel).text


def test_a_public_answer_holds_nothing_of_the_order_and_invites_to_private():
    order = {"status": "delivered", "delivered_at": "2026-11-18T09:00:00+08:00", "logistics": {"tracking_no": "XF77"}}
    wanted = reply(
        scenario="return.quality",
        information="您这单{{ order.delivered_at | date }}签收。质量问题我们负责到底。",
        action="单号{{ order.logistics.tracking_no }}。",
    )

    made = draft(wanted, store=FRAMED, channel="review", order=order, emotion="upset")

    assert "质量问题我们负责到底。请在订单页联系我们。" == made.text
    assert "您这单11月18日签收。质量问题我们负责到底。单号XF77。" == draft(wanted, store=FRAMED, order=order).text


def test_two_answers_in_one_draft_have_one_opening_one_empathy_and_say_nothing_twice():
    one = reply(id="a", empathy="久等了，我懂。", information="货在备。现货48小时内发出。")
    other = reply(id="b", scenario="invoice", empathy="发票要紧。", information="您好，现货48小时内发出。发票发货后开。", action="我来登记。")

    made = drafter(store=FRAMED, customer=VIP).joined(candidate(one), candidate(other))

    assert made is not None
    assert "您好，感谢您一直支持。久等了，我懂。货在备。现货48小时内发出。\n发票发货后开。我来登记。" == made.text
    assert ["opening", "empathy", "information", "action"] == list(made.parts)
    assert "货在备。现货48小时内发出。\n发票发货后开。" == made.parts["information"]


def test_two_answers_longer_than_the_channel_stay_apart():
    one, other = reply(id="a", information="货" * 40 + "。"), reply(id="b", scenario="invoice", information="票" * 40 + "。")

    assert drafter(store=FRAMED, channel="sms").joined(candidate(one), candidate(other)) is None
    assert drafter(store=FRAMED).joined(candidate(one), candidate(other)) is not None


def test_a_draft_in_the_customers_script_keeps_names_and_marks_its_blanks():
    order = {"items": [{"sku": "S1", "title": "云朵羽绒服"}]}
    wanted = reply(text="您的{{ order.item.title }}还没发货，单号{{ order.logistics.tracking_no }}。")

    made = draft(wanted, order=order, script="taiwan")

    assert "您的云朵羽绒服還沒發貨，單號〔快遞單號〕。" == made.text
    assert ["〔快遞單號〕"] == [made.text[one.start : one.end] for one in made.warnings if one.code == "missing_fact"]


def test_request_in_traditional_is_answered_in_traditional(demo_suggester: Suggester):
    order = {"status": "delivered", "delivered_at": "2026-11-19T09:00:00+08:00", "items": [{"sku": "CL-001", "quantity": 1}]}
    first = ask(demo_suggester, "我不喜歡想退，那退貨運費誰付啊", order=order).suggestions[0]

    assert "無理由退貨" in first.text or "寄回運費由您承擔" in first.text
    assert "七天无理由" not in first.text
    assert any("退" in passage.text and "運" not in passage.text for passage in first.evidence)  # articles are quoted as they are written


def test_double_question_is_answered_in_one_draft_with_the_single_ones_below(demo_suggester: Suggester):
    order = {"status": "shipped", "shipped_at": "2026-11-19T10:00:00+08:00", "paid_at": "2026-11-18T09:00:00+08:00",
             "items": [{"sku": "BM-003", "title": "儿童安全座椅", "category": "母婴", "quantity": 1, "availability": "in_stock"}],
             "invoice": {"status": "none"},
             "logistics": {"carrier": "迅风速运", "tracking_no": "XF7731", "status": "in_transit", "last_event": "已到达杭州",
                           "last_event_at": "2026-11-20T20:00:00+08:00", "eta": "2026-11-22"}}  # fmt: skip
    first, *below = ask(demo_suggester, "快递明天能到吗对了票什么时候开", order=order).suggestions

    assert ["track-in-transit", "inv-in-transit"] == first.reply_ids
    assert first.reply_id in first.reply_ids
    assert (True, False) == (first.sendable, first.auto_reply)
    assert first.text.index("XF7731") < first.text.index("发票")
    assert {"track-in-transit", "inv-in-transit"} <= {one.reply_id for one in below}
    assert all(one.reply_ids == [one.reply_id] for one in below)
    assert [1, 2, 3] == [one.rank for one in (first, *below)]


def test_same_request_same_draft(demo_suggester: Suggester):
    asked = [ask(demo_suggester, "可以开发票吗", customer=VIP, request_id="x").suggestions for _ in range(3)]

    assert asked[0] == asked[1] == asked[2]
    assert asked[0][0].text.startswith("您好，感谢您一直支持栗子湾。")


LATE = {"promised_ship_by": "2026-11-20T10:00:00+08:00", "status": "paid"}
LONG = {
    "empathy": "久等了，抱歉。",
    "information": "货在备。新货周三到仓。",
    "value": "补您5元券；也能取消退款。",
    "action": "券现在发您账上，我来催，2小时内回您；明天出库。",
}


@pytest.mark.parametrize(
    ("limit", "emotion", "text"),
    [
        pytest.param(60, "anxious", "久等了，抱歉。货在备。新货周三到仓。补您5元券；也能取消退款。券现在发您账上，我来催，2小时内回您；明天出库。", id="whole"),
        pytest.param(
            50, "anxious", "久等了，抱歉。货在备。新货周三到仓。补您5元券。券现在发您账上，我来催，2小时内回您；明天出库。", id="a clause of the value part"
        ),
        pytest.param(38, "anxious", "久等了，抱歉。货在备。新货周三到仓。我来催，2小时内回您；明天出库。", id="all of it, and what spoke of the voucher"),
        pytest.param(30, "anxious", "货在备。新货周三到仓。我来催，2小时内回您；明天出库。", id="the empathy of who is not upset"),
        pytest.param(30, "upset", "久等了，抱歉。货在备。我来催，2小时内回您；明天出库。", id="the upset keep it"),
        pytest.param(18, "anxious", "货在备。我来催，2小时内回您。", id="the answer, and an action with its time"),
        pytest.param(5, "anxious", "货在备。我来催，2小时内回您。", id="never less"),
    ],
)
def test_a_draft_is_cut_in_the_order_of_least_loss(limit, emotion, text):
    store = FRAMED.model_copy(update={"style": Style(channel_max_chars={"sms": limit})})

    made = draft(reply(scenario="product.stock", **LONG), store=store, channel="sms", emotion=emotion)

    assert text == made.text
    assert (len(text) > limit) == any(one.code == "too_long" for one in made.warnings)


def test_the_closing_wishes_alone():
    closing = Frame(text="感谢您的支持，祝您生活愉快。", scenarios=("chat.closing",))
    store = FRAMED.model_copy(update={"style": Style(closings=(closing,))})
    bye = reply(scenario="chat.closing", information="都记下了。夜里留言第二天回您；祝您今天愉快。", action="祝您一切顺利，我们下次见。")

    assert "都记下了。夜里留言第二天回您。感谢您的支持，祝您生活愉快。" == draft(bye, store=store, history=GREETED).text
    assert "都记下了。夜里留言第二天回您；祝您今天愉快。祝您一切顺利，我们下次见。" == draft(bye, history=GREETED).text


def test_in_public_nobody_is_asked_for_photos_and_the_compliment_is_thanked_for():
    fault = reply(scenario="return.quality", information="质量问题我们负责；您还在签收7天内。", action="请拍照发我，24小时内审核。")
    praised = reply(scenario="chat.closing", information="不客气，您用得顺手我们也高兴。", action="方便的话给我们留个评价。")

    assert "谢谢您的评价。质量问题我们负责。请在订单页联系我们。" == draft(fault, store=FRAMED, channel="review").text
    assert "谢谢您的评价。您用得顺手我们也高兴。请在订单页联系我们。" == draft(praised, store=FRAMED, channel="review").text


def test_who_tells_of_a_fault_calmly_is_owed_an_apology_for_what_they_ordered():
    broken = reply(scenario="return.quality", empathy="收到坏的，对不起。", information="质量问题我们负责。")

    assert "收到坏的，对不起。质量问题我们负责。" == draft(broken, emotion="calm", order={"status": "delivered"}).text
    assert "质量问题我们负责。" == draft(broken, emotion="calm", order=None).text  # «坏了能退吗», before anything was bought


@pytest.mark.parametrize(
    ("emotion", "order", "tone", "empathy", "said"),
    [
        pytest.param("calm", None, "", "让您久等了，很抱歉。", False, id="no apology for a calm question"),
        pytest.param("calm", {"promised_ship_by": "2026-11-20T10:00:00+08:00", "status": "paid"}, "", "让您久等了，很抱歉。", True, id="but for a late order"),
        pytest.param(
            "calm", {"promised_ship_by": "2026-11-20T10:00:00+08:00", "status": "paid"}, "", "您着急我理解。", False, id="no feeling they did not show"
        ),
        pytest.param("calm", None, "upset", "这事确实不该。", False, id="nothing written for the upset"),
        pytest.param("upset", None, "upset", "您着急我理解。", True, id="the upset are heard"),
    ],
)
def test_empathy_suits_the_mood_and_what_is_owed(emotion, order, tone, empathy, said):
    made = draft(reply(empathy=empathy, information="在备货。", tone=tone), emotion=emotion, order=order)

    assert said == ("empathy" in made.parts)


def test_what_soothes_about_the_second_question_opens_no_calm_draft():
    one, other = (
        reply(id="a", information="票能开。"),
        reply(id="b", scenario="logistics.fee", empathy="东西有问题，不该您出运费。", information="运费我们出。"),
    )

    assert "票能开。\n运费我们出。" == drafter().joined(candidate(one), candidate(other)).text
    assert "东西有问题，不该您出运费。票能开。\n运费我们出。" == drafter(emotion="anxious").joined(candidate(one), candidate(other)).text


def test_a_template_names_the_catalogues_product():
    phone = Product.model_validate({"sku": "P1", "title": "手机", "attributes": {"电池": "5000毫安"}, "warranty_months": 12, "price": "2229.00"})
    wanted = reply(
        scenario="product.spec",
        products=("P1",),
        information="电池{{ product.attributes.电池 }}，{{ product.price | money }}。",
        value="保修{{ product.warranty_months }}个月。",
    )

    made = drafter(catalogue=ProductCatalogue([phone])).draft(candidate(wanted))
    unknown = drafter(catalogue=ProductCatalogue([])).draft(candidate(wanted))

    assert ("电池5000毫安，¥2229。保修12个月。", ()) == (made.text, made.warnings)
    assert "保修〔保修月数〕个月。" in unknown.text
    assert "product.price" in unknown.missing


def test_what_is_handed_over_is_soothed_in_the_customers_script(demo_suggester: Suggester):
    handed = ask(demo_suggester, "再不處理我就打12315投訴你們").escalate

    assert handed is not None
    assert handed.holding_reply.startswith("讓您走到要投訴這一步")


@pytest.mark.parametrize("emotion", ["calm", "anxious"])
def test_a_reply_of_a_joined_draft_reads_alone_as_if_it_had_not_been_joined(emotion: str) -> None:
    one = reply(id="invoice", information="票能开。", action="我这就发给您。")
    other = reply(id="postage", scenario="return.shipping_fee", empathy="东西有问题，不该您出运费。", information="票能开。运费我们出。")
    both = drafter(emotion=emotion)

    assert both.joined(candidate(one), candidate(other)) is not None
    assert [both.draft(candidate(each)) for each in (one, other)] == [draft(each, emotion=emotion) for each in (one, other)]
