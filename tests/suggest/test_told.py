import pytest

from knowledge.conduct_rules import told_things
from suggest.late_promises import late_promises
from suggest.told import already_told, without_asking_again


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        pytest.param("照片发了，然后呢", "请发破损处照片，我提交申请，24小时内审核。", "我提交申请，24小时内审核。", id="photos sent"),
        pytest.param(
            "视频已经发了", "您把故障视频和机身序列号发来，我现在提交。", "您把故障视频和机身序列号发来，我现在提交。", id="the serial number was not"
        ),
        pytest.param("图片发给你了", "请拍一段视频。", "请拍一段视频。", id="nothing would be left"),
        pytest.param("我170，130斤", "您把身高、体重发我，我马上给您定码。", "我马上给您定码。", id="height and weight"),
        pytest.param("还没发货呢", "请发破损处照片，我提交申请。", "请发破损处照片，我提交申请。", id="something else was told"),
        pytest.param("i've sent the photos", "Send me a photo, and I'll check today.", "and I'll check today.", id="English"),
    ],
)
def test_a_step_that_asks_for_what_was_told_is_left_out(said: str, text: str, left: str) -> None:
    assert left == without_asking_again(text, already_told([said]))


def test_nothing_is_told_by_silence() -> None:
    assert [] == already_told([""])
    assert len(told_things()) >= 3


@pytest.mark.parametrize(
    ("text", "hour", "late"),
    [
        pytest.param("今天22点前给您回话。", 22, ["今天22点前"], id="the hour has come"),
        pytest.param("今天22点前给您回话。", 21, [], id="an hour before it"),
        pytest.param("今天24点前告诉您。", 23, ["今天24点前"], id="an hour of the day is left"),
        pytest.param("今天给审核结果。", 23, ["今天给"], id="a word for today"),
        pytest.param("今天给审核结果。", 14, [], id="in the afternoon"),
        pytest.param("到今天是第8天，2小时内回您。", 23, [], id="no promise for today"),
        pytest.param("今天9:00–20:00方便的话给您打电话。", 15, [], id="hours of opening"),
        pytest.param("You'll hear from us today.", 22, ["today"], id="English"),
    ],
)
def test_promises_that_the_clock_has_overtaken(text: str, hour: int, late: list[str]) -> None:
    assert late == [text[one.start : one.end] for one in late_promises(text, hour, english=False)]
