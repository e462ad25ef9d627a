"""A time that is promised may be too late; a time that something happened at never is."""

import pytest

from suggest.late_promises import late_promises

NOON, EVENING, NIGHT = 12, 19, 23


def found(text: str, hour: int) -> list[str]:
    return [text[one.start : one.end] for one in late_promises(text, hour, english=False)]


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        pytest.param("这单是今天04:00付款的，最晚后天凌晨发出。", NOON, id="paid"),
        pytest.param("您的订单今天04:00付款，仓库在备货。", NOON, id="paid, a plain clause"),
        pytest.param("包裹今天02:00由快递员揽收。", NOON, id="collected"),
        pytest.param("最新到杭州转运中心，时间是今天02:00。", NOON, id="a scan"),
        pytest.param("记录显示今天11:00签收。", EVENING, id="signed for"),
        pytest.param("今天10点已经签收了。", EVENING, id="signed for, with its ending"),
        pytest.param("仓库昨天18:20发出，走的中通。", EVENING, id="another day"),
        pytest.param("今天发出的，明天送到。", NIGHT, id="the day alone"),
        pytest.param("今天寄了两件。今天发的货。", 21, id="before it matters"),
        pytest.param("您的包裹最新一条是今天04:00「已发出」，路上是正常的。", NOON, id="the newest scan"),
        pytest.param("这单应该在今天00:00前发，到现在没出库，是我们没做到。", NOON, id="what we owed, and owned to"),
        pytest.param("Your order shipped today.", NIGHT, id="English"),
        pytest.param("It was delivered to the front desk today, as the carrier says.", NIGHT, id="English, further off"),
    ],
)
def test_what_has_happened_is_no_promise(text: str, hour: int) -> None:
    assert [] == found(text, hour)


@pytest.mark.parametrize(
    ("text", "hour", "late"),
    [
        pytest.param("最晚今天04:00前发出。", NOON, "今天04:00前", id="a limit"),
        pytest.param("最晚今天04:00发出。", NOON, "今天04:00", id="a limit by its first word"),
        pytest.param("预计今天18点送到。", EVENING, "今天18点", id="expected"),
        pytest.param("今天18:00会发出。", EVENING, "今天18:00", id="will"),
        pytest.param("今天18点专员联系您。", EVENING, "今天18点", id="no verb of the past"),
        pytest.param("应该今天18点前能到，没问题的。", EVENING, "今天18点前", id="a guess, with a kind word"),
        pytest.param("我们承诺今天18点前给您打款，超时赔10元。", EVENING, "今天18点前", id="a promise with its price"),
        pytest.param("答应您今天18点前回电，超时您找我。", EVENING, "今天18点前", id="a promise renewed"),
        pytest.param("应该今天18点前到，还没到您再找我。", EVENING, "今天18点前", id="a guess, and what then"),
        pytest.param("晚上是今天18点上门。", EVENING, "今天18点", id="an evening is no newest scan"),
        pytest.param("派送时间是今天18:00。", EVENING, "今天18:00", id="an appointed time"),
        pytest.param("这单今天04:00付款，今天18:00前发出。", EVENING, "今天18:00前", id="both in one sentence"),
        pytest.param("退款今天就发起。", NIGHT, "今天就", id="the day alone"),
        pytest.param("It will be shipped today.", NIGHT, "today", id="English"),
    ],
)
def test_what_is_promised_is_late_when_its_hour_is_over(text: str, hour: int, late: str) -> None:
    assert [late] == found(text, hour)
