"""What stands beside the drafts: handing over, asking back, recommending, acting, and writing unasked. Each with a request where it must stay silent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.reply_columns import ReplyColumns
from knowledge.conditions import ALWAYS, Outcome, Verdict, compile_condition
from knowledge.conduct_rules import action_rules, alarms, order_events
from knowledge.errors import InvalidKnowledge
from knowledge.formats import FactWriter
from knowledge.normalise import match_form
from knowledge.records import EscalationRules, OwnAction, ProvenReply, ShopActions, Store
from knowledge.scenarios import SCENARIOS
from knowledge.shop import Shop, load_shop
from knowledge.style_check import style_checker_of
from suggest.clarifying import clarifying_questions
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.escalation import asked_of_authority
from suggest.next_actions import NextActions, reasons_to_act
from suggest.pipeline import Suggester
from suggest.ranking import Candidate
from suggest.shopping import as_number, shopping_need
from tests.fakes import write_shop
from tests.suggest.drafted import heard, reply

NOW = "2026-11-24T10:05:00+08:00"
ITEM = {"sku": "DG-002", "quantity": 1, "unit_price": "299.00", "availability": "in_stock"}
PARCEL = {"carrier": "迅风速运", "tracking_no": "XF773022676"}
OVERDUE = {"status": "paid", "paid_at": "2026-11-21T12:05:00+08:00", "promised_ship_by": "2026-11-23T12:05:00+08:00", "items": [ITEM]}
IN_TIME = {"status": "paid", "paid_at": "2026-11-24T05:05:00+08:00", "promised_ship_by": "2026-11-26T05:05:00+08:00", "items": [ITEM]}
ON_THE_WAY = {
    "status": "shipped", "paid_at": "2026-11-22T08:05:00+08:00", "shipped_at": "2026-11-23T04:05:00+08:00", "items": [ITEM],
    "logistics": PARCEL | {"status": "in_transit", "last_event": "到达转运中心", "last_event_at": "2026-11-24T05:05:00+08:00",
                           "eta": "2026-11-25T10:05:00+08:00"},
}  # fmt: skip
STALLED = ON_THE_WAY | {
    "paid_at": "2026-11-19T10:05:00+08:00", "shipped_at": "2026-11-20T06:05:00+08:00",
    "logistics": PARCEL | {"status": "stalled", "last_event": "到达转运中心", "last_event_at": "2026-11-21T07:05:00+08:00", "eta": "2026-11-23T14:05:00+08:00"},
}  # fmt: skip
DELIVERED = {
    "status": "delivered", "paid_at": "2026-11-19T08:05:00+08:00", "shipped_at": "2026-11-20T08:05:00+08:00",
    "delivered_at": "2026-11-23T08:05:00+08:00", "items": [ITEM], "logistics": PARCEL | {"status": "delivered"},
}  # fmt: skip
Ask = Callable[..., SuggestionResponse]


@pytest.fixture(scope="module")
def ask(demo_suggester: Suggester) -> Ask:
    def asked(message: str, **fields: Any) -> SuggestionResponse:
        return demo_suggester.suggest(SuggestionRequest.model_validate({"message": message} | fields), now=datetime.fromisoformat(NOW), request_id="r")

    return asked


# ---- handing over ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "order", "to", "reason"),
    [
        ("不想活了，什么都不顺", None, "lead", "self_harm"),
        ("电热水壶漏电了，把我手电麻了", DELIVERED, "lead", "injury"),
        ("凳子一坐就散，孩子摔下来头磕了个包", DELIVERED, "lead", "injury"),
        ("孩子把积木上的小零件吞下去了", DELIVERED, "lead", "minor"),
        ("孩子用我手机偷偷下单了一台手机", IN_TIME, "lead", "minor"),
        ("充电头插上就冒火花了，插座都黑了", DELIVERED, "quality", "safety"),
        ("我找律师了，等着收律师函吧", STALLED, "legal", "legal"),
        ("再不处理我就打12315投诉你们", OVERDUE, "lead", "threat"),
        ("不跟你说了，叫你们主管打给我", OVERDUE, "lead", "asked_for_lead"),
        ("还没发货，我都问了三遍了，到底有没有人管", OVERDUE, "lead", "repeated_here"),
    ],
)
def test_what_an_agent_must_not_carry_alone_is_handed_over(ask: Ask, message: str, order: dict[str, Any] | None, to: str, reason: str) -> None:
    handed = ask(message, order=order).escalate

    assert handed is not None
    assert (to, reason) == (handed.to, handed.reason)
    assert handed.message
    assert handed.holding_reply


@pytest.mark.parametrize(
    ("message", "order"),
    [
        ("耳机送到法院旁边的小区可以吗", ON_THE_WAY),
        ("寄到律师事务所，收件人写前台", IN_TIME),
        ("电暖器倾倒会不会漏电", None),
        ("我吃花生会过敏，这个能吃吗", None),
        ("跳楼价还有吗", None),
        ("烟雾报警器响了怎么关", None),
        ("孩子快过生日了，今天能发吗", IN_TIME),
        ("老板在吗，能便宜点不", None),
        ("第三次来买了，有老客券吗", None),
        ("送到医院门诊楼可以吗", ON_THE_WAY),
    ],
)
def test_words_that_only_sound_grave_are_not(ask: Ask, message: str, order: dict[str, Any] | None) -> None:
    assert ask(message, order=order).escalate is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("脸颊两边起小红疙瘩，刺刺的，好难受", "injury"),
        ("煤气灶漏气味道很大", "safety"),
        ("充电器烧起来了", "safety"),
        ("床垫漏气了，太气人了", None),
        ("不粘锅涂层起皮了，气死了", None),
        ("麻烦死了，怎么这么麻烦", None),
    ],
)
def test_people_are_hurt_not_things(ask: Ask, message: str, reason: str | None) -> None:
    handed = ask(message, order=DELIVERED).escalate

    assert (None if handed is None else handed.reason) == reason


def test_the_gravest_reason_is_told(ask: Ask) -> None:
    handed = ask("壶炸了把我手烫伤了，我要告你们，等着12315吧", order=DELIVERED).escalate

    assert handed is not None
    assert "injury" == handed.reason


def test_the_same_complaint_a_third_time_is_handed_over_and_a_second_time_is_not(ask: Ask) -> None:
    said = {"role": "customer", "text": "耳机到现在都没发货，太气人了"}
    answered = {"role": "agent", "text": "我帮您催"}

    third = ask("耳机到现在都没发货！太气人了", order=OVERDUE, history=[said, answered, said, answered])
    second = ask("耳机到现在都没发货！太气人了", order=OVERDUE, history=[said, answered])

    assert third.escalate is not None
    assert "repeated_here" == third.escalate.reason
    assert second.escalate is None


@pytest.mark.parametrize(
    ("message", "agent", "handed"),
    [
        pytest.param("2小时早过了，你们人呢", "我现在催仓库，2小时内把出库时间告诉您。", True, id="the time is over"),
        pytest.param("都一天了没消息", "30分钟内给您回复。", True, id="a day without a word"),
        pytest.param("都一天了没消息", "好的，帮您记下了。", False, id="nothing was promised"),
        pytest.param("主管说30分钟打给我，没人打", "好的", True, id="in so many words"),
        pytest.param("说好今天联系我的，等到现在没人理", "好的", True, id="we were to call"),
        pytest.param("都第三天了，你上次说今天给信的", "已经提交核实，24小时内给您结果。", True, id="the day after next"),
        pytest.param("今天第二天了，我再等等", "1至3个工作日内原路退回，到账后会给您发短信通知。", False, id="the time is not over"),
        pytest.param("都签收第五天了，还能退吗", "2小时内给您回复。", False, id="another day is counted"),
        pytest.param("快递说联系我，到现在没打", "好的", False, id="the courier's promise"),
        pytest.param("还有多久", "2小时内给您回复。", False, id="still waiting"),
    ],
)
def test_a_promise_of_ours_that_was_broken_is_handed_over(ask: Ask, message: str, agent: str, handed: bool) -> None:
    history = [{"role": "customer", "text": "怎么还不发"}, {"role": "agent", "text": agent}]

    found = ask(message, order=OVERDUE, history=history).escalate

    assert handed == (found is not None and "repeated_here" == found.reason)


def test_a_lead_is_not_sent_to_a_lead_but_to_legal(ask: Ask) -> None:
    lead = {"role": "lead"}

    assert ask("再不处理我就打12315投诉你们", order=OVERDUE, agent=lead).escalate is None
    handed = ask("我找律师了，等着收律师函吧", order=STALLED, agent=lead).escalate
    assert handed is not None
    assert "legal" == handed.to


def test_holding_replies_promise_nothing_and_offend_no_rule(demo_shop: Shop, english_shop: Shop) -> None:
    for english, shop in ((False, demo_shop), (True, english_shop)):
        for alarm in alarms():
            words = alarm.holding[english]
            assert [] == list(style_checker_of(shop.store).check(words, amount_limit=Decimal(0))), alarm.reason
            assert not any(word in words for word in ("赔", "补偿", "退款", "小时", "分钟", "refund", "compensat", "hours", "minutes")), alarm.reason


def test_a_shop_hands_over_in_its_own_words_to_its_own_people(demo_suggester: Suggester, demo_snapshot: Any, models: Any) -> None:
    own = EscalationRules(holding_replies={"threat": "我们值班经理马上看。"}, to={"threat": "manager"}, phrases={"safety": ("果肉发黑",)})
    store = demo_snapshot.shop.store.model_copy(update={"escalation": own})
    shop = replace(demo_snapshot.shop, store=store)
    suggester = Suggester(replace(demo_snapshot, shop=shop), embedder=models.embedder, reader=models.reader, ranker=models.ranker)

    def handed(message: str) -> Any:
        return suggester.suggest(SuggestionRequest(message=message), now=datetime.fromisoformat(NOW), request_id="r").escalate

    assert ("manager", "我们值班经理马上看。") == (handed("再不处理我就打12315投诉你们").to, handed("再不处理我就打12315投诉你们").holding_reply)
    assert "safety" == handed("打开一看果肉发黑").reason


# ---- authority ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "role", "to"),
    [("30.50", "agent", None), ("30.51", "agent", "lead"), ("300", "agent", "manager"), ("200", "lead", None), ("200.01", "lead", "manager")],
)
def test_an_amount_needs_whoever_may_promise_it(amount: str, role: str, to: str | None) -> None:
    store = Store.model_validate({"id": "s", "name": "店", "authority": {"agent_compensation_limit": "30.50", "lead_compensation_limit": "200"}})
    reply = ProvenReply.model_validate({"id": "a", "scenario": "invoice", "text": "好。", "promises_amount": amount, "status": "approved"})
    writer = FactWriter(now=datetime.fromisoformat(NOW), timezone="Asia/Shanghai", language="zh-CN", currency="CNY")

    handed = asked_of_authority([reply], store, role=role, writer=writer)

    assert to == (handed.to if handed else None)
    if handed is not None:
        assert writer.money(Decimal(amount)) in handed.message
        assert {"lead": "主管", "manager": "经理"}[handed.to] in handed.message


def test_a_leads_reply_that_is_no_better_is_not_offered(ask: Ask, demo_shop: Shop) -> None:
    lead = {reply.id for reply in demo_shop.replies if reply.authority == "lead"}
    lost = STALLED | {"logistics": PARCEL | {"status": "lost", "last_event": "无记录", "last_event_at": "2026-11-17T07:05:00+08:00"}}

    calm = ask("快递说丢了，那是补一个还是退钱", order=lost)

    assert calm.suggestions
    assert not lead & {one.reply_id for one in calm.suggestions}
    assert calm.escalate is None


# ---- asking back -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "order", "asked"),
    [
        ("到哪了", None, "订单号"),
        ("退款批了没", None, "订单号"),
        ("推荐一款耳机", None, "给谁用"),
    ],
)
def test_what_is_missing_is_asked_back(ask: Ask, message: str, order: dict[str, Any] | None, asked: str) -> None:
    questions = ask(message, order=order).clarifying_questions

    assert 1 <= len(questions) <= 2
    assert asked in questions[0]
    assert all("您" in question or "请问" in question for question in questions)


@pytest.mark.parametrize(("scenario", "asked"), [("product.spec", "Which item do you have in mind"), ("return.quality", "order number")])
def test_who_speaks_of_what_they_bought_is_asked_for_the_order_not_for_what_they_have_in_mind(scenario: str, asked: str) -> None:
    """«it wont turn on», and the only reply is for one product."""
    one = reply(scenario=scenario, products=("KB-1",), information="Press the reset key.")
    found = Candidate(one, Verdict(Outcome.UNKNOWN, ("order.item",)), 0.5, np.zeros(1, dtype=np.float32))
    understanding = replace(heard("calm"), scenarios={scenario: 0.9}, language="en")

    questions = clarifying_questions(understanding, [found], {"order": {}}, need=None, said=["it wont turn on"], silent=True, language="en")

    assert len(questions) == 1
    assert asked in questions[0]


@pytest.mark.parametrize(
    ("item", "silent", "asked"),
    [
        pytest.param({"sku": "A"}, True, ["拆封或使用"], id="nobody knows, and nothing is offered"),
        pytest.param({"sku": "A"}, False, [], id="a draft is offered"),
        pytest.param({"sku": "A", "condition": "unopened"}, True, [], id="it was sent"),
    ],
)
def test_what_was_done_with_the_thing_is_asked_where_it_would_decide_and_nothing_is_offered(item: dict[str, Any], silent: bool, asked: list[str]) -> None:
    """«这个我不要了哈»: one reply for the sealed, which holds as long as nothing is known."""
    sealed = reply(scenario="return.no_reason", when='!(has(order.item.condition) && order.item.condition in ["opened"])', information="没拆封的可以退。")
    found = Candidate(sealed, ALWAYS, 0.5, np.zeros(1, dtype=np.float32))
    understanding = replace(heard("calm"), scenarios={"return.no_reason": 0.9})

    questions = clarifying_questions(
        understanding, [found], {"order": {"item": item, "items": [item]}}, need=None, said=["这个我不要了哈"], silent=silent, language="zh-CN"
    )

    assert len(questions) == len(asked)
    assert all(words in question for words, question in zip(asked, questions, strict=True))


def test_several_items_are_named(ask: Ask) -> None:
    items = [{"sku": "CL-006", "quantity": 1}, {"sku": "DG-001", "quantity": 1}]

    questions = ask("拆开试了不合适，想退掉其中一个", order=DELIVERED | {"items": items}).clarifying_questions

    assert not questions or ("无痕莫代尔内裤三条装" in questions[0] and "栗湾 X5 智能手机" in questions[0])


@pytest.mark.parametrize(
    ("message", "order"),
    [("怎么还不发货", OVERDUE), ("满多少包邮", None), ("今天天气怎么样", None), ("😀😀", None), ("支持哪些付款方式", None), ("坏了，不工作了", DELIVERED)],
)
def test_nothing_is_asked_when_the_answer_needs_nothing(ask: Ask, message: str, order: dict[str, Any] | None) -> None:
    assert [] == ask(message, order=order).clarifying_questions


@pytest.mark.parametrize("message", ["已拆封，能退吗", "没拆封能退吗", "一片都没拆，能退么", "用过一片了，想退"])
def test_what_the_customer_tells_of_the_thing_is_not_asked_back(ask: Ask, message: str) -> None:
    assert not any("拆封" in one for one in ask(message, order=DELIVERED).clarifying_questions)


@pytest.mark.parametrize(("message", "asked"), [("退款批了没", True), ("我还没下单，先问问，退款批了没", False)])
def test_who_has_not_ordered_yet_is_not_asked_for_an_order(ask: Ask, message: str, asked: bool) -> None:
    assert asked == any("订单号" in one for one in ask(message).clarifying_questions)


# ---- recommending ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "least", "most"),
    [
        ("300以内的耳机", None, "300"),
        ("两三百的礼物", "200", "300"),
        ("预算500", "350", "600"),
        ("200到300之间", "200", "300"),
        ("一千以下", None, "1000"),
        ("不超过五百块", None, "500"),
        ("两百块左右", "140", "240"),
        ("2k以内", None, "2000"),
        ("1000以上的", "1000", None),
        ("something under $50", None, "50"),
        ("between $30 and $50", "30", "50"),
        ("3岁孩子玩的", None, None),
        ("300毫升的杯子", None, None),
        ("20平的客厅", None, None),
        ("买两三个", None, None),
        ("三天以内能到吗", None, None),
    ],
)
def test_budgets_are_read_as_said(message: str, least: str | None, most: str | None) -> None:
    need = shopping_need(match_form(message))

    assert (least and Decimal(least), most and Decimal(most)) == (need.least, need.most)


@pytest.mark.parametrize(("text", "value"), [("三百", 300), ("三百五", 350), ("两千", 2000), ("一千二百", 1200), ("十", 10), ("1.5k", 1500), ("1,200", 1200)])
def test_numbers_are_read_in_both_scripts(text: str, value: int) -> None:
    assert Decimal(value) == as_number(text)


def test_products_within_the_budget_are_recommended_with_why(ask: Ask) -> None:
    (one,) = ask("有没有300以内的耳机推荐").recommendations

    assert ("DG-002", Decimal("299.00")) == (one.sku, one.price)
    assert "¥299，在您的预算内" == one.why[0]


def test_figures_are_held_against_the_products_own_data(ask: Ask) -> None:
    heavy = ask("宝宝16公斤，推荐哪款纸尿裤").recommendations
    (fitting,) = ask("宝宝11公斤，推荐哪款纸尿裤").recommendations

    assert [] == heavy
    assert "适用：9-14公斤（您说的11公斤合适）" in fitting.why


@pytest.mark.parametrize(
    ("message", "order"),
    [
        ("你们东西太烂了！给我推荐个能用的耳机！", DELIVERED),
        ("推荐一款耳机", DELIVERED | {"cases": [{"type": "return", "status": "requested", "requested_at": "2026-11-23T10:00:00+08:00"}]}),
        ("耳机坏了想退", DELIVERED),
        ("推荐一款耳机，5块以内", None),
    ],
)
def test_nothing_is_recommended_in_the_wrong_moment(ask: Ask, message: str, order: dict[str, Any] | None) -> None:
    assert [] == ask(message, order=order).recommendations


# ---- next actions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "order", "first"),
    [
        ("不要了，帮我拦截", ON_THE_WAY, "intercept_parcel"),
        ("地址写错了能改吗", IN_TIME, "change_address"),
        ("怎么还不发货", OVERDUE, "expedite_warehouse"),
        ("包裹一直没动静", STALLED, "chase_carrier"),
        ("耳机坏了，没声音", DELIVERED, "request_photos"),
    ],
)
def test_the_fitting_action_is_offered_first(ask: Ask, message: str, order: dict[str, Any], first: str) -> None:
    actions = ask(message, order=order).next_actions

    assert 1 <= len(actions) <= 3
    assert first == actions[0].code
    assert actions[0].label


@pytest.mark.parametrize(
    ("message", "order", "never"),
    [
        ("不要了，帮我拦截", DELIVERED, "intercept_parcel"),
        ("不要了，帮我拦截", None, "intercept_parcel"),
        ("地址写错了能改吗", DELIVERED, "change_address"),
        ("怎么还不发货", IN_TIME, "issue_coupon"),
        ("到哪了", ON_THE_WAY, "chase_carrier"),
    ],
)
def test_what_the_order_makes_impossible_is_not_offered(ask: Ask, message: str, order: dict[str, Any] | None, never: str) -> None:
    assert never not in {action.code for action in ask(message, order=order).next_actions}


@pytest.mark.parametrize("message", ["[图片]耳机坏了，没声音", "如图，耳机坏了"])
def test_photos_are_no_next_action_beside_a_photo(ask: Ask, message: str) -> None:
    assert "request_photos" not in [one.code for one in ask(message, order=DELIVERED).next_actions]


def test_a_shop_adds_its_own_actions_and_leaves_some_out() -> None:
    rules = ShopActions(
        own=(OwnAction(code="send_gift_box", label="补寄礼盒", scenarios=("order.expedite",), when='order.status == "paid"'),), leave_out=("issue_coupon",)
    )
    actions = NextActions(Store(id="s", name="店", actions=rules))
    facts = {"order": {"status": "paid", "is_unshipped": True, "ship_overdue": True}, "customer": {}, "agent": {}, "message": {}}

    codes = [one.code for one in actions.fitting(["order.expedite"], facts)]

    assert "send_gift_box" == codes[0]
    assert "issue_coupon" not in codes


def test_a_shops_action_that_names_no_fact_is_a_bad_row(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    with (folder / "store.toml").open("a", encoding="utf-8") as file:
        file.write('[[actions.own]]\ncode = "x"\nlabel = "x"\nscenarios = ["invoice"]\nwhen = "order.staus == \'paid\'"\n')

    with pytest.raises(InvalidKnowledge, match=r"actions\.own x when.*order\.status"):
        load_shop(folder)


def test_reasons_to_act_are_the_first_drafts_then_the_sure_ones() -> None:
    assert ["invoice", "order.cancel"] == reasons_to_act("invoice", [{"order.cancel": 0.9, "invoice": 0.1}, {"exchange": 0.3}])


# ---- writing unasked ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "reply", "told"),
    [
        (OVERDUE, "expedite-overdue", "超过承诺发货时间"),
        (STALLED, "delay-stalled-calm", "物流停滞"),
        (DELIVERED | {"payment_method": "alipay", "cases": [{"type": "return", "status": "refunding"}]}, "timing-alipay-refunding", "退款处理中"),
        (IN_TIME | {"items": [ITEM | {"availability": "out_of_stock"}]}, "exception-oos-nodate", "付款后缺货"),
    ],
)
def test_an_order_in_trouble_is_written_of_unasked(ask: Ask, order: dict[str, Any], reply: str, told: str) -> None:
    answer = ask("", order=order)

    assert reply == answer.suggestions[0].reply_id
    assert told in answer.suggestions[0].why[0]
    assert {False} == {one.auto_reply for one in answer.suggestions}
    assert [] == answer.understanding.questions
    assert answer.escalate is None
    assert not any(words in one.text for one in answer.suggestions for words in ("您问", "您来问", "来催"))


@pytest.mark.parametrize("order", [IN_TIME, ON_THE_WAY, DELIVERED, {"status": "created"}, {"id": "1"}])
def test_an_order_without_trouble_is_met_with_silence(ask: Ask, order: dict[str, Any]) -> None:
    answer = ask("", order=order)

    assert ([], []) == (answer.suggestions, answer.next_actions)
    assert answer.abstained is not None
    assert "no_words" == answer.abstained.reason


def test_a_reply_marked_for_it_comes_first_and_one_marked_against_it_never(demo_snapshot: Any, models: Any) -> None:
    marks = {"status-overdue": True, "expedite-overdue": False}
    replies = tuple(one.model_copy(update={"proactive": marks.get(one.id)}) for one in demo_snapshot.shop.replies)
    snapshot = replace(demo_snapshot, shop=replace(demo_snapshot.shop, replies=replies), columns=ReplyColumns.of(replies))
    suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)

    answer = suggester.suggest(SuggestionRequest.model_validate({"message": "", "order": OVERDUE}), now=datetime.fromisoformat(NOW), request_id="r")

    assert "status-overdue" == answer.suggestions[0].reply_id
    assert "expedite-overdue" not in {one.reply_id for one in answer.suggestions}


# ---- the data ----------------------------------------------------------------------------------------------------------------


def test_the_rules_name_scenarios_of_the_list_and_each_code_once() -> None:
    codes = [rule.code for rule in action_rules()]

    assert len(codes) == len(set(codes))
    assert {name for rule in (*action_rules(), *order_events()) for name in rule.scenarios} <= set(SCENARIOS)
    assert {path for event in order_events() for path in event.about} <= {path for event in order_events() for path in compile_condition(event.when).paths} | {
        "order.hours_overdue", "order.logistics.status", "order.item.availability", "order.case.status"}  # fmt: skip
