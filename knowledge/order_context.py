"""The facts a caller may send about the order and the people: names, types and ranges, nothing computed."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

OrderStatus = Literal["created", "paid", "picking", "packed", "shipped", "out_for_delivery", "delivered", "completed", "cancelled", "closed"]
PaymentMethod = Literal["alipay", "wechat", "credit_card", "debit_card", "balance", "gift_card", "credit_pay", "cod", "installment"]
LogisticsStatus = Literal["none", "awaiting_pickup", "in_transit", "stalled", "out_for_delivery", "delivered", "damaged", "lost", "returned"]
CaseStatus = Literal[
    "requested", "approved", "rejected", "awaiting_return", "return_in_transit", "return_received",
    "refunding", "refunded", "completed", "closed",
]  # fmt: skip
CaseType = Literal["refund_only", "return", "exchange", "repair", "reship", "price_protection"]


def _time_text(value: object) -> object:
    """Numbers are not times: 20261109 would silently become a day in 1970."""
    if isinstance(value, bool | int | float):
        raise ValueError("expected an ISO 8601 time with offset, such as 2026-11-12T10:05:00+08:00")
    return value


def _plausible(value: date) -> date:
    """Other systems' «no time» (0001-01-01, 9999-12-31) is not a time, and is at the edge of what can be moved between zones."""
    if not 1970 <= value.year < 2200:
        raise ValueError("expected a time between 1970 and 2200; leave it out when it is not known")
    return value


def _money_text(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError('expected money as a decimal string, such as "129.00"')
    return value


def _day_or_time(value: object) -> object:
    """`2026-11-13` stays a day (the whole day counts); anything longer must be a time with offset."""
    if isinstance(value, str) and len(value.strip()) == 10:
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("expected a day such as 2026-11-12, or an ISO 8601 time with offset") from None
    return _time_text(value)


Time = Annotated[AwareDatetime, BeforeValidator(_time_text), AfterValidator(_plausible)]
DayOrTime = Annotated[AwareDatetime | date, BeforeValidator(_day_or_time), AfterValidator(_plausible)]
Money = Annotated[Decimal, BeforeValidator(_money_text), Field(ge=0, max_digits=14, decimal_places=4)]
Text = Annotated[str, Field(max_length=2_000)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class Facts(BaseModel):
    """Base of what a caller sends; unknown names are refused so that a typo is heard."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShippingAddress(Facts):
    """Where the parcel goes, no finer than a district: the service needs no street."""

    province: Text | None = None
    city: Text | None = None
    district: Text | None = None


class OrderItem(Facts):
    """One line of the order."""

    sku: Text | None = None
    title: Text | None = None
    category: Text | None = None
    attributes: dict[str, Any] | None = None
    quantity: Count | None = None
    unit_price: Money | None = None
    availability: Literal["in_stock", "backorder", "preorder", "out_of_stock"] | None = None
    restock_at: Time | None = None
    condition: Literal["unopened", "opened", "used", "washed", "damaged", "unknown"] | None = None
    warranty_until: DayOrTime | None = None
    no_reason_return: bool | None = None


class Logistics(Facts):
    """What the carrier says."""

    carrier: Text | None = None
    tracking_no: Text | None = None
    status: LogisticsStatus | None = None
    last_event: Text | None = None
    last_event_at: Time | None = None
    eta: DayOrTime | None = None


class AfterSaleCase(Facts):
    """A refund, return, exchange or repair under way."""

    case_id: Text | None = None
    type: CaseType | None = None
    status: CaseStatus | None = None
    requested_at: Time | None = None
    approved_at: Time | None = None
    refunded_at: Time | None = None
    refund_amount: Money | None = None
    refund_channel: PaymentMethod | None = None
    reason: Text | None = None


class Invoice(Facts):
    """The order's invoice."""

    kind: Literal["electronic", "paper", "special"] | None = None
    status: Literal["none", "requested", "issued", "mailed"] | None = None
    title: Text | None = None


class Booking(Facts):
    """A delivery appointment."""

    slot_from: Time | None = None
    slot_to: Time | None = None


class Installation(Facts):
    """An installation appointment."""

    status: Literal["none", "booked", "done"] | None = None
    at: Time | None = None


class Order(Facts):
    """The order the conversation is about. Every fact is optional; times are ISO 8601 with offset, money a decimal string."""

    id: Text | None = None
    status: OrderStatus | None = None
    placed_at: Time | None = None
    paid_at: Time | None = None
    promised_ship_by: Time | None = None
    shipped_at: Time | None = None
    delivered_at: Time | None = None
    amount_paid: Money | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    payment_method: PaymentMethod | None = None
    seller: Literal["own", "third_party"] | None = None
    shipping_address: ShippingAddress | None = None
    items: Annotated[tuple[OrderItem, ...], Field(max_length=200)] | None = None
    logistics: Logistics | None = None
    cases: Annotated[tuple[AfterSaleCase, ...], Field(max_length=200)] | None = None
    invoice: Invoice | None = None
    booking: Booking | None = None
    install: Installation | None = None


class Customer(Facts):
    """Who writes."""

    id: Text | None = None
    name: Text | None = None
    tier: Literal["new", "regular", "vip"] | None = None
    orders_count: Count | None = None
    total_spent: Money | None = None
    last_order_at: Time | None = None
    complaints_90d: Count | None = None


class Agent(Facts):
    """Who answers. Without a role they are an agent, never a lead."""

    id: Text | None = None
    name: Text | None = None
    role: Literal["agent", "lead"] = "agent"


class Turn(Facts):
    """One earlier message of the conversation."""

    role: Literal["customer", "agent"]
    text: Annotated[str, Field(max_length=20_000)]
    at: Time | None = None
