from dataclasses import replace

import numpy as np
import pytest

from knowledge.conditions import Outcome, Verdict
from knowledge.records import ProvenReply
from knowledge.style_records import Style
from suggest.choices import Answer
from suggest.joining import speaks_against, sure_pair, without_repeated_requests
from suggest.ranking import Candidate
from tests.suggest.drafted import STORE, candidate, drafter, heard, reply

PARCEL = reply(id="track", scenario="logistics.track", information="包裹在路上，后天送到您手上。")
INVOICE = reply(id="invoice", scenario="invoice", information="电子发票在订单详情里申请。")


def answer(wanted: ProvenReply, confidence: float, *, own: float = 0.9) -> Answer:
    question = replace(heard("calm"), scenarios={wanted.scenario: own})
    return Answer(question, None, [Candidate(wanted, Verdict(Outcome.TRUE), confidence, np.zeros(1, dtype=np.float32))])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        pytest.param((PARCEL, 0.9), (INVOICE, 0.95), True, id="both sure"),
        pytest.param((PARCEL, 0.9), (INVOICE, 0.85), False, id="too much doubt together"),
        pytest.param((PARCEL, 0.99), (INVOICE.model_copy(update={"scenario": "logistics.track"}), 0.99), False, id="one reason, two conditions"),
        pytest.param((PARCEL, 0.99), (INVOICE.model_copy(update={"scenario": "complaint.service"}), 0.99), False, id="a complaint stands for itself"),
        pytest.param(
            (PARCEL.model_copy(update={"scenario": "return.no_reason"}), 0.99),
            (INVOICE.model_copy(update={"scenario": "exchange"}), 0.99),
            False,
            id="two remedies",
        ),
        pytest.param((PARCEL, 0.99), (PARCEL.model_copy(update={"id": "other", "scenario": "order.status"}), 0.99), False, id="the same words"),
    ],
)
def test_two_answers_are_joined_only_when_both_are_sure_and_get_along(first, second, joined):
    pair = sure_pair([answer(*first), answer(*first), answer(*second)], threshold=0.5)

    assert joined == (pair is not None)


def test_order_is_that_of_the_questions_whichever_is_surer():
    pair = sure_pair([answer(INVOICE, 0.99), answer(PARCEL, 0.9), answer(INVOICE, 0.99)], threshold=0.5)

    assert pair is not None
    assert ["track", "invoice"] == [candidate.reply.id for _, candidate in pair]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([answer(PARCEL, 0.99)], id="one question"),
        pytest.param([answer(reply(id="third", information="别的话。"), 0.99), answer(PARCEL, 0.99), answer(INVOICE, 0.99)], id="the whole says another"),
        pytest.param([answer(PARCEL, 0.99), answer(PARCEL, 0.99, own=0.1), answer(INVOICE, 0.99)], id="hardly asked"),
        pytest.param([answer(PARCEL, 0.99), answer(PARCEL, 0.99), Answer(heard("calm"), None, [])], id="no answer to one"),  # type: ignore[arg-type]
    ],
)
def test_in_doubt_each_stays_alone(answers):
    assert sure_pair(answers, threshold=0.5) is None


@pytest.mark.parametrize(
    ("half", "joined"),
    [("看到已经打包了", False), ("已经签收了", False), ("订单显示已签收", False), ("钱我没看见", True), ("已经三天了还没发货", True), ("盒子里少了一罐", True)],
)
def test_a_half_that_only_tells_how_far_the_order_has_come_is_no_question(half: str, joined: bool):
    first = answer(PARCEL, 0.99)
    first = replace(first, question=replace(first.question, readings=(replace(first.question.readings[0], text=half),)))

    assert joined == (sure_pair([answer(PARCEL, 0.99), first, answer(INVOICE, 0.99)], threshold=0.5) is not None)


def test_the_joined_drafts_own_confidence_reaches_the_threshold():
    """.99 × .9 = .891: each is above .89 and .9, both together only above the first."""
    answers = [answer(PARCEL, 0.99), answer(PARCEL, 0.99), answer(INVOICE, 0.9)]

    assert sure_pair(answers, threshold=0.89) is not None
    assert sure_pair(answers, threshold=0.9) is None


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        pytest.param("派送时会联系您，请留意电话。", "我联系中通备注，派送前请留意电话。", "我联系中通备注。", id="a few words more"),
        pytest.param("请拍一张收到的商品和面单。", "我来核对。请拍一张收到的商品和面单。", "我来核对。", id="a whole sentence"),
        pytest.param("请留意电话。", "请不要留意电话。", "请不要留意电话。", id="the contrary"),
        pytest.param("请拍照发我。", "请把订单号发我。", "请把订单号发我。", id="another thing"),
        pytest.param("请留意电话。", "如果不在家，请留意电话。", "如果不在家，请留意电话。", id="an if keeps what hangs on it"),
        pytest.param("签收7天内，可以退。", "签收7天内，可以换。", "签收7天内，可以换。", id="a condition is no request"),
        pytest.param("You're set, please send the photo.", "I'll check, please send the photo.", "I'll check.", id="English"),
    ],
)
def test_one_request_comes_once(said: str, text: str, left: str) -> None:
    assert left == without_repeated_requests(text, [said])


def test_a_joined_draft_asks_for_one_thing_once() -> None:
    track = reply(id="track", scenario="logistics.track", information="预计明天晚上送到。", action="派送时快递员会联系您，请留意电话。")
    slot = reply(id="slot", scenario="logistics.booking", information="快递按网点的安排送。", action="您告诉我时间，我来备注，派送前请留意电话。")

    made = drafter(store=STORE.model_copy(update={"style": Style(max_chars=200)})).joined(candidate(track), candidate(slot))

    assert made is not None
    assert "预计明天晚上送到。派送时快递员会联系您，请留意电话。\n快递按网点的安排送。您告诉我时间，我来备注。" == made.text


@pytest.mark.parametrize(
    ("one", "other", "reasons", "against"),
    [
        pytest.param(
            "没打包可以取消：储蓄卡1–3个工作日，信用卡3–7个工作日。",
            "原路退回，储蓄卡1–3个工作日，信用卡3–7个工作日。",
            ("order.cancel", "refund.timing"),
            True,
            id="twice the same",
        ),
        pytest.param("没打包可以取消，我来提交。", "储蓄卡1–3个工作日，信用卡3–7个工作日。", ("order.cancel", "refund.timing"), False, id="other things"),
        pytest.param("系统显示昨天签收，我去查。", "您这单已经签收，可以申请发票。", ("logistics.lost", "invoice"), True, id="they say it never came"),
        pytest.param("您这单已经签收，可以退。", "您这单已经签收，可以申请发票。", ("return.no_reason", "invoice"), False, id="nobody says that"),
    ],
)
def test_two_answers_that_repeat_or_contradict_stay_apart(one: str, other: str, reasons: tuple[str, str], against: bool):
    assert against == speaks_against(one, other, reasons)
