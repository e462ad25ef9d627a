"""Which words of empathy are in place: all for the troubled; for the calm no feeling they did not show, and no apology unless one is owed."""

import re
from collections.abc import Mapping
from typing import Any

from knowledge.records import ProvenReply
from suggest.understanding import Understanding

CALM = 0.5  # below this probability of being upset, an apology is out of place
_APOLOGY = re.compile(r"抱歉|对不起|不好意思|让您久等|sorry|apolog", re.IGNORECASE)
_TROUBLED_PARCELS = frozenset({"stalled", "damaged", "lost"})
_OUR_FAULT = frozenset({"logistics.damage", "logistics.lost", "logistics.wrong_item", "order.exception", "return.quality"})  # contact reasons


def is_calm(understanding: Understanding) -> bool:
    """Whether the customer shows no trouble at all."""
    return understanding.upset < CALM and understanding.emotion == "calm"


def in_place(reply: ProvenReply, understanding: Understanding, facts: Mapping[str, Any], *, feelings: str) -> bool:
    """Whether the reply's part of empathy suits this customer.

    Args:
        reply: one with such a part.
        understanding: what was heard.
        facts: of the request; who has an order that is late, in trouble, broken or wrong is owed an apology however calmly they tell it.
        feelings: expression for words that tell people how they feel.
    """
    if not is_calm(understanding):
        return True
    if reply.tone == "upset" or (feelings and re.search(feelings, reply.empathy)):
        return False
    return _owes_an_apology(facts, reply.scenario) or not _APOLOGY.search(reply.empathy)


def _owes_an_apology(facts: Mapping[str, Any], scenario: str) -> bool:
    """Whether something went wrong with this order: by its facts, or by what the reply is about. Of no order nothing has."""
    order = facts["order"]
    if order and scenario in _OUR_FAULT:
        return True
    return bool(order.get("ship_overdue") or order.get("delivery_overdue")) or order.get("logistics", {}).get("status") in _TROUBLED_PARCELS
