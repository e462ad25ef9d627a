"""Which of a shop's replies are one choice: nearly the same words, or the calm and the upset way to say the same."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from indexes.lexical_index import lexical_terms
from indexes.reply_columns import gate_of
from knowledge.records import ProvenReply
from knowledge.templates import literal_words

_NEAR_DUPLICATE = 0.6  # Jaccard of character pairs; two such drafts are one choice
_VARIANT = 0.25  # the same for replies that differ in tone under one condition
_TWIN = 0.1  # the same for the two that are nearest to each other of those: people soothe in other words than they inform


def alike(reply: ProvenReply, other: ProvenReply) -> bool:
    """Whether two replies are one choice: nearly the same words, or the calm and the upset way to say the same."""
    return _shared(reply, other) >= _NEAR_DUPLICATE or _variants(reply, other)


def _variants(reply: ProvenReply, other: ProvenReply) -> bool:
    """Whether they are the calm and the upset way to say the same."""
    if {reply.tone, other.tone} != {"calm", "upset"} or reply.scenario != other.scenario or gate_of(reply) != gate_of(other):
        return False
    return _shared(reply, other) >= _VARIANT


def twins(replies: Iterable[ProvenReply]) -> dict[str, str]:
    """Gives, by id, which two replies are the usual and the upset way to say the same: of one contact reason and gate, each nearest to the other.

    The usual way is one written for the calm; else one without a tone, where the two share a quarter of their words and a condition. Danger has no twins.
    """
    by_reason: dict[str, list[ProvenReply]] = {}
    for one in replies:
        by_reason.setdefault(one.scenario, []).append(one)
    found: dict[str, str] = {}
    for scenario, same in by_reason.items():
        if any(one.tone == "upset" for one in same) and scenario != "safety":
            found |= _pairs(same)
    return found


def _pairs(replies: Iterable[ProvenReply]) -> dict[str, str]:
    groups: dict[tuple[object, str], dict[str, list[ProvenReply]]] = {}
    for one in replies:
        groups.setdefault((gate_of(one), one.authority), {"calm": [], "upset": [], "": []})[one.tone].append(one)
    found: dict[str, str] = {}
    for tones in groups.values():
        if tones["upset"]:
            found |= _nearest_pairs(tones["calm"], tones["upset"], _TWIN)
            left = [one for one in tones["upset"] if one.id not in found]
            found |= _nearest_pairs([one for one in tones[""] if one.when], left, _VARIANT)
    return found


def _nearest_pairs(usual: Sequence[ProvenReply], upset: Sequence[ProvenReply], least: float) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in usual:
        other = _nearest(one, upset)
        if other is not None and _nearest(other, usual) is one and _shared(one, other) >= least:
            found |= {one.id: other.id, other.id: one.id}
    return found


def _nearest(reply: ProvenReply, others: Iterable[ProvenReply]) -> ProvenReply | None:
    """The one with the most words in common, the first by id of equals."""
    return min(others, key=lambda other: (-_shared(reply, other), other.id), default=None)


def _shared(reply: ProvenReply, other: ProvenReply) -> float:
    return _shared_words(reply.source, other.source)


@lru_cache(maxsize=65_536)  # the same replies meet again and again
def _shared_words(source: str, other: str) -> float:
    one, another = _words(source), _words(other)
    return len(one & another) / max(1, len(one | another))


def words_of(reply: ProvenReply) -> frozenset[str]:
    """Gives the lexical terms of the reply's own words, whatever the facts fill in."""
    return _words(reply.source)


@lru_cache(maxsize=8_192)  # of the shops' own replies, not of what customers say
def _words(source: str) -> frozenset[str]:
    return frozenset(lexical_terms(literal_words(source)))
