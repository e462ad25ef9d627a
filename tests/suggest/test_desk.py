import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from indexes.embedder import Embedder
from knowledge.facts import compute_facts
from knowledge.findings import FindingWriter
from knowledge.products import ProductCatalogue
from knowledge.records import Store
from knowledge.shop import Shop
from suggest.desk import DeskReport, examine
from suggest.desk_page import desk_as_json, desk_page
from suggest.knowledge_coverage import STATES, sample_orders
from suggest.order_state import order_state
from suggest.store_words import store_word_findings

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
STORE = """
id = "tiny"
name = "小店"
address_customer_as = "您"
[authority]
agent_compensation_limit = "30"
lead_compensation_limit = "100"
"""
GOOD: dict[str, Any] = {
    "scenario": "order.expedite", "status": "approved", "information": "仓库已经排到您这单。", "value": "今天就能出库。", "action": "18点前把单号发您。",
    "triggers": ["什么时候发货"], "cites": ["ship"],
}  # fmt: skip
ARTICLES = {
    "ship": "id: ship\ntitle: 发货\nkind: policy",
    "old": "id: old\ntitle: 旧活动\nkind: policy\neffective_to: 2026-11-01",
    "ending": "id: ending\ntitle: 快到期\nkind: policy\neffective_to: 2026-11-30",
    "later": "id: later\ntitle: 还没到\nkind: policy\neffective_from: 2026-12-01",
    "staff": "id: staff\ntitle: 内部\nkind: process\naudience: internal",
}


def shop(folder: Path, *replies: dict[str, Any], language: str = "zh-CN") -> Path:
    """Writes a shop of these replies; each is the good one with the fields given."""
    (folder / "articles").mkdir(parents=True)
    (folder / "store.toml").write_text(STORE if language == "zh-CN" else 'id = "tiny"\nname = "Tiny"\nlanguage = "en"\n', encoding="utf-8")
    for name, front in ARTICLES.items():
        (folder / "articles" / f"{name}.md").write_text(f"---\n{front}\n---\n\n现货48小时内发出。\n", encoding="utf-8")
    rows = [{"id": f"r{number}", **GOOD, **fields} for number, fields in enumerate(replies, start=1)]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return folder


def found(report: DeskReport) -> list[tuple[str, str, str]]:
    """What was found about replies, gravest first."""
    return [(one.code, one.subject, one.field) for one in report.findings if one.subject.startswith("r")]


@pytest.mark.parametrize(
    ("fields", "findings"),
    [
        pytest.param({}, [], id="nothing wrong"),
        pytest.param({"information": ""}, [("no_information", "r1", "information")], id="no information"),
        pytest.param({"action": ""}, [("no_action", "r1", "action")], id="no action"),
        pytest.param({"value": ""}, [("no_value", "r1", "value")], id="no value"),
        pytest.param({"tone": "upset"}, [("no_empathy", "r1", "empathy")], id="upset without empathy"),
        pytest.param({"scenario": "chat.greeting", "value": "", "action": ""}, [], id="small talk needs fewer parts"),
        pytest.param({"information": "", "value": "", "action": "", "text": "好的，18点前给您。"}, [("undivided", "r1", "text")], id="undivided"),
        pytest.param({"action": "我们会尽快给您发。"}, [("style", "r1", "action")], id="a promise without a time"),
        pytest.param({"value": "这款质量最好了。"}, [("law", "r1", "value")], id="an absolute claim"),
        pytest.param({"triggers": []}, [("no_triggers", "r1", "triggers")], id="no triggers"),
        pytest.param({"when": 'order.status == "paid" && order.is_shipped'}, [("never_true", "r1", "when")], id="never true"),
        pytest.param({"when": 'order.hours_overdue > "72"'}, [("wrong_type", "r1", "when")], id="compared with words"),
        pytest.param({"information": "{{ order.item.title | money }}。"}, [("wrong_type", "r1", "information")], id="a name as money"),
        pytest.param({"information": '{% if order.status == "payed" %}好{% endif %}已排到。'}, [("never_equal", "r1", "information")], id="no such status"),
        pytest.param({"cites": ["old"]}, [("expired_citation", "r1", "cites")], id="cites only what expired"),
        pytest.param({"cites": ["old", "ship"]}, [("part_expired_citation", "r1", "cites")], id="cites one that expired"),
        pytest.param({"cites": ["old"], "effective_to": "2026-11-01"}, [], id="ended with its article"),
        pytest.param({"cites": ["ending"]}, [("expiring_citation", "r1", "cites")], id="cites what ends soon"),
        pytest.param({"cites": ["later"]}, [("early_citation", "r1", "cites")], id="cites what is not yet in force"),
        pytest.param({"cites": ["staff"]}, [("internal_citation", "r1", "cites")], id="cites only what is internal"),
        pytest.param({"promises_amount": "30"}, [], id="within the agent's limit"),
        pytest.param({"promises_amount": "31"}, [("above_agent", "r1", "promises_amount")], id="above the agent's limit"),
        pytest.param({"promises_amount": "31", "authority": "lead"}, [], id="within the lead's limit"),
        pytest.param({"promises_amount": "101", "authority": "lead"}, [("above_lead", "r1", "promises_amount")], id="above everybody's limit"),
        pytest.param({"action": "我补偿您80元，18点前到账。"}, [("law", "r1", "action")], id="an amount in words above the limit"),
        pytest.param({"tone": "calm"}, [("no_upset_variant", "r1", "tone")], id="no wording for the upset"),
        pytest.param({"status": "blocked", "action": ""}, [], id="blocked replies are nobody's concern"),
    ],
)  # fmt: skip
def test_fault_of_a_reply_is_found(fields: dict[str, Any], findings: list[tuple[str, str, str]], tmp_path: Path, embedder: Embedder) -> None:
    assert found(examine(shop(tmp_path / "tiny", fields), embedder, NOW)) == findings


def test_replies_that_compete_are_found(tmp_path: Path, embedder: Embedder) -> None:
    other_words = {"information": "今天会轮到它打包。", "value": "不会再晚。", "action": "明天10点前给单号。", "triggers": ["何时能寄"]}
    stock = {"scenario": "product.stock", "triggers": ["什么时候发货呀"], "information": "这款有货。", "action": "您下单，今天发。"}
    track = {"scenario": "logistics.track", "triggers": ["什么时候发货"], "information": "包裹在路上。", "action": "16点前回您。"}
    folder = shop(
        tmp_path / "tiny",
        {"when": 'order.status in ["paid", "picking"]'},
        {"when": 'order.status == "picking" || order.status == "paid"', **other_words},
        {"when": 'order.status == "picking"', "triggers": ["排到没有"]},
        {"when": "order.is_unshipped", **stock},
        {"when": "order.is_shipped", **track},
    )

    report = examine(folder, embedder, NOW)

    assert found(report) == [
        ("duplicate", "r3", ""),  # the words of r1, and a picking order gets both
        ("trigger_conflict", "r4", "triggers"),  # r5 has the same words for orders that r1 and r4 never meet
        ("same_condition", "r2", "when"),
    ]
    assert {one.subject: one.place.line for one in report.findings if one.subject.startswith("r")} == {"r3": 3, "r4": 4, "r2": 2}
    assert "r1" in next(one.problem for one in report.findings if one.code == "duplicate")


def test_articles_and_gaps_are_found(tmp_path: Path, embedder: Embedder) -> None:
    report = examine(shop(tmp_path / "tiny", {"when": "order.is_unshipped"}), embedder, NOW)
    codes = {(one.code, one.subject or one.field) for one in report.findings}

    assert {("expired_article", "old"), ("expiring_article", "ending"), ("uncited_article", "later")} <= codes
    assert ("uncited_article", "staff") not in codes
    assert ("no_scenario", "return.no_reason") in codes
    assert ("empty_cell", "order.expedite") not in codes, "only unshipped orders are chased, and no order at all leaves the condition open"
    assert report.coverage is not None
    assert report.coverage.cells["order.expedite", "unshipped"].n_replies == 1
    assert report.coverage.cells["order.expedite", "delivered"].n_replies == 0
    assert report.coverage.cells["order.expedite", "no_order"].n_replies == 1


def test_files_that_cannot_be_read_are_findings_too(tmp_path: Path, embedder: Embedder) -> None:
    report = examine(shop(tmp_path / "tiny", {"when": 'order.status == "payed"'}), embedder, NOW)

    [one] = report.findings
    assert (one.severity, one.code, one.place.path, one.place.line) == ("error", "unreadable", "replies.jsonl", 1)
    assert "payed" in one.problem
    assert "payed" in desk_page(report)


def test_sample_orders_reach_every_state() -> None:
    store = Store(id="shop", name="店")
    catalogue = ProductCatalogue([])
    facts = [compute_facts(order=one, customer=None, agent=None, now=NOW, store=store, catalogue=catalogue) for one in sample_orders(None, NOW)]

    assert {order_state(one) for one in facts} == set(STATES)


def test_page_stands_alone_marks_gaps_and_escapes(tmp_path: Path, embedder: Embedder) -> None:
    folder = shop(tmp_path / "tiny", {"when": "order.is_unshipped", "triggers": ["<b>发货</b>"], "action": ""})
    page = desk_page(examine(folder, embedder, NOW))

    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert 'class="gap"' in page
    assert "没有「行动」" in page
    assert "<b>发货</b>" not in page


def test_english_shop_is_told_in_english(tmp_path: Path, embedder: Embedder) -> None:
    report = examine(shop(tmp_path / "tiny", {"action": ""}, language="en"), embedder, NOW)

    assert next(one.problem for one in report.findings if one.code == "no_action") == "no action: nobody says what happens next"
    assert 'lang="en"' in desk_page(report)
    assert desk_as_json(report)["counts"]["error"] == 0


def test_shipped_shop_has_no_fault_and_the_same_report_every_time(embedder: Embedder) -> None:
    folder = Path(__file__).parents[2] / "knowledge" / "stores" / "demo_en"  # `make content` looks at all four

    first, second = (examine(folder, embedder, NOW) for _ in range(2))

    assert [one for one in first.findings if one.severity == "error"] == []
    assert first.findings == second.findings


def test_words_of_the_store_file_that_customers_read_are_checked(tmp_path: Path, embedder: Embedder) -> None:
    folder = shop(tmp_path / "tiny", {})
    with (folder / "store.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[style]\n[[style.openings]]\ntext = "亲爱的客户，请耐心等待。"\n[[style.openings]]\ntext = "您好。"\n'
            '[[style.closings]]\ntext = "本店商品全网最低价。"\n'
            '[[style.apologies]]\nsaid = "给您带来困扰"\ninstead = "你别生气"\n[escalation.holding_replies]\nthreat = "主管2小时内给您赔50元。"\n'
        )

    fields = {(one.code, one.field) for one in examine(folder, embedder, NOW).findings if one.place.path == "store.toml"}

    assert {("style", "style.openings 1"), ("law", "style.closings 1"), ("style", "style.apologies 1")} <= fields
    assert ("holding_promise", "escalation.holding_replies threat") in fields
    assert ("law", "escalation.holding_replies threat") in fields  # 50 is above the agent's 30
    assert not any(field == "style.openings 2" for _, field in fields)


def test_shipped_store_files_read_well(demo_shop: Shop, english_shop: Shop, fresh_shop: Shop, home_shop: Shop) -> None:
    for one in (demo_shop, english_shop, fresh_shop, home_shop):
        writer = FindingWriter(language=one.store.language, replies={}, articles={})
        assert [] == list(store_word_findings(one.store, writer)), one.store.id
