"""The names that a condition or template may use, and what a person calls them.

Read off the models in `order_context` plus the computed facts, so that a name cannot exist here and not there.
"""

import difflib
import re
import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from knowledge.order_context import AfterSaleCase, Agent, Customer, Order, OrderItem
from knowledge.records import Store

ANYTHING: dict[str, Any] = {"*": {}}  # a subtree whose names are free, such as item attributes

COMPUTED_ORDER_FACTS = (
    "is_unshipped", "is_shipped", "is_delivered", "hours_since_paid", "days_since_paid", "ship_overdue", "hours_overdue",
    "days_since_delivered", "in_return_window", "in_price_protection", "in_warranty", "delivery_overdue", "hours_since_last_scan",
)  # fmt: skip


def _model_tree(model: type[BaseModel]) -> dict[str, Any]:
    return {name: _annotation_tree(field.annotation) for name, field in model.model_fields.items()}


def _annotation_tree(annotation: Any) -> dict[str, Any]:
    """Subtree below a field: the nested model's names, free names for a dict, nothing for a plain value."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model_tree(annotation)
    if origin is dict:
        return ANYTHING
    if origin in (Union, types.UnionType, tuple) or hasattr(annotation, "__metadata__"):
        for inner in get_args(annotation):
            tree = _annotation_tree(inner)
            if tree:
                return tree
    return {}


def _fact_tree() -> dict[str, Any]:
    order = _model_tree(Order)
    order |= {name: {} for name in COMPUTED_ORDER_FACTS}
    order |= {"item": _model_tree(OrderItem), "case": _model_tree(AfterSaleCase)}
    return {
        "order": order,
        "customer": _model_tree(Customer) | {"is_repeat": {}},
        "agent": _model_tree(Agent),
        "message": {"emotion": {}, "threatens": {}, "scenarios": {}},
        "now": {},
    }


def _values(model: type[BaseModel], at: str) -> dict[str, tuple[str, ...]]:
    """The spellings that a fact can have, where it has a fixed list, by dotted path."""
    found: dict[str, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if get_origin(part) is Literal:
                found[f"{at}.{name}"] = get_args(part)
            elif isinstance(part, type) and issubclass(part, BaseModel):
                found |= _values(part, f"{at}.{name}")
    return found


FACT_VALUES = (
    _values(Order, "order") | _values(OrderItem, "order.item") | _values(AfterSaleCase, "order.case") | _values(Customer, "customer") | _values(Agent, "agent")
) | {"message.emotion": ("calm", "anxious", "upset", "angry")}
CONDITION_FACTS = _fact_tree()
_PRODUCT: dict[str, Any] = {"sku": {}, "title": {}, "category": {}, "attributes": ANYTHING, "warranty_months": {}, "price": {}}
TEMPLATE_FACTS = CONDITION_FACTS | {"store": _model_tree(Store), "promotion": {"name": {}, "ends": {}}, "product": _PRODUCT}


def unknown_name(path: Sequence[str], tree: dict[str, Any]) -> str | None:
    """Gives what is wrong with a dotted path, in words with the nearest known name, or None when it exists."""
    node = tree
    for depth, name in enumerate(path):
        if "*" in node:
            return None
        if name not in node:
            where = ".".join(path[:depth]) or "the facts"
            near = difflib.get_close_matches(name, list(node), n=1)
            hint = f"; did you mean {'.'.join([*path[:depth], near[0]])!r}?" if near else ""
            return f"names {'.'.join(path[: depth + 1])!r}, which {where} does not have{hint}"
        node = node[name]
    return None


# What a visible blank says, Chinese and English. A path that is not here is named by its last word.
_NAMES: dict[str, tuple[str, str]] = {
    "order.id": ("订单号", "order number"),
    "order.status": ("订单状态", "order status"),
    "order.placed_at": ("下单时间", "order time"),
    "order.paid_at": ("付款时间", "payment time"),
    "order.promised_ship_by": ("承诺发货时间", "promised dispatch time"),
    "order.shipped_at": ("发货时间", "dispatch time"),
    "order.delivered_at": ("签收时间", "delivery time"),
    "order.amount_paid": ("实付金额", "amount paid"),
    "order.currency": ("币种", "currency"),
    "order.payment_method": ("支付方式", "payment method"),
    "order.seller": ("卖家类型", "seller"),
    "order.shipping_address": ("收货地址", "shipping address"),
    "order.shipping_address.province": ("收货省份", "province"),
    "order.shipping_address.city": ("收货城市", "city"),
    "order.shipping_address.district": ("收货区县", "district"),
    "order.items": ("商品", "items"),
    "order.item": ("所问商品", "item in question"),
    "order.item.attributes": ("商品参数", "item details"),
    "order.item.sku": ("商品编号", "SKU"),
    "order.item.title": ("商品名称", "item name"),
    "order.item.category": ("商品类目", "item category"),
    "order.item.quantity": ("数量", "quantity"),
    "order.item.unit_price": ("单价", "unit price"),
    "order.item.availability": ("库存状态", "availability"),
    "order.item.restock_at": ("到货时间", "restock date"),
    "order.item.condition": ("商品状态", "item condition"),
    "order.item.warranty_until": ("保修截止日", "end of warranty"),
    "order.item.no_reason_return": ("是否支持七天无理由", "returnable without reason"),
    "order.logistics": ("物流信息", "parcel information"),
    "order.logistics.carrier": ("快递公司", "carrier"),
    "order.logistics.tracking_no": ("快递单号", "tracking number"),
    "order.logistics.status": ("物流状态", "parcel status"),
    "order.logistics.last_event": ("最新物流动态", "last parcel event"),
    "order.logistics.last_event_at": ("最新物流时间", "time of the last parcel event"),
    "order.logistics.eta": ("预计送达时间", "estimated arrival"),
    "order.cases": ("售后单", "after-sale cases"),
    "order.case": ("售后单", "after-sale case"),
    "order.case.case_id": ("售后单号", "case number"),
    "order.case.type": ("售后类型", "case type"),
    "order.case.status": ("售后进度", "case status"),
    "order.case.requested_at": ("申请时间", "request time"),
    "order.case.approved_at": ("审核通过时间", "approval time"),
    "order.case.refunded_at": ("退款时间", "refund time"),
    "order.case.refund_amount": ("退款金额", "refund amount"),
    "order.case.refund_channel": ("退款渠道", "refund channel"),
    "order.case.reason": ("售后原因", "case reason"),
    "order.invoice": ("发票", "invoice"),
    "order.invoice.kind": ("发票类型", "invoice kind"),
    "order.invoice.status": ("开票状态", "invoice status"),
    "order.invoice.title": ("发票抬头", "invoice title"),
    "order.booking": ("预约", "appointment"),
    "order.booking.slot_from": ("预约开始时间", "slot start"),
    "order.booking.slot_to": ("预约结束时间", "slot end"),
    "order.install": ("安装", "installation"),
    "order.install.status": ("安装状态", "installation status"),
    "order.install.at": ("安装时间", "installation time"),
    "order.is_unshipped": ("是否未发货", "whether unshipped"),
    "order.is_shipped": ("是否已发货", "whether shipped"),
    "order.is_delivered": ("是否已签收", "whether delivered"),
    "order.hours_since_paid": ("付款时间", "payment time"),
    "order.days_since_paid": ("付款时间", "payment time"),
    "order.ship_overdue": ("是否超过承诺发货时间", "whether dispatch is overdue"),
    "order.hours_overdue": ("发货超时多久", "how long dispatch is overdue"),
    "order.days_since_delivered": ("签收时间", "delivery time"),
    "order.in_return_window": ("是否在退货期内", "whether within the return window"),
    "order.in_price_protection": ("是否在保价期内", "whether within price protection"),
    "order.in_warranty": ("是否在保修期内", "whether in warranty"),
    "order.delivery_overdue": ("是否超过预计送达时间", "whether delivery is overdue"),
    "order.hours_since_last_scan": ("物流多久未更新", "time since the last scan"),
    "customer.id": ("客户编号", "customer number"),
    "customer.name": ("客户称呼", "customer name"),
    "customer.tier": ("会员等级", "customer tier"),
    "customer.orders_count": ("历史订单数", "number of orders"),
    "customer.total_spent": ("累计消费", "total spent"),
    "customer.last_order_at": ("上次下单时间", "time of the last order"),
    "customer.is_repeat": ("是否老客户", "whether a returning customer"),
    "customer.complaints_90d": ("近90天投诉次数", "complaints in 90 days"),
    "agent.id": ("客服编号", "agent number"),
    "agent.name": ("客服姓名", "agent name"),
    "agent.role": ("客服角色", "agent role"),
    "promotion.name": ("活动名称", "promotion"),
    "promotion.ends": ("活动截止日", "end of the promotion"),
    "product.sku": ("商品编号", "SKU"),
    "product.title": ("商品名称", "product name"),
    "product.category": ("商品类目", "product category"),
    "product.attributes": ("商品参数", "product details"),
    "product.warranty_months": ("保修月数", "months of warranty"),
    "product.price": ("商品价格", "price"),
    "message.emotion": ("客户情绪", "customer emotion"),
    "message.threatens": ("是否有投诉意向", "whether the customer threatens"),
    "message.scenarios": ("咨询场景", "contact reason"),
}


def fact_name(path: str, *, language: str) -> str:
    """Gives what a person calls the fact, for a blank or a «please check» line."""
    names = _NAMES.get(re.sub(r"^order\.(item|case)s\.", r"order.\1.", path)) or _NAMES.get(path)
    if names is None:
        return path.rsplit(".", 1)[-1].replace("_", " ")
    return names[1] if language == "en" else names[0]
