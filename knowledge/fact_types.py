"""What kind of value every fact has, read off the models: what a condition may compare it with and a filter may write."""

import datetime as dt
import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from knowledge.order_context import AfterSaleCase, Agent, Customer, Order, OrderItem
from knowledge.records import Store

Kind = Literal["yes or no", "whole number", "number", "money", "time", "text", "list", "group"]

KIND_NAMES: dict[Kind, tuple[str, str]] = {
    "yes or no": ("是或否", "yes or no"), "whole number": ("整数", "a whole number"), "number": ("数字", "a number"), "money": ("金额", "money"),
    "time": ("时间", "a time"), "text": ("文字", "words"), "list": ("清单", "a list"), "group": ("一组事实", "a group of facts"),
}  # fmt: skip

_COMPUTED: dict[str, Kind] = {
    "order.is_unshipped": "yes or no", "order.is_shipped": "yes or no", "order.is_delivered": "yes or no", "order.hours_since_paid": "number",
    "order.days_since_paid": "whole number", "order.ship_overdue": "yes or no", "order.hours_overdue": "number", "order.days_since_delivered": "whole number",
    "order.in_return_window": "yes or no", "order.in_price_protection": "yes or no", "order.in_warranty": "yes or no", "order.delivery_overdue": "yes or no",
    "order.hours_since_last_scan": "number", "customer.is_repeat": "yes or no", "now": "time", "promotion.name": "text", "promotion.ends": "time",
    "product.sku": "text", "product.title": "text", "product.category": "text", "product.warranty_months": "number", "product.price": "money",
    "message.emotion": "text", "message.threatens": "yes or no", "message.scenarios": "list",
}  # fmt: skip


def _kinds(model: type[BaseModel], at: str) -> Iterator[tuple[str, Kind]]:
    for name, field in model.model_fields.items():
        kind, inner = _kind(field.annotation)
        yield f"{at}.{name}", kind
        if inner is not None:
            yield from _kinds(inner, f"{at}.{name}")


def _kind(annotation: Any) -> tuple[Kind, type[BaseModel] | None]:
    """The kind of an annotation, and the model below it."""
    origin = get_origin(annotation)
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    if origin in (Union, types.UnionType):
        return next(_kind(inner) for inner in get_args(annotation) if inner is not type(None))
    if origin is tuple:
        return "list", None
    if origin is Literal:
        return "text", None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "group", annotation
    plain: dict[Any, Kind] = {bool: "yes or no", int: "whole number", float: "number", Decimal: "money", str: "text", dt.date: "time", dt.datetime: "time"}
    return plain.get(annotation, "time" if "Aware" in str(annotation) else "group"), None


FACT_KINDS: dict[str, Kind] = {
    **dict(_kinds(Order, "order")), **dict(_kinds(OrderItem, "order.item")), **dict(_kinds(AfterSaleCase, "order.case")), **dict(_kinds(Customer, "customer")),
    **dict(_kinds(Agent, "agent")), **dict(_kinds(Store, "store")), **_COMPUTED, "order.item": "group", "order.case": "group",
}  # fmt: skip


def kind_name(kind: Kind, *, language: str) -> str:
    """Gives what a person calls the kind."""
    return KIND_NAMES[kind][language == "en"]
