"""What stands out about an order, told from its computed facts."""

from datetime import datetime
from typing import Any

import pytest

from knowledge.facts import compute_facts
from knowledge.order_context import Order
from knowledge.shop import Shop
from suggest.order_state import order_signs

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")


def signs(shop: Shop, order: dict[str, Any] | None) -> set[str]:
    given = None if order is None else Order.model_validate(order)
    return set(order_signs(compute_facts(order=given, customer=None, agent=None, now=NOW, store=shop.store, catalogue=shop.catalogue())))


def delivered(days_ago: int, **more: Any) -> dict[str, Any]:
    return {"status": "delivered", "delivered_at": f"2026-11-{21 - days_ago:02}T09:00:00+08:00"} | more


def test_no_order_has_no_signs(tiny_shop: Shop) -> None:
    assert signs(tiny_shop, None) == set()


@pytest.mark.parametrize(("days", "age"), [(0, "a day"), (1, "a day"), (2, "a week"), (7, "a week"), (8, "a fortnight"), (15, "a fortnight"), (16, "a month")])
def test_how_long_ago_it_was_delivered(tiny_shop: Shop, days: int, age: str) -> None:
    assert signs(tiny_shop, delivered(days)) == {"state delivered", f"delivered {age} ago"}


def test_a_used_item_of_another_seller_with_a_booked_installation(tiny_shop: Shop) -> None:
    item = {"sku": "X-1", "title": "杯子", "category": "家居", "quantity": 1, "unit_price": "9.00", "condition": "washed"}
    order = delivered(3, items=[item], seller="third_party", install={"status": "booked", "at": "2026-11-22T10:00:00+08:00"})

    assert signs(tiny_shop, order) >= {"item used", "third party", "installation booked", "delivered a week ago"}


def test_a_case_tells_its_kind_its_step_and_both(tiny_shop: Shop) -> None:
    case = {"case_id": "C1", "type": "return", "status": "refunding", "requested_at": "2026-11-19T10:00:00+08:00"}

    assert signs(tiny_shop, delivered(5, cases=[case])) >= {"state case", "case return", "case refunding", "case return refunding"}


def test_a_parcel_under_way(tiny_shop: Shop) -> None:
    logistics = {"status": "stalled", "last_event": "离开分拨", "last_event_at": "2026-11-17T10:00:00+08:00"}
    order = {"status": "shipped", "shipped_at": "2026-11-15T10:00:00+08:00", "logistics": logistics}

    assert signs(tiny_shop, order) >= {"state shipped_stalled", "parcel stalled"}


def test_what_is_out_of_stock(tiny_shop: Shop) -> None:
    item = {"sku": "X-1", "title": "杯子", "category": "家居", "quantity": 1, "unit_price": "9.00", "availability": "out_of_stock"}

    assert signs(tiny_shop, {"status": "picking", "items": [item]}) == {"state unshipped_no_stock", "availability out_of_stock", "status picking"}
