"""What a customer who wants a recommendation has told: budget, use, ages and sizes. Read off the words, nothing guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from knowledge.conduct_rules import Use, uses

_DIGITS = dict(zip("零一二三四五六七八九两", (*range(10), 2), strict=True))
_UNITS = {"十": 10, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000}
_NUMBER = r"(?:\d[\d,]*(?:\.\d+)?[kw千万]?|[零一二三四五六七八九两十百千万]+)"
_MONEY = r"\s*(?:块钱?|元|rmb|刀|美元)?"
_RANGE = re.compile(rf"(?:[¥$￥]\s*)?({_NUMBER})\s*(?:-|–|~|到|至|and|to)\s*[¥$￥]?\s*({_NUMBER})\s*(?:块|元|rmb|左右|之间|价位|预算|bucks|dollars|的)")
_DOLLAR_RANGE = re.compile(r"[$¥￥]\s*(\d[\d,.]*)\s*(?:-|–|to|and)\s*[$¥￥]?\s*(\d[\d,.]*)")
_TWO_DIGITS = re.compile(r"([一二三四五六七八九两])([一二三四五六七八九两])([十百千万])(?!个|岁|斤|公斤|毫|平|天|年|月|次|人|分)")  # 两三百: from 200 to 300
_UP_TO = re.compile(
    rf"({_NUMBER}){_MONEY}\s*(?:以内|以下|之内|内(?![存衣置部])|封顶|打住)|(?:不超过|不要超过|别超过|最多|低于|不到)\s*[¥￥]?({_NUMBER}){_MONEY}(?![\d个岁斤公毫平天年月次人升寸米])"
    r"|(?:under|below|less than|up to|within|at most|no more than|max(?:imum)?(?: of)?)\s*\$\s*(\d[\d,.]*)"
    r"|(?:under|below|less than|up to|at most|no more than)\s*(\d[\d,.]*)\s*(?:dollars|bucks|usd)"
)
_ABOUT = re.compile(
    rf"({_NUMBER}){_MONEY}\s*(?:左右|上下|来块|出头|价位)|预算\s*(?:是|在|大概|大约|就|只有)*\s*[¥￥]?({_NUMBER})(?!\d)|({_NUMBER})\s*(?:来|多)?(?:块钱?|元)(?!以上)"
    r"|(?:around|about|roughly|budget(?: is| of)?(?: about| around)?)\s*\$?\s*(\d[\d,.]*)(?!\s*(?:inch|lb|oz|year|month|people|day|mile|liter))"
)
_HUNDREDS = re.compile(r"([一二三四五六七八九两]百)(?:来块|来|多)?(?:块|元)?(?:的|预算|整)")
_AT_LEAST = re.compile(rf"({_NUMBER}){_MONEY}\s*(?:以上|起步|往上)|(?:over|above|more than|at least)\s*\$\s*(\d[\d,.]*)")
_AROUND = (Decimal("0.7"), Decimal("1.2"))
_QUANTITY = re.compile(rf"({_NUMBER})\s*(个半?月|岁半?|周岁|公斤|千克|kg|斤|平方米|平米|平方|平|㎡|米|升|l\b|英寸|寸|months?|years?|lbs?|liters?|inch(?:es)?)")
_SAME_UNIT = {
    "岁": "岁", "周岁": "岁", "岁半": "岁", "个月": "个月", "个半月": "个月", "公斤": "公斤", "千克": "公斤", "kg": "公斤", "斤": "公斤",
    "平方米": "平方米", "平米": "平方米", "平方": "平方米", "平": "平方米", "㎡": "平方米", "米": "米", "升": "升", "l": "升", "英寸": "英寸", "寸": "英寸",
    "month": "个月", "months": "个月", "year": "岁", "years": "岁", "lb": "lb", "lbs": "lb", "liter": "升", "liters": "升", "inch": "英寸", "inches": "英寸",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure with its unit, as said."""

    value: float
    unit: str
    said: str


@dataclass(frozen=True, slots=True)
class ShoppingNeed:
    """What was told. A bound of the budget that was not told is None."""

    least: Decimal | None = None
    most: Decimal | None = None
    uses: tuple[Use, ...] = ()
    quantities: tuple[Quantity, ...] = field(default=())
    said: str = ""  # all of it, as it is matched: a later turn rarely names the product again

    @property
    def has_budget(self) -> bool:
        """Whether money was spoken of."""
        return self.least is not None or self.most is not None

    @property
    def missing(self) -> tuple[str, ...]:
        """What has not been told, the open question first."""
        return tuple(name for name, told in (("use", bool(self.uses or self.quantities)), ("budget", self.has_budget)) if not told)


def shopping_need(form: str) -> ShoppingNeed:
    """Gives what the matched form of a message, and of what the customer said before, tells of the need."""
    least, most = _budget(form)
    told = tuple(use for use in uses() if re.search(use.said, form))
    return ShoppingNeed(least, most, told, quantities(form), form)


def quantities(text: str) -> tuple[Quantity, ...]:
    """Gives the figures with units that a text names: ages, weights, areas, lengths, volumes."""
    found = []
    for number, unit in _QUANTITY.findall(text):
        value = as_number(number)
        if value is not None:
            found.append(Quantity(float(value) / (2 if unit == "斤" else 1), _SAME_UNIT[unit], f"{number}{unit}"))
    return tuple(dict.fromkeys(found))


def as_number(text: str) -> Decimal | None:
    """Gives the number written in digits or Chinese numerals: 1,200, 1.5k, 三百五, 两千; None when it is none."""
    plain = text.replace(",", "").rstrip(".")
    if plain and plain[0].isdigit():
        unit = _UNITS.get(plain[-1], 1)
        return Decimal(plain.rstrip("kw千万") or "0") * unit
    total, digit, last = 0, 0, 1
    for character in plain:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            last = _UNITS[character]
            total, digit = total + (digit or 1) * last, 0
        else:
            return None
    return Decimal(total + (digit * last // 10 if digit and last > 10 and plain[-2:-1] in _UNITS else digit)) if plain else None  # 三百五 is 350


def _budget(form: str) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most, from the surest way of saying it to the loosest."""
    if found := _RANGE.search(form) or _DOLLAR_RANGE.search(form):
        low, high = as_number(found[1]), as_number(found[2])
        return low, high
    if found := _TWO_DIGITS.search(form):
        unit = _UNITS[found[3]]
        return Decimal(_DIGITS[found[1]] * unit), Decimal(_DIGITS[found[2]] * unit)
    if (most := _first_number(_UP_TO, form)) is not None:
        return None, most
    if (least := _first_number(_AT_LEAST, form)) is not None:
        return least, None
    about = _first_number(_ABOUT, form) or _first_number(_HUNDREDS, form)
    return (None, None) if about is None else (about * _AROUND[0], about * _AROUND[1])


def _first_number(pattern: re.Pattern[str], form: str) -> Decimal | None:
    found = pattern.search(form)
    return None if found is None else as_number(next(group for group in found.groups() if group))


def bounds(attributes: Mapping[str, object]) -> list[tuple[str, float, float, str]]:
    """Gives the ranges that a product's attributes state, as (attribute, least, most, unit): 9-14公斤, 6个月以上, 约20平方米 is none."""
    found = []
    for name, value in attributes.items():
        for low, high, unit, upwards in _BOUND.findall(str(value).lower()):
            if high or upwards:
                found.append((name, float(low), float(high) if high else float("inf"), _SAME_UNIT[unit]))
    return found


_BOUND = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?:[-–~至到]\s*(\d+(?:\.\d+)?))?\s*(个月|岁|公斤|千克|kg|平方米|平米|米|升|英寸|months?|years?|lbs?|liters?)(以上|and up)?"
)
