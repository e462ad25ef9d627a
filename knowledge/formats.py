"""How a fact is written for people: dates, times, money, by the language and timezone of the shop."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NEAR_ZH = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
_NEAR_EN = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$"}
_WEEK_AHEAD = 7


class FactWriter:
    """Writes facts for one question: its moment, timezone, language and currency."""

    def __init__(self, *, now: dt.datetime, timezone: str, language: str, currency: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._now = now.astimezone(self._zone)
        self._english = language == "en"
        self._currency = currency

    def date(self, moment: dt.datetime | dt.date) -> str:
        """11月12日, with the year when it is not this one; Nov 12 in English."""
        day = self._day(moment)
        this_year = day.year == self._now.year
        if self._english:
            return f"{day:%b} {day.day}" + ("" if this_year else f", {day.year}")
        return ("" if this_year else f"{day.year}年") + f"{day.month}月{day.day}日"

    def time(self, moment: dt.datetime | dt.date) -> str:
        """14:30; a fact that is only a day has no hour, so its date is given."""
        return f"{moment.astimezone(self._zone):%H:%M}" if isinstance(moment, dt.datetime) else self.date(moment)

    def when(self, moment: dt.datetime | dt.date) -> str:
        """今天下午, 明天上午, 周五 within the coming week, else the date; a plain day has no part of the day."""
        days = (self._day(moment) - self._now.date()).days
        if self._english:
            return self._when_english(moment, days)
        if days in _NEAR_ZH:
            return _NEAR_ZH[days] + (self._part_of_day(moment.astimezone(self._zone).hour) if isinstance(moment, dt.datetime) else "")
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
            return f"{self.date(value)} {self.time(value)}"
        if isinstance(value, dt.date):
            return self.date(value)
        if isinstance(value, float | Decimal):
            return f"{round(Decimal(str(value)), 2).normalize():f}"
        if isinstance(value, list | tuple):
            return (", " if self._english else "、").join(self.plain(inner) for inner in value)
        if value is None or isinstance(value, Mapping | dt.timedelta) or callable(value):
            raise TypeError(f"a {type(value).__name__} has no written form")
        return str(value)

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
        return next(name for end, name in ((6, "凌晨"), (12, "上午"), (18, "下午"), (24, "晚上")) if hour < end)

    @staticmethod
    def _part_of_day_english(hour: int) -> str:
        return next(name for end, name in ((12, "morning"), (17, "afternoon"), (21, "evening"), (24, "night")) if hour < end)
