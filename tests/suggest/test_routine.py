"""What may go out unread: never words that say somebody has acted or will, never money, never to the upset."""

from decimal import Decimal

import numpy as np
import pytest

from knowledge.records import ProvenReply
from suggest.drafting import is_routine
from suggest.understanding import Reading, Understanding


def question(*, emotion: str = "calm", threat: float = 0.0, scenarios: dict[str, float] | None = None) -> Understanding:
    moods = dict.fromkeys(("calm", "anxious", "upset", "angry"), 0.0) | {emotion: 1.0}
    return Understanding(
        readings=(Reading("羊毛衫能机洗吗", np.zeros(1, dtype=np.float32)),), lean_on_history=0.0, scenarios=scenarios or {"product.care": 1.0},
        emotions=moods, threat=threat, language="zh", products=(), shares=np.ones(1, dtype=np.float32), mixed_needs=np.zeros(1, dtype=np.float32),
        scenarios_of_message={}, scenarios_heard={},
    )  # fmt: skip


def reply(**fields: object) -> ProvenReply:
    return ProvenReply.model_validate({"id": "r", "scenario": "product.care", "text": "冷水手洗即可。", "status": "approved"} | fields)


def test_a_plain_answer_to_a_calm_question_is_routine() -> None:
    assert is_routine(reply(), "羊毛衫请用冷水手洗，平铺晾干。", question())


@pytest.mark.parametrize(
    "text",
    [
        "我已经联系快递催派，请您留意。",
        "我现在就帮您取消。",
        "已为您登记。",
        "专员2小时内回您电话。",
        "I have opened a trace for you.",
        "You will hear back within 24 hours.",
    ],
)
def test_a_draft_that_says_somebody_acts_is_not(text: str) -> None:
    assert not is_routine(reply(), text, question())


@pytest.mark.parametrize(
    "asked",
    [question(emotion="angry"), question(emotion="anxious"), question(threat=0.9), question(scenarios={"safety": 0.3, "product.usage": 0.7})],
    ids=["angry", "anxious", "threat", "safety"],
)
def test_nothing_goes_unread_to_someone_who_is_not_calm_and_safe(asked: Understanding) -> None:
    assert not is_routine(reply(), "冷水手洗即可。", asked)


def test_money_and_words_for_the_upset_are_read_first() -> None:
    assert not is_routine(reply(promises_amount=Decimal(5)), "券在订单页。", question())
    assert not is_routine(reply(tone="upset"), "冷水手洗即可。", question())
