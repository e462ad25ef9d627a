"""What a shop knows, as frozen records. They hold what staff wrote, checked; they do not decide anything.

A field's description is also what the HTTP documentation shows.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from knowledge.frozen import Record
from knowledge.style_records import Style

Language = Literal["zh-CN", "zh-TW", "en"]
PARTS = ("empathy", "information", "value", "action")


def _split_bars(value: object) -> object:
    """`a|b` of a spreadsheet cell → ["a", "b"]; lists pass."""
    if isinstance(value, str):
        return [piece.strip() for piece in value.split("|") if piece.strip()]
    return [] if value is None else value


def _parse_json(value: object) -> object:
    if isinstance(value, str):
        return json.loads(value) if value.strip() else None
    return value


def _blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


BarList = Annotated[tuple[str, ...], BeforeValidator(_split_bars)]
OptionalDate = Annotated[date | None, BeforeValidator(_blank_to_none)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,119}$")]


class Attachment(Record):
    """Something to show instead of describe (P14)."""

    title: str = Field(description="What the agent sees")
    url: str = Field(description="Where it opens", pattern=r"^https?://")
    kind: Literal["image", "video", "link", "file"]


def _attachments(value: object) -> object:
    parsed = _parse_json(value)
    return [] if parsed is None else parsed


Attachments = Annotated[tuple[Attachment, ...], BeforeValidator(_attachments)]


class Dated(Record):
    """Something that is in force between two days, both included, in the shop's timezone."""

    effective_from: OptionalDate = None
    effective_to: OptionalDate = None

    @model_validator(mode="after")
    def _days_in_order(self) -> "Dated":
        if self.effective_from and self.effective_to and self.effective_from > self.effective_to:
            raise ValueError("effective_from is after effective_to; expected a day on or before it")
        return self

    def in_force(self, day: date) -> bool:
        """Whether `day`, a day in the shop's timezone, is within the two."""
        return (self.effective_from is None or self.effective_from <= day) and (self.effective_to is None or day <= self.effective_to)


class Article(Dated):
    """A whole policy, product, process or FAQ text."""

    id: Id
    title: Annotated[str, Field(min_length=1)]
    kind: Literal["policy", "product", "process", "faq"]
    scenarios: BarList = ()
    products: BarList = ()
    audience: Literal["customer", "internal"] = "customer"
    version: str = ""
    source: str = ""
    attachments: Attachments = ()
    body: Annotated[str, Field(min_length=1)]


class Passage(Record):
    """A section of an article: the unit that is searched and quoted.

    `body[start:end] == text` of its article; `id` is `<article>#<heading>` and does not move when another section is edited.
    """

    id: str
    article_id: str
    heading: str
    text: str
    start: int
    end: int


class ProvenReply(Dated):
    """A reply that people sent and that worked. The four parts and `text` are templates."""

    id: Id
    scenario: Annotated[str, Field(min_length=1)]
    when: str = ""
    tone: Literal["calm", "upset", ""] = ""
    empathy: str = ""
    information: str = ""
    value: str = ""
    action: str = ""
    text: str = ""
    triggers: BarList = ()
    cites: BarList = ()
    authority: Literal["agent", "lead"] = "agent"
    promises_amount: Annotated[Decimal | None, BeforeValidator(_blank_to_none), Field(ge=0)] = None
    status: Literal["approved", "draft", "blocked"]
    products: BarList = ()
    attachments: Attachments = ()
    effective_basis: Literal["now", "paid_at"] = "now"
    proactive: Annotated[bool | None, BeforeValidator(_blank_to_none)] = None  # yes: first choice for writing unasked; no: never; empty: where it fits
    notes: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "ProvenReply":
        parted = any(getattr(self, part).strip() for part in PARTS)
        if not parted and not self.text.strip():
            raise ValueError("no words: expected at least one of empathy, information, value, action, or text")
        if parted and self.text.strip():
            raise ValueError("both parts and text: expected one or the other, the text would never be shown")
        return self

    def templates(self) -> Mapping[str, str]:
        """Gives the non-empty templates by part; an undivided reply has one, under `text`."""
        return self._templates

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "ProvenReply":
        """Gives a copy with some fields changed, without what was worked out of the old ones."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("source", "_templates"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def source(self) -> str:
        """All its templates, a line each."""
        return "\n".join(self._templates.values())

    @cached_property
    def _templates(self) -> Mapping[str, str]:
        parts = {part: getattr(self, part) for part in PARTS if getattr(self, part).strip()}
        return MappingProxyType(parts or {"text": self.text})


class Product(Record):
    """One thing the shop sells."""

    sku: Id
    title: Annotated[str, Field(min_length=1)]
    category: str = ""
    aliases: BarList = ()
    attributes: Annotated[dict[str, Any], BeforeValidator(lambda value: _parse_json(value) or {})] = Field(default_factory=dict)
    no_reason_return: Annotated[bool | None, BeforeValidator(_blank_to_none)] = None
    warranty_months: Annotated[int | None, BeforeValidator(_blank_to_none), Field(ge=0, le=600)] = None
    price: Annotated[Decimal | None, BeforeValidator(_blank_to_none), Field(ge=0)] = None  # in the shop's currency; without one a budget cannot be kept


class Authority(Record):
    """Money a person may promise on their own, in the shop's currency."""

    agent_compensation_limit: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    lead_compensation_limit: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class Promotion(Record):
    """A stretch of days with a name; both days included."""

    name: str
    start: date = Field(alias="from")
    end: date = Field(alias="to")

    @model_validator(mode="after")
    def _days_in_order(self) -> "Promotion":
        if self.start > self.end:
            raise ValueError("from is after to; expected a day on or before it")
        return self

    def runs(self, day: date) -> bool:
        """Whether `day`, a day in the shop's timezone, is within the two."""
        return self.start <= day <= self.end


class ConfidenceTargets(Record):
    """How often a draft must be right, from 0.5 to 1: the thresholds on its confidence follow from it."""

    precision: Annotated[float, Field(ge=0.5, le=1)] = 0.9  # of first drafts that are shown
    auto_reply_precision: Annotated[float, Field(ge=0.5, le=1)] = 0.95  # of drafts that may go out unread


class GateLimits(Record):
    """What a night may lose before the live index stays."""

    max_fewer: Annotated[float, Field(ge=0, le=1)] = 0.3  # share of the live index's replies or articles that may be gone
    max_worse: Annotated[float, Field(ge=0, le=1)] = 0.03  # how much the labelled chats may lose, as a share of them


EscalationReason = Literal[
    "self_harm", "injury", "minor", "safety", "legal", "threat", "asked_for_lead", "repeated_complaints", "repeated_here", "authority",
]  # fmt: skip
EscalationTarget = Literal["lead", "quality", "legal", "manager"]


class EscalationRules(Record):
    """How this shop hands over: its own soothing words, people and phrases by reason; where it says nothing, what ships holds."""

    holding_replies: dict[EscalationReason, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    to: dict[EscalationReason, EscalationTarget] = Field(default_factory=dict)
    phrases: dict[EscalationReason, tuple[Annotated[str, Field(min_length=2)], ...]] = Field(default_factory=dict)


class OwnAction(Record):
    """Something this shop's console can do, for these contact reasons while the condition holds."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    label: Annotated[str, Field(min_length=1)]
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    when: str = ""


class ShopActions(Record):
    """The shop's own next actions, before those that ship, and the codes of those it cannot do."""

    own: tuple[OwnAction, ...] = ()
    leave_out: tuple[str, ...] = ()


class Store(Record):
    """A shop's own rules, from `store.toml`."""

    id: Id
    name: str
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    address_customer_as: str = ""
    confidence: ConfidenceTargets = ConfidenceTargets()
    gate: GateLimits = GateLimits()
    return_window_days: Annotated[int, Field(ge=0)] = 7
    price_protection_days: Annotated[int, Field(ge=0)] = 0
    ship_within_hours: Annotated[int, Field(gt=0)] = 48
    authority: Authority = Authority()
    style: Style = Style()
    calendar: tuple[Promotion, ...] = ()
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$|^$")] = ""  # whose holidays are kept, such as CN; empty: none
    escalation: EscalationRules = EscalationRules()
    actions: ShopActions = ShopActions()


class SampleOrder(Record):
    """An order that the console page offers to try a message with. Times are hours from now."""

    id: Id
    name: str
    order: dict[str, Any] = Field(default_factory=dict)
    customer: dict[str, Any] = Field(default_factory=dict)


class SampleConversation(Record):
    """A message with its history that the console page offers."""

    name: str
    message: str
    order_id: str = ""
    history: tuple[dict[str, str], ...] = ()
