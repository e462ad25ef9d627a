"""The one form in which texts are compared: the customer's words, triggers, titles and aliases.

Only for matching. What a person reads is never passed through here.
"""

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

# Platform emoji codes such as #E-s01 or [微笑], and zero-width characters that hide inside pasted text.
_PLATFORM_CODES = re.compile(r"#e-[a-z0-9]+|\[[一-鿿]{1,3}\]")  # looked for after lower-casing
_MARKS = re.compile(r"\[[一-鿿]{1,4}\]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"\s+")
# What consoles paste around a customer's words; it says nothing about the need.
_CONSOLE_CARDS = re.compile(
    r"(?:咨询)?订单编?号[:：]?\s*(?:\[[^\]\s]*\]|[a-z_*\-]*[\d*][a-z\d_*\-]*)|订单金额[:：]?\s*(?:\[[^\]\s]*\]|[¥￥]?[\dx][\d.,x]*元?)"
    r"|下单时间(?:[:：]\s*|\s*(?=[\d\[]))\[?(?:\d[\d\-/.年月日号]*)?(?:\s?\d\d?:\d\d(?::\d\d)?)?\]?"
    r"|(?:咨询)?商品(?:链接(?:卡片?)?|卡片|id)(?:\([^)]*\))?(?:[:：]?\s*[\[【][^\]】]*[\]】]|[:：]\s*[^\s\]】\[【]+|\s*(?=[a-z\d])[^\s\]】]+|(?<=[卡片])\s)"
    r"|[\[【]商品[^\]】]*[\]】]|https?://\S+|^转人工(?:服务|客服)?[。!！]?$"
)
_GREETING = re.compile(r"^(?:(?:您好|你好|在吗|在嘛|在么|在不在|有人吗|有人在吗|亲|哈喽|转人工(?:服务|客服)?|hello|hi|hey)+(?:[,，。!！?？~～\s啊呀]+|$))+")
_CLOSING = re.compile(r"(?<=\w)[,，。!！~～\s]+(?:谢谢|多谢|麻烦了|辛苦了|thanks|thank you|thx)(?:您|你|啦|了|哈|哦)?[。!！~～\s]*$")
# Words that only make a message polite. A clause of nothing else says nothing about the matter.
_POLITE = (
    r"(?:您好|你好|在吗|亲+|客服|老板|店家|店主|小姐姐|小哥哥|不好意思|抱歉|打扰|麻烦|劳烦|辛苦|谢谢|感谢|多谢|请问|请教|咨询|请|帮忙|帮|"
    r"想|要|再|问|看看|看|了解|说一下|有空|的话|一下|一哈|下|个|问题|事|件|我|您|你|了|啦|哈|啊|呀|哦|噢|呢|吧|嘛|~|～)"
)
_POLITE_OPENING = re.compile(rf"^(?:{_POLITE}+[,，。!！?？~～\s]+)+")
_POLITE_ENDING = re.compile(rf"(?:[,，。!！?？~～\s]+{_POLITE}+)+[,，。!！~～\s]*$")
_SAID_TWICE = re.compile(r"(?<![a-z])(?P<said>[^\s\d,，。!！?？]{3,}?)(?:[\s,，。!！?？]*(?P=said))+(?![a-z])")
_LINES = re.compile(r"\n+| {2,}|\u3000{2,}")
_WORD = re.compile(r"\w")
# One message is matched in a dozen places, and its history comes again with the next message. In this process's memory only.
_REMEMBERED = 4_096


_CHANGED_IN_PHRASES = "沈坏覆藉瞭甦哩衹"  # one of them is in every phrase that OpenCC rewrites though each character alone stays: 沈默 → 沉默


@lru_cache(maxsize=1)
def _traditional_to_simplified() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _may_be_traditional() -> re.Pattern[str]:
    """Finds a character that the conversion may change; without one it can be left out, and most messages have none."""
    characters = [chr(code) for code in range(0x80, 0x10000) if not 0xD800 <= code <= 0xDFFF]
    converted = _traditional_to_simplified().convert("\n".join(characters)).split("\n")
    changed = "".join(one for one, other in zip(characters, converted, strict=True) if one != other)
    return re.compile(f"[{changed}{_CHANGED_IN_PHRASES}\ud800-\udfff\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Gives the text without control and zero-width characters; words and line breaks stay."""
    return _INVISIBLE.sub("", text)


@lru_cache(maxsize=_REMEMBERED)
def match_form(text: str) -> str:
    """Gives the text as it is matched: NFKC, lower case, Simplified, no platform codes, single spaces.

    Idempotent (but for 薴, which OpenCC simplifies in two steps). Empty when nothing but codes and spaces was there.
    """
    plain = unicodedata.normalize("NFKC", clean(text)).lower()
    form = _PLATFORM_CODES.sub(" ", plain)
    if _may_be_traditional().search(form):
        form = _traditional_to_simplified().convert(form)
    return " ".join(form.split())


def console_marks(text: str) -> list[str]:
    """Gives the codes that consoles write for what is no text, such as [图片], in their order; `match_form` leaves them out."""
    return _MARKS.findall(text)


@lru_cache(maxsize=1)
def _one_for_one() -> dict[int, str]:
    """Each character's simplified, half-width, lower-case form, where that is one character too; punctuation stays as it is written."""
    characters = [chr(code) for code in range(0x21, 0x10000) if not 0xD800 <= code <= 0xDFFF]
    simplified = _traditional_to_simplified().convert("\n".join(characters)).split("\n")
    table = {}
    for character, simple in zip(characters, simplified, strict=True):
        form = unicodedata.normalize("NFKC", simple).lower()
        if len(form) == 1 and form != character and (form.isalnum() or form in "%#@+"):
            table[ord(character)] = form
    return table | {ord("\u2019"): "'", ord("\u2018"): "'"}


@lru_cache(maxsize=1)
def _may_change_alone() -> re.Pattern[str]:
    """Finds a character that `same_length_form` changes: looking is ten times faster than changing, and most drafts have none."""
    return re.compile(f"[{''.join(map(re.escape, map(chr, _one_for_one())))}]")


def same_length_form(text: str) -> str:
    """Gives the text simplified, half-width and in lower case, character for character: a place found in it is the same place in the text."""
    return text.translate(_one_for_one()) if _may_change_alone().search(text) else text


@lru_cache(maxsize=_REMEMBERED)
def strip_console(message: str) -> str:
    """Gives the customer's own words: no pasted cards, nothing said twice in a row, no greeting before the matter and no thanks after it.

    A message that is nothing but a greeting or a card stays as it is.
    """
    lines = [_CONSOLE_CARDS.sub(" ", match_form(line)).strip() for line in _LINES.split(message)]
    lines = [line for line in lines if _WORD.search(line)]
    joined = _SAID_TWICE.sub(r"\g<said>", _SPACES.sub(" ", " ".join(dict.fromkeys(lines))))
    return _CLOSING.sub("", _GREETING.sub("", joined)).strip() or joined or match_form(message)


def without_politeness(words: str) -> str:
    """Gives the words without opening and closing clauses that are only polite; unchanged when nothing else was said."""
    return _POLITE_ENDING.sub("", _POLITE_OPENING.sub("", words)).strip() or words
