from dataclasses import replace
from datetime import UTC, date, datetime

from indexes.changes import Changes, Dates, changes, dates
from knowledge.records import Article, ProvenReply
from knowledge.shop import Shop


def reply(reply_id: str, **fields: object) -> ProvenReply:
    return ProvenReply.model_validate({"id": reply_id, "scenario": "invoice", "text": "好的", "status": "approved", **fields})


def test_what_is_new_edited_and_gone_by_id(tiny_shop: Shop):
    old = replace(tiny_shop, replies=(reply("a"), reply("b"), reply("c"), reply("d", status="draft")))
    new = replace(tiny_shop, replies=(reply("b", text="好的呀"), reply("c", status="blocked"), reply("d"), reply("e")))

    found = changes(old, new)

    assert found == {"replies": Changes(added=("d", "e"), changed=("b",), removed=("a", "c")), "articles": Changes()}
    assert changes(None, old)["replies"] == Changes(added=("a", "b", "c"))


def test_days_are_the_shops_own_and_both_are_in_force(tiny_shop: Shop):
    """At 2026-11-21 20:00 UTC it is the 22nd in Shanghai."""
    replies = (
        *(reply(f"to-{day}", effective_to=f"2026-{day}") for day in ("11-21", "11-22", "12-06", "12-07")),
        reply("from-11-22", effective_from="2026-11-22"),
        reply("from-11-23", effective_from="2026-11-23"),
        reply("old-draft", effective_to="2020-01-01", status="draft"),
    )
    articles = (Article(id="x", title="x", kind="faq", body="x", effective_to=date(2026, 12, 1)),)

    found = dates(replace(tiny_shop, replies=replies, articles=articles), now=datetime(2026, 11, 21, 20, tzinfo=UTC))

    assert found["replies"] == Dates(
        expired=(("to-11-21", "2026-11-21"),),
        expiring=(("to-11-22", "2026-11-22"), ("to-12-06", "2026-12-06")),
        upcoming=(("from-11-23", "2026-11-23"),),
    )
    assert found["articles"] == Dates(expiring=(("x", "2026-12-01"),))
