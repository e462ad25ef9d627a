"""Writing to a customer who has not asked (P24): which of the shop's replies tells of what happened to the order, or silence when nothing did.

The event is data (`knowledge/conduct/events.toml`). A reply fits when its contact reason is the event's, its condition holds and looks at what happened.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from indexes.reply_columns import NO, TONES, ReplyColumns
from indexes.snapshot import Snapshot
from knowledge.conditions import Outcome, compile_condition
from knowledge.conduct_rules import OrderEvent, order_events
from knowledge.facts import FactTree
from knowledge.records import ProvenReply, Store
from suggest.contract import ScenarioProbability, Suggestion, UnderstandingOut
from suggest.eligibility import ALLOWED, Eligibility, Gates
from suggest.escalation import beyond_authority
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from suggest.understanding import Understanding

# Of first drafts for the shops' sample orders, how many a reader would send unasked: 20 of 22. A rule's figure, not a calibrated one (D59).
_SHARE_FITTING = 0.9
_ASKED = re.compile(
    r"您(?:来|一?直)?(?:问|催|查了|追)|(?:来|追|催|反复)(?:问|催)您?|让您(?:来|追|反复)|您说(?!的?算)|查了个空|您担心|您着急"
    r"|\byou (?:are right to |have )?ask|your (?:question|message)|thanks for writing|you are worried",
    re.IGNORECASE,
)
_LOWER = 0.02  # less for each place down: the order is by rule, not by figures


class Unasked(NamedTuple):
    """What happened, and the replies that tell of it, best first."""

    event: OrderEvent
    candidates: list[Candidate]


def unasked(snapshot: Snapshot, gates: Gates, eligibility: Eligibility, facts: FactTree) -> Unasked | None:
    """Gives the most pressing event of which the shop has words; None when nothing happened, or nobody wrote of it."""
    for event in order_events():
        if compile_condition(event.when).evaluate(facts).outcome is Outcome.TRUE:
            replies = [snapshot.shop.replies[row] for row in _about(event, snapshot.columns, gates, eligibility)]
            fitting = _telling(event, replies, eligibility, facts, snapshot.shop.store)
            if fitting:
                return Unasked(event, fitting)
    return None


def _about(event: OrderEvent, columns: ReplyColumns, gates: Gates, eligibility: Eligibility) -> list[int]:
    """Rows of the replies of the event's contact reasons that this order allows and whose condition looks at what happened."""
    scenarios = [place for place, name in enumerate(columns.scenarios) if name in event.scenarios]
    looks = np.array([bool(set(event.about) & set(one.paths)) for one in gates.conditions.each], dtype=np.bool_)
    told = (columns.proactive != NO) & (columns.tone != TONES.index("upset"))  # nobody is upset who has not been told yet
    rows = np.flatnonzero(told & np.isin(columns.scenario, scenarios) & looks[gates.condition])
    allowed: list[int] = rows[eligibility.outcomes(rows) == ALLOWED].tolist()
    return allowed


def _telling(event: OrderEvent, replies: Sequence[ProvenReply], eligibility: Eligibility, facts: FactTree, store: Store) -> list[Candidate]:
    """The shop's replies about the event, the shop's own choice first, then by contact reason, then by how much of this order they look at."""
    role = facts["agent"].get("role", "agent")
    found = []
    for reply in replies:
        opening = reply if reply.proactive else _without_an_answer(reply)
        if opening is None or beyond_authority(reply, store, role=role):
            continue
        specificity = compile_condition(reply.when).specificity
        found.append(((not reply.proactive, event.scenarios.index(reply.scenario), -specificity, reply.id), opening))
    found.sort(key=lambda one: one[0])
    nothing_asked = np.zeros(len(SIGNALS), dtype=np.float32)
    return [Candidate(reply, eligibility.of_reply(reply), max(0.0, _SHARE_FITTING - _LOWER * place), nothing_asked) for place, (_, reply) in enumerate(found)]


def _without_an_answer(reply: ProvenReply) -> ProvenReply | None:
    """The reply without an opening that speaks of the customer's asking; None where more than the opening does."""
    parts = reply.templates()
    asked = [part for part, words in parts.items() if _ASKED.search(words)]
    if not asked:
        return reply
    return reply.model_copy(update={"empathy": ""}) if asked == ["empathy"] and len(parts) > 1 else None


def as_if_asked(question: Understanding, scenario: str) -> Understanding:
    """Gives the question that a reply's own phrase makes, for this contact reason alone. Who hears of trouble worries, and is met so."""
    return replace(question, scenarios={scenario: 1.0}, emotions={"anxious": 1.0}, threat=0.0, parts=(), clauses=())


def nothing_heard(happened: Unasked, *, language: str) -> UnderstandingOut:
    """Gives what is told of a request without a message: the contact reason of what happened."""
    reason = ScenarioProbability(id=happened.candidates[0].reply.scenario, probability=1.0)
    return UnderstandingOut(scenarios=[reason], emotion="calm", threatens=False, language="en" if language == "en" else "zh", products=[], questions=[])


def said_unasked(suggestions: Sequence[Suggestion], happened: Unasked, *, language: str) -> list[Suggestion]:
    """Gives the drafts as drafts of our own accord: never sent without a person, and because of the order, not of a question."""
    english = language == "en"
    told = happened.event.told[english]
    why = f"nobody asked; the order: {told}" if english else f"客户还没问；订单：{told}"
    return [one.model_copy(update={"auto_reply": False, "why": [why, *one.why[1:]]}) for one in suggestions]
