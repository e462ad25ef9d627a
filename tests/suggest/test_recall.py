"""Recall by channel, against ranks counted one by one. A made-up shop whose replies tie often: few words, hashed into few dimensions."""

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from indexes.build import build_snapshot
from indexes.classifier import TextClassifier
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.conditions import Outcome
from knowledge.shop import load_shop
from suggest.history import HistoryGate
from suggest.meaning import MeaningModel
from suggest.moods import MoodModel
from suggest.pipeline import Suggester
from suggest.ranking import Ranker
from suggest.recall import CHANNELS, Recall, recall
from suggest.retrieval import Hits
from suggest.understanding import MessageReader
from tests.fakes import DIMENSION, MORNING, SPLITTER, FakeEmbedder, write_classifier, write_shop

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
SCENARIOS = ("invoice", "logistics.delay", "return.no_reason")
WORDS = "发票 快递 退货 抬头 没动 怎么 几天 包裹 申请 重开 运费 地址 颜色 尺码".split()
WAYS = ("dense", "BM25", "both", "both + needs")


def silent(folder: Path, labels: Sequence[str]) -> TextClassifier:
    """A classifier that hears nothing: every label alike."""
    write_classifier(folder, labels=labels, ngrams={}, dense=np.zeros((DIMENSION, len(labels))), bias=[0.0] * len(labels))
    return TextClassifier(folder, FakeEmbedder())


def said(rng: random.Random, n: int) -> str:
    return "".join(rng.sample(WORDS, k=n))


def replies(n: int) -> list[dict[str, Any]]:
    rng = random.Random(1)
    return [
        {
            "id": f"reply-{number:02}",
            "scenario": rng.choice(SCENARIOS),
            "text": f"第{number}条回复。",
            "triggers": "|".join(said(rng, rng.choice([1, 2, 3])) for _ in range(2)),
            "status": "approved",
            "when": "order.status == 'shipped'" if number % 3 == 0 else "",
        }
        for number in range(n)
    ]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, tiny_needs: TextClassifier) -> MessageReader:
    folder = tmp_path_factory.mktemp("silent")
    return MessageReader(
        needs=tiny_needs,
        emotions=silent(folder / "emotion", ("angry", "anxious", "calm", "upset")),
        threats=silent(folder / "threat", ("none", "threat")),
        meaning=MeaningModel.as_heard(tiny_needs),
        moods=MoodModel.as_heard(),
        gate=HistoryGate(((0.0,) * 7,) * 4),
        splitter=SPLITTER,
    )


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory, tiny_needs: TextClassifier) -> Snapshot:
    shop = load_shop(write_shop(tmp_path_factory.mktemp("shops") / "tied", replies=replies(60)))
    return build_snapshot(shop, embedder=FakeEmbedder(), needs=tiny_needs, now=MORNING)


@pytest.fixture(scope="module")
def suggester(snapshot: Snapshot, reader: MessageReader) -> Suggester:
    return Suggester(snapshot, embedder=FakeEmbedder(), reader=reader, ranker=Ranker.unfitted())


def chat(number: int, message: str, acceptable: Sequence[str], *, history: Sequence[str] = (), status: str = "paid") -> LabelledChat:
    return LabelledChat.model_validate(
        {
            "id": f"chat-{number}", "store": "tiny", "now": NOW, "message": message, "order": {"status": status},
            "history": [{"role": role, "text": text} for role, text in zip(("customer", "agent") * len(history), history, strict=False)],
            "labels": {"scenarios": ["invoice"], "answerable": True, "replies": dict.fromkeys(acceptable, 1)},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def chats() -> list[LabelledChat]:
    rng = random.Random(2)
    ids = [reply["id"] for reply in replies(60)]
    return [
        chat(
            number, said(rng, rng.choice([1, 2, 3])) + rng.choice(["", "？还有" + said(rng, 2) + "怎么办"]), rng.sample(ids, k=2),
            history=[said(rng, 2), said(rng, 2)] if number % 4 == 0 else (), status=rng.choice(["paid", "shipped"]),
        )
        for number in range(60)
    ]  # fmt: skip


def reciprocal_ranks(values: Sequence[float]) -> list[float]:
    """1 / (60 + rank); a value's rank is one more than how many are better; what was not found has none."""
    return [1 / (60 + 1 + sum(other > value for other in values)) if value > 0 else 0.0 for value in values]


def best_of_each(hits: Hits, values: npt.NDArray[np.float32], *, only_triggers: bool = False) -> list[float]:
    """Key by key: the best of each reply's keys, 0 where none is positive."""
    near = hits.replies
    ends = [*near.starts.tolist()[1:], len(near.is_trigger)]
    return [
        max([0.0, *(float(values[key]) for key in range(start, end) if near.is_trigger[key] or not only_triggers)])
        for start, end in zip(near.starts.tolist(), ends, strict=True)
    ]


def counted(one: LabelledChat, suggester: Suggester) -> tuple[dict[str, dict[int, float]], set[int]]:
    """By brute force: each channel's score of each reply's row, and the rows that the order allows."""
    shop = suggester.snapshot.shop
    questions, eligibility = suggester.retrieved(one)
    scores: dict[str, dict[int, float]] = {way: dict.fromkeys(range(len(shop.replies)), 0.0) for way in WAYS}
    for question, hits in questions:
        near = hits.replies
        rows = near.reply_rows.tolist()
        lean = question.lean_on_history
        mixed = near.cosines[:, : len(question.readings)] @ question.shares
        needs = near.key_needs @ np.sqrt(question.mixed_needs)
        dense = reciprocal_ranks(best_of_each(hits, mixed, only_triggers=True))
        lexical = reciprocal_ranks(best_of_each(hits, np.float32(1 - lean) * near.lexical + np.float32(lean) * near.lexical_in_context))
        heard = reciprocal_ranks(best_of_each(hits, needs, only_triggers=True))
        sounds = reciprocal_ranks([question.scenarios.get(shop.replies[row].scenario, 0.0) for row in rows])
        for place, row in enumerate(rows):
            both = dense[place] + lexical[place]
            of = {"dense": dense[place], "BM25": lexical[place], "both": both, "both + needs": both + heard[place] + sounds[place]}
            for way in WAYS:
                scores[way][row] = max(scores[way][row], of[way])
    return scores, {row for row, reply in enumerate(shop.replies) if eligibility.of_reply(reply).outcome is not Outcome.FALSE}


def hit(scores: dict[int, float], acceptable: set[int], allowed: set[int]) -> float:
    first = sorted(allowed, key=lambda row: (-scores[row], row))[:10]
    return float(any(scores[row] > 0 for row in acceptable.intersection(first)))


def test_recall_equals_ranks_counted_one_by_one(chats: list[LabelledChat], suggester: Suggester):
    found = recall(chats, suggester)

    assert CHANNELS == WAYS
    every = set(range(60))
    row_of = {reply.id: row for row, reply in enumerate(suggester.snapshot.shop.replies)}
    for one, got in zip(chats, found, strict=True):
        scores, allowed = counted(one, suggester)
        acceptable = {row_of[reply] for reply in one.labels.replies}
        assert got == Recall(
            among_all={way: hit(scores[way], acceptable, every) for way in WAYS},
            among_allowed={way: hit(scores[way], acceptable, allowed) for way in WAYS},
        )


def test_the_made_up_shop_puts_it_to_the_test(chats: list[LabelledChat], suggester: Suggester):
    """Ties, two questions, misses and hits in every channel, and replies that the order rules out."""
    questions = [suggester.retrieved(one)[0] for one in chats]
    dense = [
        best_of_each(hits, hits.replies.cosines[:, : len(question.readings)] @ question.shares, only_triggers=True)
        for found in questions
        for question, hits in found
    ]
    found = recall(chats, suggester)

    assert any(len(set(values)) < len(values) - 5 for values in dense)
    assert any(len(one) > 1 for one in questions)
    for way in WAYS:
        assert 0 < sum(one.among_all[way] for one in found) < len(chats)
    assert any(one.among_all != one.among_allowed for one in found)


def test_other_messages_can_stand_in_for_the_chats_own(suggester: Suggester):
    """The trigger of a reply, word for word, finds it; nonsense finds nothing by its words."""
    reply = suggester.snapshot.shop.replies[1]
    one = chat(0, "魑魅魍魉", [reply.id])

    [own], [standing_in] = recall([one], suggester), recall([one], suggester, messages=[reply.triggers[0]])

    assert (own.among_all["BM25"], standing_in.among_all["BM25"]) == (0.0, 1.0)
    assert standing_in == recall([chat(0, reply.triggers[0], [reply.id])], suggester)[0]


def test_a_reply_that_the_order_rules_out_is_found_among_all_and_not_among_the_allowed(suggester: Suggester):
    ruled_out = suggester.snapshot.shop.replies[0]  # only for shipped orders

    [paid] = recall([chat(0, ruled_out.triggers[0], [ruled_out.id], status="paid")], suggester)
    [shipped] = recall([chat(0, ruled_out.triggers[0], [ruled_out.id], status="shipped")], suggester)

    assert (paid.among_all["BM25"], paid.among_allowed["BM25"]) == (1.0, 0.0)
    assert (shipped.among_all["BM25"], shipped.among_allowed["BM25"]) == (1.0, 1.0)


def test_no_chats_give_no_figures(suggester: Suggester):
    assert recall([], suggester) == []
