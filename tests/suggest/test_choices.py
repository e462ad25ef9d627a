"""A calm and an upset way to say the same: the mood chooses. What cannot be sent stands above nothing surer that can."""

import numpy as np
import pytest

from knowledge.conditions import ALWAYS
from knowledge.records import ProvenReply
from knowledge.shop import Shop
from suggest.choices import in_tone, unsendable_later
from suggest.contract import Suggestion
from suggest.ranking import Candidate
from suggest.signals import SIGNALS

OVERDUE = "订单已经超过承诺的发货时间，还没有出库，我现在催仓库优先安排，两小时内把出库时间回给您。"
SORRY = "让您白等这么久，真对不起。订单已经超过承诺的发货时间，还没有出库，我现在就催仓库，两小时内把出库时间回给您。"
GIFT = "赠品随主商品一起寄，漏放的补寄，运费不用您出。"


@pytest.fixture
def replies(demo_shop: Shop) -> dict[str, ProvenReply]:
    plain = demo_shop.replies[0].model_copy(update={"empathy": "", "value": "", "action": "", "text": "", "when": "order.ship_overdue", "products": ()})

    def reply(name: str, tone: str, words: str, **more: str) -> ProvenReply:
        return plain.model_copy(update={"id": name, "tone": tone, "information": words} | more)

    written = [
        reply("calm", "calm", OVERDUE),
        reply("upset", "upset", SORRY),
        reply("plain", "", OVERDUE),
        reply("another matter", "upset", GIFT),
        reply("another order", "upset", SORRY, when="order.is_shipped"),
    ]
    return {one.id: one for one in written}


@pytest.mark.parametrize(
    ("upset", "ranked", "expected"),
    [
        pytest.param(0.7, ["plain", "calm", "upset"], ["plain", "upset", "calm"], id="upset"),
        pytest.param(0.7, ["upset", "calm"], ["upset", "calm"], id="upset, as ranked"),
        pytest.param(0.1, ["upset", "plain", "calm"], ["calm", "plain", "upset"], id="calm"),
        pytest.param(0.9, ["calm", "another matter"], ["calm", "another matter"], id="the same gate, another matter"),
        pytest.param(0.9, ["calm", "another order"], ["calm", "another order"], id="the same words, another order"),
    ],
)
def test_the_one_for_the_mood_goes_first_and_places_keep_their_confidence(
    replies: dict[str, ProvenReply], upset: float, ranked: list[str], expected: list[str]
):
    signals = np.zeros(len(SIGNALS), dtype=np.float32)
    candidates = [Candidate(replies[name], ALWAYS, 0.9 - place / 10, signals) for place, name in enumerate(ranked)]

    found = in_tone(candidates, upset=upset)

    assert expected == [one.reply.id for one in found]
    assert [one.confidence for one in candidates] == [one.confidence for one in found]


@pytest.mark.parametrize(
    ("drafts", "expected"),
    [
        pytest.param([("a", 0.78, False), ("b", 0.95, True)], ["b", "a"], id="surer and sendable goes first"),
        pytest.param([("a", 0.98, False), ("b", 0.95, True)], ["a", "b"], id="the surer one stays first"),
        pytest.param([("a", 0.78, True), ("b", 0.95, True)], ["a", "b"], id="both can be sent: the questions' order"),
        pytest.param([("a", 0.78, False), ("b", 0.95, False)], ["a", "b"], id="neither can be sent"),
        pytest.param([("a", 0.78, False), ("b", 0.95, True), ("c", 0.7, True), ("d", 0.8, True)], ["b", "c", "d", "a"], id="behind all that are surer"),
        pytest.param([("a", 0.78, False), None, ("b", 0.7, True)], ["a", "b"], id="a candidate without a draft"),
        pytest.param([("a", 0.78, False), ("b", 0.95, True), None], ["b", "a"], id="a last one without a draft"),
    ],
)
def test_what_cannot_be_sent_stands_above_nothing_surer_that_can(
    replies: dict[str, ProvenReply], drafts: list[tuple[str, float, bool] | None], expected: list[str]
):
    def suggestion(name: str, confidence: float, sendable: bool) -> Suggestion:
        return Suggestion(
            suggestion_id=name, reply_id=name, reply_ids=[name], rank=1, scenario="product.spec", text="话", parts={}, confidence=confidence, sendable=sendable,
            missing=[], verify=[], auto_reply=False, why=[],
        )  # fmt: skip

    drafted = [None if one is None else (replies["plain"], suggestion(*one)) for one in drafts]
    found = list(unsendable_later(drafted, [0.75 if one is None else one[1] for one in drafts]))

    assert expected == [one.reply_id for _, one in found]
