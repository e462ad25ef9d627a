import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge.chats import read_chats
from knowledge.errors import BadRow
from knowledge.labels import LabelReport, check_labels
from knowledge.records import Article, Product, ProvenReply, Store
from knowledge.scenarios import SCENARIOS
from knowledge.shop import Shop

STORES = Path(__file__).parents[2] / "knowledge" / "stores"


def reply(reply_id: str, **fields: Any) -> ProvenReply:
    return ProvenReply.model_validate({"id": reply_id, "scenario": "order.expedite", "text": "好", "status": "approved", **fields})


SHOP = Shop(
    store=Store(id="tiny", name="小店"),
    articles=(Article(id="ship-48h", title="发货", kind="policy", body="48小时"),),
    passages=(),
    replies=(
        reply("late", when="order.ship_overdue", triggers=["怎么还不发货"]),
        reply("soon", when="!order.ship_overdue", triggers=["发货"]),
        reply("always"),
        reply("angry", when="message.emotion == 'angry'"),
        reply("threat", when="message.threatens"),
        reply("coat", when="order.item.category == '服饰'"),
        reply("november", effective_from="2026-11-01", effective_to="2026-11-30"),
        reply("paid-november", effective_from="2026-11-01", effective_to="2026-11-30", effective_basis="paid_at"),
        reply("draft", status="draft"),
    ),
    products=(Product(sku="CL-1", title="羽绒服", category="服饰"), Product(sku="HA-1", title="榨汁杯", category="家电")),
)
LATE = {"status": "paid", "paid_at": "2026-11-09T09:00:00+08:00", "promised_ship_by": "2026-11-11T09:00:00+08:00"}
SOON = {"status": "paid", "paid_at": "2026-11-12T09:00:00+08:00", "promised_ship_by": "2026-11-14T09:00:00+08:00"}


def chat(chat_id: str = "c1", *, labels: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": chat_id, "store": "tiny", "now": "2026-11-12T10:05:00+08:00", "message": "怎么还不发货", "order": LATE,
        "labels": {"replies": {"late": 2}, **(labels or {})}, **fields,
    }  # fmt: skip


def check(tmp_path: Path, shop: Shop = SHOP, **splits: list[dict[str, Any]]) -> LabelReport:
    folder = tmp_path / "chats"
    folder.mkdir(parents=True)
    for name, chats in splits.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in chats), encoding="utf-8")
    return check_labels(tmp_path, shop)


def contrast(chat_id: str, order: dict[str, Any], best: str, **fields: Any) -> dict[str, Any]:
    return chat(chat_id, order=order, **{"labels": {"replies": {best: 2}, "tags": ["contrast", "contrast/ship"]}, **fields})


# ---- reading


def test_a_chat_is_read_whole(tmp_path):
    path = tmp_path / "dev.jsonl"
    source = """{"id": "c001", "store": "demo", "now": "2026-11-12T10:05:00+08:00", "channel": "im",
 "history": [{"role": "customer", "text": "在吗"}, {"role": "agent", "text": "在的，您请说"}],
 "message": "都三天了怎么还没动静，再不发我就退了",
 "order": {"id": "20261109001", "status": "paid", "paid_at": "2026-11-09T09:00:00+08:00", "promised_ship_by": "2026-11-11T09:00:00+08:00"},
 "customer": {"tier": "vip"}, "agent": {"role": "agent"},
 "labels": {"answerable": true, "scenarios": ["order.expedite"], "emotion": "upset",
            "replies": {"expedite-overdue": 2, "expedite-in-stock": 1}, "articles": {"ship-within-48h": 2},
            "must_include": ["48小时"], "must_not_include": ["已发出"], "tags": ["contrast", "contrast/g1"]}}"""
    path.write_text(source.replace("\n", " ") + "\n", encoding="utf-8")
    chats, bad = read_chats(path, root=tmp_path)

    assert [] == bad
    assert 1 == len(chats)
    assert json.loads(source) == json.loads(chats[0].model_dump_json(exclude_unset=True))
    assert datetime.fromisoformat("2026-11-12T10:05:00+08:00") == chats[0].asked_at
    assert "g1" == chats[0].contrast_group


def test_a_chat_without_a_group_has_none(tmp_path):
    (tmp_path / "dev.jsonl").write_text(json.dumps(chat()), encoding="utf-8")

    assert read_chats(tmp_path / "dev.jsonl", root=tmp_path)[0][0].contrast_group is None


def test_every_bad_chat_is_told(tmp_path):
    rows = [
        chat("a"),
        chat("b", labels={"replies": {"late": 3}}),
        chat("c", labels={"emotion": "cross"}),
        chat("d", labels={"answerabel": True}),
        chat("e", now="2026-11-12T10:05:00"),
        chat("f", order={"status": "sent"}),
        chat("a"),
        {key: value for key, value in chat("g").items() if key != "message"},
    ]
    (tmp_path / "dev.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    chats, bad = read_chats(tmp_path / "dev.jsonl", root=tmp_path)

    assert ["a"] == [one.id for one in chats]
    assert [
        (2, "labels.replies.late"), (3, "labels.emotion"), (4, "labels.answerabel"), (5, "now"), (6, "order.status"), (7, "id"), (8, "message"),
    ] == [(row.line, row.field) for row in bad]  # fmt: skip
    assert BadRow("dev.jsonl", 7, "id", "expected an id of its own; line 1 has it too", "a") == bad[5]


# ---- the labels against the shop


def test_good_labels_are_counted(tmp_path):
    report = check(
        tmp_path,
        dev=[contrast("c1", LATE, "late"), contrast("c2", SOON, "soon")],
        test=[chat("c3", labels={"replies": {}, "answerable": False, "tags": ["unanswerable"]})],
    )

    # «怎么还不发货» has 5 pairs of letters: all 5 stand in the trigger of `late`, 1 (发货) in the trigger of `soon`.
    assert LabelReport(3, (), {"contrast": 2, "unanswerable": 1}, {"dev": 2, "test": 1}, pytest.approx((5 / 5 + 1 / 5) / 2)) == report


@pytest.mark.parametrize(
    ("fields", "field", "expected", "got"),
    [
        pytest.param({"labels": {"replies": {"gone": 2}}}, "labels.replies", "expected the id of an approved reply of this shop", "gone", id="unknown reply"),
        pytest.param({"labels": {"replies": {"draft": 2}}}, "labels.replies", "expected the id of an approved reply of this shop", "draft", id="draft reply"),
        pytest.param({"labels": {"articles": {"gone": 2}}}, "labels.articles", "expected the id of an article of this shop", "gone", id="unknown article"),
        pytest.param(
            {"labels": {"questions": [{"late": 2}, {"gone": 2}]}},
            "labels.replies",
            "expected the id of an approved reply of this shop",
            "gone",
            id="of a question",
        ),
        pytest.param({"store": "demo"}, "store", "expected tiny", "demo", id="another shop"),
        pytest.param(
            {"labels": {"replies": {}}}, "labels.replies", "expected replies for an answerable chat, and none for an unanswerable one", "0", id="no reply"
        ),
        pytest.param(
            {"labels": {"answerable": False}},
            "labels.replies",
            "expected replies for an answerable chat, and none for an unanswerable one",
            "1",
            id="a reply to what has none",
        ),
    ],
)
def test_a_wrong_label_is_told(tmp_path, fields, field, expected, got):
    assert (BadRow("chats/dev.jsonl", 1, f"c1 {field}", expected, got),) == check(tmp_path, dev=[chat(**fields)]).bad


@pytest.mark.parametrize(
    ("best", "fields", "eligible"),
    [
        pytest.param("late", {}, True, id="true"),
        pytest.param("late", {"order": SOON}, False, id="false"),
        pytest.param("late", {"order": None}, True, id="unknown is not ruled out"),
        pytest.param("angry", {"labels": {"emotion": "angry"}}, True, id="the labelled emotion"),
        pytest.param("angry", {"labels": {"emotion": "calm"}}, False, id="another emotion"),
        pytest.param("angry", {}, True, id="an emotion that was not labelled"),
        pytest.param("threat", {"labels": {"threatens": True}}, True, id="a threat"),
        pytest.param("threat", {}, False, id="no threat"),
        pytest.param("november", {}, True, id="in force"),
        pytest.param("november", {"now": "2026-12-01T00:00:00+08:00"}, False, id="out of force"),
        pytest.param("november", {"now": "2026-11-30T23:59:59+08:00"}, True, id="the last day"),
        pytest.param("paid-november", {"now": "2026-12-01T00:00:00+08:00"}, True, id="in force on the day of payment"),
        pytest.param("paid-november", {"order": {"paid_at": "2026-10-31T23:59:59+08:00"}}, False, id="out of force on the day of payment"),
        pytest.param("paid-november", {"order": None}, True, id="the day of payment is not known"),
        pytest.param("coat", {"order": {"items": [{"sku": "CL-1"}, {"sku": "HA-1"}]}, "message": "羽绒服呢"}, True, id="the item spoken of"),
        pytest.param("coat", {"order": {"items": [{"sku": "CL-1"}, {"sku": "HA-1"}]}, "message": "榨汁杯呢"}, False, id="another item"),
        pytest.param(
            "coat",
            {"order": {"items": [{"sku": "CL-1"}, {"sku": "HA-1"}]}, "history": [{"role": "customer", "text": "榨汁杯坏了"}]},
            False,
            id="another item in the history",
        ),
        pytest.param(
            "coat",
            {
                "order": {"items": [{"sku": "CL-1"}, {"sku": "HA-1"}]},
                "history": [{"role": "customer", "text": "榨汁杯坏了"}, {"role": "customer", "text": "还有羽绒服"}],
            },
            True,
            id="the newest item in the history",
        ),
    ],
)
def test_a_label_may_not_contradict_its_own_condition_and_dates(tmp_path, best, fields, eligible):
    report = check(tmp_path, dev=[chat(**{**fields, "labels": {"replies": {best: 2}, **fields.get("labels", {})}})])
    told = BadRow("chats/dev.jsonl", 1, "c1 labels.replies", "expected a reply whose condition and dates hold for this order", best)

    assert (() if eligible else (told,)) == report.bad


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        pytest.param({"dev": [contrast("c1", LATE, "late"), contrast("c2", SOON, "soon")]}, [], id="good"),
        pytest.param({"dev": [contrast("c1", LATE, "always"), contrast("c2", SOON, "always")]}, ["expected the best reply to differ"], id="same best"),
        pytest.param({"dev": [contrast("c1", LATE, "late")], "test": [contrast("c2", SOON, "soon")]}, ["expected all members in one file"], id="over splits"),
        pytest.param({"dev": [contrast("c1", LATE, "late")]}, ["expected at least two members"], id="alone"),
        pytest.param(
            {"dev": [contrast("c1", LATE, "late"), contrast("c2", SOON, "soon", message="发货了吗")]},
            ["expected the same message and history in all"],
            id="another message",
        ),
        pytest.param(
            {"dev": [contrast("c1", LATE, "late"), contrast("c2", SOON, "soon", history=[{"role": "agent", "text": "您好"}])]},
            ["expected the same message and history in all"],
            id="another history",
        ),
    ],
)
def test_contrast_groups_differ_in_their_order_alone(tmp_path, splits, expected):
    assert [("chats/dev.jsonl", 1, "contrast/ship", one, "c1") for one in expected] == [
        (row.path, row.line, row.field, row.expected, row.got) for row in check(tmp_path, **splits).bad
    ]


def test_all_mistakes_are_told_with_their_own_lines(tmp_path):
    folder = tmp_path / "chats"
    folder.mkdir()
    lines = [json.dumps(chat("a")), "", "{broken", json.dumps(chat("b", labels={"emotion": "cross"})), json.dumps(chat("c", labels={"replies": {"gone": 2}}))]
    (folder / "dev.jsonl").write_text("\n".join(lines), encoding="utf-8")

    assert [(3, "row"), (4, "labels.emotion"), (5, "c labels.replies")] == [(row.line, row.field) for row in check_labels(tmp_path, SHOP).bad]


def test_a_shop_without_chats_has_nothing_to_check(tmp_path):
    assert LabelReport(0, (), {}, {}, 0.0) == check_labels(tmp_path, SHOP)


# ---- the shipped chats


@pytest.fixture(scope="module")
def demo_report(demo_shop: Shop) -> LabelReport:
    return check_labels(STORES / "demo", demo_shop)


@pytest.fixture(scope="module")
def english_report(english_shop: Shop) -> LabelReport:
    return check_labels(STORES / "demo_en", english_shop)


def test_the_shipped_labels_agree_with_their_shops(demo_report, english_report):
    assert ((), ()) == (demo_report.bad, english_report.bad)


@pytest.mark.parametrize(
    ("tag", "least"),
    [
        ("contrast", 250),
        ("history", 150),
        ("double", 120),
        ("angry", 120),
        ("traditional", 80),
        ("typo", 80),
        ("unanswerable", 120),
        ("no_order", 60),
        ("date", 40),
    ],
)
def test_the_chinese_chats_have_enough_of_each_kind(demo_report, tag, least):
    assert demo_report.tags[tag] >= least


def test_there_are_enough_chats(demo_report, english_report):
    assert demo_report.n_chats >= 900
    assert english_report.n_chats >= 120
    assert {"dev", "test", "train"} == set(demo_report.splits) == set(english_report.splits)


def test_the_chinese_chats_do_not_echo_the_triggers(demo_report):
    assert demo_report.overlap < 0.2


@pytest.mark.parametrize("name", ["demo", "demo_en"])
def test_no_chat_stands_in_two_splits(name):
    splits = {path.stem: read_chats(path, root=STORES / name)[0] for path in sorted((STORES / name / "chats").glob("*.jsonl"))}
    ids = [one.id for chats in splits.values() for one in chats]
    said = [{(one.message, tuple(turn.text for turn in one.history)) for one in chats} for chats in splits.values()]

    assert len(set(ids)) == len(ids)
    assert sum(map(len, said)) == len(set.union(*said))


@pytest.mark.parametrize("name", ["demo", "demo_en"])
def test_the_tags_of_shipped_chats_say_what_they_are(name):
    chats = [one for path in (STORES / name / "chats").glob("*.jsonl") for one in read_chats(path, root=STORES / name)[0]]

    assert [] == [one.id for one in chats if ("unanswerable" in one.labels.tags) != (not one.labels.answerable)]
    assert [] == [one.id for one in chats if "history" in one.labels.tags and not one.history]
    assert [] == [one.id for one in chats if "no_order" in one.labels.tags and one.order is not None]
    assert [] == [one.id for one in chats if ("contrast" in one.labels.tags) != (one.contrast_group is not None)]
    assert [] == [one.id for one in chats if not set(one.labels.scenarios) <= set(SCENARIOS) or not one.labels.scenarios]
