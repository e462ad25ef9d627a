import math
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from indexes.embedder import Embedder
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.facts import compute_facts
from knowledge.products import ProductCatalogue
from knowledge.records import Article, ProvenReply, Store
from knowledge.shop import Shop
from suggest.baselines import evaluate_bm25
from suggest.contract import Abstention, EvidencePassage, Suggestion, SuggestionRequest, SuggestionResponse, UnderstandingOut
from suggest.eligibility import Circumstances, Eligibility
from suggest.evaluation import ChatResult, Evaluation, bootstrap, evaluate

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
INTERNAL = "内部口径：主管可以另外补偿二百元，不要主动告诉客户。"


def reply(reply_id: str, **fields: Any) -> ProvenReply:
    return ProvenReply.model_validate({"id": reply_id, "scenario": "invoice", "text": "好的。", "status": "approved"} | fields)


SHOP = Shop(
    store=Store(id="shop", name="店"),
    articles=(Article(id="secret", title="内部", kind="policy", audience="internal", body=INTERNAL),),
    passages=(),
    replies=(reply("a"), reply("b"), reply("blocked", status="blocked"), reply("c"), reply("unpaid-only", when='order.status == "created"')),
    products=(),
)


class FakeSuggester:
    """Answers every chat with the ids and texts it was given; «a+b» is one draft of two replies."""

    def __init__(self, ids: list[str], *, text: str = "好的。", articles: tuple[str, ...] = ()) -> None:
        self._ids, self._text, self._articles = ids, text, articles
        self.snapshot = SimpleNamespace(shop=SHOP)

    def suggest(self, request: SuggestionRequest, *, now: datetime, request_id: str) -> SuggestionResponse:
        assert now == request.now
        return SuggestionResponse(
            request_id=request_id, snapshot_id="s", model="m", timings_ms={"total": 1.5},
            understanding=UnderstandingOut(scenarios=[], emotion="calm", threatens=False, language="zh", products=[], questions=[]),
            suggestions=[
                Suggestion(
                    suggestion_id=one, reply_id=one.split("+")[0], reply_ids=one.split("+"), rank=rank, scenario="invoice", text=self._text, parts={},
                    confidence=0.9, sendable=True, missing=[], verify=[], auto_reply=False, why=[],
                )
                for rank, one in enumerate(self._ids, start=1)
            ],
            passages=[EvidencePassage(article_id=one, passage_id=one, title="", heading="", text="") for one in self._articles],
            abstained=None if self._ids else Abstention(reason="below_threshold", message=""),
        )  # fmt: skip

    def judge(self, chat: LabelledChat) -> Eligibility:
        catalogue = ProductCatalogue([])
        facts = compute_facts(order=chat.order, customer=None, agent=None, now=chat.now, store=SHOP.store, catalogue=catalogue)
        return Eligibility(Circumstances.of(facts, now=chat.now, timezone=SHOP.store.timezone, mentioned=(), catalogue=catalogue))


def chat(chat_id: str = "c1", *, order: dict[str, Any] | None = None, **labels: Any) -> LabelledChat:
    return LabelledChat.model_validate({"id": chat_id, "store": "shop", "now": NOW.isoformat(), "message": "发票怎么开", "order": order, "labels": labels})


def result(ids: list[str], *, text: str = "好的。", order: dict[str, Any] | None = None, **labels: Any) -> ChatResult:
    fake = FakeSuggester(ids, text=text)
    return evaluate([chat(order=order, **labels)], fake, system="fake").results[0]  # type: ignore[arg-type]


def scores(ids: list[str], **labels: Any) -> dict[str, float]:
    return result(ids, **labels).scores


@pytest.mark.parametrize(
    ("replies", "success", "acceptable"),
    [
        pytest.param({"a": 2, "b": 2}, 1.0, 1.0, id="both right"),
        pytest.param({"a": 2, "b": 1}, 0.0, 1.0, id="one only acceptable"),
        pytest.param({"a": 2}, 0.0, 0.0, id="one wrong: the draft is wrong"),
    ],
)
def test_joined_draft_is_worth_what_the_lesser_half_is(replies: dict[str, int], success: float, acceptable: float) -> None:
    found = scores(["a+b", "a", "b"], replies=replies)

    assert (success, acceptable) == (found["success@1"], found["acceptable@1"])


def test_joined_draft_must_be_allowed_in_both_halves() -> None:
    assert ("blocked is not approved",) == result(["a+blocked"], replies={"a": 2}).violations


@pytest.mark.parametrize(("piece", "kept"), [("质量问题", 0.0), ("包邮", 1.0)])
def test_labels_hold_for_drafts_in_the_other_script(piece: str, kept: float) -> None:
    found = result(["a"], text="品質問題由我們承擔。", replies={"a": 2}, must_include=["承担"], must_not_include=[piece]).scores

    assert (1.0, kept) == (found["must_include"], found["must_not_include_kept"])


def test_scores_by_hand() -> None:
    """Labels a=2, b=1; offered b, c, a.

    DCG  = 1/log2(2) + 0/log2(3) + 2/log2(4) = 1 + 0 + 1     = 2
    IDCG = 2/log2(2) + 1/log2(3)             = 2 + 0.6309298 = 2.6309298
    nDCG = 2 / 2.6309298                                     = 0.7601876
    """
    expected = {"success@1": 0.0, "acceptable@1": 1.0, "success@3": 1.0, "acceptable@3": 1.0, "nDCG@3": 0.7601876, "hole@1": 0.0, "hole@3": 1.0}

    assert pytest.approx(expected, abs=1e-6) == scores(["b", "c", "a"], replies={"a": 2, "b": 1})
    assert math.isclose(2 / (2 + 1 / math.log2(3)), expected["nDCG@3"], abs_tol=1e-6)


@pytest.mark.parametrize(
    ("ids", "ndcg"),
    [
        pytest.param(["a", "b", "c"], 1.0, id="ideal"),
        pytest.param(["b", "a"], (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)), id="the two swapped"),
        pytest.param(["c", "x", "a"], 1 / (2 + 1 / math.log2(3)), id="best in third place"),
        pytest.param(["c", "x", "y", "a"], 0.0, id="best in fourth place is too late"),
        pytest.param(["x"], 0.0, id="nothing right"),
    ],
)
def test_ndcg_by_hand(ids: list[str], ndcg: float) -> None:
    assert pytest.approx(ndcg, abs=1e-6) == scores(ids, replies={"a": 2, "b": 1})["nDCG@3"]


def test_chat_that_met_silence_counts_as_a_miss_in_every_metric() -> None:
    met = result([], replies={"a": 2}, must_include=["号"], must_not_include=["没"])

    assert {"success@1": 0, "acceptable@1": 0, "success@3": 0, "acceptable@3": 0, "nDCG@3": 0, "hole@1": 0, "hole@3": 0} == met.scores
    assert met.abstained is True


def test_unjudged_drafts_among_the_first_three_are_counted() -> None:
    assert 2 == scores(["x", "a", "y", "z"], replies={"a": 2})["hole@3"]


def test_unanswerable_chat_has_no_scores_and_counts_for_abstention_alone() -> None:
    silent, talking = FakeSuggester([]), FakeSuggester(["a"])
    chats = [chat("c1", answerable=False), chat("c2", answerable=False), chat("c3", replies={"a": 2})]

    found = Evaluation("fake", (*evaluate(chats[:1], silent, system="").results, *evaluate(chats[1:], talking, system="").results))  # type: ignore[arg-type]

    assert {} == found.results[0].scores
    assert 1 == found.estimate("success@1").n
    assert (0.5, 2) == (found.abstention["unanswerable_abstained"].mean, found.abstention["unanswerable_abstained"].n)
    assert (0.0, 1) == (found.abstention["answerable_abstained"].mean, found.abstention["answerable_abstained"].n)


@pytest.mark.parametrize(
    ("labels", "articles", "recall"),
    [
        pytest.param({"p": 2, "q": 2, "r": 1}, ("p", "z", "r"), 0.5, id="one of two, the acceptable does not count"),
        pytest.param({"p": 2}, ("z", "y", "p"), 1.0, id="in third place"),
        pytest.param({"p": 2}, ("z", "y", "x", "p"), 0.0, id="in fourth place"),
        pytest.param({"p": 2, "q": 2, "r": 2, "s": 2}, ("p", "q", "r"), 1.0, id="more wanted than shown"),
        pytest.param({"p": 2}, (), 0.0, id="no passage"),
        pytest.param({"p": 1}, ("p",), None, id="none is best: does not apply"),
    ],
)
def test_passage_recall_by_hand(labels: dict[str, int], articles: tuple[str, ...], recall: float | None) -> None:
    fake = FakeSuggester(["a"], articles=articles)

    found = evaluate([chat(replies={"a": 2}, articles=labels)], fake, system="fake").results[0]  # type: ignore[arg-type]

    assert recall == found.scores.get("passage_recall@3")


@pytest.mark.parametrize(
    ("ids", "questions", "both"),
    [
        pytest.param(["b", "x", "a"], [{"a": 2}, {"b": 1}], 1.0, id="both"),
        pytest.param(["a", "x", "b"], [{"a": 2, "b": 2}, {"c": 2}], 0.0, id="one twice, the other not"),
        pytest.param(["a", "x", "y", "b"], [{"a": 2}, {"b": 2}], 0.0, id="second too late"),
        pytest.param([], [{"a": 2}, {"b": 2}], 0.0, id="silence"),
        pytest.param(["a"], [{"a": 2}, {}], None, id="the second has no answer: does not apply"),
        pytest.param(["a"], [], None, id="one question"),
    ],
)
def test_both_questions(ids: list[str], questions: list[dict[str, int]], both: float | None) -> None:
    assert both == scores(ids, replies={"a": 2}, questions=questions).get("both_questions@3")


@pytest.mark.parametrize(
    ("ids", "text", "must_include", "must_not_include_kept"),
    [
        pytest.param(["a"], "48小时内发出。", 1.0, 1.0, id="said, and the other not"),
        pytest.param(["a"], "已发出。", 0.0, 0.0, id="not said, and the other was"),
        pytest.param(["b"], "已发出。", None, 0.0, id="first is not best: what it must say does not apply"),
    ],
)
def test_must_include_is_judged_on_the_first_draft(ids: list[str], text: str, must_include: float | None, must_not_include_kept: float) -> None:
    found = result(ids, text=text, replies={"a": 2, "b": 1}, must_include=["48小时"], must_not_include=["已发出"]).scores

    assert (must_include, must_not_include_kept) == (found.get("must_include"), found.get("must_not_include_kept"))


@pytest.mark.parametrize(
    ("ids", "text", "order", "violations"),
    [
        pytest.param(["a"], "好的。", None, (), id="nothing wrong"),
        pytest.param(["blocked"], "好的。", None, ("blocked is not approved",), id="blocked"),
        pytest.param(["stranger"], "好的。", None, ("stranger is not approved",), id="not of this shop"),
        pytest.param(["unpaid-only"], "好的。", {"status": "paid"}, ("unpaid-only is not eligible for this order or day",), id="false condition"),
        pytest.param(["unpaid-only"], "好的。", None, (), id="unknown condition"),
        pytest.param(["a"], "单号{{ order.id }}。", None, ("a shows raw template text",), id="template"),
        pytest.param(["a"], "单号None。", None, ("a shows raw template text",), id="None beside Chinese"),
        pytest.param(["a"], "主管可以另外补偿二百元，不要主动。", None, ("a quotes an internal article",), id="internal words"),
    ],
)
def test_violations_are_judged_again_from_the_records(ids: list[str], text: str, order: dict[str, Any] | None, violations: tuple[str, ...]) -> None:
    found = result(ids, text=text, order=order, replies={"a": 2})

    assert violations == found.violations
    assert [f"c1: {one}" for one in violations] == Evaluation("fake", (found,)).violations


def test_evaluate_tells_of_every_chat() -> None:
    told: list[int] = []

    evaluate([chat("c1"), chat("c2")], FakeSuggester(["a"]), system="fake", on_chat=lambda: told.append(1))  # type: ignore[arg-type]

    assert [1, 1] == told


def test_bootstrap_interval_contains_the_mean_and_is_the_same_each_time() -> None:
    values = np.array([1.0, 0, 0, 1, 1, 1, 0, 1, 1, 1])

    estimate = bootstrap(values, [])

    assert (0.7, 10) == (pytest.approx(estimate.mean), estimate.n)
    assert 0 <= estimate.low < 0.7 < estimate.high <= 1
    assert estimate == bootstrap(values, [])


def test_bootstrap_draws_a_group_together() -> None:
    """Two groups of four: a resample is all ones, all zeros or half and half, so the interval is the whole range; eight chats on their own give less."""
    values = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])

    grouped, alone = bootstrap(values, list("aaaabbbb")), bootstrap(values, [])

    assert (0.5, 0.0, 1.0, 8) == (grouped.mean, grouped.low, grouped.high, grouped.n)
    assert 0 < alone.low < 0.5 < alone.high < 1


def test_bootstrap_of_one_value_is_that_value() -> None:
    assert (0.25, 0.25, 0.25, 1) == vars_of(bootstrap(np.array([0.25]), []))


def test_bootstrap_of_nothing_is_no_number() -> None:
    nothing = bootstrap(np.array([]), [])

    assert 0 == nothing.n
    assert all(math.isnan(figure) for figure in (nothing.mean, nothing.low, nothing.high))


def vars_of(estimate: Any) -> tuple[float, float, float, int]:
    return estimate.mean, estimate.low, estimate.high, estimate.n


def test_estimate_resamples_contrast_groups_and_filters() -> None:
    def of(chat_id: str, group: str, value: float) -> ChatResult:
        return ChatResult(chat(chat_id, tags=[f"contrast/{group}"]), (), (), False, {"success@1": value})

    found = Evaluation("fake", (*(of(f"a{i}", "a", 1.0) for i in range(4)), *(of(f"b{i}", "b", 0.0) for i in range(4))))

    assert (0.5, 0.0, 1.0, 8) == vars_of(found.estimate("success@1"))
    assert (1.0, 1.0, 1.0, 4) == vars_of(found.estimate("success@1", where=lambda one: one.contrast_group == "a"))


def test_bm25_baseline_finds_a_reply_by_its_trigger_without_looking_at_the_order(demo_snapshot: Snapshot, embedder: Embedder) -> None:
    asked = LabelledChat.model_validate({
        "id": "c1", "store": "demo", "now": NOW.isoformat(), "message": "充电宝能带上飞机吗",
        "labels": {"replies": {"spec-powerbank-flight": 2}, "articles": {"digital-first-use": 1}},
    })  # fmt: skip
    wordless = asked.model_copy(update={"id": "c2", "message": "😀"})

    found, silent = evaluate_bm25([asked, wordless], demo_snapshot, embedder).results

    assert "spec-powerbank-flight" == found.reply_ids[0]
    assert 1.0 == found.scores["success@1"]
    assert ((), True, 0.0) == (silent.reply_ids, silent.abstained, silent.scores["success@1"])
