from dataclasses import replace
from datetime import date, datetime
from random import Random
from typing import Any

import numpy as np
import pytest

from indexes.reply_columns import ReplyColumns
from knowledge.conditions import Outcome, Verdict
from knowledge.facts import compute_facts
from knowledge.likely_facts import likely_facts
from knowledge.order_context import Order
from knowledge.products import ProductCatalogue
from knowledge.records import Article, Product, ProvenReply, Store
from suggest.eligibility import ALLOWED, LIKELY, RULED_OUT, TO_CHECK, Circumstances, Eligibility, Gates, Likely, dates_allow, products_fit

NOW = "2026-11-08T12:00:00+08:00"
CATALOGUE = ProductCatalogue([
    Product(sku="PH-1", title="手机", category="数码/手机"),
    Product(sku="JU-1", title="榨汁机", category="家电/小家电/榨汁机"),
])  # fmt: skip


def eligibility(now: str = NOW, *, order: dict[str, Any] | None = None, timezone: str = "Asia/Shanghai", mentioned: tuple[str, ...] = ()) -> Eligibility:
    moment = datetime.fromisoformat(now)
    facts = compute_facts(
        order=Order.model_validate(order) if order is not None else None, customer=None, agent=None, now=moment,
        store=Store(id="shop", name="店", timezone=timezone), catalogue=CATALOGUE,
    )  # fmt: skip
    return Eligibility(Circumstances.of(facts, now=moment, timezone=timezone, mentioned=mentioned, catalogue=CATALOGUE))


def reply(**fields: Any) -> ProvenReply:
    return ProvenReply.model_validate({"id": "r", "scenario": "promo.coupon", "text": "好", "status": "approved"} | fields)


def article(**fields: Any) -> Article:
    return Article.model_validate({"id": "a", "title": "题", "kind": "policy", "body": "文"} | fields)


@pytest.mark.parametrize(
    ("timezone", "now", "in_force"),
    [
        pytest.param("Asia/Shanghai", "2026-10-31T15:59:59+00:00", False, id="Shanghai, a second before the first day"),
        pytest.param("Asia/Shanghai", "2026-10-31T16:00:00+00:00", True, id="Shanghai, first instant of the first day"),
        pytest.param("Asia/Shanghai", "2026-11-11T15:59:59+00:00", True, id="Shanghai, last second of the last day"),
        pytest.param("Asia/Shanghai", "2026-11-11T16:00:00+00:00", False, id="Shanghai, the day after"),
        pytest.param("America/New_York", "2026-11-01T03:59:59+00:00", False, id="New York, a second before, summer time"),
        pytest.param("America/New_York", "2026-11-01T04:00:00+00:00", True, id="New York, first instant, summer time"),
        pytest.param("America/New_York", "2026-11-12T04:59:59+00:00", True, id="New York, last second, winter time"),
        pytest.param("America/New_York", "2026-11-12T05:00:00+00:00", False, id="New York, the day after"),
    ],
)
def test_dates_hold_both_days_in_the_shops_timezone(timezone: str, now: str, in_force: bool) -> None:
    dates = {"effective_from": date(2026, 11, 1), "effective_to": date(2026, 11, 11)}
    judge = eligibility(now, timezone=timezone)

    assert (Outcome.TRUE if in_force else Outcome.FALSE) == judge.of_reply(reply(**dates)).outcome
    assert in_force is judge.of_article(article(**dates))


@pytest.mark.parametrize(
    ("dates", "outcome"),
    [
        pytest.param({}, Outcome.TRUE, id="no dates"),
        pytest.param({"effective_from": date(2026, 11, 8)}, Outcome.TRUE, id="from today"),
        pytest.param({"effective_from": date(2026, 11, 9)}, Outcome.FALSE, id="from tomorrow"),
        pytest.param({"effective_to": date(2026, 11, 8)}, Outcome.TRUE, id="until today"),
        pytest.param({"effective_to": date(2026, 11, 7)}, Outcome.FALSE, id="until yesterday"),
    ],
)
def test_dates_may_be_open_at_either_end(dates: dict[str, date], outcome: Outcome) -> None:
    assert Verdict(outcome) == eligibility().of_reply(reply(**dates))


DOUBLE_11 = {"effective_from": date(2026, 10, 20), "effective_to": date(2026, 11, 11), "effective_basis": "paid_at"}


@pytest.mark.parametrize(
    ("now", "paid_at", "outcome"),
    [
        pytest.param("2026-12-01T10:00:00+08:00", "2026-11-11T23:59:59+08:00", Outcome.TRUE, id="paid in time, asked later"),
        pytest.param("2026-12-01T10:00:00+08:00", "2026-11-12T00:00:00+08:00", Outcome.FALSE, id="paid the day after"),
        pytest.param("2026-10-25T10:00:00+08:00", "2026-10-19T10:00:00+08:00", Outcome.FALSE, id="asked in time, paid before"),
        pytest.param("2026-12-01T10:00:00+08:00", "2026-11-11T15:30:00+00:00", Outcome.TRUE, id="paid in time by the shop's clock"),
        pytest.param("2026-12-01T10:00:00+08:00", "2026-11-11T16:00:00+00:00", Outcome.FALSE, id="too late by the shop's clock"),
    ],
)
def test_effective_basis_paid_at_compares_the_day_of_payment(now: str, paid_at: str, outcome: Outcome) -> None:
    assert Verdict(outcome) == eligibility(now, order={"paid_at": paid_at}).of_reply(reply(**DOUBLE_11))


@pytest.mark.parametrize("order", [None, {}, {"status": "paid"}], ids=["no order", "empty order", "order without it"])
def test_effective_basis_paid_at_is_unknown_without_it(order: dict[str, Any] | None) -> None:
    assert Verdict(Outcome.UNKNOWN, ("order.paid_at",)) == eligibility(order=order).of_reply(reply(**DOUBLE_11))


def test_false_condition_wins_over_unknown_dates() -> None:
    verdict = eligibility(order={"status": "shipped"}).of_reply(reply(**DOUBLE_11, when='order.status == "paid"'))

    assert Outcome.FALSE is verdict.outcome


def test_unknown_condition_and_unknown_dates_name_all_that_is_to_be_verified() -> None:
    verdict = eligibility().of_reply(reply(**DOUBLE_11, when='order.status == "paid"'))

    assert Outcome.UNKNOWN is verdict.outcome
    assert {"order.status", "order.paid_at"} == set(verdict.verify)


def test_expired_reply_is_false_though_its_condition_is_unknown() -> None:
    verdict = eligibility().of_reply(reply(effective_to=date(2026, 11, 7), when='order.status == "paid"'))

    assert Outcome.FALSE is verdict.outcome


def test_condition_unknown_without_its_fact_names_it() -> None:
    assert Verdict(Outcome.UNKNOWN, ("order.status",)) == eligibility().of_reply(reply(when='order.status == "paid"'))


PHONE = {"items": [{"sku": "PH-1"}]}


def test_reply_for_a_product_is_to_be_checked_when_no_product_is_known() -> None:
    verdict = eligibility(order=None, mentioned=()).of_reply(reply(products=("JU-1",)))

    assert (Outcome.UNKNOWN, ("order.item",)) == (verdict.outcome, verdict.verify)
    assert eligibility(order=None, mentioned=()).of_article(article(products=("JU-1",)))


@pytest.mark.parametrize(
    ("products", "order", "mentioned", "fits"),
    [
        pytest.param((), PHONE, (), True, id="for all products"),
        pytest.param(("PH-1",), PHONE, (), True, id="the order's SKU"),
        pytest.param(("JU-1",), PHONE, (), False, id="another SKU"),
        pytest.param(("数码/手机",), PHONE, (), True, id="its category"),
        pytest.param(("数码",), PHONE, (), True, id="the category above"),
        pytest.param(("数码/手",), PHONE, (), False, id="only a piece of the category's name"),
        pytest.param(("家电",), PHONE, (), False, id="another category"),
        pytest.param(("家电", "PH-1"), PHONE, (), True, id="one of several"),
        pytest.param(("JU-1",), PHONE, ("JU-1",), True, id="the message's product before the order's"),
        pytest.param(("PH-1",), PHONE, ("JU-1",), False, id="the order's product, another one asked about"),
        pytest.param(("数码/平板",), {"items": [{"title": "平板", "category": "数码/平板"}]}, (), True, id="an item outside the catalogue"),
    ],
)
def test_products_gate_replies_and_articles(products: tuple[str, ...], order: dict[str, Any] | None, mentioned: tuple[str, ...], fits: bool) -> None:
    judge = eligibility(order=order, mentioned=mentioned)

    assert (Outcome.TRUE if fits else Outcome.FALSE) == judge.of_reply(reply(products=products)).outcome
    assert fits is judge.of_article(article(products=products))


def test_equal_conditions_are_evaluated_once() -> None:
    """The second reply gets the very verdict of the first; each still has its own dates and products."""
    judge = eligibility(order=PHONE | {"status": "paid"})
    condition = 'order.status == "paid"'

    first, second = (judge.of_reply(reply(id=name, when=condition)) for name in ("one", "two"))

    assert Verdict(Outcome.TRUE) == first
    assert first is second
    assert Outcome.FALSE is judge.of_reply(reply(when=condition, products=("JU-1",))).outcome
    assert Outcome.FALSE is judge.of_reply(reply(when=condition, effective_to=date(2026, 11, 7))).outcome


@pytest.mark.parametrize("tone", ["calm", "upset", ""])
def test_tone_is_never_a_gate(tone: str) -> None:
    assert Verdict(Outcome.TRUE) == eligibility().of_reply(reply(tone=tone))


def test_the_shops_gates_together_come_to_what_each_reply_comes_to():
    conditions = ("", 'order.status == "paid"', "order.ship_overdue", 'order.status == "shipped" && order.ship_overdue')
    dates = (
        {},
        {"effective_to": date(2026, 11, 7)},
        {"effective_from": date(2026, 11, 8)},
        {"effective_from": date(2026, 11, 8), "effective_basis": "paid_at"},
    )
    products = ((), ("JU-1",), ("数码",), ("JU-1", "PH-1"))
    replies = [
        reply(id=f"{w}{d}{p}", when=when, products=of, **days)
        for w, when in enumerate(conditions)
        for d, days in enumerate(dates)
        for p, of in enumerate(products)
    ]
    gates, codes = Gates(ReplyColumns.of(replies)), {Outcome.FALSE: RULED_OUT, Outcome.UNKNOWN: TO_CHECK, Outcome.TRUE: ALLOWED}
    seen = set()
    for order in (None, {"status": "paid"}, {"status": "shipped", "paid_at": NOW}, {"status": "paid", "paid_at": "2026-11-01T00:00:00+08:00"}):
        for mentioned in ((), ("JU-1",), ("PH-1",)):
            alone = eligibility(order=order, mentioned=mentioned)
            together = Eligibility(alone.circumstances, gates)

            undecided = {LIKELY: TO_CHECK}  # what is likely only ranks: the verdict stays

            outcomes = together.outcomes(np.arange(len(replies))).tolist()

            assert [codes[alone.of_reply(one).outcome] for one in replies] == [undecided.get(code, code) for code in outcomes]
            assert [alone.of_reply(one) for one in replies] == [together.of_reply(one) for one in replies]
            seen.update(outcomes)
    assert seen >= {RULED_OUT, TO_CHECK, ALLOWED}


@pytest.mark.parametrize("seed", range(30))
def test_all_gates_together_come_to_what_each_comes_to(seed: int):
    random = Random(seed)
    days = [None, *(date(2026, 11, day) for day in (1, 10, 20, 30))]
    names = ["P-1", "P-2", "家电", "家电/大家电", "家电/大家", "服饰"]

    def one(number: int) -> ProvenReply:
        first, last = sorted((random.choice(days), random.choice(days)), key=lambda day: day or date.min)
        basis, products = random.choice(["now", "paid_at"]), random.sample(names, random.randrange(3))
        return reply(id=f"r-{number}", products=products, effective_from=first, effective_to=last, effective_basis=basis)

    replies = [one(number) for number in range(60)]
    gates = Gates(ReplyColumns.of(replies))
    today, paid_on = date(2026, 11, random.choice([1, 10, 15, 30])), random.choice([None, date(2026, 11, 10)])
    here = random.choice([(), (("P-1", "家电/大家电/冰箱"),), (("P-9", "服饰"), ("P-2", ""))])

    rows = np.arange(len(replies))[::-2]  # only some, and in another order
    outcomes = gates.outcomes(rows, gates.conditions.judge({}), Likely(), here, today, paid_on)

    for gate, outcome in zip([gates.of_row(row) for row in rows.tolist()], outcomes.tolist(), strict=True):
        if not products_fit(gate.products, here):
            expected = RULED_OUT
        else:
            unknown_product = bool(gate.products) and not here
            dates = dates_allow(gate, today, paid_on).outcome
            expected = RULED_OUT if dates is Outcome.FALSE else TO_CHECK if unknown_product or dates is Outcome.UNKNOWN else ALLOWED
        assert outcome == expected, gate


@pytest.mark.parametrize(
    ("when", "said", "code"),
    [
        pytest.param('order.item.availability != "preorder"', "什么时候发货", LIKELY, id="only presale is excluded, and few things are that"),
        pytest.param('order.item.availability == "preorder"', "什么时候发货", TO_CHECK, id="only for presale: somebody has to look"),
        pytest.param('order.item.availability == "preorder"', "预售的什么时候发货", LIKELY, id="the customer says it is"),
        pytest.param('!(order.item.condition in ["used", "washed"])', "不想要了", LIKELY, id="who used it says so"),
        pytest.param('order.item.condition in ["used", "washed"]', "穿了两天，不想要了", LIKELY, id="used, by the customer's word"),
        pytest.param('order.item.condition in ["used", "washed"]', "没拆，不想要了", RULED_OUT, id="not opened, by the customer's word"),
        pytest.param('order.seller == "third_party" && order.is_shipped', "到哪了", RULED_OUT, id="what is known to be false is no question of likelihood"),
        pytest.param("!has(order.item.condition)", "拆开了能退吗", ALLOWED, id="what holds by the facts that were sent holds, whatever is told"),
        pytest.param("order.booking.slot_from < now", "几点来", TO_CHECK, id="of other facts nothing is usual"),
    ],
)
def test_what_was_not_sent_is_likely_by_the_customers_word_or_by_custom_and_is_checked_all_the_same(when: str, said: str, code: int) -> None:
    one = reply(when=when)
    gates = Gates(ReplyColumns.of([one]))
    known = eligibility(order={"status": "paid", "items": [{"sku": "JU-1", "quantity": 1}]}).circumstances

    judge = Eligibility(replace(known, said=(said,)), gates)

    assert [code] == judge.outcomes(np.arange(1)).tolist()
    if code != RULED_OUT:
        assert (Outcome.TRUE if code == ALLOWED else Outcome.UNKNOWN) == judge.of_reply(one).outcome


NOT_OPENED = '!(has(order.item.condition) && order.item.condition in ["opened", "used"])'


@pytest.mark.parametrize(
    ("when", "asked", "said", "code"),
    [
        pytest.param(NOT_OPENED, "您这款有没有拆封呀？", "拆了", RULED_OUT, id="nobody sent it, but the customer says so when asked"),
        pytest.param(NOT_OPENED, "您这款有没有拆封呀？", "没拆", ALLOWED, id="as wanted"),
        pytest.param(NOT_OPENED, "您这款有没有拆封呀？", "没有使用过，吊牌都在", ALLOWED, id="denied, a word between"),
        pytest.param(NOT_OPENED, "您这款有没有拆封呀？", "快递箱拆了，零食没拆", ALLOWED, id="the parcel's own box"),
        pytest.param(NOT_OPENED, "", "拆了还能退吗", ALLOWED, id="nobody asked: it is for ranking alone"),
        pytest.param(NOT_OPENED, "请问您的订单号是多少？", "拆了", ALLOWED, id="something else was asked"),
        pytest.param("!has(order.item.condition)", "拆封了吗？", "拆了", ALLOWED, id="written for when it was not sent"),
        pytest.param(NOT_OPENED, "Has it been opened?", "yes i opened it", RULED_OUT, id="English"),
        pytest.param(NOT_OPENED, "Has it been opened?", "no, never even opened", ALLOWED, id="English, denied"),
    ],
)
def test_what_is_answered_to_an_agent_decides_even_where_a_condition_only_excludes_what_is_known(when: str, asked: str, said: str, code: int) -> None:
    known = eligibility(order={"status": "delivered", "items": [{"sku": "JU-1", "quantity": 1}]}).circumstances

    judge = Eligibility(replace(known, said=(said,), asked=asked), Gates(ReplyColumns.of([reply(when=when)])))

    assert [code] == judge.outcomes(np.arange(1)).tolist()


@pytest.mark.parametrize(
    "said",
    ["未使用过", "手机还没激活", "还没开过机", "用了两张券买的", "没有真正用过", "快递用了三天才到", "我登录了找不到退货入口", "没敢拆开", "是不是被人拆过啊",
     "试了好几次都提交不了", "打开了你们的小程序看不到按钮", "要是拆了呢", "能用第三方充电器吗", "我有个朋友是vip", "这个不是预售吧"],
)  # fmt: skip
def test_what_is_denied_supposed_or_said_of_something_else_is_not_told(said: str) -> None:
    facts = {"order": {"status": "delivered", "item": {"sku": "A"}}, "customer": {}}

    told, _ = likely_facts(facts, [said])

    assert told is None


def test_what_was_spoken_of_before_is_the_product_in_question_where_neither_message_nor_order_names_one() -> None:
    facts = eligibility().circumstances.facts
    ordered = eligibility(order={"status": "paid", "items": [{"sku": "PH-1", "quantity": 1}]}).circumstances.facts

    def products(facts: Any, *, mentioned: tuple[str, ...]) -> list[str]:
        moment = datetime.fromisoformat(NOW)
        here = Circumstances.of(facts, now=moment, timezone="Asia/Shanghai", mentioned=mentioned, catalogue=CATALOGUE, mentioned_before=("JU-1",))
        return [sku for sku, _ in here.products]

    assert ["JU-1"] == products(facts, mentioned=())
    assert ["PH-1"] == products(facts, mentioned=("PH-1",))
    assert ["PH-1"] == products(ordered, mentioned=())
