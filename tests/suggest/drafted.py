"""Drafts of single replies, for tests: one shop in each language, a mood, a history, an order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from knowledge.conditions import Outcome, Verdict
from knowledge.facts import compute_facts
from knowledge.formats import FactWriter
from knowledge.order_context import Agent, Customer, Order, Turn
from knowledge.products import ProductCatalogue
from knowledge.records import Authority, ProvenReply, Store
from knowledge.script import Script
from knowledge.style_records import BannedPhrase, Style
from suggest.answered import answered_in
from suggest.drafting import Draft, Drafter
from suggest.ranking import Candidate
from suggest.understanding import Reading, Understanding

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
STORE = Store(
    id="shop", name="店", address_customer_as="您",
    authority=Authority(agent_compensation_limit=30, lead_compensation_limit=200),
    style=Style(max_chars=40, banned_phrases=(BannedPhrase(phrase="没办法", reason="没有给出路", use_instead="我能为您做的是"),)),
)  # fmt: skip
ENGLISH = Store(
    id="shop_en", name="Shop", language="en", timezone="America/New_York", currency="USD", authority=Authority(agent_compensation_limit=20),
    style=Style(banned_phrases=(BannedPhrase(phrase="calm down", reason="rude"),)),
)  # fmt: skip
GREETED = (Turn(role="customer", text="在吗"), Turn(role="agent", text="在的，您请说"))


def heard(emotion: str) -> Understanding:
    emotions = dict.fromkeys(("angry", "anxious", "calm", "upset"), 0.0) | {emotion: 1.0}
    return Understanding(
        readings=(Reading("话", np.zeros(1, dtype=np.float32)),),
        lean_on_history=0,
        scenarios={},
        emotions=emotions,
        threat=0,
        language="zh",
        products=(),
        shares=np.ones(1, dtype=np.float32),
        mixed_needs=np.zeros(1, dtype=np.float32),
        scenarios_of_message={},
        scenarios_heard={},
    )


def reply(**fields: Any) -> ProvenReply:
    return ProvenReply.model_validate({"id": "r", "scenario": "order.expedite", "status": "approved"} | fields)


def drafter(
    *,
    emotion: str = "calm",
    history: tuple[Turn, ...] = (),
    order: Mapping[str, Any] | None = None,
    customer: Mapping[str, Any] | None = None,
    role: str | None = None,
    store: Store = STORE,
    channel: str = "im",
    script: Script | None = None,
    now: datetime = NOW,
    catalogue: ProductCatalogue | None = None,
    message: str = "",
) -> Drafter:
    facts = compute_facts(
        order=Order.model_validate(order) if order is not None else None, customer=Customer.model_validate(customer) if customer is not None else None,
        agent=Agent.model_validate({"role": role}) if role else None, now=now, store=store, catalogue=ProductCatalogue([]),
    )  # fmt: skip
    writer = FactWriter(now=now, timezone=store.timezone, language=store.language, currency=store.currency)
    return Drafter(
        store=store, store_facts=store.model_dump(), facts=facts, writer=writer, history=history, understanding=heard(emotion), channel=channel, script=script,
        catalogue=catalogue, answered=answered_in(history, message),
    )  # fmt: skip


def candidate(wanted: ProvenReply) -> Candidate:
    return Candidate(wanted, Verdict(Outcome.TRUE), 0.9, np.zeros(1, dtype=np.float32))


def draft(wanted: ProvenReply, **request: Any) -> Draft:
    return drafter(**request).draft(candidate(wanted))
