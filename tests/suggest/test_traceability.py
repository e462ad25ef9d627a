from decimal import Decimal
from typing import Any

import pytest

from knowledge.formats import FactWriter
from knowledge.shop import Shop
from suggest.contract import SuggestionRequest
from suggest.pipeline import Suggester
from suggest.traceability import FactClaims, claims_of, untraceable
from tests.suggest.drafted import NOW, draft, reply

FACTS: dict[str, Any] = {
    "order": {"id": "20261109001", "hours_overdue": 50.4, "days_since_delivered": 3, "amount_paid": Decimal("129.00"),
              "delivered_at": NOW.replace(day=18, hour=14, minute=30),
              "items": [{"title": "面霜", "quantity": 2}, {"title": "毛巾"}], "logistics": {"last_event": "已到达杭州3号库", "tracking_no": "XF7731"}},
    "customer": {}, "now": NOW,
}  # fmt: skip
SOURCE = "签收7天内可以退，{{ '免费' if order.is_delivered else '3小时内' }}取件，2小时内回您。"


def found(text: str, *, language: str = "zh-CN", source: str = SOURCE, passages: tuple[str, ...] = (), written: tuple[str, ...] = ()) -> list[str]:
    writer = FactWriter(now=NOW, timezone="Asia/Shanghai", language=language, currency="USD" if language == "en" else "CNY")
    facts = FactClaims(FACTS, {"return_window_days": 7}, writer)
    return [text[one.start : one.end] for one in untraceable(text, sources=[source], facts=facts, passages=passages, written=written)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("签收7天内可以退，2小时内回您，免费取件。", id="the reply's own words, those its code may say too"),
        pytest.param("11月18日签收，就是11月18日14:30，3天前。", id="a moment, in every form"),
        pytest.param("实付¥129，也就是129元。", id="money"),
        pytest.param("超时2天，签收第3天，共3件。", id="a stretch, days, units"),
        pytest.param("单号XF7731，尾号9001，202****9001，最近到3号库。", id="numbers of the order, tails, masked, inside words"),
        pytest.param("簽收7天內可以退，2小時內回您。", id="in Traditional"),
        pytest.param("好的，我看看。", id="nothing claimed"),
    ],
)
def test_what_comes_from_order_or_reply_passes(text: str) -> None:
    assert [] == found(text)


@pytest.mark.parametrize(
    ("text", "planted"),
    [
        pytest.param("2小时内回您，补偿您50元。", ["补偿", "50元"], id="compensation"),
        pytest.param("1小时内回您。", ["1小时"], id="another time"),
        pytest.param("11月19日签收。", ["11月19日"], id="another day"),
        pytest.param("明天就到。", ["明天"], id="a day as people say it"),
        pytest.param("实付¥128。", ["¥128"], id="another amount"),
        pytest.param("签收第3元。", ["3元"], id="a fact's number in another unit"),
        pytest.param("单号XF7732。", ["XF7732"], id="another parcel"),
        pytest.param("包邮，三天内到。", ["包邮", "三天内"], id="a promise, a number in words"),
        pytest.param("補償您50元，保證送到。", ["補償", "50元", "保證"], id="in Traditional"),
    ],
)
def test_what_comes_from_nowhere_is_marked_where_it_stands(text: str, planted: list[str]) -> None:
    assert planted == found(text)


def test_english_claims() -> None:
    source = "It ships within 2 business days, and you get a $5 store credit."

    assert [] == found("You get a $5 store credit; it ships within 2 business days. It came Nov 18.", language="en", source=source)
    assert ["3 business days", "free", "tomorrow"] == found("It ships in 3 business days, free, and arrives tomorrow.", language="en", source=source)


def test_a_quoted_passage_and_a_calculation_of_the_reply_are_sources() -> None:
    assert [] == found("运费¥12由我们补偿。", passages=("退货运费¥12，质量问题由我们补偿。",))
    assert [] == found("还能再退4天。", source="还能再退{{ store.return_window_days - order.days_since_delivered }}天。", written=("4",))
    assert ["4天"] == found("还能再退4天。", source="还能再退。")


def test_claims_keep_their_places_where_a_letter_grows_in_lower_case() -> None:
    assert [(2, 4)] == [(one.start, one.end) for one in claims_of("İ 3天")]


def test_draft_is_traceable_by_construction_and_its_warning_blocks_sending() -> None:
    order = {"delivered_at": "2026-11-18T14:30:00+08:00", "amount_paid": "129.00"}
    made = draft(reply(text="{{ order.delivered_at | moment }}签收，实付{{ order.amount_paid | money }}，{{ order.amount_paid * 2 }}。"), order=order)

    assert ("11月18日14:30签收，实付¥129，258。", ()) == (made.text, made.warnings)


@pytest.mark.parametrize("shop", ["demo_suggester", "english_suggester"])
def test_drafts_of_the_shops_are_traceable_to_facts_and_words_alone(shop: str, request: pytest.FixtureRequest, demo_shop: Shop) -> None:
    """Read anew from the records: nothing that the drafter kept is asked."""
    suggester: Suggester = request.getfixturevalue(shop)
    english = shop == "english_suggester"
    store = suggester.snapshot.shop.store
    replies = {one.id: one for one in suggester.snapshot.shop.replies}
    order = {"id": "20261109001", "status": "shipped", "paid_at": "2026-11-18T09:00:00+08:00", "shipped_at": "2026-11-19T09:00:00+08:00",
             "amount_paid": "129.00",
             "logistics": {"carrier": "迅风速运", "tracking_no": "XF7731", "status": "in_transit", "last_event": "已到达杭州",
                           "last_event_at": "2026-11-20T20:00:00+08:00", "eta": "2026-11-22"}, "items": [{"sku": "CL-001", "quantity": 1}]}  # fmt: skip
    for message in ("where is my parcel", "can I still cancel") if english else ("快递到哪了", "能取消吗", "运费谁出", "怎么开发票"):
        asked = SuggestionRequest.model_validate({"message": message, "order": order, "top_k": 10})
        facts = suggester.facts(asked, NOW)
        writer = FactWriter(now=NOW, timezone=store.timezone, language=store.language, currency=store.currency)
        suggestions = suggester.suggest(asked, now=NOW, request_id="r").suggestions
        assert suggestions
        for one in suggestions:
            frames = [frame.text for frame in (*store.style.openings, *store.style.closings, *store.style.empathy)]
            sources = [source for reply_id in one.reply_ids for source in replies[reply_id].templates().values()] + frames
            assert [] == list(untraceable(one.text, sources=sources, facts=FactClaims(facts, store.model_dump(), writer))), one.reply_ids
