"""A shop's own messages through its new pipeline before customers' are: caches are filled, and an index that fails on its own words is never served."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from knowledge.normalise import clean
from knowledge.shop import Shop
from suggest.contract import MAX_MESSAGE_CHARS, SuggestionRequest
from suggest.pipeline import Suggester

_N_MESSAGES = 8
_REST = 3.0  # times as long as an answer took: Python runs one thread at a time, and customers' messages come first


def warm(suggester: Suggester, *, resting: bool = True) -> None:
    """Answers some of the shop's own messages and throws the answers away. Whatever it raises, customers' messages would have raised too.

    Args:
        suggester: the new pipeline.
        resting: leaves the processor to others after each answer; needless where nobody is served yet.
    """
    now = datetime.now(UTC)
    for message, history in islice(_messages(suggester.snapshot.shop), _N_MESSAGES):
        started = time.perf_counter()
        suggester.suggest(SuggestionRequest.model_validate({"message": message, "history": history}), now=now, request_id="warm")
        if resting:
            time.sleep(_REST * (time.perf_counter() - started))


def _messages(shop: Shop) -> Iterator[tuple[str, tuple[dict[str, str], ...]]]:
    """The sample conversations, then first triggers of replies from all over the shop."""
    for conversation in shop.sample_conversations:
        yield conversation.message, conversation.history
    step = max(1, len(shop.replies) // _N_MESSAGES)
    for reply in shop.replies[::step]:
        words = clean(reply.triggers[0])[:MAX_MESSAGE_CHARS] if reply.triggers else ""
        if words.strip():
            yield words, ()
