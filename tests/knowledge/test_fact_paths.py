from typing import Any

import pytest

from knowledge.fact_paths import ANYTHING, CONDITION_FACTS, TEMPLATE_FACTS, fact_name, unknown_name


def paths(tree: dict[str, Any], above: str = "") -> list[str]:
    return [path for name, inner in tree.items() if name != "*" for path in (above + name, *paths(inner, f"{above}{name}."))]


def test_the_facts_are_those_of_the_contract():
    assert set(CONDITION_FACTS) == {"order", "customer", "agent", "message", "now"}
    assert set(CONDITION_FACTS["order"]) == {
        "id", "status", "placed_at", "paid_at", "promised_ship_by", "shipped_at", "delivered_at", "amount_paid", "currency", "payment_method", "seller",
        "shipping_address", "items", "logistics", "cases", "invoice", "booking", "install",
        "is_unshipped", "is_shipped", "is_delivered", "hours_since_paid", "days_since_paid", "ship_overdue", "hours_overdue", "days_since_delivered",
        "in_return_window", "in_price_protection", "in_warranty", "delivery_overdue", "hours_since_last_scan", "item", "case",
    }  # fmt: skip
    assert set(CONDITION_FACTS["order"]["logistics"]) == {"carrier", "tracking_no", "status", "last_event", "last_event_at", "eta"}
    assert CONDITION_FACTS["order"]["item"] == CONDITION_FACTS["order"]["items"]
    assert CONDITION_FACTS["order"]["case"] == CONDITION_FACTS["order"]["cases"]
    assert ANYTHING == CONDITION_FACTS["order"]["item"]["attributes"]
    assert set(CONDITION_FACTS["customer"]) == {"id", "name", "tier", "orders_count", "total_spent", "last_order_at", "complaints_90d", "is_repeat"}
    assert set(TEMPLATE_FACTS) - set(CONDITION_FACTS) == {
        "store",
        "promotion",
        "product",
    }  # words may speak of these


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("order.status", None),
        ("order.items.sku", None),
        ("order.item.attributes.颜色.深浅", None),
        ("now", None),
        ("order.statu", "names 'order.statu', which order does not have; did you mean 'order.status'?"),
        ("zzz", "names 'zzz', which the facts does not have"),
        ("order.status.x", "names 'order.status.x', which order.status does not have"),
    ],
)
def test_unknown_name(path, reason):
    assert reason == unknown_name(path.split("."), CONDITION_FACTS)


@pytest.mark.parametrize("path", [path for path in paths({name: tree for name, tree in CONDITION_FACTS.items() if name != "now"}) if "." in path])
def test_every_fact_has_a_chinese_name_for_its_blank(path):
    assert any("一" <= letter <= "鿿" for letter in fact_name(path, language="zh-CN")), path


@pytest.mark.parametrize(
    ("path", "language", "name"),
    [
        ("order.logistics.tracking_no", "zh-CN", "快递单号"),
        ("order.logistics.tracking_no", "zh-TW", "快递单号"),
        ("order.logistics.tracking_no", "en", "tracking number"),
        ("order.items.restock_at", "zh-CN", "到货时间"),
        ("order.cases.refund_amount", "en", "refund amount"),
        ("order.item.attributes.材质", "zh-CN", "材质"),
        ("order.item.attributes.shoe_size", "en", "shoe size"),
    ],
)
def test_fact_name(path, language, name):
    assert name == fact_name(path, language=language)


def test_every_fact_that_may_be_missing_has_a_name_in_words():
    def paths(tree, at=()):
        for name, below in tree.items():
            if name != "*":
                yield (*at, name)
                yield from paths(below, (*at, name))

    named = [".".join(path) for path in paths(TEMPLATE_FACTS) if path[0] != "store" and len(path) > 1]

    assert [] == [path for path in named if fact_name(path, language="zh") == path.rsplit(".", 1)[-1].replace("_", " ")]
