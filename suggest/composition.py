"""What becomes of a reply's filled parts in this conversation: no second greeting, nothing said twice or private in public, short enough."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.normalise import match_form

PUBLIC_CHANNELS = frozenset({"review"})  # anybody reads along
_GREETING = re.compile(r"^(?:(?:您好|你好|亲，?您好)[,，.。!！~～\s]*|(?:hello|hi)(?: there)?(?:[,.!~]\s*|$))", re.IGNORECASE)
_SENTENCES = re.compile(r".+?(?:[。！？!?\n]+|\.(?=\s|$)|$)\s*", re.DOTALL)
_END_MARKS = " .。!！?？~～\n"
_SAME_CHARS = 8  # shorter sentences («好的。») may be said twice
_LET_GO = ("closing", "opening", "value")  # in this order, while a draft is too long for its channel


@dataclass(frozen=True, slots=True)
class Piece:
    """A filled part of a draft."""

    part: str
    text: str
    missing: tuple[str, ...]
    written: tuple[str, ...]
    source: str

    def saying(self, text: str) -> "Piece":
        """Gives the same piece with other words."""
        return self if text == self.text else Piece(self.part, text, self.missing, self.written, self.source)


def sentences_of(text: str) -> list[str]:
    """Gives the sentences with their marks and the spaces after them."""
    return _SENTENCES.findall(text)


def bare(sentence: str) -> str:
    """A sentence as it is compared: how it ends does not make it another."""
    return match_form(sentence).strip(_END_MARKS)


def greets(text: str) -> bool:
    """Whether the text begins with a greeting."""
    return _GREETING.match(text) is not None


def without_greeting(text: str) -> str:
    """Gives the text without the greeting it begins with."""
    left = _GREETING.sub("", text)
    return left if left == text else left[:1].upper() + left[1:]


def without_said(text: str, said: Iterable[str]) -> str:
    """Gives the text without the sentences that were said already (`bare`), short ones excepted."""
    said = said if isinstance(said, set | frozenset) else set(said)
    if not said:
        return text
    return "".join(sentence for sentence in sentences_of(text) if len(sentence) < _SAME_CHARS or bare(sentence) not in said).strip()


def without_private(piece: Piece) -> Piece:
    """Gives the piece without the sentences that hold a fact of the order or the customer, or a blank for one."""
    if not piece.written and not piece.missing:
        return piece
    kept = [sentence for sentence in sentences_of(piece.text) if "〔" not in sentence and not any(one in sentence for one in piece.written)]
    return Piece(piece.part, "".join(kept).strip(), (), (), piece.source)


def within(pieces: Sequence[Piece], max_chars: int, *, language: str) -> list[Piece]:
    """Gives the pieces without closing, opening and value, one after the other, while they are longer than that; what remains may still be."""
    kept = list(pieces)
    for part in _LET_GO:
        if len(join_parts([piece.text for piece in kept], language=language)) <= max_chars:
            break
        fewer = [piece for piece in kept if piece.part != part]
        kept = fewer or kept
    return kept


def join_parts(parts: Sequence[str], *, language: str) -> str:
    """Gives the parts as one text: each ends as a sentence; English puts a space between."""
    return (" " if language == "en" else "").join(_ended(part, language) for part in parts)


def _ended(part: str, language: str) -> str:
    if part and (part[-1].isalnum() or part[-1] in "〕」』”)）"):
        return part + ("." if language == "en" else "。")
    return part
