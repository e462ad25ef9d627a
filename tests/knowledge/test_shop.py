import csv
import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from knowledge.conditions import Outcome, compile_condition
from knowledge.errors import InvalidKnowledge
from knowledge.records import Article, Attachment, Authority, Product, Promotion, ProvenReply, SampleConversation, SampleOrder, Store
from knowledge.shop import Shop, in_force, load_shop
from knowledge.style_records import BannedPhrase, Style

STORE_TOML = """id = "tiny"
name = "小店"
timezone = "Asia/Shanghai"
price_protection_days = 15

[authority]
agent_compensation_limit = "30"

[style]
max_chars = 200

[[style.banned_phrases]]
phrase = "亲亲"
reason = "敷衍"
use_instead = "您"

[[calendar]]
name = "双11"
from = 2026-10-20
to = 2026-11-11
"""
ARTICLE = "---\nid: ship-48h\ntitle: 48小时发货\nkind: policy\n---\n付款后48小时内发出。\n"

REPLIES: list[dict[str, Any]] = [
    {
        "id": "expedite-overdue",
        "scenario": "order.expedite",
        "when": 'order.status in ["paid", "picking"] && order.ship_overdue',
        "tone": "upset",
        "empathy": "让您久等了，\n真抱歉。",
        "information": '承诺{{ order.promised_ship_by | date }}前发出，"已超时"。',
        "action": "我马上催仓库。",
        "triggers": ["怎么还不发货", "都三天了"],
        "cites": ["ship-48h"],
        "authority": "lead",
        "promises_amount": "10.50",
        "status": "approved",
        "products": ["服饰"],
        "attachments": [{"title": "发货说明", "url": "https://example.com/ship", "kind": "link"}],
        "effective_from": "2026-11-01",
        "effective_to": "2026-11-20",
        "effective_basis": "paid_at",
        "notes": "大促用",
    },
    {"id": "bye", "scenario": "chat.closing", "text": "感谢您，再见。", "status": "draft"},
]
PRODUCTS: list[dict[str, Any]] = [
    {
        "sku": "HA-1",
        "title": "榨汁杯",
        "category": "家电",
        "aliases": ["果汁机"],
        "attributes": {"容量": "300ml"},
        "no_reason_return": False,
        "warranty_months": 12,
    },
    {"sku": "CL-1", "title": "羽绒服"},
]


def cell(value: Any) -> Any:
    """As staff write it in a table: bars between words, JSON for the rest."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "|".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.with_suffix(".csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns(rows))
        writer.writeheader()
        writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_xlsx(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    book = openpyxl.Workbook()
    book.active.append(columns(rows))
    for row in rows:
        values = {
            name: date.fromisoformat(value) if name.startswith("effective_") and name != "effective_basis" else cell(value) for name, value in row.items()
        }
        book.active.append([values.get(name) for name in columns(rows)])
    book.save(path.with_suffix(".xlsx"))


Writer = Callable[[Path, Sequence[dict[str, Any]]], None]


def write_shop(
    folder: Path,
    *,
    write: Writer = write_jsonl,
    replies: Sequence[dict[str, Any]] = REPLIES,
    products: Sequence[dict[str, Any]] = PRODUCTS,
    store: str = STORE_TOML,
    articles: dict[str, str] | None = None,
) -> Path:
    (folder / "articles").mkdir(parents=True)
    (folder / "store.toml").write_text(store, encoding="utf-8")
    for name, source in ({"ship.md": ARTICLE} if articles is None else articles).items():
        (folder / "articles" / name).write_text(source, encoding="utf-8")
    write(folder / "replies", replies)
    write(folder / "products", products)
    return folder


def mistakes(folder: Path) -> list[tuple[str, int, str, str, str]]:
    with pytest.raises(InvalidKnowledge) as caught:
        load_shop(folder)
    return [(row.path, row.line, row.field, row.expected, row.got) for row in caught.value.bad_rows]


def reply(**fields: Any) -> dict[str, Any]:
    return {"id": "r", "scenario": "invoice", "text": "好的。", "status": "approved", **fields}


# ---- a good shop


@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_xlsx], ids=["csv", "jsonl", "xlsx"])
def test_a_shop_is_the_same_in_every_form(tmp_path, write):
    article = Article(id="ship-48h", title="48小时发货", kind="policy", body="付款后48小时内发出。")
    shop = load_shop(write_shop(tmp_path / "tiny", write=write))

    assert shop.store == Store(
        id="tiny", name="小店", price_protection_days=15, authority=Authority(agent_compensation_limit=Decimal(30)),
        style=Style(max_chars=200, banned_phrases=(BannedPhrase(phrase="亲亲", reason="敷衍", use_instead="您"),)),
        calendar=(Promotion.model_validate({"name": "双11", "from": date(2026, 10, 20), "to": date(2026, 11, 11)}),),
    )  # fmt: skip
    assert shop.articles == (article,)
    assert [("ship-48h#48小时发货", "付款后48小时内发出。")] == [(passage.id, passage.text) for passage in shop.passages]
    assert shop.replies == (
        ProvenReply(id="bye", scenario="chat.closing", text="感谢您，再见。", status="draft"),
        ProvenReply(
            id="expedite-overdue", scenario="order.expedite", when='order.status in ["paid", "picking"] && order.ship_overdue', tone="upset",
            empathy="让您久等了，\n真抱歉。", information='承诺{{ order.promised_ship_by | date }}前发出，"已超时"。', action="我马上催仓库。",
            triggers=("怎么还不发货", "都三天了"), cites=("ship-48h",), authority="lead", promises_amount=Decimal("10.50"), status="approved",
            products=("服饰",), attachments=(Attachment(title="发货说明", url="https://example.com/ship", kind="link"),),
            effective_from=date(2026, 11, 1), effective_to=date(2026, 11, 20), effective_basis="paid_at", notes="大促用",
        ),
    )  # fmt: skip
    assert shop.products == (
        Product(sku="CL-1", title="羽绒服"),
        Product(sku="HA-1", title="榨汁杯", category="家电", aliases=("果汁机",), attributes={"容量": "300ml"}, no_reason_return=False, warranty_months=12),
    )


def test_forms_may_be_mixed_and_products_left_out(tmp_path):
    folder = write_shop(tmp_path / "tiny")
    write_csv(folder / "replies", [reply(id="from-csv")])
    (folder / "products.jsonl").unlink()
    shop = load_shop(folder)

    assert (["bye", "expedite-overdue", "from-csv"], ()) == ([one.id for one in shop.replies], shop.products)


def test_samples_for_the_console_are_read(tmp_path):
    folder = write_shop(tmp_path / "tiny")
    write_jsonl(folder / "sample_orders", [{"id": "late", "name": "晚发", "order": {"status": "paid", "paid_at": "-60h"}}])
    write_jsonl(folder / "sample_conversations", [{"name": "催", "message": "快发", "order_id": "late", "history": [{"role": "customer", "text": "在吗"}]}])
    shop = load_shop(folder)

    assert (SampleOrder(id="late", name="晚发", order={"status": "paid", "paid_at": "-60h"}),) == shop.sample_orders
    assert (SampleConversation(name="催", message="快发", order_id="late", history=({"role": "customer", "text": "在吗"},)),) == shop.sample_conversations


def test_the_parts_of_a_reply():
    parts = ProvenReply.model_validate(reply(text="", empathy="抱歉。", information=" ", action="我来办。"))

    assert {"empathy": "抱歉。", "action": "我来办。"} == parts.templates()
    assert {"text": "好的。"} == ProvenReply.model_validate(reply()).templates()


# ---- a bad shop


def test_all_bad_rows_of_all_files_are_reported_at_once(tmp_path):
    folder = write_shop(
        tmp_path / "tiny",
        write=write_csv,
        store=STORE_TOML.replace('"Asia/Shanghai"', '"Asia/Shangai"'),
        articles={
            "a.md": ARTICLE,
            "b.md": ARTICLE,
            "c.md": "没有前置",
            "d.md": "---\nid: d\ntitle: 题\nkind: rule\neffective_from: 2026-02-30\n---\n文",
        },
        replies=[
            reply(id="ok", text="一\n二\n三"),
            reply(id="status", status="approve"),
            reply(id="ok"),
            reply(id="cites", cites=["ship-48h", "ship-72h"]),
            reply(id="dates", effective_from="2026-11-12", effective_to="2026-11-11"),
            reply(id="date", effective_from="11月12日"),
            reply(id="when", when="order.staus == 'paid'"),
            reply(id="template", text="单号{{ order.logistics.traking_no }}"),
            reply(id="silent", text=" "),
            reply(id="scenario", scenario="expedite"),
            reply(id="amount", promises_amount="十元"),
            reply(id="attachment", attachments="[{"),
            reply(id="空 格"),
        ],
        products=[
            {"sku": "A", "title": "甲", "warranty_months": "一年"},
            {"sku": "A", "title": "乙"},
            {"sku": "A", "title": "丙"},
            {"sku": "B", "colour": "红"},
        ],
    )

    assert [
        ("articles/b.md", 1, "id", "expected an id of its own; articles/a.md:1 has it too", "ship-48h"),
        ("articles/c.md", 1, "front matter", "expected YAML between two lines of ---", ""),
        ("articles/d.md", 4, "kind", "Input should be 'policy', 'product', 'process' or 'faq'", "rule"),
        ("articles/d.md", 5, "effective_from", "Input should be a valid date or datetime, day value is outside expected range", "2026-02-30"),
        ("products.csv", 2, "warranty_months", "Input should be a valid integer, unable to parse string as an integer", "一年"),
        ("products.csv", 4, "sku", "expected an id of its own; products.csv:3 has it too", "A"),
        (
                "products.csv", 5, "colour",
                "unknown field; expected one of sku, title, category, aliases, attributes, no_reason_return, warranty_months, price", "红",
            ),
        ("products.csv", 5, "title", "required, but it is not there", ""),
        ("replies.csv", 5, "status", "Input should be 'approved', 'draft' or 'blocked'", "approve"),
        ("replies.csv", 6, "id", "expected an id of its own; replies.csv:2 has it too", "ok"),
        ("replies.csv", 7, "cites", "expected the id of an article of this shop", "ship-72h"),
        ("replies.csv", 8, "row", "effective_from is after effective_to; expected a day on or before it", ""),
        ("replies.csv", 9, "effective_from", "Input should be a valid date or datetime, invalid character in year", "11月12日"),
        ("replies.csv", 10, "when", "names 'order.staus', which order does not have; did you mean 'order.status'?", "order.staus == 'paid'"),
        (
            "replies.csv", 11, "text", "names 'order.logistics.traking_no', which order.logistics does not have; did you mean 'order.logistics.tracking_no'?",
            "单号{{ order.logistics.traking_no }}",
        ),
        ("replies.csv", 12, "row", "no words: expected at least one of empathy, information, value, action, or text", ""),
        ("replies.csv", 13, "scenario", "expected a scenario of the list, or the shop's own written as group.name", "expedite"),
        ("replies.csv", 14, "promises_amount", "Input should be a valid decimal", "十元"),
        ("replies.csv", 15, "attachments", "Expecting property name enclosed in double quotes: line 1 column 3 (char 2)", "[{"),
        ("replies.csv", 16, "id", "String should match pattern '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,119}$'", "空 格"),
        ("store.toml", 3, "timezone", "expected a zone name such as Asia/Shanghai", "Asia/Shangai"),
    ] == mistakes(folder)  # fmt: skip


@pytest.mark.parametrize(
    ("write", "path"), [(write_csv, "replies.csv"), (write_jsonl, "replies.jsonl"), (write_xlsx, "replies.xlsx")], ids=["csv", "jsonl", "xlsx"]
)
def test_a_mistyped_column_is_told_with_the_nearest_in_every_form(tmp_path, write, path):
    folder = write_shop(tmp_path / "tiny", write=write, replies=[reply(id="a"), reply(id="b", trigers=["退款"])])
    line = 2 if write is write_jsonl else 3

    assert [(path, line, "trigers", "unknown field; did you mean 'triggers'?")] == [found[:4] for found in mistakes(folder)]


def test_an_id_may_not_stand_in_two_files(tmp_path):
    folder = write_shop(tmp_path / "tiny")
    write_csv(folder / "replies", [reply(id="bye")])

    assert [("replies.jsonl", 2, "id", "expected an id of its own; replies.csv:2 has it too", "bye")] == mistakes(folder)


@pytest.mark.parametrize("status", ["draft", "blocked"])
def test_a_reply_that_is_not_approved_is_checked_all_the_same(tmp_path, status):
    folder = write_shop(tmp_path / "tiny", replies=[reply(status=status, text="{{ order.nope }}", cites=["gone"])])

    assert ["cites", "text"] == [found[2] for found in mistakes(folder)]


@pytest.mark.parametrize(
    ("cells", "field", "expected"),
    [
        ({"when": 'order.status in ["shiped"]'}, "when", "compares order.status with 'shiped', which it never is; did you mean 'shipped'?"),
        ({"when": 'order.logistics.status != "stuck"'}, "when", "compares order.logistics.status with 'stuck', which it never is"),
        ({"products": ["CL-01"]}, "products", "did you mean 'CL-001'?"),
        ({"empathy": "抱歉。", "text": "好的。"}, "row", "both parts and text"),
    ],
    ids=["a status no order has", "unequal to a status no parcel has", "nearly a SKU", "parts and text"],
)
def test_what_would_silence_a_reply_is_told(tmp_path, cells, field, expected):
    folder = write_shop(tmp_path / "tiny", replies=[reply(**cells)], products=[{"sku": "CL-001", "title": "外套", "category": "服饰"}])

    found = mistakes(folder)

    assert [field] == [one[2] for one in found]
    assert expected in found[0][3]


def test_a_formula_in_a_workbook_is_told_and_not_lost(tmp_path):
    folder = write_shop(tmp_path / "tiny", write=write_xlsx, replies=[reply(when="=order.ship_overdue")])

    assert [("replies.xlsx", 2, "when", "=order.ship_overdue")] == [(path, line, field, got) for path, line, field, _, got in mistakes(folder)]


def test_a_shop_without_replies_is_told(tmp_path):
    folder = write_shop(tmp_path / "tiny")
    (folder / "replies.jsonl").write_text("", encoding="utf-8")

    assert ["expected at least one reply; the file has none"] == [found[3] for found in mistakes(folder)]


def test_every_part_of_a_reply_is_compiled(tmp_path):
    parts = {"empathy": "{{ order.a }}", "information": "{% if order.id %}{{ order.id | b }}{% endif %}", "value": "{{ order.id", "action": "好 }}"}

    assert sorted(parts) == [found[2] for found in mistakes(write_shop(tmp_path / "tiny", replies=[reply(text="", **parts)]))]


@pytest.mark.parametrize(
    ("store", "line", "field", "expected"),
    [
        pytest.param("id = ", 1, "file", "expected TOML in UTF-8; ", id="broken TOML"),
        pytest.param('name = "x"', 1, "id", "required, but it is not there", id="no id"),
        pytest.param('id = "x"\nname = "x"\nlanguage = "fr"', 3, "language", "Input should be 'zh-CN', 'zh-TW' or 'en'", id="language"),
        pytest.param('id = "x"\nname = "x"\nreturn_window_day = 7', 3, "return_window_day", "unknown field; did you mean 'return_window_days'?", id="mistyped"),
        pytest.param('id = "x"\nname = "x"\nreturn_window_days = -1', 3, "return_window_days", "Input should be greater than or equal to 0", id="negative"),
        pytest.param('id = "x"\nname = "x"\n[style]\nmax_chars = 0', 3, "style.max_chars", "Input should be greater than 0", id="nested"),
        pytest.param('id = "x"\nname = "x"\ntimezone = "Asia"', 3, "timezone", "expected a zone name such as Asia/Shanghai", id="a folder of zones"),
        pytest.param('id = "x"\nname = "x"\ntimezone = "../zone"', 3, "timezone", "expected a zone name such as Asia/Shanghai", id="a path"),
        pytest.param('id = "x"\nname = "x"\ntimezone = ""', 3, "timezone", "expected a zone name such as Asia/Shanghai", id="no zone"),
    ],
)
def test_bad_settings_are_told(tmp_path, store, line, field, expected):
    found = mistakes(write_shop(tmp_path / "tiny", store=store))

    assert [("store.toml", line, field)] == [one[:3] for one in found]
    assert found[0][3].startswith(expected)


def test_an_empty_folder_says_what_a_shop_needs(tmp_path):
    assert [("replies.csv", "file"), ("store.toml", "file")] == [(found[0], found[2]) for found in mistakes(tmp_path)]


def test_the_error_counts_and_lists_its_rows(tmp_path):
    folder = write_shop(tmp_path / "tiny", replies=[reply(id="a", status="ok"), reply(id="b", cites=["gone"])])
    with pytest.raises(InvalidKnowledge) as caught:
        load_shop(folder)

    assert str(caught.value) == (
        "2 bad rows; mend them and run again:\n"
        "  replies.jsonl:1 status: Input should be 'approved', 'draft' or 'blocked', got 'ok'\n"
        "  replies.jsonl:2 cites: expected the id of an article of this shop, got 'gone'"
    )


# ---- days in force


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        pytest.param("2026-10-31T15:59:59Z", False, id="a second before the first day in Shanghai"),
        pytest.param("2026-10-31T16:00:00Z", True, id="the first second"),
        pytest.param("2026-11-11T15:59:59Z", True, id="the last second of the last day"),
        pytest.param("2026-11-11T16:00:00Z", False, id="the day after"),
    ],
)
def test_both_days_are_in_force_in_the_shops_timezone(now, holds):
    record = ProvenReply.model_validate(reply(effective_from="2026-11-01", effective_to="2026-11-11"))

    assert holds is in_force(record, now=datetime.fromisoformat(now), timezone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("dates", "days"),
    [({}, [True, True, True]), ({"effective_from": "2026-11-02"}, [False, True, True]), ({"effective_to": "2026-11-02"}, [True, True, False])],
    ids=["always", "from", "to"],
)
def test_an_open_end_is_always_in_force(dates, days):
    record = ProvenReply.model_validate(reply(**dates))

    assert days == [record.in_force(date(2026, 11, day)) for day in (1, 2, 3)]


# ---- the shipped shops


def approved(shop: Shop) -> list[ProvenReply]:
    return [one for one in shop.replies if one.status == "approved"]


def test_the_chinese_demo_shop_is_as_large_as_promised(demo_shop):
    assert len(demo_shop.articles) >= 45
    assert len(approved(demo_shop)) >= 260
    assert len({one.scenario for one in approved(demo_shop)}) >= 38
    assert len(demo_shop.products) >= 60


def test_the_english_demo_shop_is_as_large_as_promised(english_shop):
    assert "en" == english_shop.store.language
    assert len(english_shop.articles) >= 20
    assert len(approved(english_shop)) >= 70


@pytest.mark.parametrize("name", ["demo_shop", "english_shop"])
def test_shipped_replies_can_be_found_and_shown(name, request):
    shop: Shop = request.getfixturevalue(name)
    no_passage = {article.id for article in shop.articles} - {passage.article_id for passage in shop.passages}
    internal = {article.id for article in shop.articles if article.audience == "internal"}

    assert set() == no_passage
    assert [] == [one.id for one in approved(shop) if not one.triggers]
    assert len({passage.id for passage in shop.passages}) == len(shop.passages)
    assert internal, "the demo shows internal evidence too"


@pytest.mark.parametrize("name", ["demo_shop", "english_shop"])
def test_shipped_replies_use_no_banned_phrase(name, request):
    shop: Shop = request.getfixturevalue(name)
    phrases = [banned.phrase.lower() for banned in shop.store.style.banned_phrases]

    assert [] == [(one.id, phrase) for one in approved(shop) for words in one.templates().values() for phrase in phrases if phrase in words.lower()]


def test_nobody_promises_for_another_seller(demo_shop: Shop) -> None:
    """Who pays for a return depends on the seller: «we do» is only said where the reply's condition has looked at who sells."""
    promises = re.compile(r"运费(?:都)?由我们(?:承担|出)")
    goods = ("return.quality", "product.care", "return.used", "product.quality")
    elsewhere = {"order": {"seller": "third_party"}}

    open_to_it = [
        reply.id for reply in demo_shop.replies
        if reply.scenario in goods and reply.when and promises.search("".join(reply.templates().values()))
        and compile_condition(reply.when).evaluate(elsewhere).outcome is not Outcome.FALSE
    ]  # fmt: skip

    assert [] == open_to_it


def test_a_changed_copy_of_a_reply_tells_its_own_words(demo_shop: Shop):
    reply = next(one for one in demo_shop.replies if one.empathy and one.value)
    before, source = dict(reply.templates()), reply.source

    changed = reply.model_copy(update={"empathy": "", "value": "另外的话。"})

    assert {"value": "另外的话。"} == {part: words for part, words in changed.templates().items() if before.get(part) != words}
    assert "empathy" not in changed.templates()
    assert "另外的话。" in changed.source.split("\n")
    assert (before, source) == (dict(reply.templates()), reply.source)
