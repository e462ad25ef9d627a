"""Which of a shop's replies are one choice: nearly the same words, or the calm and the upset way to say the same."""

from functools import lru_cache

from indexes.lexical_index import lexical_terms
from indexes.reply_columns import gate_of
from knowledge.records import ProvenReply
from knowledge.templates import literal_words

_NEAR_DUPLICATE = 0.6  # Jaccard of character pairs; two such drafts are one choice
_VARIANT = 0.25  # the same for replies that differ in tone under one condition


def alike(reply: ProvenReply, other: ProvenReply) -> bool:
    """Whether two replies are one choice: nearly the same words, or the calm and the upset way to say the same."""
    return _shared(reply, other) >= _NEAR_DUPLICATE or variants(reply, other)


def variants(reply: ProvenReply, other: ProvenReply) -> bool:
    """Whether they are the calm and the upset way to say the same."""
    if {reply.tone, other.tone} != {"calm", "upset"} or reply.scenario != other.scenario or gate_of(reply) != gate_of(other):
        return False
    return _shared(reply, other) >= _VARIANT


def _shared(reply: ProvenReply, other: ProvenReply) -> float:
    one, another = words_of(reply), words_of(other)
    return len(one & another) / max(1, len(one | another))


def words_of(reply: ProvenReply) -> frozenset[str]:
    """Gives the lexical terms of the reply's own words, whatever the facts fill in."""
    return _words(reply.source)


@lru_cache(maxsize=8_192)  # of the shops' own replies, not of what customers say
def _words(source: str) -> frozenset[str]:
    return frozenset(lexical_terms(literal_words(source)))
