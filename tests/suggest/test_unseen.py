"""Leave-one-shop-out, on two made-up shops: who teaches, who is judged, and what is told of it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.classifier import TextClassifier
from knowledge.chats import LabelledChat
from knowledge.shop import load_shop
from suggest import unseen
from suggest.fitting import Example, Fitted, fit
from suggest.history import HistoryGate
from suggest.live import Models
from suggest.meaning import MeaningModel
from suggest.moods import MoodModel
from suggest.ranking import Ranker
from suggest.signals import SIGNALS
from suggest.understanding import MessageReader
from suggest.unseen import LabelledShop, Unseen, leave_one_shop_out
from tests.fakes import DIMENSION, MORNING, SPLITTER, FakeEmbedder, write_classifier, write_shop

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
SCENARIOS = ("invoice", "logistics.delay", "return.no_reason")
VOTES = [number for number, name in enumerate(SIGNALS) if name.startswith("voted")]
WORDS = "发票 快递 退货 抬头 没动 怎么 几天 包裹 申请 重开 运费 地址 颜色 尺码".split()


def silent(folder: Path, labels: Sequence[str]) -> TextClassifier:
    write_classifier(folder, labels=labels, ngrams={}, dense=np.zeros((DIMENSION, len(labels))), bias=[0.0] * len(labels))
    return TextClassifier(folder, FakeEmbedder())


def shop_of(folder: Path, name: str, *, seed: int) -> LabelledShop:
    """Thirty replies; most messages repeat a trigger, every fourth says something else and is not to be answered."""
    rng = random.Random(seed)
    triggers = {f"r{number:02}": "".join(rng.sample(WORDS, 3)) for number in range(30)}
    replies = [{"id": one, "scenario": rng.choice(SCENARIOS), "text": f"好的{one}", "triggers": said, "status": "approved"} for one, said in triggers.items()]
    loaded = load_shop(write_shop(folder / name, replies=replies))
    chats = []
    for number in range(40):
        reply = rng.choice(replies)
        labels: dict[str, Any] = {"scenarios": [reply["scenario"]], "replies": {reply["id"]: 2}} if number % 4 else {"answerable": False}
        message = reply["triggers"] if number % 4 else "今晚月色真美"
        chats.append(LabelledChat.model_validate({"id": f"{name}-{number:02}", "store": name, "now": NOW, "message": message, "labels": labels}))
    return LabelledShop(replace(loaded, store=loaded.store.model_copy(update={"id": name})), tuple(chats))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, tiny_needs: TextClassifier) -> tuple[dict[str, Unseen], list[set[str]]]:
    """Both shops judged, and the conversations that each ranker was fitted on."""
    folder = tmp_path_factory.mktemp("unseen")
    reader = MessageReader(
        needs=tiny_needs, emotions=silent(folder / "emotion", ("angry", "anxious", "calm", "upset")), threats=silent(folder / "threat", ("none", "threat")),
        meaning=MeaningModel.as_heard(tiny_needs), moods=MoodModel.as_heard(), gate=HistoryGate(((0.0,) * 7,) * 4), splitter=SPLITTER,
    )  # fmt: skip
    learnt_from: list[set[str]] = []

    def watched(chats: Sequence[Example]) -> Fitted:
        learnt_from.append({example.conversation for example in chats})
        assert not any(example.table.values[:, VOTES].any() for example in chats)
        return fit(chats)

    shops = [shop_of(folder, "east", seed=1), shop_of(folder, "west", seed=2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unseen, "fit", watched)
        found = leave_one_shop_out(shops, Models(FakeEmbedder(), reader, Ranker.unfitted()), now=MORNING)
    return dict(found), learnt_from


def test_each_shop_is_judged_by_what_the_other_taught(judged: tuple[dict[str, Unseen], list[set[str]]]):
    found, learnt_from = judged

    assert list(found) == ["east", "west"]
    assert learnt_from[0] == {f"west/west-{number:02}" for number in range(40)}
    assert learnt_from[1] == {f"east/east-{number:02}" for number in range(40)}


def test_every_chat_is_judged_and_the_right_reply_is_found(judged: tuple[dict[str, Unseen], list[set[str]]]):
    for one in judged[0].values():
        assert len(one.ranked.results) == len(one.shown.results) == 40
        assert one.ranked.estimate("success@1").n == 30
        assert one.ranked.estimate("success@3").mean > 0.8
        assert [baseline.system for baseline in one.baselines] == ["BM25 on triggers", "BM25 + conditions", "dense + conditions"]


def test_what_is_shown_is_what_is_ranked_above_the_threshold(judged: tuple[dict[str, Unseen], list[set[str]]]):
    for one in judged[0].values():
        for ranked, shown in zip(one.ranked.results, one.shown.results, strict=True):
            assert shown.reply_ids == ranked.reply_ids[: len(shown.reply_ids)]
        asked = [result for result in one.shown.results if result.chat.labels.answerable]
        assert one.coverage == pytest.approx(sum(bool(result.reply_ids) for result in asked) / len(asked))
        assert 0 <= one.calibration_error <= 1
