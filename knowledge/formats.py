"""How a fact is written for people: dates, times, what is left and gone, money, items, masked numbers, by the language and timezone of the shop."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NEAR_ZH = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
_NEAR_EN = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$"}
_MORNING = 6  # hours before it are 凌晨
_WEEK_AHEAD = 7
_HOURS_SAID = 48  # longer stretches are said in days
_MASKED_FROM = 8  # of shorter numbers seven visible characters would be nearly all


class FactWriter:
    """Writes facts for one question: its moment, timezone, language and currency."""

    def __init__(self, *, now: dt.datetime, timezone: str, language: str, currency: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._now = now.astimezone(self._zone)
        self._english = language == "en"
        self._currency = currency

    @property
    def local_hour(self) -> int:
        """The hour of the question's moment in the shop's timezone, 0 to 23."""
        return self._now.hour

    def date(self, moment: dt.datetime | dt.date) -> str:
        """11月12日, with the year when it is not this one; Nov 12 in English."""
        day = self._day(moment)
        this_year = day.year == self._now.year
        if self._english:
            return f"{day:%b} {day.day}" + ("" if this_year else f", {day.year}")
        return ("" if this_year else f"{day.year}年") + f"{day.month}月{day.day}日"

    def time(self, moment: dt.datetime | dt.date) -> str:
        """14:30, 2:30 pm in English; a fact that is only a day has no hour, so its date is given."""
        if not isinstance(moment, dt.datetime):
            return self.date(moment)
        local = moment.astimezone(self._zone)
        if not self._english:
            return f"{local:%H:%M}"
        return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"

    def moment(self, moment: dt.datetime | dt.date) -> str:
        """昨天14:30, 11月9日14:30; yesterday at 2:30 pm, Nov 9 at 2:30 pm. A plain day as `when` has it."""
        if not isinstance(moment, dt.datetime):
            return self.when(moment)
        day = self._day(moment)
        days = (day - self._now.date()).days
        if self._english:
            return f"{_NEAR_EN.get(days) or self.date(moment)} at {self.time(moment)}"
        return f"{_NEAR_ZH.get(days) or self.date(moment)}{self.time(moment)}"

    def left(self, moment: dt.datetime | dt.date) -> str:
        """还剩2天, 还剩5小时 within a day; 2 days left. A plain day counts whole: on the day itself 今天是最后一天."""
        hours = self._hours_until(moment)
        days = (self._day(moment) - self._now.date()).days
        if days < 0 or (hours is not None and hours <= 0):
            return "already over" if self._english else "已经截止"
        if hours is None and days == 0:
            return "today is the last day" if self._english else "今天是最后一天"
        stretch = self.span(hours) if hours is not None and hours < 24 else self._days_said(days)
        return f"{stretch} left" if self._english else f"还剩{stretch}"

    def ago(self, moment: dt.datetime | dt.date) -> str:
        """刚刚, 5小时前 within a day, 3天前; 3 days ago. What is still to come is written as `when` has it."""
        hours = self._hours_until(moment)
        days = (self._now.date() - self._day(moment)).days
        if days < 0 or (hours is not None and hours > 0) or (hours is None and days == 0):
            return self.when(moment)
        if hours is not None and hours > -1:
            return "just now" if self._english else "刚刚"
        stretch = self.span(-hours) if hours is not None and hours > -24 else self._days_said(days)
        return f"{stretch} ago" if self._english else f"{stretch}前"

    def span(self, hours: float | int | Decimal) -> str:
        """A number of hours as people say it, rounded down: 不到1小时, 26小时, 3天; 26 hours, 3 days."""
        if isinstance(hours, bool):
            raise TypeError("a yes or no is no number of hours")
        whole = int(hours)
        if whole < 1:
            return "less than an hour" if self._english else "不到1小时"
        if whole >= _HOURS_SAID:
            return self._days_said(whole // 24)
        return (f"{whole} hour" + ("s" if whole > 1 else "")) if self._english else f"{whole}小时"

    def several(self, items: Sequence[Any]) -> str:
        """面霜, 3件面霜, 面霜等3件; face cream and 2 more items. Units are counted, one where no quantity was sent."""
        units = [quantity if isinstance(quantity := item["quantity"] if "quantity" in item else 1, int) else 1 for item in items]
        first, total = str(items[0]["title"]), sum(units)
        if len(items) > 1:
            others = total - units[0]
            counted = f"{units[0]} × {first}" if units[0] > 1 else first
            return f"{counted} and {others} more item{'s' if others != 1 else ''}" if self._english else f"{first}等{total}件"
        if total == 1:
            return first
        return f"{total} × {first}" if self._english else f"{total}件{first}"

    @staticmethod
    def masked(number: str | int) -> str:
        """138****0001: the first three and the last four characters; of a short one only the first."""
        written = str(number)
        return f"{written[:3]}****{written[-4:]}" if len(written) >= _MASKED_FROM else f"{written[:1]}***"

    def when(self, moment: dt.datetime | dt.date) -> str:
        """今天下午, 明天上午, 周五 within the coming week, else the date; a plain day has no part of the day, nor has the small hours of another day.

        «不晚于明天凌晨发出» is how a machine talks of a deadline that it counted.
        """
        days = (self._day(moment) - self._now.date()).days
        if self._english:
            return self._when_english(moment, days)
        if days in _NEAR_ZH:
            hour = moment.astimezone(self._zone).hour if isinstance(moment, dt.datetime) else None
            return _NEAR_ZH[days] + ("" if hour is None or (days and hour < _MORNING) else self._part_of_day(hour))
        if 0 < days < _WEEK_AHEAD:
            return self._weekday_zh(self._day(moment))
        return self.date(moment)

    def money(self, amount: Decimal | int | float | str) -> str:
        """¥129, ¥129.50: two decimals unless whole; the currency's sign, or its code before the figure."""
        exact = Decimal(str(amount)).quantize(Decimal("0.01"))
        figure = str(exact.quantize(Decimal(1))) if exact == exact.to_integral_value() else str(exact)
        return _SYMBOLS.get(self._currency, f"{self._currency} ") + figure

    def plain(self, value: Any) -> str:
        """A fact printed without a filter: never Python's own spelling of it.

        Raises:
            TypeError: nobody would know it written, such as a stretch of time.
        """
        if isinstance(value, bool):
            return (("no", "yes") if self._english else ("否", "是"))[value]
        if isinstance(value, dt.datetime):
            return f"{self.date(value)} {self.time(value)}" if not self._english else f"{self.date(value)}, {self.time(value)}"
        if isinstance(value, dt.date):
            return self.date(value)
        if isinstance(value, float | Decimal):
            return f"{round(Decimal(str(value)), 2).normalize():f}"
        if isinstance(value, list | tuple):
            return (", " if self._english else "、").join(self.plain(inner) for inner in value)
        if value is None or isinstance(value, Mapping | dt.timedelta) or callable(value):
            raise TypeError(f"a {type(value).__name__} has no written form")
        return str(value)

    def _hours_until(self, moment: dt.datetime | dt.date) -> float | None:
        """None for a plain day: it has no hour."""
        return (moment - self._now).total_seconds() / 3600 if isinstance(moment, dt.datetime) else None

    def _days_said(self, days: int) -> str:
        return (f"{days} day" + ("s" if days != 1 else "")) if self._english else f"{days}天"

    def _day(self, moment: dt.datetime | dt.date) -> dt.date:
        return moment.astimezone(self._zone).date() if isinstance(moment, dt.datetime) else moment

    def _when_english(self, moment: dt.datetime | dt.date, days: int) -> str:
        part = self._part_of_day_english(moment.astimezone(self._zone).hour) if isinstance(moment, dt.datetime) else ""
        if days == 0:
            return {"": "today", "night": "tonight"}.get(part, f"this {part}")
        if days in _NEAR_EN:
            return f"{_NEAR_EN[days]} {part}".strip()
        if 0 < days < _WEEK_AHEAD:
            return _WEEKDAYS_EN[self._day(moment).weekday()]
        return self.date(moment)

    def _weekday_zh(self, day: dt.date) -> str:
        """周五, or 下周二 when the week has turned by then."""
        monday = self._now.date() - dt.timedelta(days=self._now.weekday())
        return ("周" if (day - monday).days < _WEEK_AHEAD else "下周") + _WEEKDAYS_ZH[day.weekday()]

    @staticmethod
    def _part_of_day(hour: int) -> str:
        return next(name for end, name in ((_MORNING, "凌晨"), (12, "上午"), (18, "下午"), (24, "晚上")) if hour < end)

    @staticmethod
    def _part_of_day_english(hour: int) -> str:
        return next(name for end, name in ((12, "morning"), (17, "afternoon"), (21, "evening"), (24, "night")) if hour < end)
