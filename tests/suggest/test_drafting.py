import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.conditions import Outcome, Verdict
from knowledge.facts import compute_facts
from knowledge.formats import FactWriter
from knowledge.order_context import Customer, Order, Turn
from knowledge.records import Store
from knowledge.shop import Shop
from suggest.composition import join_parts
from suggest.contract import SuggestionRequest
from suggest.drafting import Draft, Drafter
from suggest.pipeline import Suggester
from suggest.ranking import Candidate
from tests.suggest.drafted import ENGLISH, GREETED, NOW, STORE, draft, heard, reply


def spans(made: Draft, code: str) -> list[str]:
    return [made.text[warning.start : warning.end] for warning in made.warnings if warning.code == code]


@pytest.mark.parametrize(
    ("store", "source", "text"),
    [
        pytest.param(STORE, "您好，包裹在路上。", "包裹在路上。", id="您好"),
        pytest.param(STORE, "亲，您好！包裹在路上。", "包裹在路上。", id="亲 您好"),
        pytest.param(ENGLISH, "Hello, it is on its way.", "It is on its way.", id="Hello"),
    ],
)
def test_greeting_is_not_said_a_second_time(store: Store, source: str, text: str) -> None:
    assert source == draft(reply(text=source), store=store).text
    assert text == draft(reply(text=source), store=store, history=GREETED).text


def test_greeting_stays_where_only_the_customer_spoke() -> None:
    assert "您好，包裹在路上。" == draft(reply(text="您好，包裹在路上。"), history=GREETED[:1]).text


def test_greeting_stays_when_the_reply_is_a_greeting() -> None:
    assert "您好，请问有什么能帮您？" == draft(reply(scenario="chat.greeting", text="您好，请问有什么能帮您？"), history=GREETED).text


SORRY = {"empathy": "让您久等了，很抱歉。", "information": "包裹在路上。"}


@pytest.mark.parametrize(
    ("emotion", "text"),
    [
        ("calm", "包裹在路上。"),
        ("anxious", "让您久等了，很抱歉。包裹在路上。"),
        ("upset", "让您久等了，很抱歉。包裹在路上。"),
        ("angry", "让您久等了，很抱歉。包裹在路上。"),
    ],
)
def test_apology_is_for_those_who_are_not_calm(emotion: str, text: str) -> None:
    assert text == draft(reply(**SORRY), emotion=emotion).text


def test_apology_that_is_all_of_the_reply_stays_for_the_calm() -> None:
    assert "让您久等了，很抱歉。" == draft(reply(empathy="让您久等了，很抱歉。")).text


def test_empathy_without_an_apology_stays_for_the_calm() -> None:
    assert "选得仔细，用着才顺手。包裹在路上。" == draft(reply(empathy="选得仔细，用着才顺手。", information="包裹在路上。")).text


@pytest.mark.parametrize(
    ("said", "store", "source", "text"),
    [
        pytest.param("现货付款后48小时内发出。", STORE, "现货付款后48小时内发出。我现在催仓库。", "我现在催仓库。", id="whole turn"),
        pytest.param("查到了。现货付款后48小时内发出。请放心。", STORE, "现货付款后48小时内发出。我现在催仓库。", "我现在催仓库。", id="inside a turn"),
        pytest.param("现货付款后48小时内发出", STORE, "现货付款后48小时内发出。我现在催仓库。", "我现在催仓库。", id="without the full stop"),
        pytest.param("現貨付款後48小時內發出。", STORE, "现货付款后48小时内发出。我现在催仓库。", "我现在催仓库。", id="in Traditional"),
        pytest.param("好的。", STORE, "好的。我现在催仓库。", "好的。我现在催仓库。", id="a short one may be said twice"),
        pytest.param(
            "We ship within 2 business days.", ENGLISH, "It is in stock. We ship within 2 business days.", "It is in stock.", id="English"
        ),
    ],
)  # fmt: skip
def test_sentence_already_said_by_the_agent_is_not_repeated(said: str, store: Store, source: str, text: str) -> None:
    history = (Turn(role="agent", text=said), Turn(role="customer", text="那怎么办"))

    assert text == draft(reply(text=source), store=store, history=history).text


def test_sentence_said_by_the_customer_may_be_repeated() -> None:
    history = (Turn(role="customer", text="现货付款后48小时内发出。"),)

    assert "现货付款后48小时内发出。" == draft(reply(text="现货付款后48小时内发出。"), history=history).text


def test_reply_that_was_said_whole_leaves_no_draft() -> None:
    made = draft(reply(text="现货付款后48小时内发出。"), history=(Turn(role="agent", text="现货付款后48小时内发出。"),))

    assert ("", {}) == (made.text, made.parts)


@pytest.mark.parametrize(
    ("store", "source", "text", "blank"),
    [
        (STORE, "单号{{ order.logistics.tracking_no }}，请查收。", "单号〔快递单号〕，请查收。", "〔快递单号〕"),
        (ENGLISH, "Tracking {{ order.logistics.tracking_no }}.", "Tracking 〔tracking number〕.", "〔tracking number〕"),
    ],
    ids=["zh", "en"],
)
def test_missing_fact_is_a_visible_blank_that_is_listed_and_marked(store: Store, source: str, text: str, blank: str) -> None:
    made = draft(reply(text=source), store=store)

    assert text == made.text
    assert ("order.logistics.tracking_no",) == made.missing
    assert [blank] == spans(made, "missing_fact")


def test_known_fact_fills_its_place() -> None:
    made = draft(reply(text="单号{{ order.logistics.tracking_no }}，请查收。"), order={"logistics": {"tracking_no": "XF77"}})

    assert Draft("单号XF77，请查收。", {"text": "单号XF77，请查收。"}, (), ()) == made


def test_missing_fact_in_a_test_marks_no_other_words() -> None:
    """The fact decided which words stand, but no blank shows: there is nothing to point at."""
    made = draft(reply(text="{% if order.amount_paid > 100 %}满百{% else %}未满{% endif %}包邮的订单都从仓库直接发出。"))

    assert ("order.amount_paid",) == made.missing
    assert [""] == spans(made, "missing_fact")


@pytest.mark.parametrize("fact", ["订单{{ x }}", "{% if a %}", "None {{ order.id }}", "# {{ 7*7 }}"])
def test_fact_is_words_never_template_code(fact: str) -> None:
    made = draft(reply(text="最近一站「{{ order.logistics.last_event }}」。"), order={"logistics": {"last_event": fact}})

    assert not re.search(r"\{\{|\}\}|\{%|%\}|49", made.text)


def test_banned_phrases_are_marked_where_they_stand() -> None:
    made = draft(reply(information="这个没办法改。", action="退款也没办法。"))

    assert ["没办法", "没办法"] == spans(made, "banned_phrase")
    assert [(2, 5), (10, 13)] == [(warning.start, warning.end) for warning in made.warnings]
    assert {"没有给出路；可改为：我能为您做的是"} == {warning.message for warning in made.warnings}


def test_banned_phrase_is_found_in_any_case() -> None:
    assert ["Calm down"] == spans(draft(reply(text="Calm down please."), store=ENGLISH), "banned_phrase")


def test_customer_addressed_as_ni_is_marked_where_it_stands() -> None:
    made = draft(reply(text="你好，你稍等，您看你行吗"))

    assert ["你", "你"] == spans(made, "address")
    assert [(3, 4), (9, 10)] == [(warning.start, warning.end) for warning in made.warnings]


def test_shop_without_a_form_of_address_marks_none() -> None:
    assert () == draft(reply(text="你稍等。"), store=STORE.model_copy(update={"address_customer_as": ""})).warnings


def test_too_long_marks_what_is_beyond_the_limit() -> None:
    made = draft(reply(text="好" * 40 + "多出来的。"))

    assert ["多出来的。"] == spans(made, "too_long")
    assert () == draft(reply(text="好" * 39 + "。")).warnings


@pytest.mark.parametrize(
    ("amount", "role", "codes"),
    [
        pytest.param("30", None, [], id="the agent's whole limit"),
        pytest.param("30.01", None, ["over_authority"], id="a cent above it"),
        pytest.param("31", "agent", ["over_authority"], id="above it, role said"),
        pytest.param("31", "lead", [], id="a lead may"),
        pytest.param("200.5", "lead", ["over_authority"], id="above the lead's"),
    ],
)
def test_amount_above_the_authority_of_who_answers_is_marked(amount: str, role: str | None, codes: list[str]) -> None:
    assert codes == [warning.code for warning in draft(reply(text="补偿您。", promises_amount=amount), role=role).warnings]


@pytest.mark.parametrize(
    ("language", "parts", "text"),
    [
        pytest.param("zh-CN", ["好的", "马上查。", "单号〔快递单号〕"], "好的。马上查。单号〔快递单号〕。", id="zh ends every part"),
        pytest.param("zh-CN", ["行吗？", "在「我的订单」"], "行吗？在「我的订单」。", id="zh keeps a question mark"),
        pytest.param("en", ["We are on it", "Tomorrow (or later)", "OK?"], "We are on it. Tomorrow (or later). OK?", id="en puts a space"),
        pytest.param("en", [], "", id="nothing"),
    ],
)
def test_join_parts_makes_sentences(language: str, parts: list[str], text: str) -> None:
    assert text == join_parts(parts, language=language)


def test_parts_stand_in_the_text_in_their_order() -> None:
    made = draft(reply(action="我来查", empathy="理解您", information="在路上", value="很快到"), emotion="upset")

    assert "理解您。在路上。很快到。我来查。" == made.text
    assert ["empathy", "information", "value", "action"] == list(made.parts)


def test_suggestion_with_a_blank_is_shown_but_not_sendable(demo_suggester: Suggester) -> None:
    order = {"status": "shipped", "shipped_at": "2026-11-20T10:00:00+08:00", "logistics": {"status": "in_transit"}}
    request = SuggestionRequest(message="快递走到哪儿了，帮我查下物流", order=Order.model_validate(order), top_k=10)
    blanks = [one for one in demo_suggester.suggest(request, now=NOW, request_id="r").suggestions if one.missing]

    assert blanks
    for one in blanks:
        assert "〔" in one.text
        assert one.sendable is False
        assert one.auto_reply is False


FULL_ORDER: dict[str, Any] = {
    "id": "20261109001", "status": "shipped", "placed_at": "2026-11-09T08:00:00+08:00", "paid_at": "2026-11-09T09:00:00+08:00",
    "promised_ship_by": "2026-11-11T09:00:00+08:00", "shipped_at": "2026-11-10T09:00:00+08:00", "delivered_at": "2026-11-13T09:00:00+08:00",
    "amount_paid": "129.00", "currency": "CNY", "payment_method": "alipay", "seller": "own",
    "shipping_address": {"province": "浙江", "city": "杭州", "district": "西湖"},
    "items": [{"sku": "CL-001", "title": "羽绒服", "quantity": 2, "unit_price": "64.50", "availability": "backorder", "attributes": {"颜色": None, "码": 1.5},
               "restock_at": "2026-11-25T09:00:00+08:00", "condition": "opened", "warranty_until": "2027-11-13", "no_reason_return": True}],
    "logistics": {"carrier": "迅风速运", "tracking_no": "XF773", "status": "in_transit", "last_event": "到达杭州",
                  "last_event_at": "2026-11-12T05:00:00+08:00", "eta": "2026-11-13"},
    "cases": [{"case_id": "C1", "type": "return", "status": "refunding", "requested_at": "2026-11-14T05:00:00+08:00", "refund_amount": "0.10",
               "approved_at": "2026-11-15T05:00:00+08:00", "refunded_at": "2026-11-16T05:00:00+08:00", "refund_channel": "alipay", "reason": "大了"}],
    "invoice": {"kind": "electronic", "status": "issued", "title": "公司"},
    "booking": {"slot_from": "2026-11-22T09:00:00+08:00", "slot_to": "2026-11-22T12:00:00+08:00"},
    "install": {"status": "booked", "at": "2026-11-23T09:00:00+08:00"},
}  # fmt: skip
FULL_CUSTOMER: dict[str, Any] = {
    "id": "u1",
    "name": "李女士",
    "tier": "vip",
    "orders_count": 3,
    "total_spent": "1000.50",
    "last_order_at": "2026-10-01T09:00:00+08:00",
    "complaints_90d": 1,
}
RAW = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|(?<![A-Za-z])(?:None|nan|NaN|True|False)(?![A-Za-z])|Undefined|knowledge\.blanks|Decimal\(|datetime\.|T\d\d:\d\d:\d\d")


def some_of(whole: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any subset of the facts, of nested ones too; a fact left out may also come as null."""
    kept = {}
    for name, value in whole.items():
        if isinstance(value, dict) and name != "attributes":
            kept[name] = st.one_of(st.just(value), some_of(value))
        elif isinstance(value, list):
            kept[name] = st.lists(st.one_of(st.just(value[0]), some_of(value[0])), max_size=2)
        else:
            kept[name] = st.sampled_from([value, value, None])
    return st.fixed_dictionaries({}, optional=kept)


@settings(max_examples=25, deadline=None)
@given(order=some_of(FULL_ORDER), customer=some_of(FULL_CUSTOMER), emotion=st.sampled_from(["calm", "upset"]))
def test_draft_never_carries_raw_template_or_python(demo_shop: Shop, order: dict[str, Any], customer: dict[str, Any], emotion: str) -> None:
    """All replies of the shop, drafts and blocked ones too; every blank is listed and everything listed is marked."""
    store = demo_shop.store
    facts = compute_facts(
        order=Order.model_validate(order), customer=Customer.model_validate(customer), agent=None, now=NOW, store=store, catalogue=demo_shop.catalogue()
    )
    writer = FactWriter(now=NOW, timezone=store.timezone, language=store.language, currency="CNY")
    drafter = Drafter(store=store, store_facts=store.model_dump(), facts=facts, writer=writer, history=(), understanding=heard(emotion))
    for one in demo_shop.replies:
        made = drafter.draft(Candidate(one, Verdict(Outcome.TRUE), 0.9, np.zeros(1, dtype=np.float32)))

        assert made.text, one.id
        assert not RAW.search(made.text), (one.id, made.text)
        assert not ("〔" in made.text and not made.missing), (one.id, made.text)
        assert len(made.missing) == len([warning for warning in made.warnings if warning.code == "missing_fact"]), one.id


def test_demo_shop_gives_the_property_above_something_to_hold_for(demo_shop: Shop) -> None:
    """The property above runs over some hundreds of replies, not over an empty list."""
    assert len(demo_shop.replies) > 500
    assert {"approved", "draft", "blocked"} == {one.status for one in demo_shop.replies}
