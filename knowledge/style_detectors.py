"""What no list of phrases can find: whole phone, identity and card numbers, whole addresses, links, emoji, and money that somebody promises."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from stdnum import luhn
from stdnum.cn import ric

Span = tuple[int, int]

_LONG_NUMBER = re.compile(r"(?<![\dA-Za-z*])\+?\d(?:[ \-]?\d){10,20}[Xx]?(?![\dA-Za-z*])")
_MOBILE = re.compile(r"(?:\+?86)?1[3-9]\d{9}")
_US_PHONE = re.compile(r"(?<![\d\-.*(])(?:\+?1[ \-.]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ \-.])[2-9]\d{2}[ \-.]\d{4}(?![\d*]|[\-.]\d)")
_CARD = re.compile(r"62\d{14,17}|4\d{15}|5[1-5]\d{14}|3[47]\d{13}")
_OTHER_NUMBER = re.compile(r"(?:单号|单编号|运单|订单|物流|编号|tracking(?: number)?|order(?: number)?|parcel)[^\d，。,;；]{0,6}$", re.IGNORECASE)
_ADDRESS = re.compile(
    r"[一-鿿]{1,8}(?:路|街|大道|巷|弄|胡同|村|小区|花园|苑|新村)\s*\d+\s*(?:号|弄|栋|幢|座)?[^，。,；;\s]{0,10}?\d+\s*(?:室|单元|楼|层|栋|号楼|号房|房)"
)
_STREET = re.compile(
    r"(?<![\w$])\d{1,5} (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way)\b\.?,? [^.!?\n]{0,40}\b\d{5}\b"
)
_OUR_ADDRESS = re.compile(r"(?:仓|退货|寄回|门店|return|warehouse|ship it to|send it to)[^。！？!?.]{0,24}$", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)([\w.\-]+)[^\s，。；）)」]*", re.IGNORECASE)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
# What must be there before the costly patterns are worth asking.
_TEN_DIGITS = re.compile(r"\d(?:[ \-.()]{0,2}\d){9}")
_DOOR = re.compile(r"\d\s*(?:室|单元|楼|层|栋|号楼|号房|房)")
_ZIP = re.compile(r"\b\d{5}\b")
_MONEY = re.compile(r"[¥￥$]\s*\d+(?:\.\d+)?|\d+(?:\.\d+)?\s*(?:元|块)")
_PROMISE_BEFORE, _PROMISE_AFTER = 40, 24  # characters around an amount that can make it a promise
# «补您50元», «赔付 ¥80», not a refund of the customer's own money, a price difference or a limit that a rule names.
_ZH_GAP = r"[^\d，。！？,.!?差退满]{0,6}"
_ZH_MONEY = r"(?:[¥￥]\s*(?P<{0}>\d+(?:\.\d+)?)|(?P<{1}>\d+(?:\.\d+)?)\s*(?:元|块))"
_PROMISED = re.compile(
    rf"(?:补偿|赔偿|赔付|赔|补|返还|返现|返|补给|送)(?:给)?(?:您|你|亲){_ZH_GAP}{_ZH_MONEY.format('a', 'b')}"
    rf"|(?:给|为|帮|替)(?:您|你|亲){_ZH_GAP}(?:补偿|赔偿|赔付|赔|补|返现|返){_ZH_GAP}{_ZH_MONEY.format('c', 'd')}"
    r"|(?:compensat\w+ you|goodwill|(?:credit|coupon|gift card|voucher|compensation) (?:of|for)|(?:give|offer|send|add) you(?: an?)?)"
    r" (?:\w+ ){0,2}\$\s?(?P<e>\d+(?:\.\d+)?)"
    r"|\$\s?(?P<f>\d+(?:\.\d+)?) (?:in )?(?:\w+ )?(?:credit|coupon|voucher|gift card|compensation|goodwill)",
    re.IGNORECASE,
)


def personal_data(text: str) -> Iterator[tuple[str, Span]]:
    """Gives (phone, id_card, bank_card or full_address, span) for what is written out whole; masked digits, order and parcel numbers pass."""
    if _TEN_DIGITS.search(text):
        for match in _LONG_NUMBER.finditer(text):
            kind = _kind_of(re.sub(r"[ \-]", "", match.group()))
            if kind is not None and not (kind != "phone" and _OTHER_NUMBER.search(text[: match.start()][-16:])):
                yield kind, match.span()
        for match in _US_PHONE.finditer(text):
            yield "phone", match.span()
    for gate, pattern in ((_DOOR, _ADDRESS), (_ZIP, _STREET)):
        for match in pattern.finditer(text) if gate.search(text) else ():
            if not _OUR_ADDRESS.search(text[: match.start()] + match.group()[:4]):
                yield "full_address", match.span()


def _kind_of(digits: str) -> str | None:
    if _MOBILE.fullmatch(digits):
        return "phone"
    if len(digits) == 18 and ric.is_valid(digits):
        return "id_card"
    return "bank_card" if _CARD.fullmatch(digits) and luhn.is_valid(digits) else None


def links(text: str) -> Iterator[tuple[str, Span]]:
    """Gives (host in lower case, span) of every link."""
    if "://" in text or "www." in text.lower():
        for match in _LINK.finditer(text):
            yield match.group(1).lower().rstrip("."), match.span()


def is_own_site(host: str, own_sites: Sequence[str]) -> bool:
    """Whether the host is one of the shop's, or below one."""
    return any(host == own or host.endswith("." + own) for own in (site.lower() for site in own_sites))


def emoji(text: str) -> Iterator[Span]:
    """Gives the place of every emoji."""
    for match in _EMOJI.finditer(text):
        yield match.span()


def promised_amounts(text: str) -> Iterator[tuple[Decimal, Span]]:
    """Gives (amount, span) of money that the words promise the customer as compensation; a refund of their own money and price differences pass."""
    given: set[Span] = set()
    for money in _MONEY.finditer(text):
        for match in _PROMISED.finditer(text, max(0, money.start() - _PROMISE_BEFORE), money.end() + _PROMISE_AFTER):
            if match.span() not in given:
                given.add(match.span())
                yield Decimal(next(value for value in match.groups() if value is not None)), match.span()
