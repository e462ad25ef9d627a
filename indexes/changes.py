"""What a reindex changes of a shop's knowledge, and which of it runs out by itself. Ids only, never the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from indexes.stored_replies import ApprovedReplies, StoredReplies, digests_of, ids_of
from knowledge.records import Article, ProvenReply
from knowledge.shop import Shop

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids that are new, that read otherwise, and that are gone, each sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dates:
    """Ids with the day that matters: no longer in force, in force for at most 14 days more, not yet in force. Ordered by day, then id."""

    expired: tuple[tuple[str, str], ...] = ()
    expiring: tuple[tuple[str, str], ...] = ()
    upcoming: tuple[tuple[str, str], ...] = ()


def approved(shop: Shop) -> Sequence[ProvenReply]:
    """Gives the replies that enter an index."""
    if isinstance(shop.replies, StoredReplies | ApprovedReplies):
        return shop.replies
    return ApprovedReplies(reply for reply in shop.replies if reply.status == "approved")


def changes(old: Shop | None, new: Shop) -> dict[str, Changes]:
    """Gives the changes of `replies` and `articles`; drafts and blocked replies count as not there."""
    return {
        "replies": _changes_of_replies(approved(old) if old else (), approved(new)),
        "articles": _changes(old.articles if old else (), new.articles),
    }


def dates(shop: Shop, *, now: datetime) -> dict[str, Dates]:
    """Gives what ran out, runs out or is to come of `replies` and `articles`, by the day of `now` in the shop's timezone."""
    today = now.astimezone(ZoneInfo(shop.store.timezone)).date()
    return {"replies": _dates(approved(shop), today), "articles": _dates(shop.articles, today)}


def _changes_of_replies(old: Sequence[ProvenReply], new: Sequence[ProvenReply]) -> Changes:
    """By digests where the old ones are a large shop's: they are not read for it."""
    if not isinstance(old, StoredReplies):
        return _changes(old, new)
    before, after = ({one: digest.tobytes() for one, digest in zip(ids_of(replies), digests_of(replies), strict=True)} for replies in (old, new))
    return _compared(before, after)


def _changes(old: Sequence[Any], new: Sequence[Any]) -> Changes:
    before, after = ({record.id: record for record in records} for records in (old, new))
    return _compared(before, after)


def _compared(before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(one for one in after.keys() & before.keys() if after[one] != before[one])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def _dates(records: Sequence[ProvenReply | Article], today: date) -> Dates:
    ends = sorted((one.effective_to.isoformat(), one.id) for one in records if one.effective_to)
    starts = sorted((one.effective_from.isoformat(), one.id) for one in records if one.effective_from and one.effective_from > today)
    this_day, soon = today.isoformat(), (today + SOON).isoformat()
    return Dates(
        expired=tuple((one, day) for day, one in ends if day < this_day),
        expiring=tuple((one, day) for day, one in ends if this_day <= day <= soon),
        upcoming=tuple((one, day) for day, one in starts),
    )
