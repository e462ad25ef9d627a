"""From what the caller sent to what conditions and templates may use: nested facts with the computed ones added.

A fact that was not sent is absent, never None and never guessed; a computed one is there when its inputs are.
Times keep their type, money is Decimal, days are calendar days in the shop's timezone counted from the day after.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from knowledge.order_context import Agent, Customer, Facts, Order
from knowledge.products import ProductCatalogue
from knowledge.records import Store

FactTree = dict[str, Any]
_WHOLE = frozenset({str, int, float, bool, datetime, date, Decimal})  # nothing inside

UNSHIPPED = frozenset({"created", "paid", "picking", "packed"})
SHIPPED = frozenset({"shipped", "out_for_delivery", "delivered", "completed"})
DELIVERED = frozenset({"delivered", "completed"})


def compute_facts(
    *,
    order: Order | None,
    customer: Customer | None,
    agent: Agent | None,
    now: datetime,
    store: Store,
    catalogue: ProductCatalogue,
    said: Sequence[str] = (),
) -> FactTree:
    """Gives every fact that is known.

    Args:
        order: what the caller sent; None when no order came.
        customer: who writes; None when unknown.
        agent: who answers; None means an agent.
        now: the moment of the question, timezone aware.
        store: the shop's own days and hours.
        catalogue: completes items by SKU and recognises the item spoken of.
        said: the message first, then earlier turns from the newest to the oldest; the first that names an item decides `order.item`.

    Returns:
        `{"order": …, "customer": …, "agent": …, "message": {}, "now": …}`; the first four are always there, maybe empty.
    """
    zone = ZoneInfo(store.timezone)
    facts: FactTree = {
        "order": _sent(order),
        "customer": _sent(customer),
        "agent": _sent(agent or Agent()),
        "message": {},
        "now": now.astimezone(zone),
    }
    _complete_items(facts["order"], catalogue)
    _fill_warranty(facts["order"], now, catalogue, zone)
    _add_status_facts(facts["order"])
    _add_payment_facts(facts["order"], now, store, zone)
    _add_item_and_case(facts["order"], catalogue, said)
    _add_delivery_facts(facts["order"], now, store, zone)
    if "orders_count" in facts["customer"]:
        facts["customer"]["is_repeat"] = facts["customer"]["orders_count"] > 1
    return facts


def known(facts: Mapping[str, Any], path: str) -> bool:
    """Whether the dotted path leads to a fact."""
    return leads(facts, path.split("."))


def leads(facts: Mapping[str, Any], steps: Sequence[str]) -> bool:
    """Whether these names, one below the other, lead to a fact."""
    node: Any = facts
    for name in steps:
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def _sent(model: Order | Customer | Agent | None) -> FactTree:
    """Nested dict of what was sent; an explicit null or empty text is the same as not sent."""
    return {} if model is None else _without_none(model)


def _without_none(value: Any) -> Any:
    """Records become dicts: to read their fields takes a third of the time of dumping them."""
    kind = type(value)
    if kind is dict or isinstance(value, Facts):
        held = value if kind is dict else vars(value)
        return {name: inner if type(inner) in _WHOLE else _without_none(inner) for name, inner in held.items() if not _is_blank(inner)}
    if kind is list or kind is tuple:
        return [_without_none(inner) for inner in value if inner is not None]
    return value


def _is_blank(value: Any) -> bool:
    """Empty words are what other systems send for «not there»."""
    return value is None or (type(value) is str and (not value or value.isspace()))


def _complete_items(order: FactTree, catalogue: ProductCatalogue) -> None:
    """What the order says wins; the catalogue fills title, category and return terms by SKU."""
    for item in order.get("items", []):
        product = catalogue.by_sku(item.get("sku", ""))
        if product is None:
            continue
        filled = {"title": product.title, "category": product.category, "no_reason_return": product.no_reason_return}
        for name, value in filled.items():
            if value not in (None, ""):
                item.setdefault(name, value)
        item["attributes"] = {**_without_none(product.attributes), **item.get("attributes", {})}


def _add_status_facts(order: FactTree) -> None:
    status = order.get("status")
    if status is not None:
        order["is_unshipped"] = status in UNSHIPPED
        order["is_shipped"] = status in SHIPPED
        order["is_delivered"] = status in DELIVERED


def _add_payment_facts(order: FactTree, now: datetime, store: Store, zone: ZoneInfo) -> None:
    paid_at = _past(order.get("paid_at"), now)
    if paid_at is not None:
        order["hours_since_paid"] = _hours(now - paid_at)
        order["days_since_paid"] = _days(paid_at, now, zone)
        order["in_price_protection"] = order["days_since_paid"] <= store.price_protection_days
    ship_by = order.get("promised_ship_by") or _usual_ship_by(order, paid_at, store)
    if ship_by is not None and "is_unshipped" in order:
        waits = order["is_unshipped"] and order["status"] != "created"
        order["ship_overdue"] = waits and now > ship_by
        order["hours_overdue"] = max(0.0, _hours(now - ship_by)) if waits else 0.0


def _usual_ship_by(order: FactTree, paid_at: datetime | None, store: Store) -> datetime | None:
    """The shop's own promise, for an order whose items are all in stock and that carries no promise of its own."""
    if paid_at is None or any(item.get("availability", "in_stock") != "in_stock" for item in order.get("items", [])):
        return None
    return paid_at + timedelta(hours=store.ship_within_hours)


def _add_item_and_case(order: FactTree, catalogue: ProductCatalogue, said: Sequence[str]) -> None:
    items = order.get("items", [])
    spoken_of = catalogue.item_spoken_of(items, said)
    if spoken_of is not None:
        order["item"] = items[spoken_of]
    cases = order.get("cases", [])
    if cases:
        order["case"] = max(enumerate(cases), key=lambda at: (at[1].get("requested_at") or datetime.min.replace(tzinfo=ZoneInfo("UTC")), at[0]))[1]


def _add_delivery_facts(order: FactTree, now: datetime, store: Store, zone: ZoneInfo) -> None:
    delivered_at = _past(order.get("delivered_at"), now)
    if delivered_at is not None:
        order["days_since_delivered"] = _days(delivered_at, now, zone)
        order["in_return_window"] = order["days_since_delivered"] <= store.return_window_days
    warranty_until = order.get("item", {}).get("warranty_until")
    if warranty_until is not None:
        order["in_warranty"] = now <= _end_of(warranty_until, zone)
    logistics = order.get("logistics", {})
    if "eta" in logistics and "is_delivered" in order:
        order["delivery_overdue"] = order["is_shipped"] and not order["is_delivered"] and now > _end_of(logistics["eta"], zone)
    last_scan = _past(logistics.get("last_event_at"), now)
    if last_scan is not None:
        order["hours_since_last_scan"] = _hours(now - last_scan)


def _fill_warranty(order: FactTree, now: datetime, catalogue: ProductCatalogue, zone: ZoneInfo) -> None:
    """Adds `warranty_until` from the product's months, counted from receipt, where the order did not say."""
    delivered_at = _past(order.get("delivered_at"), now)
    for item in order.get("items", []):
        product = catalogue.by_sku(item.get("sku", ""))
        if delivered_at is not None and product is not None and product.warranty_months and "warranty_until" not in item:
            item["warranty_until"] = _add_months(delivered_at.astimezone(zone).date(), product.warranty_months)


def _add_months(day: date, months: int) -> date:
    """Same day of the month, or the month's last day when it has no such day (31 January + 1 month = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _past(moment: datetime | None, now: datetime) -> datetime | None:
    """A time after now contradicts the question; nothing is computed from it."""
    return moment if moment is not None and moment <= now else None


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600


def _days(then: datetime, now: datetime, zone: ZoneInfo) -> int:
    return (now.astimezone(zone).date() - then.astimezone(zone).date()).days


def _end_of(moment: datetime | date, zone: ZoneInfo) -> datetime:
    """A day lasts until its last instant in the shop's timezone."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time.max, tzinfo=zone)
