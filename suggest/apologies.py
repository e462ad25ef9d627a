"""Apologies already made in a conversation are not made again in the same words: another wording, or none when two were used.

The wordings are data: `[apologies]` of `knowledge/style/<language>.toml`, then the shop's own phrases in `store.toml`.
"""

import re
from collections.abc import Iterable, Sequence

from knowledge.style_records import OtherWords
from knowledge.style_rules import ApologyRules, ApologyWording

_MOST_WORDINGS = 2  # a third apology sooner annoys than soothes


class Apologies:
    """The wordings that the agent used so far in a conversation."""

    def __init__(self, said: Iterable[str], rules: ApologyRules, own: Sequence[OtherWords] = ()) -> None:
        """Takes the agent's earlier turns, in Simplified Chinese or English, the language's wordings and the shop's own."""
        self._whole, self._rules = "\n".join(said), rules
        heard = bool(self._whole)
        self._used = [one for one in rules.wordings if heard and re.search(one.said, self._whole, re.IGNORECASE)]
        self._other_used = [one for one in rules.instead if heard and re.search(one.said, self._whole)]
        self._own_used = [one for one in own if heard and one.said in self._whole]

    def fresh(self, text: str) -> str:
        """Gives the text with wordings that were used replaced by others, or left out."""
        if not (self._used or self._other_used or self._own_used):
            return text
        return _mended(self._without_used(self._with_other_words(text)))

    def _with_other_words(self, text: str) -> str:
        for own in self._own_used:
            text = text.replace(own.said, own.instead if own.instead not in self._whole else "")
        for one in self._other_used:
            text = re.sub(one.said, one.instead if one.instead not in self._whole else "", text)
        return text

    def _without_used(self, text: str) -> str:
        unused = [one for one in self._rules.wordings if one not in self._used]
        another = unused[0] if unused and len(self._used) < _MOST_WORDINGS else None
        concerned: Sequence[ApologyWording] = self._used if another is not None else self._rules.wordings
        if not self._used or not any(re.search(one.said, text, re.IGNORECASE) for one in concerned):
            return text
        for pattern, by in another.swaps if another is not None else ():
            text = re.sub(pattern, by, text)
        for one in concerned:
            for pattern in one.leave_out:
                text = re.sub(pattern, "", text)
        return text


def _mended(text: str) -> str:
    """Punctuation that leaving words out has left behind."""
    text = re.sub(r"^[，,。！!\s]+", "", text)
    text = re.sub(r"(?<=[。！？])[，,。\s]+", "", text)
    return re.sub(r"[，,]+(?=[。！？!?，,])", "", text).strip()
