"""What is wrong with the words of `store.toml` that customers read: openings, closings, words of empathy, holding replies, the second way to apologise."""

from collections.abc import Iterator

from knowledge.findings import Finding, FindingWriter, Place
from knowledge.records import Store
from knowledge.reply_checks import GRAVE_CODES, readable
from knowledge.style_check import style_checker_of
from suggest.traceability import claims_of

_PLACE = Place("store.toml")


def store_word_findings(store: Store, writer: FindingWriter) -> Iterator[Finding]:
    """Gives what the team lead should look at, each with its list and number, such as `style.closings 2`."""
    checker, limit = style_checker_of(store), store.authority.agent_compensation_limit
    for field, words in _read_by_customers(store):
        for one in checker.check(words, amount_limit=limit):
            code = "law" if one.code in GRAVE_CODES else "style"
            yield writer.of_shop(code, _PLACE, field, words=words[one.start : one.end][:20], message=one.message)
    for reason, words in sorted(store.escalation.holding_replies.items()):
        for claim in claims_of(words):
            yield writer.of_shop("holding_promise", _PLACE, f"escalation.holding_replies {reason}", words=words[claim.start : claim.end])


def _read_by_customers(store: Store) -> Iterator[tuple[str, str]]:
    style = store.style
    for name, frames in (("openings", style.openings), ("closings", style.closings), ("empathy", style.empathy)):
        for number, frame in enumerate(frames, start=1):
            yield f"style.{name} {number}", readable(frame.text, store)
    for number, one in enumerate(style.apologies, start=1):
        yield f"style.apologies {number}", one.instead
    for reason, words in sorted(store.escalation.holding_replies.items()):
        yield f"escalation.holding_replies {reason}", words
