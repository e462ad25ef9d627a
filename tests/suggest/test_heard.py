"""How well messages were understood, by hand over five chats."""

import math
from datetime import datetime
from typing import Any

import pytest

from knowledge.chats import LabelledChat
from suggest.evaluation import ChatResult
from suggest.heard import heard_rightly

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")


def result(number: int, *, meant: str, mood: str | None, threatens: bool = False, heard: str, felt: str, warned: bool = False) -> ChatResult:
    labels: dict[str, Any] = {"scenarios": [meant], "emotion": mood, "threatens": threatens}
    chat = LabelledChat.model_validate({"id": f"c{number}", "store": "shop", "now": NOW, "message": "退款", "labels": labels})
    return ChatResult(chat, (), (), True, {}, heard=heard, mood=felt, threatens=warned)


def test_shares_and_macro_f1_by_hand() -> None:
    found = heard_rightly(
        [
            result(1, meant="invoice", mood="calm", heard="invoice", felt="calm"),
            result(2, meant="invoice", mood="calm", heard="exchange", felt="upset"),
            result(3, meant="exchange", mood="upset", heard="exchange", felt="upset", warned=True),
            result(4, meant="exchange", mood="angry", threatens=True, heard="exchange", felt="upset", warned=True),
            result(5, meant="exchange", mood=None, heard="exchange", felt="calm"),
            result(6, meant="exchange", mood="angry", threatens=True, heard="invoice", felt="", warned=False),  # nobody listened
        ]
    )

    assert found.scenario == pytest.approx(4 / 5)
    assert found.mood == pytest.approx(2 / 4)
    # calm 2·1/(2+1), upset 2·1/(1+3), angry 0/(1+0); anxious is neither labelled nor heard
    assert found.mood_macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert (found.threat_precision, found.threat_recall) == (0.5, 1.0)


def test_without_any_chat_there_is_no_figure() -> None:
    found = heard_rightly([])

    assert all(math.isnan(value) for value in (found.scenario, found.mood, found.mood_macro_f1, found.threat_precision, found.threat_recall))
    assert set(found.as_json().values()) == {None}
