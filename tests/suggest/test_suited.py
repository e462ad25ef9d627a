"""Replies that are out of place whatever their rank: of another matter in danger, of danger where nobody is, and those that take too much for granted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from knowledge.conduct_rules import alarms, presumptions
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.pipeline import Suggester
from suggest.suited import Suited, alarm_said, as_danger, in_danger
from tests.suggest.drafted import STORE, heard, reply

NOW = "2026-11-24T10:05:00+08:00"
Ask = Callable[..., SuggestionResponse]


def hearing(message: str, *, emotion: str = "calm", danger: float = 0.0) -> Any:
    """What was heard, with the rest of the probability on a question about the product."""
    one = heard(emotion)
    reading = replace(one.readings[0], text=match_form(message))
    return replace(one, readings=(reading,), scenarios={"safety": danger, "product.spec": 1 - danger})


@pytest.mark.parametrize(
    ("message", "leads"),
    [
        pytest.param("手划了好大一道，血还在滴", ("safety",), id="somebody is hurt"),
        pytest.param("锅盖弹开，把手烫出泡了", ("safety",), id="scalded"),
        pytest.param("饼干里吃出一根头发", ("safety", "return.quality", "product.quality"), id="something in the food: what the shop says of it may lead"),
        pytest.param("不想活了", (), id="nothing may be said but the holding reply"),
        pytest.param("再不处理就打12315", None, id="a threat leaves the lead to all"),
        pytest.param("什么时候发货", None, id="nothing grave"),
    ],
)
def test_alarm_names_the_contact_reasons_that_may_lead(message: str, leads: tuple[str, ...] | None) -> None:
    alarm = alarm_said(hearing(message), STORE)

    assert leads == (None if alarm is None else alarm.leads)


def test_words_of_danger_prove_the_contact_reason() -> None:
    """Whatever the classifier heard before, the rest shrinks in proportion and all still sums to 1."""
    before = hearing("燃气味好重", danger=0.2)
    alarm = next(one for one in alarms() if one.is_danger)

    after = as_danger(before, alarm)

    assert {"safety": pytest.approx(0.97), "product.spec": pytest.approx(0.03)} == after.scenarios
    assert as_danger(before, None) is before


@pytest.mark.parametrize(
    ("message", "emotion", "danger", "is_one"),
    [
        pytest.param("我对花生过敏，能吃这个吗", "calm", 0.3, False, id="asked before eating"),
        pytest.param("倾倒了会不会烧起来", "anxious", 0.5, False, id="asked about the thing"),
        pytest.param("拉链今早崩了", "calm", 0.4, False, id="a calm fault"),
        pytest.param("用了两天脸有点痒", "calm", 0.3, True, id="a hint beside a doubt"),
        pytest.param("碎了一地，差点扎到手", "upset", 0.2, True, id="who is troubled is believed"),
        pytest.param("底座发麻", "calm", 0.6, True, id="the model is sure"),
    ],
)
def test_calm_questions_about_a_thing_are_no_danger(message: str, emotion: str, danger: float, *, is_one: bool) -> None:
    assert is_one == in_danger(hearing(message, emotion=emotion, danger=danger))


def test_in_danger_only_its_own_replies_are_fit_and_none_of_them_elsewhere() -> None:
    safe, other = reply(id="s", scenario="safety", text="请先停用并就医。"), reply(id="o", scenario="logistics.damage", text="补发或退款您选。")
    hurt = hearing("手划破了，血还在滴", emotion="upset", danger=0.5)
    asked = hearing("能吃这个吗", danger=0.3)

    in_need = Suited.of(hurt, alarm_said(hurt, STORE), {"order": {}}, ())
    asking = Suited.of(asked, alarm_said(asked, STORE), {"order": {}}, ())

    assert (False, True) == (in_need.unfit(safe), in_need.unfit(other))
    assert (False, False) == (in_need.aside().unfit(safe), in_need.aside().unfit(other))
    assert (True, False) == (asking.unfit(safe), asking.unfit(other))


_ITEMS = {"items": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]}


@pytest.mark.parametrize(
    ("words", "said", "order", "unfit"),
    [
        pytest.param("不小心碰坏了心疼，走付费维修。", "用了半年转不动了", {}, True, id="nobody said they broke it"),
        pytest.param("不小心碰坏了心疼，走付费维修。", "孩子把它扒拉到地上了", {}, False, id="they did"),
        pytest.param("师傅没按约来，是我们没衔接好。", "什么时候来取呀", {}, True, id="nobody said that nobody came"),
        pytest.param("师傅没按约来，是我们没衔接好。", "等了一下午没人来", {}, False, id="they waited"),
        pytest.param("可以马上取消，全额退回。", "其中一件不要了，其余照发", _ITEMS, True, id="one thing of three"),
        pytest.param("可以马上取消，全额退回。", "都不要了，取消吧", _ITEMS, False, id="all of it"),
        pytest.param("可以马上取消，全额退回。", "那件不要了", {"items": [{"sku": "a"}]}, False, id="there is one thing"),
        pytest.param("换颜色的期限已经过了，不能再换款了。", "按键失灵，能换新的吗", {}, True, id="a fault is no change of mind"),
        pytest.param("换颜色的期限已经过了，不能再换款了。", "想换个颜色", {}, False, id="a change of mind"),
        pytest.param("钱付了，东西却不见踪影。", "等了九天，东西还行，四星", {}, True, id="they have it"),
        pytest.param("钱付了，东西却不见踪影。", "显示签收我没拿到", {}, False, id="they have not"),
        pytest.param("东西没到手却显示签收。", "书不错就是快递慢，等了一个多星期", {}, True, id="who praises the thing has it"),
        pytest.param("东西没到手却显示签收。", "客服态度很好，可我真没收到", {}, False, id="who praises the agent has not"),
        pytest.param("服务却让您不痛快。", "物流慢，客服小姐姐态度没得说", {}, True, id="they praise who served them"),
        pytest.param("服务却让您不痛快。", "客服态度不好", {}, False, id="they do not"),
        pytest.param("十倍赔偿要由主管和您谈。", "卡片写错名字，不赔我五百没完", {}, True, id="nobody spoke of tenfold"),
        pytest.param("十倍赔偿要由主管和您谈。", "吃出虫子，按食品安全法赔我", {}, False, id="the law they name means it"),
    ],
)
def test_nothing_is_taken_for_granted_that_was_not_said(words: str, said: str, order: dict[str, Any], *, unfit: bool) -> None:
    suited = Suited.of(hearing(said), None, {"order": order}, ())

    assert unfit == suited.unfit(reply(id="x", scenario="warranty.repair", text=words))


def test_what_was_said_earlier_in_the_conversation_counts() -> None:
    history = (Turn(role="customer", text="昨天手滑摔地上了"), Turn(role="agent", text="请拍照看看。"))

    suited = Suited.of(hearing("那还能修吗"), None, {"order": {}}, history)

    assert not suited.unfit(reply(id="x", scenario="warranty.repair", text="不小心碰坏了心疼，走付费维修。"))


def test_every_presumption_names_words_that_decide() -> None:
    assert all(one.said or one.unless for one in presumptions())


@pytest.fixture(scope="module")
def ask(demo_suggester: Suggester) -> Ask:
    def asked(message: str, **fields: Any) -> SuggestionResponse:
        return demo_suggester.suggest(SuggestionRequest.model_validate({"message": message} | fields), now=datetime.fromisoformat(NOW), request_id="r")

    return asked


def test_who_is_hurt_gets_no_draft_about_the_goods(ask: Ask) -> None:
    """A glass that came broken and cut somebody: the person first, nothing about reshipping at all."""
    order = {"status": "delivered", "delivered_at": "2026-11-24T05:05:00+08:00", "seller": "own", "items": [{"sku": "MB-002", "quantity": 1}]}

    found = ask("瓶子打开就是碎的，手划了道口子，血还在滴", order=order)

    assert found.escalate is not None
    assert "injury" == found.escalate.reason
    assert {"safety"} == {one.scenario for one in found.suggestions}


def test_a_question_asked_beside_the_danger_is_answered_below_it(ask: Ask) -> None:
    order = {"status": "delivered", "delivered_at": "2026-11-23T05:05:00+08:00", "seller": "own", "items": [{"sku": "HA-012", "quantity": 1}]}

    found = ask("电暖器插座冒火星了，我拔了。另外发票怎么开？", order=order)

    assert "safety" == found.suggestions[0].scenario
    assert not found.suggestions[0].auto_reply


def test_same_holding_reply_is_not_offered_twice(ask: Ask) -> None:
    first = ask("水壶漏电，把我手电麻了")
    assert first.escalate is not None
    history = [{"role": "customer", "text": "水壶漏电，把我手电麻了"}, {"role": "agent", "text": first.escalate.holding_reply}]

    again = ask("手还是麻的，你们快点", history=history)

    assert again.escalate is not None
    assert "" == again.escalate.holding_reply
