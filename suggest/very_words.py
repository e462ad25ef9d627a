"""A message in a trigger's very words: whoever wrote that trigger meant this reply, as long as the order allows it."""

import re
from collections.abc import Sequence
from functools import lru_cache

from knowledge.conditions import Outcome
from knowledge.normalise import match_form
from knowledge.records import ProvenReply
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from suggest.understanding import Understanding

_NOT_SAID = re.compile(r"[\W_]+")
_CLAUSE_ENDS = re.compile(r"[\s,.!?;~，。！？；、…]+")
_TRIGGER, _CLAUSE = SIGNALS.index("trigger"), SIGNALS.index("trigger_clause")
_NEAR = 0.9  # the same words have a cosine of 1, whatever the marks
_CLAUSE_CHARS = 4  # a shorter piece, «在吗», stands beside what is asked
_STANDS_ALONE = 0.5  # of the weight that history has: «退款» after an offer is an answer, not the question of a trigger


def in_very_words(candidates: Sequence[Candidate], question: Understanding) -> list[Candidate]:
    """Gives them with the one first whose trigger the message is, else one of the same contact reason whose trigger a clause of it is.

    Each place keeps its confidence. Nothing moves where the first has such a trigger itself, where history tells what is meant, or where the
    condition is not known to hold.
    """
    found = list(candidates)
    near = [one for one in found if one.signals[_TRIGGER] >= _NEAR or one.signals[_CLAUSE] >= _NEAR]  # the others' triggers need not be read
    if not near or question.lean_on_history >= _STANDS_ALONE:
        return found
    whole = _bare(question.text)
    clauses = {bare for piece in _CLAUSE_ENDS.split(match_form(question.text)) if len(bare := _bare(piece)) >= _CLAUSE_CHARS}
    first = found[0].reply
    chosen = next((one for one in near if _holds(one) and whole in _triggers(one.reply)), None)
    if chosen is None and clauses and not clauses & _triggers(first):
        chosen = next((one for one in near if _holds(one) and one.reply.scenario == first.scenario and clauses & _triggers(one.reply)), None)
    if chosen is None or chosen.reply is first or whole in _triggers(first):
        return found
    order = [chosen, *(one for one in found if one is not chosen)]
    return [one._replace(confidence=place.confidence) for one, place in zip(order, found, strict=True)]


def _holds(candidate: Candidate) -> bool:
    return candidate.verdict.outcome is Outcome.TRUE


def _bare(text: str) -> str:
    """What is said, without marks and spaces."""
    return _NOT_SAID.sub("", match_form(text))


def _triggers(reply: ProvenReply) -> frozenset[str]:
    return _bare_triggers(reply.triggers)


@lru_cache(maxsize=16_384)  # of the shops' own replies
def _bare_triggers(triggers: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_bare(trigger) for trigger in triggers) - {""}
