"""The report of an evaluation: figures by hand, and a page that opens anywhere and runs nothing of what customers write."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from knowledge.chats import LabelledChat
from knowledge.records import Article, Product, ProvenReply, Store
from knowledge.shop import Shop
from suggest.comparison import compare, outcomes_of
from suggest.evaluation import ChatResult, Evaluation, Nearest
from suggest.misses import misses_of
from suggest.report import as_json, comparison_as_json, largest_confusions, report_of
from suggest.report_page import comparison_page, report_page
from suggest.scoring import Offer, score
from suggest.slices import slices_of

NOW = "2026-11-21T10:00:00+08:00"
VOID = {"meta", "br"}
SHOP = Shop(
    store=Store(id="shop", name="<b>店</b>"),
    articles=(Article(id="one", title="一", kind="policy", body="一。"),),
    passages=(),
    replies=tuple(ProvenReply(id=one, scenario="invoice", text=f"{one}的话 {{{{ order.id }}}}。", status="approved") for one in ("a", "b", "c")),
    products=(Product(sku="S-1", title="充电宝", category="数码/电源"),),
)


def chat(chat_id: str, message: str = "发票怎么开", **fields: Any) -> LabelledChat:
    labels = {"scenarios": ["invoice"]} | fields.pop("labels", {"replies": {"a": 2, "b": 1}})
    return LabelledChat.model_validate({"id": chat_id, "store": "shop", "now": NOW, "message": message, "labels": labels} | fields)


def result(asked: LabelledChat, ids: tuple[str, ...], confidences: tuple[float, ...] = (), **fields: Any) -> ChatResult:
    (scores,) = score([Offer(asked.labels, ids, (), None)])
    known = {"heard": "invoice", "mood": "calm", "drafts": tuple(f"{one}的话。" for one in ids), "stages_ms": {"rank": 2.0, "total": 3.0}}
    return ChatResult(asked, ids, confidences, not ids, scores, **(known | fields))


RESULTS = (
    result(chat("right"), ("a", "b"), (0.95, 0.5)),
    result(chat("wrong", '<script>alert("x")</script>'), ("c",), (0.85,), heard="order.cancel", signals={"trigger": 0.1, "scenario": -2.0, "words": 1.5}),
    result(chat("silent", "在吗"), (), nearest=(Nearest("b", 0.25, "true"), Nearest("a", 0.2, "true"))),
    result(chat("unwanted", labels={"answerable": False}), ("a",), (0.9,)),
    result(chat("quiet", labels={"answerable": False}), (), nearest=(Nearest("c", 0.1, "unknown"),)),
)  # fmt: skip
OURS = Evaluation("huashu", RESULTS)
REPORT = report_of(OURS, [Evaluation("BM25 on triggers", RESULTS)], shop=SHOP, snapshot_id="s", threshold=0.3)


class Page(HTMLParser):
    """Every tag is closed in its order; gathers tags, attributes and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def test_misses_are_confident_and_wrong_first_then_silence() -> None:
    found = misses_of(OURS)

    assert [("unwanted", "unwanted", 0.9), ("wrong", "wrong", 0.85), ("silent", "silent", 0.25)] == [
        (one.kind, one.result.chat.id, one.confidence) for one in found
    ]
    assert (("scenario", -2.0), ("words", 1.5), ("trigger", 0.1)) == found[1].parts
    assert [("a", 2, 2, 0.2), ("b", 1, 1, 0.25)] == [(one.reply_id, one.grade, one.place, one.confidence) for one in found[2].wanted]


def test_calibration_is_over_shown_drafts_and_a_draft_that_none_fits_is_wrong() -> None:
    """Shown: .95 right, .85 wrong, .9 where none fits. Bins .8: |.85 - 0|; .9: |.925 - .5|. ECE = 1/3 * .85 + 2/3 * .425."""
    assert pytest.approx(1 / 3 * 0.85 + 2 / 3 * 0.425) == REPORT.calibration_error


def test_coverage_is_over_all_messages_and_goes_below_the_threshold() -> None:
    """Surest first: .95 right, .9 wrong, .85 wrong, .25 (nearest, acceptable), .1 wrong."""
    assert [(0.2, 1.0), (0.4, 0.5), (0.6, 1 / 3), (0.8, 0.5), (1.0, 0.4)] == [(one.coverage, pytest.approx(one.precision)) for one in REPORT.curve]
    assert (0.3, 0.6, pytest.approx(1 / 3)) == (REPORT.thresholds[0].threshold, REPORT.thresholds[0].coverage, REPORT.thresholds[0].precision)


def test_confusions() -> None:
    assert [(("invoice", "order.cancel"), 1)] == largest_confusions(REPORT)
    assert as_json(REPORT)["heard"]["scenario"] == pytest.approx(4 / 5)


def test_slices_by_hand() -> None:
    history = [{"role": "customer", "text": "在吗"}]
    order = {"status": "paid", "items": [{"sku": "X", "category": "服饰/上衣"}]}
    chats = [
        chat(
            "c1",
            "充电宝多重",
            order=order,
            history=history,
            labels={"emotion": "calm", "tags": ["typo", "contrast/g"], "scenarios": ["invoice", "order.cancel"]},
        ),
        chat("c2", "where is it", order=order, labels={"questions": [{"a": 2}, {"b": 1}]}),
        chat("c3", "在吗"),
        chat("c4", labels={"answerable": False}),
    ]

    found = {one.name: sorted(one.chat_ids) for one in slices_of(chats, SHOP)}

    assert {
        "tag typo": ["c1"], "emotion calm": ["c1"], "order state unshipped": ["c1", "c2"], "order state no_order": ["c3"],
        "history yes": ["c1"], "history no": ["c2", "c3"], "questions two": ["c2"], "questions one": ["c1", "c3"],
        "language zh": ["c1", "c3"], "language en": ["c2"], "category 数码": ["c1"], "category 服饰": ["c2"], "category none": ["c3"],
        "scenario invoice": ["c1", "c2", "c3"],
    } == found  # fmt: skip


def test_json_keeps_the_figures_that_others_read() -> None:
    figures = as_json(REPORT)

    assert {"systems", "abstention", "slices", "violations", "ms", "misses", "n_chats", "snapshot_id", "hole@3"} <= set(figures)
    assert {"mean": 0.3333, "n": 3} == {name: figures["systems"]["huashu"]["success@1"][name] for name in ("mean", "n")}
    assert {"p50": 3.0, "p95": 3.0, "p99": 3.0} == figures["ms"]
    assert ["unwanted", "wrong", "silent"] == [one["id"] for one in figures["misses"]]
    assert json.dumps(figures, allow_nan=False)


def test_same_results_give_the_same_bytes() -> None:
    again = report_of(OURS, REPORT.others, shop=SHOP, snapshot_id="s", threshold=0.3)

    assert (json.dumps(as_json(REPORT)), report_page(REPORT)) == (json.dumps(as_json(again)), report_page(again))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_page_is_whole_needs_nothing_from_elsewhere_and_runs_nothing(language: str) -> None:
    shop = Shop(store=Store(id="shop", name="<b>店</b>", language=language), articles=(), passages=(), replies=SHOP.replies, products=())  # type: ignore[arg-type]
    worse = Evaluation("worse", (result(chat("right"), ("c",), (0.9,)), *RESULTS[1:]))
    comparison = compare(outcomes_of(OURS), outcomes_of(worse), name_a="<i>A</i>", name_b="B")

    for source in (report_page(report_of(OURS, (), shop=shop, snapshot_id="s", threshold=0.3), comparison), comparison_page(comparison, language=language)):
        page = Page(source)

        assert [] == page.open
        assert not {"script", "link", "img", "iframe", "i", "b>店"} & set(page.tags)
        assert [] == [(name, value) for name, value in page.attributes if name.startswith("on") or (name in ("href", "src") and not value.startswith("#"))]
        assert not any(piece in source for piece in ("http:", "https:", "url(", "@import", "//www"))
        assert ("lang", language) in page.attributes
        assert "<i>A</i>" in page.text


def test_page_shows_customers_words_as_words_and_why() -> None:
    page = Page(report_page(REPORT))

    assert '<script>alert("x")</script>' in page.text
    assert "场景一致 (-2.00)" in page.text
    assert "候选第 2，把握 20%" in page.text
    assert "a的话 。" in page.text
    assert page.tags.count("svg") == page.tags.count("desc") >= 6


def test_page_of_a_single_chat_without_labels_is_whole() -> None:
    lone = Evaluation("huashu", (ChatResult(chat("c", labels={"answerable": False, "scenarios": []}), (), (), True, {}),))

    source = report_page(report_of(lone, (), shop=SHOP, snapshot_id="s", threshold=0.3))

    assert [] == Page(source).open
    assert "nan" not in Page(source).text


def test_comparison_json() -> None:
    better = Evaluation("b", (*RESULTS[:1], result(RESULTS[1].chat, ("a",), (0.9,)), *RESULTS[2:]))

    figures = comparison_as_json(compare(outcomes_of(OURS), outcomes_of(better), name_a="a", name_b="b"))

    assert (["wrong"], []) == ([one["id"] for one in figures["better"]], figures["worse"])
    assert {"a": ["c"], "b": ["a"], "wanted": {"a": 2, "b": 1}}.items() <= figures["better"][0].items()
    assert {"mean": 0.3333, "n": 3}.items() <= figures["metrics"]["success@1"]["difference"].items()
