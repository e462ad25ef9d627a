import pytest

from knowledge.conversation import closes, praises
from knowledge.order_context import Turn

TOLD = (Turn(role="customer", text="什么时候发货"), Turn(role="agent", text="今天下午出库。"))
ASKED = (Turn(role="customer", text="不想等了"), Turn(role="agent", text="要帮您取消吗？"))


@pytest.mark.parametrize(
    "message", ["谢谢", "好的，谢谢", "知道了谢谢啦", "好的，新年快乐！", "没事了", "辛苦了", "好的", "嗯嗯", "收到", "Great, thank you!", "ok", "謝謝"]
)
def test_thanks_and_taking_note_of_an_answer_close(message: str) -> None:
    assert closes(message, TOLD)


@pytest.mark.parametrize("message", ["好的，那退款呢", "谢谢，什么时候发货", "不好", "收到的是坏的", "好的吗", "你好", "谢谢你们害我等三天", "行不行", "88"])
def test_what_goes_on_does_not_close(message: str) -> None:
    assert not closes(message, TOLD)


def test_yes_to_a_question_is_an_answer_and_thanks_are_thanks_anywhere() -> None:
    assert not closes("好的", ASKED)
    assert closes("不用了，谢谢", ASKED)
    assert closes("谢谢", ())
    assert not closes("好的", ())  # nothing was said that it could be about


@pytest.mark.parametrize("message", ["你们客服态度真好，东西也喜欢", "很好用", "质量不错，物流也快", "Love it, great quality"])
def test_praise(message: str) -> None:
    assert praises(message)


@pytest.mark.parametrize(
    "message",
    [
        "态度真好啊，三天不回",
        "东西不错，就是发货慢",
        "质量好吗",
        "不喜欢",
        "你们服务真好，结果呢",
        "好的",
        "Great jacket but took forever",
        "not great",
        "可以退吗",
    ],
)
def test_praise_with_a_but_is_none(message: str) -> None:
    assert not praises(message)
