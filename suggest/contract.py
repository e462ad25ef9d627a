"""What the endpoint takes and gives (contract §6): shapes, ranges and words for the documentation. No logic."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from knowledge.normalise import clean
from knowledge.order_context import Agent, Customer, Order, Time, Turn
from knowledge.records import Attachment, EscalationTarget

MAX_MESSAGE_CHARS = 4_000
MAX_TURNS = 200

EXAMPLE_REQUEST: dict[str, Any] = {
    "store": "demo",
    "message": "都三天了怎么还没动静，再不发我就退了",
    "history": [{"role": "customer", "text": "在吗"}, {"role": "agent", "text": "在的，您请说"}],
    "order": {
        "id": "20261109001",
        "status": "paid",
        "paid_at": "2026-11-17T09:00:00+08:00",
        "promised_ship_by": "2026-11-19T09:00:00+08:00",
        "items": [{"sku": "CL-001", "quantity": 1}],
    },
    "customer": {"tier": "regular"},
    "now": "2026-11-20T10:05:00+08:00",
    "request_id": "readme-1",
}


class SuggestionRequest(BaseModel):
    """A customer's message with its conversation and order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_REQUEST]})

    history: Annotated[tuple[Turn, ...], Field(max_length=MAX_TURNS, description="Earlier turns, oldest first, without the message")] = ()
    order: Annotated[Order | None, Field(description="The order's facts; every one optional")] = None
    # after the order, which its validator asks for
    message: Annotated[
        str, Field(max_length=MAX_MESSAGE_CHARS, description="What the customer just wrote; empty, with an order, asks whether to write to them unasked")
    ]
    customer: Customer | None = None
    agent: Agent | None = None
    channel: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$", description="Where the conversation is, such as im")] = "im"
    top_k: Annotated[int, Field(ge=1, le=10, description="How many drafts at most")] = 3
    now: Annotated[Time | None, Field(description="The moment of the message; the clock when absent")] = None
    request_id: Annotated[str | None, Field(pattern=r"^[\w.\-:]{1,128}$", description="Yours; the same id and body give the same answer")] = None
    store: Annotated[str | None, Field(description="Which shop; may be absent where only one is served")] = None
    debug: Annotated[bool, Field(description="Adds each signal's part and the nearest replies when abstaining")] = False

    @field_validator("message")
    @classmethod
    def _has_words_or_an_order(cls, message: str, info: ValidationInfo) -> str:
        if not clean(message).strip() and info.data.get("order", "invalid") is None:
            raise ValueError("expected the customer's words; the message is empty, and there is no order to write of unasked")
        return message

    @property
    def has_message(self) -> bool:
        """Whether the customer wrote anything at all."""
        return bool(clean(self.message).strip())


class ScenarioProbability(BaseModel):
    """How likely the customer writes for this reason."""

    id: str
    probability: Annotated[float, Field(ge=0, le=1)]


class UnderstandingOut(BaseModel):
    """What was heard."""

    scenarios: list[ScenarioProbability] = Field(description="Most likely first")
    emotion: Literal["calm", "anxious", "upset", "angry"]
    threatens: bool = Field(description="Says they will post a bad review, go to the platform, 12315, press, police or court")
    language: str
    products: list[str] = Field(description="SKUs spoken of")
    questions: list[str] = Field(description="The separate questions found in the message")


class Warning_(BaseModel):
    """Something to look at before sending; `start` and `end` are characters of the draft's text."""

    model_config = ConfigDict(title="Warning")

    code: str
    message: str
    start: int = 0
    end: int = 0


class EvidencePassage(BaseModel):
    """A policy passage; `highlights` are [start, end] in characters of its text."""

    article_id: str
    passage_id: str
    title: str
    heading: str
    text: str
    highlights: list[tuple[int, int]] = Field(default_factory=list)
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = ""
    audience: Literal["customer", "internal"] = "customer"


class Suggestion(BaseModel):
    """One reply draft."""

    suggestion_id: str
    reply_id: str
    reply_ids: list[str] = Field(description="The replies in the text, in its order: two where one draft answers two questions, `reply_id` being the main one")
    rank: Annotated[int, Field(ge=1)]
    scenario: str
    text: str
    parts: dict[str, str] = Field(
        description="opening, empathy, information, value, action, closing as in the text, or `text`; of a joined draft those of both, a line each"
    )
    confidence: Annotated[float, Field(ge=0, le=1, description="Probability that an expert would accept the draft for this message and order")]
    sendable: bool = Field(description="Nothing is missing, to be verified or beyond the agent's authority")
    missing: list[str] = Field(description="Facts that stand as visible blanks")
    verify: list[str] = Field(description="Facts that decide whether this reply fits and were not sent")
    warnings: list[Warning_] = Field(default_factory=list)
    evidence: list[EvidencePassage] = Field(default_factory=list)
    attachments: list[Attachment] = Field(default_factory=list)
    auto_reply: bool = Field(description="Sure enough to be sent without a person")
    why: list[str] = Field(description="Short reasons in the shop's language")
    signals: dict[str, float] | None = Field(default=None, description="With debug: each signal's part in the confidence")


class Abstention(BaseModel):
    """Why nothing is suggested."""

    reason: Literal["already_said", "below_threshold", "no_words", "nothing_eligible"]
    message: str


class Escalation(BaseModel):
    """Who should take over, and why."""

    to: EscalationTarget
    reason: str = Field(
        description="The gravest that applies: self_harm injury minor safety legal threat asked_for_lead repeated_complaints repeated_here authority"
    )
    message: str = Field(description="For the agent")
    holding_reply: str = Field(description="For the customer, until somebody takes over; promises nothing")


class Recommendation(BaseModel):
    """A product of the catalogue that meets what the customer told."""

    sku: str
    title: str
    why: list[str] = Field(description="From the product's own data and the shop's own words")
    price: Decimal | None = Field(default=None, description="In the shop's currency, where the catalogue has one")


class NextAction(BaseModel):
    """Something a console can do with one click."""

    code: str
    label: str


class SuggestionResponse(BaseModel):
    """Ranked drafts, or the reason for silence."""

    request_id: str
    snapshot_id: str
    model: str
    degraded: list[str] = Field(default_factory=list)
    timings_ms: dict[str, float]
    understanding: UnderstandingOut
    suggestions: list[Suggestion]
    passages: list[EvidencePassage]
    abstained: Abstention | None = None
    clarifying_questions: list[str] = Field(default_factory=list)
    escalate: Escalation | None = None
    next_actions: list[NextAction] = Field(default_factory=list)
    recommendations: list[Recommendation] = Field(default_factory=list, description="Products for a customer who asks which to buy")
    debug: dict[str, Any] | None = None
