"""What the agent is told beside the drafts: which of several questions none of them answers."""

from dataclasses import replace

import numpy as np
import pytest

from knowledge.conditions import ALWAYS
from suggest.choices import Answer
from suggest.contract import Suggestion
from suggest.ranking import Candidate
from suggest.shown import telling_what_is_open
from tests.suggest.drafted import heard, reply

PARCEL = reply(id="on-the-way", scenario="logistics.track", information="包裹在路上。")
CABLE = reply(id="cable", scenario="product.spec", information="充电盒带线。")
SIGNALS = np.zeros(1, dtype=np.float32)


def part(words: str, scenario: str, probability: float, *found: Candidate) -> Answer:
    question = heard("calm")
    reading = replace(question.readings[0], text=words)
    asked = replace(question, readings=(reading,), scenarios={scenario: probability, "account": 1 - probability})
    return Answer(asked, None, list(found))  # type: ignore[arg-type]


def draft() -> Suggestion:
    return Suggestion(
        suggestion_id="a", reply_id="on-the-way", reply_ids=["on-the-way"], rank=1, scenario="logistics.track", text="话", parts={}, confidence=0.9,
        sendable=True, missing=[], verify=[], auto_reply=False, why=["客户在问：查件"],
    )  # fmt: skip


SERVED = part("到哪了", "logistics.track", 0.9, Candidate(PARCEL, ALWAYS, 0.9, SIGNALS))
NOT_SERVED = part("充电盒带线吗", "product.spec", 0.9, Candidate(CABLE, ALWAYS, 0.4, SIGNALS))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param([SERVED, NOT_SERVED], ["还没答到：充电盒带线吗"], id="the second is left"),
        pytest.param([SERVED, SERVED], [], id="both are answered"),
        pytest.param([SERVED, part("充电盒带线吗", "product.spec", 0.5)], [], id="unsure that it is asked"),
        pytest.param([SERVED, part("你们怎么这样", "complaint.service", 0.9)], [], id="anger is no question"),
        pytest.param([SERVED, part("我吃花生起疹子", "product.spec", 0.9)], [], id="tells, and asks nothing"),
        pytest.param([SERVED, part("待收货]能送吗", "product.spec", 0.9)], [], id="a shred of a console's card"),
        pytest.param([SERVED, part("几天能到", "logistics.track", 0.9)], [], id="the same matter as the draft"),
        pytest.param([SERVED, part("急着用", "order.expedite", 0.9, Candidate(PARCEL, ALWAYS, 0.8, SIGNALS))], [], id="the draft answers it too"),
        pytest.param([], [], id="one question"),
    ],
)
def test_a_question_that_no_draft_answers_is_named(parts: list[Answer], told: list[str]) -> None:
    drafts = [draft(), draft().model_copy(update={"rank": 2})]

    first, second = telling_what_is_open(drafts, [SERVED, *parts], least=0.6, language="zh-CN")

    assert ["客户在问：查件", *told] == first.why
    assert ["客户在问：查件"] == second.why


def test_silence_has_its_own_reason() -> None:
    assert [] == telling_what_is_open([], [SERVED, SERVED, NOT_SERVED], least=0.6, language="en")
