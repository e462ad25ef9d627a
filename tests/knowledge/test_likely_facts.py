"""What is likely of an order where nobody sent it: what the customer tells, else what is usual; what was sent is never touched."""

from typing import Any

import pytest

from knowledge.conditions import compile_condition
from knowledge.likely_facts import likely_facts, likely_rules

ORDER = {"order": {"status": "delivered", "item": {"sku": "A"}}, "customer": {}}


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        pytest.param("不喜欢 想退", "unknown", id="nothing said: none that a condition names"),
        pytest.param("没拆过，能退吗", "unopened", id="not opened"),
        pytest.param("退貨，沒拆過", "unopened", id="traditional"),
        pytest.param("吊牌还在，没穿出去过", "unknown", id="not worn"),
        pytest.param("我就拆开看了一眼", "opened", id="opened"),
        pytest.param("试穿了一下，太小", "opened", id="tried on is not worn"),
        pytest.param("穿过一次就起球", "used", id="worn once"),
        pytest.param("开机登了个账号", "used", id="turned on"),
        pytest.param("洗一次就缩水", "washed", id="washed"),
        pytest.param("拆了穿了一天又洗了", "washed", id="the most telling counts"),
        pytest.param("这个怎么洗", "unknown", id="a question about washing"),
        pytest.param("我皮肤会过敏吗", "unknown", id="过敏 is no 过"),
        pytest.param("拆过一次，又装回去了", "opened", id="opened once"),
        pytest.param("i opened the wrapping", "opened", id="English, no app"),
        pytest.param("快递用了三天，还没拆", "unopened", id="the courier took three days"),
        pytest.param("never opened, still sealed", "unopened", id="English, never opened"),
        pytest.param("i've worn it once", "used", id="English, worn"),
    ],
)
def test_what_was_done_with_the_thing_is_heard_from_the_customer(said: str, condition: str) -> None:
    _, found = likely_facts(ORDER, [said])

    assert found is not None
    assert condition == found["order"]["item"]["condition"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param("拆了看了一眼", "opened", id="opened"),
        pytest.param("一件拆了，一件没拆", "opened", id="one of two"),
        pytest.param("没拆过，塑封还在", "unopened", id="said to be as it came"),
        pytest.param("没穿过", None, id="not worn: unpacked or not, nobody says"),
        pytest.param("不想要了", None, id="nothing said"),
    ],
)
def test_what_is_only_usual_was_not_told(said: str, told: str | None) -> None:
    found, _ = likely_facts(ORDER, [said])

    assert told == (None if found is None else found["order"]["item"].get("condition"))


@pytest.mark.parametrize(("said", "tier"), [("头一回在你家买", "new"), ("我可是vip", "vip"), ("有优惠吗", None)])
def test_who_writes_is_told_and_never_usual(said: str, tier: str | None) -> None:
    _, found = likely_facts({"order": {}, "customer": {}}, [said])

    assert tier == (None if found is None else found["customer"]["tier"])


def test_what_was_sent_stands_and_what_was_passed_stays_as_it_is() -> None:
    facts: dict[str, Any] = {"order": {"seller": "third_party", "item": {"condition": "used"}}, "customer": {}}

    _, found = likely_facts(facts, ["没拆过，我是新客"])

    assert found is not None
    assert ("third_party", "used", "new") == (found["order"]["seller"], found["order"]["item"]["condition"], found["customer"]["tier"])
    assert {"order": {"seller": "third_party", "item": {"condition": "used"}}, "customer": {}} == facts


def test_of_no_order_nothing_is_usual() -> None:
    assert (None, None) == likely_facts({"order": {}, "customer": {"tier": "vip"}}, ["拆开用过了"])


def test_every_likely_fact_is_one_that_conditions_may_ask_for() -> None:
    for rule in likely_rules():
        compile_condition(f"has({rule.fact})")  # raises for a name that does not exist
