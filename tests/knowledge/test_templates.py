from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import InvalidTemplate
from knowledge.formats import FactWriter
from knowledge.templates import Rendered, ReplyTemplate, compile_template, literal_words

NOW = datetime.fromisoformat("2026-11-12T10:05:00+08:00")
STORE: dict[str, Any] = {"name": "栗子湾", "return_window_days": 7, "authority": {"agent_compensation_limit": Decimal(30)}}
FACTS: dict[str, Any] = {
    "order": {
        "id": "20261109001",
        "status": "paid",
        "is_shipped": False,
        "hours_since_paid": 49.5,
        "days_since_paid": 3,
        "amount_paid": Decimal("129.00"),
        "paid_at": datetime.fromisoformat("2026-11-09T09:00:00+08:00"),
        "items": [{"title": "杯子", "quantity": 2}, {"title": "碗", "quantity": 1}],
        "item": {"title": "杯子", "attributes": {"颜色": "红", "尺码": ["M", "L"]}},
        "logistics": {"eta": date(2026, 11, 13), "carrier": "迅风"},
    },
    "customer": {"name": "王女士"},
    "agent": {"role": "agent"},
    "message": {},
    "now": NOW,
}


def render(source: str, facts: dict[str, Any] = FACTS, *, language: str = "zh-CN") -> Rendered:
    writer = FactWriter(now=NOW, timezone="Asia/Shanghai", language=language, currency="USD" if language == "en" else "CNY")
    return ReplyTemplate(source).render(facts, store=STORE, writer=writer, language=language)


def with_order(**fields: Any) -> dict[str, Any]:
    return {**FACTS, "order": {**FACTS["order"], **fields}}


# ---- what is known


@pytest.mark.parametrize(
    ("source", "chinese", "english"),
    [
        pytest.param("{{ order.paid_at | date }}", "11月9日", "Nov 9", id="date"),
        pytest.param("{{ order.logistics.eta | date }}", "11月13日", "Nov 13", id="date of a plain day"),
        pytest.param("{{ order.paid_at | time }}", "09:00", "9:00 am", id="time"),
        pytest.param("{{ order.logistics.eta | when }}", "明天", "tomorrow", id="when"),
        pytest.param("{{ now | when }}", "今天上午", "this morning", id="when, now"),
        pytest.param("{{ order.amount_paid | money }}", "¥129", "$129", id="money"),
        pytest.param("{{ store.authority.agent_compensation_limit | money }}", "¥30", "$30", id="money of the shop"),
        pytest.param("{{ order.id | tail(4) }}", "9001", "9001", id="tail"),
        pytest.param("{{ order.id | tail }}", "9001", "9001", id="tail of four by default"),
        pytest.param("{{ order.hours_since_paid | round | int }}", "50", "50", id="round and int"),
        pytest.param("{{ order.items | length }}", "2", "2", id="length"),
        pytest.param("{{ order.status | upper }}", "PAID", "PAID", id="upper"),
        pytest.param("{{ 'ABC' | lower }}", "abc", "abc", id="lower"),
        pytest.param("{{ customer.name | default('朋友') }}", "王女士", "王女士", id="default not needed"),
        pytest.param("{{ order.hours_since_paid }}", "49.5", "49.5", id="a bare number"),
        pytest.param("{{ order.amount_paid }}", "129", "129", id="a bare amount"),
        pytest.param("{{ order.is_shipped }}", "否", "no", id="a bare yes or no"),
        pytest.param("{{ order.paid_at }}", "11月9日 09:00", "Nov 9, 9:00 am", id="a bare time"),
        pytest.param("{{ order.item.attributes.尺码 }}", "M、L", "M, L", id="a bare list"),
        pytest.param("{{ order.amount_paid * 2 + 1 }}", "259", "259", id="arithmetic"),
        pytest.param("{{ 7 - order.days_since_paid }}", "4", "4", id="days left"),
        pytest.param("{{ order.items[1].title }}", "碗", "碗", id="a position"),
        pytest.param("{{ order.item.attributes['颜色'] }}", "红", "红", id="brackets"),
        pytest.param("{% for i in order.items %}{{ i.title }}×{{ i.quantity }} {% endfor %}", "杯子×2 碗×1", "杯子×2 碗×1", id="a loop, trimmed"),
        pytest.param("{% for k in order.item.attributes %}{{ k }};{% endfor %}", "颜色;尺码;", "颜色;尺码;", id="a loop over names ends"),
        pytest.param("{% if '颜色' in order.item.attributes %}有{% else %}无{% endif %}", "有", "有", id="a name among names"),
        pytest.param("{% if '材质' in order.item.attributes %}有{% else %}无{% endif %}", "无", "无", id="a name not among names"),
        pytest.param("{% set left = store.return_window_days - order.days_since_paid %}还有{{ left }}天", "还有4天", "还有4天", id="set"),
        pytest.param("{% if order.status == 'paid' and not order.is_shipped %}未发{% endif %}", "未发", "未发", id="if"),
        pytest.param("您好{# 内部备注 #}！", "您好！", "您好！", id="a comment is not said"),
        pytest.param("没有代码的话", "没有代码的话", "没有代码的话", id="words alone"),
    ],
)
def test_a_template_is_filled_from_the_facts(source, chinese, english):
    assert (Rendered(chinese, ()), Rendered(english, ())) == (render(source), render(source, language="en"))


def test_the_year_is_shown_when_it_is_another():
    facts = with_order(promised_ship_by=datetime.fromisoformat("2027-01-02T00:00:00+08:00"))

    assert "2027年1月2日" == render("{{ order.promised_ship_by | date }}", facts).text
    assert "Jan 2, 2027" == render("{{ order.promised_ship_by | date }}", facts, language="en").text


# ---- what is missing


@pytest.mark.parametrize(
    ("source", "text", "missing"),
    [
        pytest.param("单号{{ order.logistics.tracking_no }}。", "单号〔快递单号〕。", ("order.logistics.tracking_no",), id="bare"),
        pytest.param("{{ order.delivered_at | date }}", "〔签收时间〕", ("order.delivered_at",), id="date"),
        pytest.param("{{ order.delivered_at | time }}", "〔签收时间〕", ("order.delivered_at",), id="time"),
        pytest.param("{{ order.delivered_at | when }}", "〔签收时间〕", ("order.delivered_at",), id="when"),
        pytest.param("{{ order.case.refund_amount | money }}", "〔退款金额〕", ("order.case.refund_amount",), id="money, of a missing group"),
        pytest.param("{{ order.logistics.tracking_no | tail(4) }}", "〔快递单号〕", ("order.logistics.tracking_no",), id="tail"),
        pytest.param("{{ order.hours_overdue | round | int }}", "〔发货超时多久〕", ("order.hours_overdue",), id="round and int make no 0"),
        pytest.param("{{ order.cases | length }}", "〔售后单〕", ("order.cases",), id="length makes no 0"),
        pytest.param("{{ order.invoice.title | upper }}", "〔发票抬头〕", ("order.invoice.title",), id="upper"),
        pytest.param("{{ order.hours_overdue * 2 + 1 }}", "〔发货超时多久〕", ("order.hours_overdue",), id="arithmetic"),
        pytest.param("{{ 7 - order.days_since_delivered }}", "〔签收时间〕", ("order.days_since_delivered",), id="arithmetic from the right"),
        pytest.param("{{ -order.hours_overdue }}", "〔发货超时多久〕", ("order.hours_overdue",), id="negation"),
        pytest.param("{{ order.logistics.tracking_no[-4:] }}", "〔快递单号〕", ("order.logistics.tracking_no",), id="a slice"),
        pytest.param("{{ order.logistics.tracking_no[0] }}", "〔快递单号〕", ("order.logistics.tracking_no",), id="a position"),
        pytest.param("{{ order.item.attributes.材质 }}", "〔材质〕", ("order.item.attributes.材质",), id="a free name"),
        pytest.param("{{ order.items[0].restock_at | date }}", "〔到货时间〕", ("order.items.restock_at",), id="of an item"),
        pytest.param("{{ order.invoice.title ~ '（电子）' }}", "〔发票抬头〕（电子）", ("order.invoice.title",), id="joined to words"),
        pytest.param("{{ '抬头：%s' % order.invoice.title }}", "抬头：〔发票抬头〕", ("order.invoice.title",), id="formatted"),
        pytest.param("{{ order.is_delivered and order.id }}", "〔是否已签收〕", ("order.is_delivered",), id="and"),
        pytest.param("{{ order.days_since_delivered > 7 }}", "否", ("order.days_since_delivered",), id="a comparison is listed"),
        pytest.param("{{ order.booking }}", "〔预约〕", ("order.booking",), id="a whole group"),
        pytest.param(
            "{{ order.delivered_at | date }}{{ order.logistics.tracking_no }}{{ order.delivered_at | time }}",
            "〔签收时间〕〔快递单号〕〔签收时间〕",
            ("order.delivered_at", "order.logistics.tracking_no"),
            id="each once, in order of appearance",
        ),
    ],
)
def test_a_missing_fact_is_a_visible_blank_and_is_listed(source, text, missing):
    assert Rendered(text, missing) == render(source)


def test_blanks_are_in_the_shops_language():
    assert Rendered("Parcel 〔tracking number〕", ("order.logistics.tracking_no",)) == render("Parcel {{ order.logistics.tracking_no }}", language="en")


@pytest.mark.parametrize(
    ("source", "text", "missing"),
    [
        pytest.param("{% if order.delivered_at %}已到{% else %}未到{% endif %}", "未到", (), id="a bare test is false"),
        pytest.param("{% if not order.is_delivered %}未到{% endif %}", "未到", (), id="negated"),
        pytest.param("{% if order.delivered_at is defined %}已到{% else %}未到{% endif %}", "未到", (), id="is defined"),
        pytest.param("{% if order.delivered_at is undefined %}未到{% endif %}", "未到", (), id="is undefined"),
        pytest.param("{% if order.paid_at is defined %}已付{% endif %}", "已付", (), id="a known fact is defined"),
        pytest.param("{{ order.invoice.title or '个人' }}", "个人", (), id="or"),
        pytest.param("{{ order.invoice.title | default('个人') }}", "个人", (), id="default"),
        pytest.param("{{ order.is_shipped | default('没有', true) }}", "没有", (), id="default for what is false, as in Jinja"),
        pytest.param("{% for c in order.cases %}{{ c.case_id }}{% else %}无{% endfor %}", "无", (), id="a loop over nothing"),
        pytest.param("{% if order.days_since_delivered > 7 %}已过{% else %}未过{% endif %}", "未过", ("order.days_since_delivered",), id="more"),
        pytest.param("{% if order.days_since_delivered <= 7 %}未过{% else %}已过{% endif %}", "已过", ("order.days_since_delivered",), id="at most"),
        pytest.param("{% if order.days_since_delivered == 7 %}正好{% else %}不是{% endif %}", "不是", ("order.days_since_delivered",), id="equal"),
        pytest.param("{% if order.days_since_delivered != 7 %}不是{% else %}正好{% endif %}", "正好", ("order.days_since_delivered",), id="not equal"),
    ],
)
def test_a_missing_fact_is_false_and_what_it_decides_by_comparison_is_listed(source, text, missing):
    assert Rendered(text, missing) == render(source)


# ---- facts are words


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("{{ 7 * 7 }}", "7 * 7", id="an expression"),
        pytest.param("{% for i in order.items %}x{% endfor %}", "for i in order.items x endfor", id="a statement"),
        pytest.param("{# order.id #}", "order.id", id="a comment"),
        pytest.param("{{ store.name }}{{ ''.__class__ }}", "store.name  ''.__class__", id="an attack"),
        pytest.param("{}}{ 7*7 }{{}", "7*7", id="code that closes up when code is taken out"),
        pytest.param("{\u200b{ order.id }\u200b}", "order.id", id="code hidden by invisible characters"),
        pytest.param("王\x00女\u202e士", "王女士", id="invisible characters"),
    ],
)
def test_template_code_inside_a_fact_is_neither_run_nor_shown(name, shown):
    rendered = render("{{ customer.name }}", {**FACTS, "customer": {"name": name}})

    assert shown.split() == rendered.text.split()
    assert () == rendered.missing


def test_code_inside_an_attributes_name_is_not_shown():
    facts = with_order(item={"attributes": {"{{ 7*7 }}": "x"}})

    assert "7*7" == render("{% for name in order.item.attributes %}{{ name }}{% endfor %}", facts).text


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("{}%#{}7*orderid.a \u200b"), max_size=30))
def test_no_fact_brings_template_code_into_a_draft(name):
    text = render("您好{{ customer.name }}，请稍等", {**FACTS, "customer": {"name": name}}).text

    assert not any(mark in text for mark in ("{{", "}}", "{%", "%}", "{#", "#}"))
    assert text.startswith("您好")
    assert text.endswith("，请稍等")


PATHS = [
    "order.id", "order.delivered_at", "order.invoice.title", "order.item.attributes.材质", "order.hours_overdue", "order.amount_paid",
    "customer.name", "order.case.refund_amount", "order.logistics.eta", "order.items[0].title",
]  # fmt: skip
USES = [
    "{{ %s }}",
    "{{ %s | tail(3) }}",
    "{{ %s or '无' }}",
    "{%% if %s %%}有{%% else %%}无{%% endif %%}",
    "{{ %s | default('无') }}",
    "{{ '' ~ %s }}",
    "{{ %s == 3 }}",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(USES), st.sampled_from(PATHS)), min_size=1, max_size=5), st.booleans())
def test_no_draft_carries_none_or_pythons_spelling(pieces, anything_known):
    facts = FACTS if anything_known else {"order": {}, "customer": {}, "agent": {}, "message": {}, "now": NOW}
    rendered = render("，".join(use % path for use, path in pieces), facts)

    assert not any(word in rendered.text for word in ("None", "object", "Decimal", "datetime", "Undefined", "{", "}"))
    assert (rendered.text.count("〔") > 0) <= bool(rendered.missing)


# ---- what is refused


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("{{ order.statsu }}", "names 'order.statsu', which order does not have; did you mean 'order.status'?", id="fact"),
        pytest.param("{{ ordr.id }}", "names 'ordr', which the facts does not have; did you mean 'order'?", id="group"),
        pytest.param("{{ store.nam }}", "names 'store.nam', which store does not have; did you mean 'store.name'?", id="of the shop"),
        pytest.param(
            "{{ order.items[0].titel }}", "names 'order.items.titel', which order.items does not have; did you mean 'order.items.title'?", id="of an item"
        ),
        pytest.param(
            "{% if order.is_shiped %}x{% endif %}", "names 'order.is_shiped', which order does not have; did you mean 'order.is_shipped'?", id="in an if"
        ),
        pytest.param("{{ order.paid_at | dat }}", "uses the filter 'dat'; did you mean 'date'?", id="filter"),
        pytest.param("{% if order.id %}{{ order.paid_at | dat }}{% endif %}", "uses the filter 'dat'; did you mean 'date'?", id="filter inside an if"),
        pytest.param("{% if order.id is definde %}x{% endif %}", "uses the test 'definde'; did you mean 'defined'?", id="test inside an if"),
        pytest.param("{{ order.id", "does not parse: ", id="unfinished"),
        pytest.param("{% if %}", "does not parse: ", id="empty if"),
        pytest.param("{% for i in order.items %}", "does not parse: ", id="endless for"),
        pytest.param("您好{order.id}}", "would show '}}' to the customer", id="one brace too few"),
        pytest.param("{% raw %}{{ order.id }}{% endraw %}", "would show '{{' to the customer", id="raw"),
        pytest.param("{{ '{{ order.id }}' }}", "would show '{{' to the customer", id="code in a string"),
    ],
)
def test_a_mistake_is_heard_when_compiled(source, reason):
    with pytest.raises(InvalidTemplate) as caught:
        ReplyTemplate(source)

    assert reason in caught.value.reason
    assert repr(source) in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ order.__class__ }}",
        "{{ order.id.__class__.__base__.__subclasses__() }}",
        "{{ order._facts }}",
        "{{ order.id.format }}",
        "{{ '{0.__class__}'.format(order) }}",
        "{{ order.items.append(1) }}",
        "{{ order.id | attr('__class__') }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ _rendering }}",
        "{{ config }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ namespace() }}",
        "{{ order.paid_at.strftime('%Y') }}",
        "{{ order.invoice() }}",
        "{% include 'store.toml' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import path %}",
        "{% extends 'base' %}",
        "{% macro m() %}x{% endmacro %}{{ m() }}",
        "{{ 'a' * 10000000000 }}",
        "{{ [1] * 10000000000 }}",
        "{{ order.days_since_paid ** 99999999 }}",
        "{{ 2 ** 99999999 }}",
        "{% for i in '1234567890' %}{% for j in '1234567890' %}{% for k in '1234567890' %}123456{% endfor %}{% endfor %}{% endfor %}",
    ],
)
def test_the_sandbox_lets_nothing_out(source):
    with pytest.raises(InvalidTemplate):
        render(source)


@pytest.mark.parametrize("source", ["{{ order['__class__'] }}", "{{ order['_facts'] }}", "{{ order.item['__init__'] }}"])
def test_a_name_in_brackets_is_only_ever_a_fact(source):
    rendered = render(source)

    assert rendered.text.startswith("〔")
    assert 1 == len(rendered.missing)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("{{ order.hours_since_paid | date }}", "date cannot write a float", id="a number as a date"),
        pytest.param("{{ order.status | money }}", "money cannot write a str", id="a word as money"),
        pytest.param("{{ order.paid_at | money }}", "money cannot write a datetime", id="a time as money"),
        pytest.param("{{ order.item }}", "order.item holds several facts; expected one of them", id="a whole group"),
        pytest.param("{{ '商品：' ~ order.item }}", "order.item holds several facts; expected one of them", id="a whole group, joined"),
        pytest.param("{{ order.items }}", "order.items holds several facts; expected one of them", id="a list of groups"),
        pytest.param("{{ none }}", "has no written form", id="none"),
        pytest.param("{{ now - order.paid_at }}", "has no written form", id="a span of time"),
        pytest.param("{{ 1 / 0 }}", "division by zero", id="division by zero"),
        pytest.param("{{ order.items[5].title }}", "cannot be filled", id="past the end"),
    ],
)
def test_what_cannot_be_written_fails_and_is_not_sent(source, reason):
    with pytest.raises(InvalidTemplate) as caught:
        render(source)

    assert caught.value.reason.startswith("cannot be filled: ")
    assert reason in caught.value.reason


def test_two_renderings_do_not_share_what_was_missing():
    template = ReplyTemplate("{{ customer.tier }}")
    writer = FactWriter(now=NOW, timezone="Asia/Shanghai", language="zh-CN", currency="CNY")

    results = [template.render(facts, store=STORE, writer=writer, language="zh-CN") for facts in (FACTS, {**FACTS, "customer": {"tier": "vip"}}, FACTS)]

    assert [Rendered("〔会员等级〕", ("customer.tier",)), Rendered("vip", ()), Rendered("〔会员等级〕", ("customer.tier",))] == results


def test_equal_sources_share_one_template():
    assert compile_template("{{ order.id }}") is compile_template("{{ order.id }}")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("您的订单{{ order.id }}已发出", "您的订单已发出"),
        ("{% if order.id %}在途{% else %}请报单号{% endif %}{# 备注 #}。", "在途请报单号。"),
        ("没有代码", "没有代码"),
        ("{{ order.items\n[0].title }}好", "好"),
    ],
)
def test_literal_words_are_a_templates_own(source, words):
    assert words == literal_words(source)


@pytest.mark.parametrize("words", ["好的", " 两头空 ", "一\r\n二\r三\n", "100% 纯棉，#3 号", "a } b { c", "%} 只是", ""])
def test_plain_words_read_as_jinja_reads_them(words: str):
    """Words without a tag take a short way; it must lead to the same place, the refusal included."""

    def read(source: str) -> str:
        try:
            return render(source).text
        except InvalidTemplate as error:
            return error.reason

    assert read(words) == read(words + "{# a remark #}")


@pytest.mark.parametrize(
    ("source", "chinese", "english"),
    [
        ("{{ order.paid_at | moment }}付款", "11月9日09:00付款", "Nov 9 at 9:00 am付款"),
        ("{{ order.logistics.eta | left }}", "还剩1天", "1 day left"),
        ("{{ order.items | several }}", "杯子等2件", "杯子 and 1 more item"),
        ("{{ 72.5 | span }}", "3天", "3 days"),
        ("{{ order.id | masked }}", "202****9001", "202****9001"),
        ("{{ order.shipped_at | ago }}", "〔发货时间〕", "〔dispatch time〕"),
    ],
)
def test_filters_write_facts_as_people_say_them_and_leave_blanks(source, chinese, english):
    facts = with_order(items=[{"title": "杯子"}, {"title": "盘子", "quantity": 1}])

    assert (chinese, english) == (render(source, facts).text, render(source, facts, language="en").text)


def test_a_list_that_came_empty_is_a_blank():
    assert Rendered("〔商品〕", ("order.items",)) == render("{{ order.items | several }}", with_order(items=[]))


def test_what_was_written_in_the_place_of_facts_and_sums_is_told():
    assert ("11月9日", "3") == render("{{ order.paid_at | date }}付款，{{ 1 + 2 }}天", FACTS).written
