"""The labelled chats of the demo shop before and after its knowledge was changed, through the real pipeline."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from indexes.build import build_snapshot
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder
from indexes.gate import Verdict
from indexes.snapshot import Snapshot
from knowledge.chats import BEST, LabelledChat, read_chats
from knowledge.records import ProvenReply
from knowledge.shop import Shop
from suggest.live import Models
from suggest.quality_gate import judge_chats, sample
from tests.conftest import BUILT_AT, STORES

Change = Callable[[ProvenReply], ProvenReply | None]


@pytest.fixture(scope="module")
def chats() -> list[LabelledChat]:
    folder = STORES / "demo"
    return read_chats(folder / "chats" / "dev.jsonl", root=folder)[0][:40]


@pytest.fixture(scope="module")
def judge(
    demo_shop: Shop, demo_snapshot: Snapshot, chats: list[LabelledChat], models: Models, embedder: Embedder, needs: TextClassifier
) -> Callable[[Change], Verdict]:
    """Judges the demo shop with each reply changed, or taken out where the change gives None."""

    def judge_one(change: Change) -> Verdict:
        replies = tuple(new for reply in demo_shop.replies if (new := change(reply)) is not None)
        new = build_snapshot(replace(demo_shop, replies=replies), embedder=embedder, needs=needs, now=BUILT_AT)
        return judge_chats(demo_snapshot, new, chats, models)

    return judge_one


@pytest.fixture(scope="module")
def best_ids(chats: list[LabelledChat]) -> list[str]:
    """The replies that experts would send for the first chats."""
    return sorted({one for chat in chats[:12] for one, grade in chat.labels.replies.items() if grade == BEST})


def test_the_same_knowledge_passes_without_a_difference(judge: Callable[[Change], Verdict], chats: list[LabelledChat]):
    verdict = judge(lambda reply: reply)

    assert verdict.refusals == ()
    assert (verdict.figures["n_chats"], verdict.figures["broken"], verdict.figures["impossible"]) == (len(chats), [], [])
    assert [one["change"] for one in verdict.figures["metrics"].values()] == [0, 0, 0]


def test_replies_that_were_taken_out_are_told_apart_from_chats_that_lost(judge: Callable[[Change], Verdict], chats: list[LabelledChat], best_ids: list[str]):
    verdict = judge(lambda reply: None if reply.id in best_ids else reply)

    gone = [chat.id for chat in chats if (best := {one for one, grade in chat.labels.replies.items() if grade == BEST}) and best <= set(best_ids)]
    assert verdict.figures["impossible"] == sorted(gone)
    assert not set(gone) & {one["id"] for one in verdict.figures["broken"]}
    assert verdict.figures["metrics"]["success@1"]["n"] == sum(chat.labels.answerable and chat.id not in gone for chat in chats)


def test_conditions_mistyped_in_a_spreadsheet_are_refused_with_the_chats_that_break(judge: Callable[[Change], Verdict], chats: list[LabelledChat]):
    """Half of the replies get a condition that no order of these chats fulfils."""
    wanted = {one for chat in chats for one in chat.labels.replies}

    verdict = judge(lambda reply: reply.model_copy(update={"when": "order.status == 'closed'"}) if reply.id in wanted else reply)

    assert {one.code for one in verdict.refusals} == {"chats"}
    assert any("acceptable@1 of the labelled chats falls from" in one.reason for one in verdict.refusals)
    broken = verdict.figures["broken"]
    assert "its reply was edited" in {one["why"] for one in broken}
    assert all(set(one) == {"id", "why", "wanted", "live", "new"} for one in broken)
    by_id = {chat.id: chat for chat in chats}
    assert all(set(one["wanted"]) == set(by_id[one["id"]].labels.replies) for one in broken)


def test_no_customers_words_are_in_the_figures(judge: Callable[[Change], Verdict], chats: list[LabelledChat]):
    verdict = judge(lambda reply: reply.model_copy(update={"triggers": ()}))

    text = json.dumps([verdict.figures, [one.reason for one in verdict.refusals]], ensure_ascii=False, default=list)
    assert verdict.figures["broken"]
    assert not [chat.message for chat in chats if len(chat.message) > 3 and chat.message in text]


def test_a_few_lost_chats_of_a_small_set_are_no_refusal(
    demo_snapshot: Snapshot, demo_shop: Shop, chats: list[LabelledChat], models: Models, embedder: Embedder, needs: TextClassifier
):
    """Two of four are half of them, but two."""
    few = [chat for chat in chats if chat.labels.answerable][:2]
    wanted = {one for chat in few for one in chat.labels.replies}
    replies = tuple(one.model_copy(update={"when": "order.status == 'closed'"}) if one.id in wanted else one for one in demo_shop.replies)
    new = build_snapshot(replace(demo_shop, replies=replies), embedder=embedder, needs=needs, now=BUILT_AT)

    assert judge_chats(demo_snapshot, new, few, models).refusals == ()


def test_nothing_live_or_no_chats_is_nothing_to_compare(demo_snapshot: Snapshot, chats: list[LabelledChat], models: Models):
    assert judge_chats(None, demo_snapshot, chats, models) == Verdict({"n_chats": 0})
    assert judge_chats(demo_snapshot, demo_snapshot, [], models) == Verdict({"n_chats": 0})


def test_a_sample_is_the_same_each_night_and_keeps_conversations_together(chats: list[LabelledChat]):
    drawn = sample(chats, 20)

    assert drawn == sample(chats[:], 20)
    assert len(drawn) == 20
    assert [chat.id for chat in chats if chat in drawn] == [chat.id for chat in drawn]
    assert sample(chats, 40) == chats
    split = {chat.conversation for chat in drawn} & {chat.conversation for chat in chats if chat not in drawn}
    assert len(split) <= 1  # the one at the cut
