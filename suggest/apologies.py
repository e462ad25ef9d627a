"""Apologies already made in a conversation are not made again in the same words: another wording, or none when two were used."""

import re
from collections.abc import Iterable

# Wordings that can stand for each other, and what is left when all have been used.
_CHINESE = (("抱歉", re.compile("抱歉|歉意|致歉|道歉")), ("对不起", re.compile("对不起")), ("不好意思", re.compile("不好意思")))
_SWAPPED = re.compile("抱歉|对不起|不好意思")
_BARE_APOLOGY = re.compile(
    r"[，,]?\s*(?:我们|我)?(?:先|在这|这边|要)?(?:跟|向|给)?(?:您|你)?(?:说声|说一声)?(?:真的|真是|真|非常|很|实在是|实在|十分|万分|深感)?"
    r"(?:抱歉|对不起|不好意思)(?=[，。！!,~～]|$)"
)
_LEADING_APOLOGY = re.compile(r"(?:真的|真|非常|很|实在|十分)?(?:抱歉|对不起|不好意思)(?=没|让|影响|现在|扫)")
_OTHER_WAYS = (("让您久等了", re.compile("(?:让|叫)您久等了?|久等了"), "让您多等了"), ("给您添麻烦了", re.compile("(?:给|跟)您添麻烦了?"), "让您费心了"))
_MOST_WORDINGS = 2  # a third apology sooner annoys than soothes
_ENGLISH = (("sorry", re.compile(r"\bsorry\b", re.IGNORECASE)), ("apologize", re.compile(r"\bapolog", re.IGNORECASE)))
_I_AM_SORRY = r"\b[Ii](?:'m| am)(?: so| very| really| truly)? sorry"
_SWAPS = (
    (re.compile(rf"{_I_AM_SORRY} (?:for|about)\b"), "I apologize for"),
    (re.compile(rf"{_I_AM_SORRY} (?:that )?(?=(?:we|you|your|it|this|the|there|our|my)\b)"), "I regret that "),
    (re.compile(r"\bSorry (?:for|about)\b"), "Apologies for"),
)
_ENGLISH_SENTENCE = re.compile(r"[^.!?]+[.!?]+\s*|[^.!?]+$")


class Apologies:
    """The wordings that the agent used so far in a conversation."""

    def __init__(self, said: Iterable[str], *, english: bool) -> None:
        """Takes the agent's earlier turns, in Simplified Chinese or English."""
        whole = "\n".join(said)
        self._english = english
        self._used = [name for name, pattern in (_ENGLISH if english else _CHINESE) if whole and pattern.search(whole)]
        self._other_used = () if english or not whole else tuple(name for name, pattern, _ in _OTHER_WAYS if pattern.search(whole))
        self._whole = whole

    def fresh(self, text: str) -> str:
        """Gives the text with wordings that were used replaced by others, or left out."""
        if not self._used and not self._other_used:
            return text
        return self._fresh_english(text) if self._english else self._fresh_chinese(text)

    def _fresh_chinese(self, text: str) -> str:
        for name, pattern, instead in _OTHER_WAYS:
            if name in self._other_used:
                text = pattern.sub(instead if instead not in self._whole else "", text)
        if self._used and _SWAPPED.search(text):
            unused = [name for name, _ in _CHINESE if name not in self._used]
            if len(self._used) < _MOST_WORDINGS and unused:
                text = _SWAPPED.sub(lambda found: unused[0] if found.group() in self._used else found.group(), text)
            else:
                text = _LEADING_APOLOGY.sub("", _BARE_APOLOGY.sub("", text))
        return _mended(text)

    def _fresh_english(self, text: str) -> str:
        if "sorry" not in self._used:
            return text
        kept = []
        for sentence in _ENGLISH_SENTENCE.findall(text):
            swapped = sentence
            if "apologize" not in self._used:
                for pattern, instead in _SWAPS:
                    swapped = pattern.sub(instead, swapped)
            if not _ENGLISH[0][1].search(swapped):
                kept.append(swapped)
        return "".join(kept).strip()


def _mended(text: str) -> str:
    """Punctuation that leaving words out has left behind."""
    text = re.sub(r"^[，,。！!\s]+", "", text)
    text = re.sub(r"(?<=[。！？!?])[，,。\s]+", "", text)
    return re.sub(r"[，,]+(?=[。！？!?，,])", "", text)
