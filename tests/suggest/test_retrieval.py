"""The path of a large shop, which looks only at what its channels find, against the one that looks at every reply."""

import random
from pathlib import Path

import numpy as np
import pytest

from knowledge.chats import LabelledChat, read_chats
from suggest import retrieval
from suggest.pipeline import Suggester, request_of
from suggest.retrieval import Hits


@pytest.fixture(scope="module")
def chats() -> list[LabelledChat]:
    folder = Path(__file__).parents[2] / "knowledge" / "stores" / "demo"
    found, bad = read_chats(folder / "chats" / "dev.jsonl", root=folder)
    assert bad == []
    return random.Random(3).sample(found, 40)


@pytest.fixture
def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "_FEW_KEYS", 0)


@pytest.fixture(scope="module")
def of_all(demo_suggester: Suggester, chats: list[LabelledChat]) -> list[Hits]:
    return [demo_suggester.retrieved(chat)[0][0][1] for chat in chats]


def test_a_large_shop_looks_at_some_replies_and_sees_in_them_what_a_small_one_sees(
    as_large: None, demo_suggester: Suggester, chats: list[LabelledChat], of_all: list[Hits]
):
    for chat, every in zip(chats, of_all, strict=True):
        some = demo_suggester.retrieved(chat)[0][0][1].replies
        same = every.closely(some.reply_rows)  # in a small shop a reply's place is its row

        assert 0 < len(some.reply_rows) < len(every.pool.reply_rows)
        assert some.reply_rows.tolist() == sorted(set(some.reply_rows.tolist())) == same.reply_rows.tolist()
        assert (some.starts.tolist(), some.is_trigger.tolist()) == (same.starts.tolist(), same.is_trigger.tolist())
        for name in ("cosines", "key_needs", "lexical", "lexical_in_context", "voted"):
            np.testing.assert_allclose(getattr(some, name), getattr(same, name), atol=1e-5, err_msg=name)


def test_the_nearest_trigger_is_among_what_a_large_shop_looks_at(as_large: None, demo_suggester: Suggester, chats: list[LabelledChat], of_all: list[Hits]):
    for chat, every in zip(chats, of_all, strict=True):
        nearest = every.replies.best_trigger(every.replies.cosines[:, 0]).argmax()

        assert nearest in demo_suggester.retrieved(chat)[0][0][1].replies.reply_rows


def test_the_first_draft_hardly_ever_differs(as_large: None, demo_suggester: Suggester, chats: list[LabelledChat], monkeypatch: pytest.MonkeyPatch):
    large = [demo_suggester.suggest(request_of(chat), now=chat.now, request_id="r").suggestions[:1] for chat in chats]
    monkeypatch.setattr(retrieval, "_FEW_KEYS", 4_000)
    small = [demo_suggester.suggest(request_of(chat), now=chat.now, request_id="r").suggestions[:1] for chat in chats]

    same = [[one.reply_id for one in a] == [one.reply_id for one in b] for a, b in zip(large, small, strict=True)]
    assert sum(same) >= 36
