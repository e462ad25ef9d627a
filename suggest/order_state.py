"""What state an order is in, and the signs by which it tells why its customer writes: before shipping nobody asks where the parcel is stuck.

Signs are words over the contract's own facts, so that what labelled chats of some shops teach about them holds for any shop (see `meaning`).
"""

from collections.abc import Mapping
from typing import Any

# Days since delivery after which what people write about changes: looking it over, returning it, its faults, its warranty.
_AGES = ((1, "a day"), (7, "a week"), (15, "a fortnight"), (30, "a month"))
_TOUCHED = ("used", "opened", "washed")


def order_state(facts: Mapping[str, Any]) -> str:
    """Gives the state of the order in `facts`, the most telling first; an after-sale case goes before everything else."""
    order = facts["order"]
    status = order.get("status")
    if "case" in order:
        return "case"
    if status is None:
        return "no_order"
    if status in ("cancelled", "closed"):
        return "ended"
    if status == "created":
        return "unpaid"
    if order["is_unshipped"]:
        return _waiting_state(order)
    return "delivered" if order["is_delivered"] else _travelling_state(order)


def _waiting_state(order: Mapping[str, Any]) -> str:
    if any(item.get("availability", "in_stock") != "in_stock" for item in order.get("items", [])):
        return "unshipped_no_stock"
    return "unshipped_overdue" if order.get("ship_overdue") else "unshipped"


def _travelling_state(order: Mapping[str, Any]) -> str:
    parcel = order.get("logistics", {}).get("status")
    if parcel in ("lost", "damaged", "returned"):
        return f"parcel_{parcel}"
    if parcel == "stalled" or order.get("hours_since_last_scan", 0.0) >= 48.0:
        return "shipped_stalled"
    return "shipped_late" if order.get("delivery_overdue") else "shipped"


def order_signs(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Gives what stands out about the order in `facts`, most general first; none for a customer without an order."""
    order = facts["order"]
    if not order:
        return ()
    state = order_state(facts)
    signs = [] if state == "no_order" else [f"state {state}"]
    return (*signs, *_case_signs(order), *_item_signs(order), *(_delivered_signs(order) if order.get("is_delivered") else _open_signs(order)))


def _case_signs(order: Mapping[str, Any]) -> list[str]:
    case = order.get("case")
    return [f"case {case['type']}", f"case {case['status']}", f"case {case['type']} {case['status']}"] if case else []


def _item_signs(order: Mapping[str, Any]) -> list[str]:
    item = order.get("item") or {}
    condition, availability = item.get("condition"), item.get("availability", "in_stock")
    signs = [f"item {'used' if condition in _TOUCHED else condition}"] if condition else []
    signs += [f"availability {availability}"] if availability != "in_stock" else []
    signs += ["not returnable"] if item.get("no_reason_return") is False else []
    return signs + (["third party"] if order.get("seller") == "third_party" else [])


def _delivered_signs(order: Mapping[str, Any]) -> list[str]:
    days = order.get("days_since_delivered")
    signs = [] if days is None else [f"delivered {next((name for limit, name in _AGES if days <= limit), 'longer')} ago"]
    installing = order.get("install", {}).get("status")
    signs += [f"installation {installing}"] if installing in ("booked", "done") else []
    return signs + _arrangements(order)


def _open_signs(order: Mapping[str, Any]) -> list[str]:
    parcel = order.get("logistics", {}).get("status")
    signs = [f"parcel {parcel}"] if parcel else []
    signs += [f"late {order['delivery_overdue']}"] if "delivery_overdue" in order else []
    signs += [f"status {order['status']}"] if order.get("status") in ("picking", "packed", "cancelled", "closed") else []
    return signs + _arrangements(order)


def _arrangements(order: Mapping[str, Any]) -> list[str]:
    signs = ["delivery booked"] if "booking" in order else []
    return signs + ([f"invoice {order['invoice'].get('status')}"] if "invoice" in order else [])
