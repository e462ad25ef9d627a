"""Where a draft's numbers, dates, amounts and promises come from: the request's facts, the reply's own words or a quoted passage.

Works on the text as it stands, whoever wrote or edited it, and reads facts anew: it does not ask what filled the draft.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from knowledge.formats import FactWriter
from knowledge.normalise import same_length_form
from knowledge.templates import spoken_words

_UNITS = (
    r"(?:个)?(?:小时|分钟|秒钟|秒|工作日|自然日|天|日|元|块|折|倍|%|件|张|次|周|月|年|点|号)"
    r"|\s?(?:hours?|minutes?|business days?|working days?|days?|weeks?|months?|years?|%|items?|points?|dollars?)(?![a-z])"
)
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}(?:, \d{4})?"
_CLAIMS = re.compile(
    rf"{_MONTHS}|(?:\d{{4}}年)?\d{{1,2}}月\d{{1,2}}[日号]|\d{{1,2}}:\d{{2}}(?: ?[ap]m)?|(?:hk\$|nt\$|[¥￥$€£])\s?\d+(?:\.\d+)?"
    rf"|[a-z\d]*\d[a-z\d*\-]*(?:\.\d+)?(?:{_UNITS})?|[一二三四五六七八九十两半]+(?:个)?(?:半)?(?:小时|分钟|工作日|天内|天|元|块钱|折|倍|周内)"
    r"|(?:今|明|后|昨|前)天|今晚|明早|(?:下|这|本)?(?:周|星期)[一二三四五六日天]|\b(?:today|tonight|tomorrow|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|免费|包邮|免运费|全额退|全额|退一赔|十倍|双倍|赔付|赔偿|赔|补偿|补贴|返现|红包|无门槛券|优惠券|赠送|赠品|以旧换新|保证|一定能|肯定能|绝对"
    r"|\b(?:free of charge|for free|free|full refund|compensat\w*|store credit|coupon|voucher|gift|guarantee\w*|promise\w*|upgrade)\b"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNITS_OF = {"hours": re.compile("个?小时|hour"), "days": re.compile("天|日|day"), "counts": re.compile("件|个|次|张|单|item")}
_STORE_FACTS = ("name", "return_window_days", "price_protection_days", "ship_within_hours", "calendar")
_LEAST_TAIL = 3  # characters of a number that its last ones are recognised by


@dataclass(frozen=True, slots=True)
class Claim:
    """Something a draft says that must come from somewhere; `text[start:end]`."""

    start: int
    end: int
    words: str  # in the form they are compared in


def claims_of(text: str) -> list[Claim]:
    """Gives the numbers, dates, amounts and promises of a text, in order."""
    form = same_length_form(text).lower()
    if len(form) != len(text):  # a few letters grow when lowered, such as İ
        form = same_length_form(text)
    return [Claim(found.start(), found.end(), _bare(found.group())) for found in _CLAIMS.finditer(form)]


def _bare(words: str) -> str:
    """「￥5」 and 「¥ 5」 are one; so are «2 day» and «2 days»."""
    return words.replace(" ", "").replace("￥", "¥").removesuffix("s").rstrip("-")


@lru_cache(maxsize=1_024)  # most replies have nothing to fill in: the same draft again and again
def _claims_of_draft(text: str) -> tuple[Claim, ...]:
    return tuple(claims_of(text))


def _says(text: str, words: str) -> bool:
    """Whether the words are a claim of the text; where they are no part of it, its claims need not be read."""
    return words in same_length_form(text).lower().replace(" ", "").replace("￥", "¥") and words in _claims_written(text)


def _claims_written(text: str) -> set[str]:
    return {claim.words for claim in claims_of(text)}


@lru_cache(maxsize=16_384)  # of the shops' own templates
def claims_of_source(source: str) -> frozenset[str]:
    """Gives what a template may claim by its own words, those that its code may say among them."""
    return frozenset(claim.words for claim in claims_of(spoken_words(source)))


@dataclass(slots=True)
class FactClaims:
    """What a request's facts allow to be said; read when first asked, and written out one way after the other until the words are among them."""

    facts: Mapping[str, Any]
    store: Mapping[str, Any]
    writer: FactWriter
    _moments: list[datetime | date] = field(default_factory=list)
    _dated: list[str] = field(default_factory=list)  # each moment in every way in which it is written
    _money: list[Decimal] = field(default_factory=list)
    _hours: list[float] = field(default_factory=list)
    _amounts: set[str] = field(default_factory=set)
    _numbers: dict[str, set[str]] = field(default_factory=dict)  # by what they count: hours, days, counts
    _words: list[str] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)  # the words, in the form in which they are compared
    _read: bool = False

    def allow(self, words: str) -> bool:
        """Whether a fact says so, in one of the ways in which facts are written."""
        if not self._read:
            self._read = True
            self._walk(self.facts, "")
            self._walk({name: self.store[name] for name in _STORE_FACTS if name in self.store}, "")
        return self._counted(words) or self._is_amount(words) or self._in_text(words) or self._is_dated(words)

    def _is_dated(self, words: str) -> bool:
        if any(_says(forms, words) for forms in self._dated):
            return True
        writer = self.writer
        while self._moments:  # one after the other until the words are among them
            moment = self._moments.pop()
            forms = (writer.moment(moment), writer.date(moment), writer.when(moment), writer.left(moment), writer.ago(moment))
            self._dated.append("\n".join(forms))
            if _says(self._dated[-1], words):
                return True
        return False

    def _is_amount(self, words: str) -> bool:
        writer = self.writer
        for value in self._money:
            plain = writer.plain(value)
            self._amounts |= {_bare(same_length_form(writer.money(value)).lower()), plain, f"{plain}元", f"{plain}块"}
        for hours in self._hours:
            self._amounts.update(_claims_written(writer.span(hours)))
        self._money, self._hours = [], []
        return words in self._amounts

    def _counted(self, words: str) -> bool:
        number = _NUMBER.match(words)
        if number is None:
            return False
        unit = words[number.end() :]
        return any(number.group() in self._numbers.get(kind, ()) for kind, pattern in _UNITS_OF.items() if not unit or pattern.fullmatch(unit))

    def _in_text(self, words: str) -> bool:
        """Words of a fact, its tail («尾号0001») or what is left of a masked number."""
        self._texts += [same_length_form(one).lower() for one in self._words]
        self._words = []
        head, stars, tail = words.partition("****")
        if stars:
            return any(one.startswith(head) and one.endswith(tail) for one in self._texts)
        is_tail = len(words) >= _LEAST_TAIL and words.isalnum()
        return any((is_tail and one.endswith(words)) or (words in one and words in _claims_written(one)) for one in self._texts)

    def _walk(self, value: Any, name: str) -> None:
        kind = type(value)
        if kind is str:
            self._words.append(value)
        elif kind is dict:
            for key, inner in value.items():
                self._walk(inner, key)
        elif kind is list or kind is tuple:
            for inner in value:
                self._walk(inner, name)
            if name == "items" and value:
                units = [one.get("quantity", 1) for one in value]
                self._numbers.setdefault("counts", set()).update({str(sum(units)), str(len(units)), str(sum(units) - units[0])})
        elif kind is not bool:
            self._add(value, name)

    def _add(self, value: Any, name: str) -> None:
        if isinstance(value, datetime | date):
            self._moments.append(value)
        elif isinstance(value, str):
            self._words.append(value)
        elif isinstance(value, Decimal):
            self._money.append(value)
        elif isinstance(value, int | float):
            kind = "hours" if "hours" in name else "days" if "days" in name else "counts"
            self._numbers.setdefault(kind, set()).update({self.writer.plain(value), str(int(value))})
            if kind == "hours":
                self._hours.append(value)


def untraceable(text: str, *, sources: Iterable[str], facts: FactClaims, written: Sequence[str] = (), passages: Iterable[str] = ()) -> Iterator[Claim]:
    """Gives each number, date, amount and promise of a draft that comes from nowhere.

    Args:
        text: the draft as it would be sent, edited or not, in either script.
        sources: templates of the reply or replies, and of what opens and closes the draft.
        facts: of the request.
        written: what the templates' own calculations came to.
        passages: texts quoted as evidence.
    """
    found = _claims_of_draft(text)
    if not found:
        return
    known = frozenset[str]().union(*map(claims_of_source, sources))
    left = [claim for claim in found if claim.words not in known]
    if not left:
        return
    quoted = {claim.words for passage in passages for claim in claims_of(passage)}
    worked_out = {one for one in written if _NUMBER.fullmatch(one)}
    for claim in left:
        if claim.words in quoted or facts.allow(claim.words):
            continue
        number = _NUMBER.match(claim.words)
        if number is None or number.group() not in worked_out:
            yield claim
