"""A shop's own messages through its new pipeline before customers' are: caches are filled, and an index that fails on its own words is never served.

What its replies say is read ahead too: a template with blanks takes two milliseconds to compile, which nobody should wait for.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

from knowledge.errors import InvalidTemplate
from knowledge.normalise import clean
from knowledge.records import ProvenReply
from knowledge.shop import Shop
from knowledge.templates import compile_template
from suggest.contract import MAX_MESSAGE_CHARS, SuggestionRequest
from suggest.likeness import words_of
from suggest.pipeline import Suggester
from suggest.traceability import claims_of_source

_N_MESSAGES = 8
_READ_AHEAD = 2_000  # replies; those of a larger shop are read when they are first drafted, else they would push other shops' out
_REST = 3.0  # times as long as an answer took: Python runs one thread at a time, and customers' messages come first


def warm(suggester: Suggester, *, resting: bool = True) -> None:
    """Answers some of the shop's own messages and throws the answers away. Whatever it raises, customers' messages would have raised too.

    Args:
        suggester: the new pipeline.
        resting: leaves the processor to others after each answer; needless where nobody is served yet.
    """
    started = time.perf_counter()
    for _ in _steps(suggester):
        if resting:
            time.sleep(_REST * (time.perf_counter() - started))
        started = time.perf_counter()


def _steps(suggester: Suggester) -> Iterator[None]:
    """Does one thing after the other, each as short as an answer."""
    shop, now = suggester.snapshot.shop, datetime.now(UTC)
    for message, history in islice(_messages(shop), _N_MESSAGES):
        suggester.suggest(SuggestionRequest.model_validate({"message": message, "history": history}), now=now, request_id="warm")
        yield
    if len(shop.replies) <= _READ_AHEAD:
        yield from map(_read, shop.replies)


def _read(reply: ProvenReply) -> None:
    """Fills what is remembered of a reply's words. One that cannot be read fails alone, when it is drafted."""
    words_of(reply)
    with suppress(InvalidTemplate):
        for source in reply.templates().values():
            compile_template(source)
            claims_of_source(source)


def _messages(shop: Shop) -> Iterator[tuple[str, tuple[dict[str, str], ...]]]:
    """The sample conversations, then first triggers of replies from all over the shop."""
    for conversation in shop.sample_conversations:
        yield conversation.message, conversation.history
    step = max(1, len(shop.replies) // _N_MESSAGES)
    for reply in shop.replies[::step]:
        words = clean(reply.triggers[0])[:MAX_MESSAGE_CHARS] if reply.triggers else ""
        if words.strip():
            yield words, ()
