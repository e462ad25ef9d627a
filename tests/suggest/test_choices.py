"""A calm and an upset way to say the same: the mood chooses. What cannot be sent stands above nothing surer that can."""

from dataclasses import replace

import numpy as np
import pytest

from knowledge.conditions import ALWAYS
from knowledge.records import ProvenReply
from knowledge.shop import Shop
from suggest.choices import Answer, in_tone, in_turn, parts_matter, surely_asked, unsendable_later
from suggest.contract import Suggestion
from suggest.likeness import twins
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from tests.suggest.drafted import heard, reply

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


@pytest.mark.parametrize("tone", ["calm", ""])
@pytest.mark.parametrize(("upset", "expected"), [(0.9, ["upset", "usual"]), (0.2, ["usual", "upset"])])
def test_what_was_written_for_no_mood_is_the_usual_way_beside_what_was_written_for_the_upset(tone: str, upset: float, expected: list[str]) -> None:
    made = [reply(id=one, tone=own, when="order.is_shipped", information="包裹停了两天，我马上催。") for one, own in (("usual", tone), ("upset", "upset"))]
    signals = np.zeros(len(SIGNALS), dtype=np.float32)

    for ranked in (made, made[::-1]):
        found = in_tone([Candidate(one, ALWAYS, 0.9 - place / 10, signals) for place, one in enumerate(ranked)], upset=upset)
        assert expected == [one.reply.id for one in found]


def test_without_a_tone_only_what_shares_its_words_and_its_condition_is_a_twin_and_danger_has_none():
    """«Ring your vet» for a cut hand, a confession for who was never called back: what is merely nearest is another matter."""
    words = "包裹停了两天，我马上催快递。"
    calm, upset = reply(id="calm", tone="calm", information=words), reply(id="upset", tone="upset", information="包裹停了两天没动，真对不起，我马上催快递。")
    plain = calm.model_copy(update={"id": "plain", "tone": ""})
    held = [one.model_copy(update={"when": "order.is_shipped"}) for one in (plain, upset)]

    assert {"plain": "upset", "upset": "plain"} == twins(held)
    assert {} == twins([plain, upset])  # of no condition
    assert {} == twins([held[0].model_copy(update={"information": "回电我给您约今天下午。"}), held[1]])  # of other words
    assert {"calm": "upset", "upset": "calm"} == twins([calm.model_copy(update={"when": "order.is_shipped"}), *held])  # one for the calm goes before
    assert {} == twins([one.model_copy(update={"scenario": "safety"}) for one in held])


def test_twins_are_the_two_of_one_gate_that_are_nearest_to_each_other():
    """Two things gone wrong under one condition, each told calmly and to somebody who is upset: four replies, two pairs."""
    words = {
        "missing": "少发的配件我核对后补寄给您，请拍一张清单。",
        "missing-upset": "东西没给您配齐，真对不起，少发的配件我马上核对补寄。",
        "wrong": "发错的颜色我安排上门取件，换对的给您。",
        "wrong-upset": "等来一件错的，太让人失望了，发错的颜色我现在安排上门取件。",
    }
    made = [reply(id=one, tone="upset" if one.endswith("upset") else "calm", information=text, when="order.is_delivered") for one, text in words.items()]

    assert {"missing": "missing-upset", "missing-upset": "missing", "wrong": "wrong-upset", "wrong-upset": "wrong"} == twins(made)
    assert {} == twins([made[0], made[1].model_copy(update={"authority": "lead"})])
    assert {} == twins([made[0], made[1].model_copy(update={"when": "order.is_shipped"})])
    assert {} == twins([made[0], made[2]])


WORDS = {"a": "包裹在路上，后天到。", "b": "电子发票自己申请。", "c": "尺码偏小半码。", "d": "运费我们来出。"}


def answer(*found: tuple[str, float], several: float = 0.0) -> Answer:
    """Candidates by id and confidence, whose words have nothing in common."""
    signals = np.zeros(len(SIGNALS), dtype=np.float32)
    candidates = [Candidate(reply(id=one, information=WORDS[one]), ALWAYS, sure, signals) for one, sure in found]
    return Answer(replace(heard("calm"), several=several, asks_several=several > 0.5), None, candidates)  # type: ignore[arg-type]


def turns(*answers: Answer, least: float = 0.0) -> list[tuple[str, float]]:
    return [(candidate.reply.id, round(candidate.confidence, 3)) for _, candidate in in_turn(answers, least=least)]


def test_one_question_keeps_its_own_order():
    assert [("a", 0.9), ("b", 0.5), ("c", 0.4)] == turns(answer(("a", 0.9), ("b", 0.5), ("c", 0.4)))


def test_of_two_questions_the_second_gets_the_second_place_by_hand():
    """Sure of two: worth of d for the second part .9·.8 + .1·.1 = .73, of b for the whole .1·.8 + .9·.5·(1 − .9·.4) = .368."""
    whole = answer(("a", 0.9), ("b", 0.8), ("d", 0.1), several=0.9)

    assert [("a", 0.9), ("d", 0.73), ("b", 0.8)] == turns(whole, answer(("a", 0.9), ("b", 0.5)), answer(("d", 0.8)))


def test_what_is_hardly_two_questions_keeps_the_order_of_one_and_the_confidence_of_both():
    """One in ten: worth of b .9·.8 = .72, of d .1·.8 + .9·.1 = .17, which is also how sure it is."""
    whole = answer(("a", 0.9), ("b", 0.8), ("d", 0.1), several=0.1)

    assert [("a", 0.9), ("b", 0.8), ("d", 0.17)] == turns(whole, answer(("a", 0.9)), answer(("d", 0.8)))


def test_a_part_that_is_sure_of_its_answer_is_not_silenced_by_the_whole():
    whole = answer(("a", 0.3), several=0.9)

    assert [("a", 0.84)] == turns(whole, answer(("a", 0.9)), answer(("d", 0.2)), least=0.6)


@pytest.mark.parametrize(
    ("found", "several", "matter"),
    [
        pytest.param([("a", 0.9), ("b", 0.3)], 0.9, True, id="two things are asked"),
        pytest.param([("a", 0.9), ("b", 0.3)], 0.2, False, id="nothing else may come near: .2 + .8·.3 = .44"),
        pytest.param([("a", 0.9), ("b", 0.6)], 0.2, True, id="the second may: .2 + .8·.6 = .68"),
        pytest.param([("a", 0.6), ("b", 0.1)], 0.2, True, id="the first may"),
        pytest.param([("a", 0.5), ("b", 0.1)], 0.2, False, id="the first may not: .2 + .8·.5 = .6"),
        pytest.param([], 0.2, False, id="nothing was found"),
        pytest.param([], 0.7, True, id="a part alone is enough"),
    ],
)
def test_parts_are_looked_at_where_they_may_change_what_is_shown(found: list[tuple[str, float]], several: float, matter: bool):
    assert matter == parts_matter(answer(*found, several=several), least=0.66)


def test_only_a_message_that_surely_asks_two_things_is_spoken_of_as_two():
    parts = answer(("a", 0.9)), answer(("d", 0.8))

    assert 3 == len(surely_asked([answer(("a", 0.9), several=0.9), *parts]))
    assert 1 == len(surely_asked([answer(("a", 0.9), several=0.1), *parts]))
