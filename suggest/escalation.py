"""When a lead should take over, and what to ask back. First version: threats, safety, repeated complaints, replies beyond the agent's authority."""

from collections.abc import Sequence

from knowledge.facts import FactTree
from suggest.contract import Escalation
from suggest.ranking import Candidate
from suggest.understanding import Understanding

_REPEATED_COMPLAINTS = 2
_LIKELY = 0.5
_WORDS = {
    "safety": ("可能涉及人身或用电安全，请立即转主管", "people or property may be in danger; hand over to a lead at once"),
    "threat": ("客户提到差评、投诉或法律途径，请转主管跟进", "the customer speaks of a bad review, a complaint or legal steps; hand over to a lead"),
    "repeated_complaints": ("该客户近 90 天多次投诉，请转主管跟进", "this customer complained repeatedly in 90 days; hand over to a lead"),
    "authority": ("合适的话术需要主管授权", "the fitting reply needs a lead's authority"),
}
# Order questions whose answer lies in the order: without one, ask for it.
_NEEDS_ORDER = ("logistics.", "order.", "refund.", "return.", "exchange", "aftersale.", "invoice", "warranty.", "promo.price_protection", "product.install")


def escalation(understanding: Understanding, facts: FactTree, *, beyond_authority: bool, language: str) -> Escalation | None:
    """Gives the first reason that applies, gravest first, or None; a lead's reply among the drafts is one. A lead is not told to ask a lead."""
    if facts["agent"].get("role") == "lead":
        return None
    reasons = {
        "safety": understanding.scenarios.get("safety", 0.0) >= _LIKELY,
        "threat": understanding.threatens,
        "repeated_complaints": facts["customer"].get("complaints_90d", 0) >= _REPEATED_COMPLAINTS and understanding.upset >= _LIKELY,
        "authority": beyond_authority,
    }
    reason = next((name for name, applies in reasons.items() if applies), None)
    if reason is None:
        return None
    return Escalation(to="lead", reason=reason, message=_WORDS[reason][language == "en"])


def clarifying_questions(understanding: Understanding, candidates: Sequence[Candidate], facts: FactTree, silent: bool, language: str) -> list[str]:
    """Gives what to ask back: the order where its facts would decide, the matter itself where nothing was understood."""
    english = language == "en"
    top = max(sorted(understanding.scenarios), key=lambda name: understanding.scenarios[name])
    if not facts["order"] and any(top.startswith(prefix) for prefix in _NEEDS_ORDER):
        return ["Could you share the order number so that I can check it for you?" if english else "麻烦您发一下订单号，我帮您查一下具体情况，好吗？"]
    items = facts["order"].get("items", [])
    if len(items) > 1 and "item" not in facts["order"] and candidates and any("order.item" in path for path in candidates[0].verdict.verify):
        names = ("or " if english else "还是").join(f"「{item.get('title', item.get('sku', ''))}」" for item in items[:4])
        return [f"Which item is it about: {names}?" if english else f"请问您说的是{names}呢？"]
    if silent and understanding.emotion in ("calm", "anxious") and not understanding.language == "en":
        return ["请问您想咨询的是商品、物流还是售后方面的问题呢？方便的话多说一点，我马上帮您看。"]
    if silent:
        return ["Could you tell me a little more about what you need, so that I can help?"]
    return []
