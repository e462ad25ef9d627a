"""What may go out unread: a plain answer to a calm question; never what says that somebody acts, refuses, or is owed by a person."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from indexes.snapshot import Snapshot
from knowledge.conditions import ALWAYS
from knowledge.order_context import Turn
from knowledge.records import ProvenReply
from suggest.choices import Answer
from suggest.contract import Suggestion, SuggestionRequest, Warning_
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.questions import QuestionSplitter
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from suggest.understanding import Reading, Understanding
from suggest.unread import answers_what_was_asked, is_routine, refuses, unread_marked, wants_a_person
from tests.suggest.drafted import ENGLISH, STORE


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
        "我给仓库备注您着急。",
        "我是人工客服，请告诉我订单号。",
        "不是机器人，我在的。",
        "I am a real person, tell me more.",
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


def test_a_waiting_reply_is_not_routine() -> None:
    assert not is_routine(reply(scenario="chat.wait"), "请告诉我订单号。", question())


@pytest.mark.parametrize(
    "message",
    ["转人工", "人工", "我要人工客服，别拿机器人糊弄我", "有没有真人啊", "叫你们店长来", "轉人工", "can I talk to a human", "get me a real person"],
)
def test_who_wants_a_person_is_heard(message: str) -> None:
    assert wants_a_person(message, question())


def test_who_waits_for_one_is_heard_by_the_contact_reason() -> None:
    assert wants_a_person("在不", question(scenarios={"chat.wait": 0.4, "chat.greeting": 0.6}))


@pytest.mark.parametrize("message", ["羊毛衫能机洗吗", "安装人工费多少", "在吗", "How do I wash it?"])
def test_who_asks_for_something_else_wants_none(message: str) -> None:
    assert not wants_a_person(message, question())


@pytest.mark.parametrize(
    ("agent", "message", "answers"),
    [
        pytest.param("请问孩子几年级？", "二年级", True, id="a question"),
        pytest.param("您看补发还是退款？", "退款", True, id="a choice"),
        pytest.param("请把正确的抬头和税号发给我。", "抬头：晨光幼儿园", True, id="a request"),
        pytest.param("您告诉我孩子几岁、喜欢什么，我再帮您缩小范围。", "5岁，女孩", True, id="a request in passing"),
        pytest.param("Could you tell me the size?", "small", True, id="English"),
        pytest.param("昨天已经发出了，走的迅风速运", "明儿能到不", False, id="nothing was asked"),
        pytest.param("已经帮您登记。请问还有什么可以帮您的吗？", "发票怎么开", False, id="asked for politeness"),
        pytest.param("Done. Is there anything else I can help with?", "how do I wash it", False, id="asked for politeness in English"),
        pytest.param("请问孩子几年级？", "好的，谢谢", False, id="thanks"),
    ],
)
def test_a_message_may_answer_what_the_agent_asked_last(agent: str, message: str, answers: bool) -> None:
    history = [Turn(role="customer", text="你好"), Turn(role="agent", text=agent)]

    assert answers == answers_what_was_asked(message, history)
    assert answers == answers_what_was_asked(message, [*history, Turn(role="customer", text="稍等")])


def test_without_an_agents_turn_nothing_was_asked() -> None:
    assert not answers_what_was_asked("二年级", [])
    assert not answers_what_was_asked("二年级", [Turn(role="customer", text="选哪款？")])


@pytest.mark.parametrize(
    "text",
    [
        "刻字钢笔是定制的，不支持无理由退货。漏墨的话我们重做。",
        "拆封的材料包不能按无理由退货，有质量问题可以换新。",
        "签收12天，已经过了无理由期。",
        "定制衣柜不在保价范围里。",
        "港澳台和海外不发。",
    ],
)
def test_a_refusal_is_read_even_with_another_way_in_it(text: str) -> None:
    assert refuses(text, STORE)


def test_an_english_refusal_is_read() -> None:
    assert refuses("I'm sorry, we can't take back opened food, but a store credit is possible.", ENGLISH)
    assert refuses("It is no longer covered. A repair costs $20.", ENGLISH)
    assert not refuses("You have 30 days to send it back.", ENGLISH)


@pytest.mark.parametrize("text", ["请用冷水手洗，不要暴晒。", "过了这个时间还没动静，请来问。", "能不能用券，下单页会显示。", "7天内可以退。"])
def test_advice_is_no_refusal(text: str) -> None:
    assert not refuses(text, STORE)


def marked(
    snapshot: Snapshot,
    *,
    message: str = "羊毛衫怎么洗",
    history: tuple[Turn, ...] = (),
    escalated: bool = False,
    nearest: float = 0.8,
    when: str = "",
    **fields: Any,
) -> list[bool]:
    plain = next(one for one in snapshot.shop.replies if one.scenario == "product.care" and not one.tone and not one.promises_amount)
    signals = np.zeros(len(SIGNALS), dtype=np.float32)
    signals[SIGNALS.index("trigger")] = nearest
    chosen = Candidate(plain.model_copy(update={"when": when}), ALWAYS, 0.95, signals)
    hits: Any = None  # nobody looks
    first = Suggestion.model_validate(
        {"suggestion_id": "s", "reply_id": plain.id, "reply_ids": [plain.id], "rank": 1, "scenario": plain.scenario, "text": "冷水手洗，平铺晾干。",
         "parts": {}, "confidence": 0.95, "sendable": True, "missing": [], "verify": [], "auto_reply": False, "why": []} | fields
    )  # fmt: skip
    request = SuggestionRequest(message=message, history=history)
    drafts = [first, first.model_copy(update={"rank": 2})]
    return [one.auto_reply for one in unread_marked(drafts, snapshot, Answer(question(), hits, [chosen]), request, escalated=escalated, least=0.9)]


def test_the_first_of_one_question_goes_unread_where_nothing_speaks_against_it(demo_snapshot: Snapshot) -> None:
    assert [True, False] == marked(demo_snapshot)
    assert [True, False] == marked(demo_snapshot, nearest=0.5, when="order.is_shipped")  # the order tells which reply it is
    assert [True, False] == marked(demo_snapshot, message="30度水能洗吗", text="30度以下的水能洗。")


@pytest.mark.parametrize(
    "against",
    [
        pytest.param({"escalated": True}, id="somebody takes over"),
        pytest.param({"message": "转人工"}, id="a person is wanted"),
        pytest.param({"history": (Turn(role="agent", text="请问是什么面料？"),)}, id="an answer"),
        pytest.param({"sendable": False}, id="facts unknown"),
        pytest.param({"confidence": 0.89}, id="not sure enough"),
        pytest.param({"text": "羊毛衫不支持机洗后退货。"}, id="a refusal"),
        pytest.param({"text": "我已经给您登记。"}, id="somebody acts"),
        pytest.param({"text": "少的给您补发，不收钱。"}, id="goods are promised"),
        pytest.param({"text": "签收7天内全额退。"}, id="money is promised"),
        pytest.param({"message": "羊毛衫能换成裙子吗", "when": "order.is_unshipped"}, id="it is to become another thing"),
        pytest.param({"warnings": [Warning_(code="cold", message="x")]}, id="a warning"),
        pytest.param({"nearest": 0.5}, id="no trigger asks this, and no order tells which reply it is"),
        pytest.param({"message": "60度水能洗吗"}, id="a number that the draft leaves out"),
        pytest.param({"message": "照片发您了，帮看下怎么洗", "text": "请发张照片看看。"}, id="it asks for what was named"),
    ],
)
def test_any_one_thing_against_it_leaves_it_to_a_person(demo_snapshot: Snapshot, against: dict[str, Any]) -> None:
    assert [False, False] == marked(demo_snapshot, **against)


def ask(suggester: Suggester, message: str, **fields: Any) -> list[Suggestion]:
    now = datetime.fromisoformat("2026-11-24T10:05:00+08:00")
    return suggester.suggest(SuggestionRequest.model_validate({"message": message} | fields), now=now, request_id="r").suggestions


def test_the_same_question_goes_unread_alone_and_is_read_as_an_answer(demo_suggester: Suggester) -> None:
    message = "真丝裙子能机洗吗"
    alone = ask(demo_suggester, message)
    asked = ask(demo_suggester, message, history=[{"role": "agent", "text": "请问您想了解哪一件？"}])

    assert alone[0].auto_reply
    assert asked
    assert not asked[0].auto_reply


def test_what_may_ask_two_things_is_never_unread(demo_snapshot: Snapshot, models: Models) -> None:
    """The same message, the same confidence: heard as one question, and by a judge who always reckons with two."""
    message = "真丝裙子能机洗吗 我看洗标上没写"
    reckoning = models.reader.splitting_by(replace(QuestionSplitter.load(), perhaps=-99.0, threshold=99.0))
    (one, *_), (perhaps_two, *_) = (
        ask(Suggester(demo_snapshot, embedder=models.embedder, reader=reader, ranker=models.ranker), message) for reader in (models.reader, reckoning)
    )

    assert one.auto_reply
    assert (one.reply_id, one.confidence) == (perhaps_two.reply_id, perhaps_two.confidence)
    assert not perhaps_two.auto_reply


def test_whose_facts_are_unknown_is_never_unread(demo_suggester: Suggester) -> None:
    order = {"status": "delivered", "items": [{"sku": "CL-001"}]}  # nobody sent when it came
    messages = ("我不想要了，能退吗", "保修期内坏了怎么修", "还能保价吗", "我的快递到哪了")
    unknown = [one for message in messages for sent in (None, order) for one in ask(demo_suggester, message, top_k=10, order=sent) if one.verify]

    assert unknown
    assert {False} == {one.auto_reply for one in unknown}
