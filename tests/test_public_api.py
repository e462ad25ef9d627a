"""The names that callers use (contract §3 and §6), written out: changing one is a breaking change and must be seen here."""

from typing import Any

import pytest
from pydantic import BaseModel

from knowledge.order_context import AfterSaleCase, Agent, Booking, Customer, Installation, Invoice, Logistics, Order, OrderItem, ShippingAddress, Turn
from knowledge.records import Attachment
from suggest.contract import (
    Abstention,
    Escalation,
    EvidencePassage,
    NextAction,
    Recommendation,
    ScenarioProbability,
    Suggestion,
    SuggestionRequest,
    SuggestionResponse,
    UnderstandingOut,
    Warning_,
)

CONTRACT: dict[type[BaseModel], str] = {
    SuggestionRequest: "message history order customer agent channel top_k now request_id debug store",
    Turn: "role text at",
    Order: """id status placed_at paid_at promised_ship_by shipped_at delivered_at amount_paid currency payment_method seller shipping_address items
              logistics cases invoice booking install""",
    ShippingAddress: "province city district",
    OrderItem: "sku title category attributes quantity unit_price availability restock_at condition warranty_until no_reason_return",
    Logistics: "carrier tracking_no status last_event last_event_at eta",
    AfterSaleCase: "case_id type status requested_at approved_at refunded_at refund_amount refund_channel reason",
    Invoice: "kind status title",
    Booking: "slot_from slot_to",
    Installation: "status at",
    Customer: "id name tier orders_count total_spent last_order_at complaints_90d",
    Agent: "id name role",
    SuggestionResponse: """request_id snapshot_id model degraded timings_ms understanding suggestions passages abstained clarifying_questions escalate
                           next_actions recommendations""",
    UnderstandingOut: "scenarios emotion threatens language products questions",
    ScenarioProbability: "id probability",
    Suggestion: """suggestion_id reply_id reply_ids rank scenario text parts confidence sendable missing verify warnings evidence attachments auto_reply
                   why""",
    Warning_: "code message start end",
    EvidencePassage: "article_id passage_id title heading text highlights effective_from effective_to source audience",
    Attachment: "title url kind",
    Abstention: "reason message",
    Escalation: "to reason message holding_reply",
    Recommendation: "sku title why price",
    NextAction: "code label",
}
# «with `debug`»: the nearest replies and each signal's part; null otherwise.
WITH_DEBUG: dict[type[BaseModel], set[str]] = {SuggestionResponse: {"debug"}, Suggestion: {"signals"}}


@pytest.mark.parametrize("model", CONTRACT, ids=lambda model: model.__name__)
def test_fields_are_the_contracts(model: type[BaseModel]) -> None:
    assert set(CONTRACT[model].split()) | WITH_DEBUG.get(model, set()) == set(model.model_fields)


def test_only_the_message_is_required() -> None:
    assert ["message"] == [name for name, field in SuggestionRequest.model_fields.items() if field.is_required()]
    assert [] == [name for model in (Order, Customer, Agent) for name, field in model.model_fields.items() if field.is_required()]


@pytest.mark.parametrize(
    ("model", "field", "values"),
    [
        (Order, "status", "created paid picking packed shipped out_for_delivery delivered completed cancelled closed"),
        (Order, "payment_method", "alipay wechat credit_card debit_card balance gift_card credit_pay cod installment"),
        (Order, "seller", "own third_party"),
        (OrderItem, "availability", "in_stock backorder preorder out_of_stock"),
        (OrderItem, "condition", "unopened opened used washed damaged unknown"),
        (Logistics, "status", "none awaiting_pickup in_transit stalled out_for_delivery delivered damaged lost returned"),
        (AfterSaleCase, "type", "refund_only return exchange repair reship price_protection"),
        (AfterSaleCase, "status", "requested approved rejected awaiting_return return_in_transit return_received refunding refunded completed closed"),
        (Invoice, "kind", "electronic paper special"),
        (Invoice, "status", "none requested issued mailed"),
        (Installation, "status", "none booked done"),
        (Customer, "tier", "new regular vip"),
        (Agent, "role", "agent lead"),
        (UnderstandingOut, "emotion", "calm anxious upset angry"),
        (EvidencePassage, "audience", "customer internal"),
        (Attachment, "kind", "image video link file"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value.split()[0],
)
def test_values_are_the_contracts(model: type[BaseModel], field: str, values: str) -> None:
    schema: dict[str, Any] = model.model_json_schema()["properties"][field]
    allowed = schema.get("enum") or next(option["enum"] for option in schema["anyOf"] if "enum" in option)

    assert values.split() == allowed


def test_defaults_are_the_contracts() -> None:
    request = SuggestionRequest(message="在吗")

    assert (3, None, None, "im", False, ()) == (request.top_k, request.now, request.store, request.channel, request.debug, request.history)
    assert "agent" == Agent().role
