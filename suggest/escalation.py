"""When somebody else should take over, who, and what soothes until then: the gravest reason that applies. Words are data (`knowledge/conduct/alarms.toml`)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from indexes.lexical_index import lexical_terms
from knowledge.conduct_rules import Alarm, alarms
from knowledge.conduct_tables import found
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.records import EscalationTarget, ProvenReply, Store
from suggest.choices import Answer
from suggest.contract import Escalation
from suggest.understanding import Understanding

_REPEATED_COMPLAINTS = 2
LIKELY = 0.5
TRACE = 0.1  # of danger: enough where a hint stands beside it
_ILL_MOODS = ("upset", "angry")
_SURE_THREAT = 0.9  # from here on a calm message is believed to threaten
_SAME_WORDS = 0.5  # Jaccard of terms: what a customer says again
_TIMES_SAID = 3


def escalation(understanding: Understanding, facts: FactTree, *, history: Sequence[Turn], store: Store) -> Escalation | None:
    """Gives the gravest reason to hand over that lies in what the customer says or is, or None. A lead is not told to ask a lead."""
    is_lead = facts["agent"].get("role") == "lead"
    form = match_form(understanding.text)
    for alarm in alarms():
        to = store.escalation.to.get(alarm.reason, alarm.to)
        if not (is_lead and to == "lead") and _applies(alarm, form, understanding, facts, history, store):
            return _handed(alarm, to, alarm.message[store.language == "en"], store)
    return None


def asked_of_authority(offered: Iterable[ProvenReply], store: Store, *, role: str, writer: FactWriter) -> Escalation | None:
    """Gives whom to ask about the first reply offered that promises more than the person may; None when all are within."""
    reply = next((one for one in offered if beyond_authority(one, store, role=role)), None)
    if reply is None:
        return None
    alarm, english = next(alarm for alarm in alarms() if alarm.reason == "authority"), store.language == "en"
    to, message = store.escalation.to.get("authority", alarm.to), alarm.message[english]
    if reply.promises_amount:
        to, message = _whose_authority(reply.promises_amount, store, role=role, writer=writer)
    return _handed(alarm, to, message, store)


def _handed(alarm: Alarm, to: EscalationTarget, message: str, store: Store) -> Escalation:
    holding = store.escalation.holding_replies.get(alarm.reason, alarm.holding[store.language == "en"])
    return Escalation(to=to, reason=alarm.reason, message=message, holding_reply=holding)


def beyond_authority(reply: ProvenReply, store: Store, *, role: str) -> bool:
    """Whether a reply promises more than the person may: a lead's reply for an agent, or money above the limit."""
    limit = store.authority.lead_compensation_limit if role == "lead" else store.authority.agent_compensation_limit
    return (reply.authority == "lead" and role != "lead") or (reply.promises_amount is not None and reply.promises_amount > limit)


def within_authority(answer: Answer, store: Store, *, role: str) -> Answer:
    """Gives the answer with a reply beyond the person's authority only where it comes first: what is no better than their own needs nobody's leave."""
    own = [not beyond_authority(one.reply, store, role=role) for one in answer.candidates]
    if all(own):
        return answer
    first = own.index(True) if True in own else len(own)
    return replace(answer, candidates=[one for place, one in enumerate(answer.candidates) if own[place] or place < first])


def _applies(alarm: Alarm, form: str, understanding: Understanding, facts: FactTree, history: Sequence[Turn], store: Store) -> bool:
    said = says(alarm, form, store)
    danger = understanding.scenarios.get("safety", 0.0)
    match alarm.reason:
        case "injury":
            return said or (danger >= (LIKELY if understanding.emotion == "calm" else TRACE) and alarm.hints(form))
        case "safety":
            return said or (alarm.is_danger and danger >= LIKELY and not (alarm.doubts(form) and understanding.upset < LIKELY))
        case "threat":
            return said or (understanding.threatens and (understanding.threat >= _SURE_THREAT or understanding.emotion in _ILL_MOODS))
        case "repeated_complaints":
            complained = facts["customer"].get("complaints_90d", 0) >= _REPEATED_COMPLAINTS
            return complained and (understanding.upset >= LIKELY or _repeated_here().says(form))
        case "repeated_here" if alarm.promised:
            return alarm.says(form) or (alarm.hints(form) and _promised(alarm, history))
        case "repeated_here":
            return understanding.emotion != "calm" and (said or _says_again(form, history))
        case _:
            return said


def _promised(alarm: Alarm, history: Sequence[Turn]) -> bool:
    """Whether an agent has promised in this conversation to come back to it."""
    return any(found(alarm.promised, match_form(turn.text)) for turn in history if turn.role == "agent")


def says(alarm: Alarm, form: str, store: Store) -> bool:
    """Whether the matched form of a message says it, in our words or the shop's own."""
    return any(one is alarm for one in _said(form)) or any(match_form(phrase) in form for phrase in store.escalation.phrases.get(alarm.reason, ()))


@lru_cache(maxsize=16)  # of the few messages that are being answered: each is asked several times
def _said(form: str) -> tuple[Alarm, ...]:
    return tuple([alarm for alarm in alarms() if alarm.says(form)])


def _repeated_here() -> Alarm:
    return next(alarm for alarm in alarms() if alarm.reason == "repeated_here")


def _says_again(form: str, history: Sequence[Turn]) -> bool:
    """Whether the customer has said nearly the same in two turns before, the last of them answered."""
    own = [match_form(turn.text) for turn in history if turn.role == "customer"]
    terms = frozenset(lexical_terms(form))
    alike = sum(_alike(terms, frozenset(lexical_terms(text))) for text in own)
    return alike >= _TIMES_SAID - 1 and any(turn.role == "agent" for turn in history)


def _alike(terms: frozenset[str], others: frozenset[str]) -> bool:
    return bool(terms) and len(terms & others) / len(terms | others) >= _SAME_WORDS


def _whose_authority(amount: Decimal, store: Store, *, role: str, writer: FactWriter) -> tuple[EscalationTarget, str]:
    """Who may promise the amount, and the words that say so."""
    agent, lead, english = store.authority.agent_compensation_limit, store.authority.lead_compensation_limit, store.language == "en"
    to: EscalationTarget = "manager" if amount > lead else "lead"
    whose = {"manager": ("经理", "a manager's"), "lead": ("主管", "a lead's")}[to][english]
    promised, limit = writer.money(amount), writer.money(lead if role == "lead" else agent)
    if english:
        return to, f"the fitting reply promises {promised}; yours is up to {limit}, so it needs {whose} authority"
    return to, f"合适的话术承诺 {promised}，您的权限是 {limit}，需要{whose}授权"
