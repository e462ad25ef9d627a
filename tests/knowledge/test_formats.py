from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from knowledge.formats import FactWriter

NOW = datetime.fromisoformat("2026-11-12T10:05:00+08:00")  # a Thursday


def writer(language: str = "zh-CN", *, now: datetime = NOW, timezone: str = "Asia/Shanghai", currency: str = "CNY") -> FactWriter:
    return FactWriter(now=now, timezone=timezone, language=language, currency=currency)


def at(text: str) -> datetime | date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        pytest.param("2026-11-12T14:30:00+08:00", "11月12日", "Nov 12", id="this year"),
        pytest.param("2027-01-03", "2027年1月3日", "Jan 3, 2027", id="another year, a plain day"),
        pytest.param("2025-12-31T23:00:00+08:00", "2025年12月31日", "Dec 31, 2025", id="last year"),
        pytest.param("2026-12-31T16:00:00Z", "2027年1月1日", "Jan 1, 2027", id="the year is the shop's"),
        pytest.param("2026-11-12T16:30:00Z", "11月13日", "Nov 13", id="the day is the shop's"),
    ],
)
def test_date(moment, chinese, english):
    assert (chinese, english) == (writer().date(at(moment)), writer("en").date(at(moment)))


@pytest.mark.parametrize(
    ("moment", "written"),
    [("2026-11-12T14:30:00+08:00", "14:30"), ("2026-11-12T00:05:59Z", "08:05"), ("2026-11-12T16:00:00Z", "00:00"), ("2026-11-13", "11月13日")],
)
def test_time_is_24_hours_in_the_shops_zone_and_a_plain_day_its_date(moment, written):
    assert written == writer().time(at(moment))


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        pytest.param("2026-11-12T00:00:00+08:00", "今天凌晨", "this morning", id="today, midnight"),
        pytest.param("2026-11-12T05:59:59+08:00", "今天凌晨", "this morning", id="today, before six"),
        pytest.param("2026-11-12T06:00:00+08:00", "今天上午", "this morning", id="today, six"),
        pytest.param("2026-11-12T12:00:00+08:00", "今天下午", "this afternoon", id="today, noon"),
        pytest.param("2026-11-12T17:00:00+08:00", "今天下午", "this evening", id="today, five"),
        pytest.param("2026-11-12T18:00:00+08:00", "今天晚上", "this evening", id="today, six in the evening"),
        pytest.param("2026-11-12T21:00:00+08:00", "今天晚上", "tonight", id="today, nine"),
        pytest.param("2026-11-12", "今天", "today", id="today, no hour"),
        pytest.param("2026-11-13T09:00:00+08:00", "明天上午", "tomorrow morning", id="tomorrow"),
        pytest.param("2026-11-12T16:30:00Z", "明天", "tomorrow morning", id="tomorrow in the shop's zone"),
        pytest.param("2026-11-13", "明天", "tomorrow", id="tomorrow, no hour"),
        pytest.param("2026-11-14T20:00:00+08:00", "后天晚上", "Saturday", id="in two days"),
        pytest.param("2026-11-11T20:00:00+08:00", "昨天晚上", "yesterday evening", id="yesterday"),
        pytest.param("2026-11-10T09:00:00+08:00", "前天上午", "Nov 10", id="two days ago"),
        pytest.param("2026-11-15T09:00:00+08:00", "周日", "Sunday", id="this week's Sunday"),
        pytest.param("2026-11-16", "下周一", "Monday", id="the week has turned"),
        pytest.param("2026-11-18T09:00:00+08:00", "下周三", "Wednesday", id="the last of six days"),
        pytest.param("2026-11-19T09:00:00+08:00", "11月19日", "Nov 19", id="in a week: the date"),
        pytest.param("2026-11-09T09:00:00+08:00", "11月9日", "Nov 9", id="three days ago: the date"),
        pytest.param("2027-02-01", "2027年2月1日", "Feb 1, 2027", id="next year"),
    ],
)
def test_when(moment, chinese, english):
    assert (chinese, english) == (writer().when(at(moment)), writer("en").when(at(moment)))


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (Decimal("129.00"), "CNY", "¥129"),
        (Decimal("129.5"), "CNY", "¥129.50"),
        ("0.01", "CNY", "¥0.01"),
        (0, "CNY", "¥0"),
        (1e2, "USD", "$100"),
        (Decimal("1E+3"), "USD", "$1000"),
        (Decimal("19.999"), "GBP", "£20"),
        (Decimal("1234567.80"), "EUR", "€1234567.80"),
        (99, "TWD", "NT$99"),
        (99, "HKD", "HK$99"),
        (99, "CHF", "CHF 99"),
    ],
)
def test_money(amount, currency, written):
    assert written == writer(currency=currency).money(amount)


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        pytest.param(True, "是", "yes", id="true"),
        pytest.param(False, "否", "no", id="false"),
        pytest.param(3, "3", "3", id="int"),
        pytest.param(49.4999, "49.5", "49.5", id="float, two decimals at most"),
        pytest.param(50.0, "50", "50", id="whole float"),
        pytest.param(1e7, "10000000", "10000000", id="no exponent"),
        pytest.param(Decimal("129.00"), "129", "129", id="decimal"),
        pytest.param(at("2026-11-12T06:30:00Z"), "11月12日 14:30", "Nov 12, 2:30 pm", id="time"),
        pytest.param(date(2027, 1, 3), "2027年1月3日", "Jan 3, 2027", id="day"),
        pytest.param(["黑", "白", True], "黑、白、是", "黑, 白, yes", id="list"),
        pytest.param("原样", "原样", "原样", id="words"),
    ],
)
def test_plain_never_writes_pythons_spelling(value, chinese, english):
    assert (chinese, english) == (writer().plain(value), writer("en").plain(value))


@pytest.mark.parametrize("value", [None, {"a": 1}, timedelta(hours=3), [None], "".upper], ids=["none", "mapping", "span", "none in a list", "method"])
def test_plain_refuses_what_has_no_written_form(value):
    with pytest.raises(TypeError, match="has no written form"):
        writer().plain(value)


def test_another_timezone_moves_today():
    new_york = writer("en", now=datetime.fromisoformat("2026-11-12T03:00:00Z"), timezone="America/New_York")  # 22:00 on the 11th there

    assert "tonight" == new_york.when(at("2026-11-12T04:30:00Z"))
    assert "tomorrow morning" == new_york.when(at("2026-11-12T15:00:00Z"))


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        pytest.param("2026-11-11T14:30:00+08:00", "昨天14:30", "yesterday at 2:30 pm", id="yesterday"),
        pytest.param("2026-11-12T00:05:00+08:00", "今天00:05", "today at 12:05 am", id="just after midnight"),
        pytest.param("2026-11-13T12:00:00+08:00", "明天12:00", "tomorrow at 12:00 pm", id="tomorrow noon"),
        pytest.param("2026-11-14T09:00:00+08:00", "后天09:00", "Nov 14 at 9:00 am", id="in two days"),
        pytest.param("2026-11-01T09:00:00+08:00", "11月1日09:00", "Nov 1 at 9:00 am", id="long ago"),
        pytest.param("2026-11-13", "明天", "tomorrow", id="a plain day"),
    ],
)
def test_moment_is_the_day_as_people_say_it_and_the_hour(moment, chinese, english):
    assert (chinese, english) == (writer().moment(at(moment)), writer("en").moment(at(moment)))


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        pytest.param("2026-11-14T23:00:00+08:00", "还剩2天", "2 days left", id="calendar days"),
        pytest.param("2026-11-14", "还剩2天", "2 days left", id="plain day"),
        pytest.param("2026-11-13T09:05:00+08:00", "还剩23小时", "23 hours left", id="tomorrow, within a day"),
        pytest.param("2026-11-13T10:05:00+08:00", "还剩1天", "1 day left", id="a day exactly"),
        pytest.param("2026-11-12T10:35:00+08:00", "还剩不到1小时", "less than an hour left", id="half an hour"),
        pytest.param("2026-11-12", "今天是最后一天", "today is the last day", id="today, whole"),
        pytest.param("2026-11-12T10:05:00+08:00", "已经截止", "already over", id="now"),
        pytest.param("2026-11-11", "已经截止", "already over", id="yesterday"),
    ],
)
def test_left(moment, chinese, english):
    assert (chinese, english) == (writer().left(at(moment)), writer("en").left(at(moment)))


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        pytest.param("2026-11-12T09:30:00+08:00", "刚刚", "just now", id="half an hour"),
        pytest.param("2026-11-12T09:05:00+08:00", "1小时前", "1 hour ago", id="an hour exactly"),
        pytest.param("2026-11-11T11:05:00+08:00", "23小时前", "23 hours ago", id="within a day"),
        pytest.param("2026-11-11T10:05:00+08:00", "1天前", "1 day ago", id="a day exactly"),
        pytest.param("2026-11-09", "3天前", "3 days ago", id="plain day"),
        pytest.param("2026-11-12", "今天", "today", id="today, no hour"),
        pytest.param("2026-11-13T09:00:00+08:00", "明天上午", "tomorrow morning", id="still to come"),
    ],
)
def test_ago(moment, chinese, english):
    assert (chinese, english) == (writer().ago(at(moment)), writer("en").ago(at(moment)))


@pytest.mark.parametrize(
    ("hours", "chinese", "english"),
    [
        (0.4, "不到1小时", "less than an hour"), (1, "1小时", "1 hour"), (26.35, "26小时", "26 hours"), (47.9, "47小时", "47 hours"),
        (48, "2天", "2 days"), (Decimal("72.5"), "3天", "3 days"),
    ],
)  # fmt: skip
def test_span_never_says_more_than_passed(hours, chinese, english):
    assert (chinese, english) == (writer().span(hours), writer("en").span(hours))


@pytest.mark.parametrize(
    ("items", "chinese", "english"),
    [
        pytest.param([("面霜", 1)], "面霜", "面霜", id="one"),
        pytest.param([("面霜", None)], "面霜", "面霜", id="no quantity sent"),
        pytest.param([("面霜", 3)], "3件面霜", "3 × 面霜", id="three of one"),
        pytest.param([("面霜", 1), ("毛巾", 2)], "面霜等3件", "面霜 and 2 more items", id="two lines"),
        pytest.param([("面霜", 2), ("毛巾", None)], "面霜等3件", "2 × 面霜 and 1 more item", id="two of the first"),
    ],
)
def test_several_counts_units(items, chinese, english):
    sent = [{"title": title} | ({"quantity": quantity} if quantity is not None else {}) for title, quantity in items]

    assert (chinese, english) == (writer().several(sent), writer("en").several(sent))


@pytest.mark.parametrize(
    ("number", "written"), [("13800010001", "138****0001"), (20261109001, "202****9001"), ("12345678", "123****5678"), ("1234567", "1***")]
)
def test_masked_leaves_a_head_and_a_tail(number, written):
    assert written == writer().masked(number)
