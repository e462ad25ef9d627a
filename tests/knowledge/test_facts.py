from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge.facts import compute_facts, known
from knowledge.order_context import Agent, Customer, Order
from knowledge.products import ProductCatalogue
from knowledge.records import Product, Store

NOW = "2026-11-12T10:05:00+08:00"
STORE = Store(id="shop", name="店", timezone="Asia/Shanghai", return_window_days=7, price_protection_days=15, ship_within_hours=48)
CATALOGUE = ProductCatalogue([
    Product(sku="CL-1", title="轻暖羽绒服", category="服饰/外套", aliases=("羽绒服",), attributes={"颜色": "黑", "产地": None}, no_reason_return=True),
    Product(sku="HA-1", title="便携榨汁杯", category="家电/小家电", aliases=("榨汁杯", "果汁机"), warranty_months=12),
    Product(sku="TV-1", title="云岭电视", category="家电/大家电", aliases=("电视",), warranty_months=1),
])  # fmt: skip


def facts(order: dict[str, Any] | None = None, *, now: str = NOW, said: tuple[str, ...] = (), store: Store = STORE, **people: Any) -> dict[str, Any]:
    return compute_facts(
        order=None if order is None else Order.model_validate(order), customer=people.get("customer"), agent=people.get("agent"),
        now=datetime.fromisoformat(now), store=store, catalogue=CATALOGUE, said=said,
    )  # fmt: skip


def order_facts(order: dict[str, Any], **options: Any) -> dict[str, Any]:
    return facts(order, **options)["order"]


# ---- what was sent


def test_nothing_sent_gives_only_the_agent_and_now():
    assert facts() == {"order": {}, "customer": {}, "agent": {"role": "agent"}, "message": {}, "now": datetime.fromisoformat(NOW)}


def test_a_null_is_the_same_as_not_sent():
    sent = {
        "status": None,
        "paid_at": None,
        "logistics": {"carrier": None, "eta": None},
        "items": [{"sku": None, "attributes": {"颜色": None, "尺码": ["M", None]}}],
        "cases": None,
    }

    assert order_facts(sent) == order_facts({"logistics": {}, "items": [{"attributes": {"尺码": ["M"]}}]})
    assert not known(facts(sent), "order.logistics.carrier")


def test_the_callers_types_are_kept():
    given_order = order_facts({"amount_paid": "129.00", "paid_at": "2026-11-09T09:00:00+08:00", "logistics": {"eta": "2026-11-13"}})

    assert Decimal("129.00") == given_order["amount_paid"]
    assert datetime.fromisoformat("2026-11-09T09:00:00+08:00") == given_order["paid_at"]
    assert date(2026, 11, 13) == given_order["logistics"]["eta"]


def test_a_whole_order_has_every_fact_computed_by_hand():
    computed = order_facts({"status": "paid", "paid_at": "2026-11-09T09:00:00+08:00", "promised_ship_by": "2026-11-11T09:00:00+08:00"})

    assert computed == {
        "status": "paid",
        "paid_at": datetime.fromisoformat("2026-11-09T09:00:00+08:00"),
        "promised_ship_by": datetime.fromisoformat("2026-11-11T09:00:00+08:00"),
        "is_unshipped": True,
        "is_shipped": False,
        "is_delivered": False,
        "hours_since_paid": pytest.approx(3 * 24 + 1 + 5 / 60),
        "days_since_paid": 3,
        "in_price_protection": True,
        "ship_overdue": True,
        "hours_overdue": pytest.approx(24 + 1 + 5 / 60),
    }


# ---- status


@pytest.mark.parametrize(
    ("status", "unshipped", "shipped", "delivered"),
    [
        ("created", True, False, False),
        ("paid", True, False, False),
        ("picking", True, False, False),
        ("packed", True, False, False),
        ("shipped", False, True, False),
        ("out_for_delivery", False, True, False),
        ("delivered", False, True, True),
        ("completed", False, True, True),
        ("cancelled", False, False, False),
        ("closed", False, False, False),
    ],
)
def test_status_facts(status, unshipped, shipped, delivered):
    computed = order_facts({"status": status})

    assert (unshipped, shipped, delivered) == (computed["is_unshipped"], computed["is_shipped"], computed["is_delivered"])


# ---- calendar days


@pytest.mark.parametrize(
    ("delivered_at", "now", "days", "in_window"),
    [
        pytest.param("2026-11-01T10:00:00+08:00", "2026-11-01T23:59:59+08:00", 0, True, id="same day"),
        pytest.param("2026-11-01T23:59:59+08:00", "2026-11-02T00:00:00+08:00", 1, True, id="a second over midnight is a day"),
        pytest.param("2026-11-01T00:00:00+08:00", "2026-11-08T23:59:59+08:00", 7, True, id="1st to the end of the 8th is 7"),
        pytest.param("2026-11-01T23:59:59+08:00", "2026-11-09T00:00:00+08:00", 8, False, id="1st to the start of the 9th is 8"),
        pytest.param("2026-10-31T16:00:00Z", "2026-11-08T15:59:59Z", 7, True, id="UTC: 1st 00:00 to 8th 23:59:59 in Shanghai"),
        pytest.param("2026-10-31T15:59:59Z", "2026-11-08T15:59:59Z", 8, False, id="UTC: still 31 October in Shanghai"),
        pytest.param("2026-11-01T23:00:00-05:00", "2026-11-09T12:00:00+08:00", 7, True, id="the sender's zone does not matter"),
        pytest.param("2026-02-27T12:00:00+08:00", "2026-03-06T12:00:00+08:00", 7, True, id="over the end of February"),
        pytest.param("2026-12-30T12:00:00+08:00", "2027-01-06T12:00:00+08:00", 7, True, id="over the new year"),
    ],
)
def test_days_since_delivered_are_calendar_days_of_the_shop(delivered_at, now, days, in_window):
    computed = order_facts({"delivered_at": delivered_at}, now=now)

    assert (days, in_window) == (computed["days_since_delivered"], computed["in_return_window"])


def test_days_follow_the_shops_timezone_over_a_clock_change():
    new_york = Store(id="shop", name="Shop", timezone="America/New_York", return_window_days=7)
    # On 1 November 2026 New York goes from UTC-4 to UTC-5: 31 Oct 23:30 there is 03:30Z, 7 Nov 23:30 there is 04:30Z on the 8th.
    computed = order_facts({"delivered_at": "2026-11-01T03:30:00Z"}, now="2026-11-08T04:30:00Z", store=new_york)

    assert (7, True) == (computed["days_since_delivered"], computed["in_return_window"])


@pytest.mark.parametrize(
    ("paid_at", "days", "protected"),
    [
        pytest.param("2026-10-28T00:00:00+08:00", 15, True, id="the 15th day is inside"),
        pytest.param("2026-10-27T23:59:59+08:00", 16, False, id="the 16th is not"),
    ],
)
def test_price_protection_counts_from_the_day_of_payment(paid_at, days, protected):
    computed = order_facts({"paid_at": paid_at})

    assert (days, protected) == (computed["days_since_paid"], computed["in_price_protection"])


def test_hours_are_fractional():
    assert pytest.approx(0.5, abs=1e-12) == order_facts({"paid_at": "2026-11-12T09:35:00+08:00"})["hours_since_paid"]


@pytest.mark.parametrize(
    ("order", "absent"),
    [
        pytest.param({"paid_at": "2026-11-12T10:05:01+08:00"}, {"hours_since_paid", "days_since_paid", "in_price_protection"}, id="paid"),
        pytest.param({"delivered_at": "2026-11-13T00:00:00+08:00"}, {"days_since_delivered", "in_return_window"}, id="delivered"),
        pytest.param({"logistics": {"last_event_at": "2026-11-12T11:00:00+08:00"}}, {"hours_since_last_scan"}, id="scanned"),
        pytest.param({"delivered_at": "2026-11-13T00:00:00+08:00", "items": [{"sku": "HA-1"}]}, {"in_warranty"}, id="delivered, with a warranty"),
        pytest.param({"status": "paid", "paid_at": "2026-11-13T00:00:00+08:00"}, {"ship_overdue", "hours_overdue"}, id="paid, with a status"),
    ],
)
def test_nothing_is_computed_from_a_time_after_now(order, absent):
    assert not absent & set(order_facts(order))


def test_a_time_at_now_counts():
    assert 0 == order_facts({"paid_at": NOW})["hours_since_paid"]


# ---- dispatch


@pytest.mark.parametrize(
    ("order", "overdue", "hours"),
    [
        pytest.param({"status": "paid", "promised_ship_by": "2026-11-12T10:05:00+08:00"}, False, 0.0, id="at the promised moment"),
        pytest.param({"status": "picking", "promised_ship_by": "2026-11-12T09:35:00+08:00"}, True, 0.5, id="half an hour late"),
        pytest.param({"status": "paid", "promised_ship_by": "2026-11-13T00:00:00+08:00"}, False, 0.0, id="promise to come"),
        pytest.param({"status": "paid", "paid_at": "2026-11-10T10:05:00+08:00"}, False, 0.0, id="the shop's own 48 hours, just over"),
        pytest.param({"status": "paid", "paid_at": "2026-11-10T08:05:00+08:00"}, True, 2.0, id="the shop's own 48 hours, two ago"),
        pytest.param({"status": "shipped", "promised_ship_by": "2026-11-01T00:00:00+08:00"}, False, 0.0, id="shipped is not waiting"),
        pytest.param({"status": "created", "promised_ship_by": "2026-11-01T00:00:00+08:00"}, False, 0.0, id="unpaid is not waiting"),
        pytest.param({"status": "cancelled", "promised_ship_by": "2026-11-01T00:00:00+08:00"}, False, 0.0, id="cancelled is not waiting"),
        pytest.param(
            {
                "status": "paid",
                "paid_at": "2026-11-01T00:00:00+08:00",
                "promised_ship_by": "2026-12-01T00:00:00+08:00",
                "items": [{"availability": "preorder"}],
            },
            False,
            0.0,
            id="a preorder's own promise counts, not the shop's",
        ),
    ],
)
def test_ship_overdue(order, overdue, hours):
    computed = order_facts(order)

    assert (overdue, pytest.approx(hours)) == (computed["ship_overdue"], computed["hours_overdue"])


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"status": "paid", "paid_at": "2026-11-01T00:00:00+08:00", "items": [{"availability": "preorder"}]}, id="preorder without a promise"),
        pytest.param(
            {"status": "paid", "paid_at": "2026-11-01T00:00:00+08:00", "items": [{"availability": "in_stock"}, {"availability": "backorder"}]},
            id="one item on backorder",
        ),
        pytest.param({"status": "paid"}, id="no payment time"),
        pytest.param({"paid_at": "2026-11-01T00:00:00+08:00"}, id="no status"),
    ],
)
def test_overdue_is_not_known_without_a_promise_and_a_status(order):
    assert not {"ship_overdue", "hours_overdue"} & set(order_facts(order))


# ---- delivery


@pytest.mark.parametrize(
    ("status", "eta", "now", "overdue"),
    [
        pytest.param("shipped", "2026-11-11", "2026-11-11T23:59:59+08:00", False, id="a day lasts to its end in the shop's zone"),
        pytest.param("shipped", "2026-11-11", "2026-11-11T16:00:00Z", True, id="then it is over"),
        pytest.param("out_for_delivery", "2026-11-12T10:00:00+08:00", NOW, True, id="an hour is exact"),
        pytest.param("out_for_delivery", "2026-11-12T10:10:00+08:00", NOW, False, id="the hour is to come"),
        pytest.param("delivered", "2026-11-01", NOW, False, id="delivered is not late"),
        pytest.param("paid", "2026-11-01", NOW, False, id="unshipped is another matter"),
    ],
)
def test_delivery_overdue(status, eta, now, overdue):
    assert overdue is order_facts({"status": status, "logistics": {"eta": eta}}, now=now)["delivery_overdue"]


def test_delivery_overdue_needs_both_status_and_eta():
    assert "delivery_overdue" not in order_facts({"status": "shipped", "logistics": {"status": "in_transit"}})
    assert "delivery_overdue" not in order_facts({"logistics": {"eta": "2026-11-01"}})


def test_hours_since_last_scan():
    assert pytest.approx(26.25) == order_facts({"logistics": {"last_event_at": "2026-11-11T07:50:00+08:00"}})["hours_since_last_scan"]


# ---- warranty


@pytest.mark.parametrize(
    ("delivered_at", "sku", "until"),
    [
        pytest.param("2026-01-31T12:00:00+08:00", "TV-1", date(2026, 2, 28), id="31 January + 1 month"),
        pytest.param("2028-01-31T12:00:00+08:00", "TV-1", date(2028, 2, 29), id="31 January + 1 month in a leap year"),
        pytest.param("2028-02-29T12:00:00+08:00", "HA-1", date(2029, 2, 28), id="29 February + 12 months"),
        pytest.param("2026-11-30T12:00:00+08:00", "TV-1", date(2026, 12, 30), id="30 November + 1 month"),
        pytest.param("2026-12-05T12:00:00+08:00", "TV-1", date(2027, 1, 5), id="over the new year"),
        pytest.param("2026-03-14T16:30:00Z", "TV-1", date(2026, 4, 15), id="from the day of receipt in the shop's zone"),
    ],
)
def test_warranty_counts_months_from_receipt(delivered_at, sku, until):
    computed = order_facts({"delivered_at": delivered_at, "items": [{"sku": sku}]}, now="2029-06-01T00:00:00+08:00")

    assert until == computed["item"]["warranty_until"]


@pytest.mark.parametrize(
    ("until", "now", "inside"),
    [
        pytest.param("2026-11-12", "2026-11-12T23:59:59+08:00", True, id="the last day to its end"),
        pytest.param("2026-11-12", "2026-11-13T00:00:00+08:00", False, id="the day after"),
        pytest.param("2026-11-12T10:00:00+08:00", NOW, False, id="an hour is exact"),
        pytest.param(NOW, NOW, True, id="to its very moment"),
    ],
)
def test_in_warranty(until, now, inside):
    assert inside is order_facts({"items": [{"warranty_until": until}]}, now=now)["in_warranty"]


def test_the_orders_own_warranty_wins_over_the_catalogues():
    computed = order_facts({"delivered_at": "2020-01-01T00:00:00+08:00", "items": [{"sku": "HA-1", "warranty_until": "2027-01-01"}]})

    assert (date(2027, 1, 1), True) == (computed["item"]["warranty_until"], computed["in_warranty"])


def test_no_warranty_is_invented():
    assert "in_warranty" not in order_facts({"delivered_at": "2026-11-01T00:00:00+08:00", "items": [{"sku": "CL-1"}]})


# ---- the item spoken of, and the case


@pytest.mark.parametrize(
    ("said", "title"),
    [
        pytest.param(("这个羽绒服掉毛",), "轻暖羽绒服", id="alias"),
        pytest.param(("轻暖羽绒服几号发",), "轻暖羽绒服", id="title"),
        pytest.param(("ha-1 有问题",), "便携榨汁杯", id="SKU in any case"),
        pytest.param(("果汁機漏水了",), "便携榨汁杯", id="traditional alias"),
        pytest.param(("羽絨服掉毛",), "轻暖羽绒服", id="traditional title"),
        pytest.param(("它坏了怎么办", "您说的是榨汁杯吗", "羽绒服到了"), "便携榨汁杯", id="the newest turn of the history that names one"),
        pytest.param(("羽绒服和榨汁杯都要退", "榨汁杯漏水"), "便携榨汁杯", id="a message that names two leaves it to the history"),
        pytest.param(("羽绒服和榨汁杯都要退",), None, id="two named, no history"),
        pytest.param(("什么时候发货",), None, id="none named"),
    ],
)
def test_order_item_is_the_one_spoken_of(said, title):
    computed = order_facts({"items": [{"sku": "CL-1"}, {"sku": "HA-1"}]}, said=said)

    assert title == computed.get("item", {}).get("title")


def test_names_of_different_length_are_still_two_items():
    computed = order_facts({"items": [{"sku": "CL-1"}, {"sku": "TV-1"}]}, said=("羽绒服和电视都没到",))

    assert "item" not in computed


def test_the_only_item_is_the_item_whatever_is_said():
    assert "X-9" == order_facts({"items": [{"sku": "X-9"}]}, said=("电视坏了",))["item"]["sku"]


def test_an_item_outside_the_catalogue_is_recognised_by_its_own_title_and_category():
    items = [{"title": "三开门柜机", "category": "家电/大家电/冰箱"}, {"title": "青花瓷碗"}]

    assert items[0]["title"] == order_facts({"items": items}, said=("冰箱不制冷",))["item"]["title"]
    assert items[1]["title"] == order_facts({"items": items}, said=("青花瓷碗碎了",))["item"]["title"]


def test_the_catalogue_fills_what_the_order_did_not_say():
    computed = order_facts({"items": [{"sku": "CL-1", "title": "羽绒服 黑 L", "attributes": {"颜色": "白"}}]})

    assert computed["item"] == {"sku": "CL-1", "title": "羽绒服 黑 L", "category": "服饰/外套", "no_reason_return": True, "attributes": {"颜色": "白"}}


@pytest.mark.parametrize(
    ("cases", "latest"),
    [
        pytest.param([("a", "2026-11-02T00:00:00+08:00"), ("b", "2026-11-01T00:00:00+08:00")], "a", id="by time, not by position"),
        pytest.param([("a", "2026-11-01T12:00:00Z"), ("b", "2026-11-01T19:00:00+08:00")], "a", id="over zones"),
        pytest.param([("a", None), ("b", None)], "b", id="without times the last"),
        pytest.param([("a", "2026-11-01T00:00:00+08:00"), ("b", None)], "a", id="one with a time before one without"),
    ],
)
def test_order_case_is_the_latest(cases, latest):
    computed = order_facts({"cases": [{"case_id": name, "requested_at": at} for name, at in cases]})

    assert latest == computed["case"]["case_id"]


def test_no_cases_no_case():
    assert "case" not in order_facts({"cases": []})


# ---- people


@pytest.mark.parametrize(("count", "repeat"), [(0, False), (1, False), (2, True)])
def test_customer_is_repeat_from_the_second_order(count, repeat):
    assert repeat is facts(customer=Customer(orders_count=count))["customer"]["is_repeat"]


def test_people_are_passed_on():
    computed = facts(customer=Customer(tier="vip"), agent=Agent(role="lead", name="小栗"))

    assert ({"tier": "vip"}, {"role": "lead", "name": "小栗"}) == (computed["customer"], computed["agent"])


def test_now_is_in_the_shops_timezone():
    moment = facts(now="2026-11-12T02:05:00Z")["now"]

    assert "2026-11-12T10:05:00+08:00" == moment.isoformat()


def test_known_follows_a_dotted_path():
    tree = {"order": {"logistics": {"carrier": "迅风"}, "is_shipped": False}}

    assert [known(tree, path) for path in ("order.logistics.carrier", "order.is_shipped", "order.logistics.eta", "order.is_shipped.x", "customer")] == [
        True, True, False, False, False,
    ]  # fmt: skip


# ---- what a caller may send


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"statsu": "paid"}, id="unknown name"),
        pytest.param({"status": "on_the_way"}, id="unknown status"),
        pytest.param({"paid_at": "2026-11-09T09:00:00"}, id="no offset"),
        pytest.param({"paid_at": 1762650000}, id="a number is not a time"),
        pytest.param({"paid_at": "0001-01-01T00:00:00Z"}, id="another system's «no time»"),
        pytest.param({"logistics": {"eta": "9999-12-31"}}, id="another system's «never»"),
        pytest.param({"logistics": {"eta": "2026-02-30"}}, id="no such day"),
        pytest.param({"amount_paid": 129.0}, id="a float is not money"),
        pytest.param({"amount_paid": "-1"}, id="negative money"),
        pytest.param({"currency": "yuan"}, id="not a currency code"),
    ],
)
def test_an_impossible_order_is_refused(order):
    with pytest.raises(ValidationError):
        Order.model_validate(order)


# ---- whatever is sent

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - hypothesis adds the zone
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "sku": st.sampled_from(["CL-1", "HA-1", "TV-1", "zz"]) | st.none(),
        "title": st.text(max_size=5) | st.none(),
        "attributes": st.none()
        | st.dictionaries(st.text(max_size=2), st.none() | st.integers() | st.lists(st.none() | st.text(max_size=2), max_size=2), max_size=2),
        "availability": st.sampled_from(["in_stock", "preorder"]) | st.none(),
        "warranty_until": MOMENTS | st.dates(date(1990, 1, 1), date(2100, 1, 1)) | st.none(),
    },
)
ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["created", "paid", "shipped", "out_for_delivery", "delivered", "completed", "cancelled", "closed"]) | st.none(),
        **{name: MOMENTS | st.none() for name in ("placed_at", "paid_at", "promised_ship_by", "shipped_at", "delivered_at")},
        "items": st.lists(ITEMS, max_size=3) | st.none(),
        "logistics": st.fixed_dictionaries({}, optional={"eta": MOMENTS | st.dates(date(1990, 1, 1), date(2100, 1, 1)), "last_event_at": MOMENTS | st.none()}),
        "cases": st.lists(st.fixed_dictionaries({}, optional={"requested_at": MOMENTS | st.none()}), max_size=3) | st.none(),
    },
)


def nulls(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return (tree is None) + sum(nulls(one) for one in inner)


@settings(max_examples=60, deadline=None)
@given(order=ORDERS, now=MOMENTS, said=st.lists(st.text(max_size=6) | st.sampled_from(["电视", "羽绒服和电视"]), max_size=3))
def test_any_order_gives_facts_without_nulls_that_agree_with_each_other(order, now, said):
    computed = compute_facts(order=Order.model_validate(order), customer=None, agent=None, now=now, store=STORE, catalogue=CATALOGUE, said=said)
    own = computed["order"]

    assert 0 == nulls(computed)
    assert not (own.get("is_unshipped") and own.get("is_shipped"))
    assert not own.get("is_delivered") or own["is_shipped"]
    assert own.get("ship_overdue", False) == (own.get("hours_overdue", 0.0) > 0)
    assert not own.get("ship_overdue") or own["is_unshipped"]
    assert ("days_since_delivered" in own) == ("in_return_window" in own)
    assert own.get("days_since_delivered", 0) >= 0
    assert own.get("hours_since_paid", 0.0) >= 0
    assert abs(own.get("days_since_paid", 0) - own.get("hours_since_paid", 0.0) / 24) <= 1.05  # calendar days against days of 24 hours
    assert ("case" in own) == bool(own.get("cases"))
    assert "item" not in own or own["item"] in own["items"]
    assert "delivery_overdue" not in own or not (own["delivery_overdue"] and own["is_delivered"])
