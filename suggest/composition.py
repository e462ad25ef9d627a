"""What becomes of a reply's filled parts in this conversation: no second greeting, nothing said twice or private in public, short enough."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.normalise import match_form

PUBLIC_CHANNELS = frozenset({"review"})  # anybody reads along
_GREETING = re.compile(r"^(?:(?:您好|你好|亲，?您好)[,，.。!！~～\s]*|(?:hello|hi)(?: there)?(?:[,.!~]\s*|$))", re.IGNORECASE)
_SENTENCES = re.compile(r".+?(?:[。！？!?\n]+|\.(?=\s|$)|$)\s*", re.DOTALL)
_CHINESE = re.compile(r"[㐀-鿿]")
_END_MARKS = " .。!！?？~～\n"
_SAME_CHARS = 8  # shorter sentences («好的。») may be said twice
_CLAUSES = re.compile(r".+?(?:[。！？!?；;\n]+|\.(?=\s|$)|$)\s*", re.DOTALL)
_THANKED = re.compile(r"^(?:不客气|不用谢|客气了|you(?:'|’)?re (?:very )?welcome)[，,。.！!~\s]+", re.IGNORECASE)
_WISHES = re.compile(
    r"(?:^|(?<=[。！!；;，,]))[^。！!；;，,]*(?:祝您|祝你)[^。！!]*(?:[。！!]|$)|\bhave a (?:good|great|lovely|nice) (?:one|day|weekend|evening)[.!]?\s*",
    re.IGNORECASE,
)
_TIME = re.compile(r"\d|[今明后]天|[今明]晚|当天|次日|马上|现在|today|tomorrow|tonight|now\b", re.IGNORECASE)
_COMFORT = re.compile(r"[，,](?:不(?:让|用|会让)您|免得|省得|好让您|您(?:不用|放心))[^，,；;。！!]*(?=[。！!])")
_GIVEN = re.compile(r"券|补偿|红包|赠品|差价")  # what a value part gives and the action then speaks of


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


def for_the_public(piece: Piece, *, leave_out: str) -> Piece:
    """Gives the piece without what is nobody else's business or makes no sense there.

    Args:
        piece: a filled part; clauses that hold a fact of the order or the customer, or a blank for one, go.
        leave_out: expression for what else has no place in public, such as asking for a photo; empty for nothing.
    """
    text = _THANKED.sub("", piece.text)
    kept = [clause for clause in _CLAUSES.findall(text) if not _is_private(clause, piece) and not (leave_out and re.search(leave_out, clause))]
    return Piece(piece.part, _closed("".join(kept)), (), (), piece.source)


def _is_private(clause: str, piece: Piece) -> bool:
    return "〔" in clause or any(one in clause for one in piece.written)


def without_wishes(text: str) -> str:
    """Gives the text without good wishes: the closing has its own."""
    left = _WISHES.sub("", text)
    return text if left == text else _closed(left)


def within(pieces: Sequence[Piece], max_chars: int, *, language: str, keep_empathy: bool) -> list[Piece]:
    """Gives the pieces cut to the length in the order of least loss; what remains may still be longer.

    Closing and opening go first, then the value part clause by clause from its end, then the empathy of who is not upset, then what the information adds
    after its first clause, then what follows in the action where a time is left in it, at last the kind words at the end of a sentence. What the action said
    of something given in a value part goes with it.
    """
    kept = list(pieces)
    for part, clauses_kept in (("closing", 0), ("opening", 0), ("value", 0), ("empathy", 0), ("information", 1), ("action", 1)):
        if part == "empathy" and keep_empathy:
            continue
        while _length(kept, language) > max_chars:
            fewer = _one_clause_fewer(kept, part, at_least=clauses_kept)
            if fewer is None:
                break
            kept = fewer
    for place, piece in enumerate(kept):
        if _length(kept, language) > max_chars:
            kept[place] = piece.saying(_COMFORT.sub("", piece.text))
    return kept


def _length(pieces: Sequence[Piece], language: str) -> int:
    return len(join_parts([piece.text for piece in pieces], language=language))


def _one_clause_fewer(pieces: Sequence[Piece], part: str, *, at_least: int) -> list[Piece] | None:
    """Gives the pieces without the last clause of the last piece of that part; None where there is none to spare or nothing else would be left."""
    place = next((number for number in reversed(range(len(pieces))) if pieces[number].part == part), None)
    if place is None or len(pieces) == 1:
        return None
    clauses = _CLAUSES.findall(pieces[place].text)
    if len(clauses) <= at_least:
        return None
    left = _closed("".join(clauses[:-1])) if part not in ("opening", "closing") else ""
    if part == "action" and _TIME.search(clauses[-1]) and not _TIME.search(left):
        return None
    fewer = [*pieces[:place], *([pieces[place].saying(left)] if left else []), *pieces[place + 1 :]]
    return _without_loose_ends(fewer, given=set(_GIVEN.findall(clauses[-1])) - set(_GIVEN.findall(left))) if part == "value" else fewer


def _without_loose_ends(pieces: Sequence[Piece], *, given: set[str]) -> list[Piece]:
    """「券现在发到…，我催仓库」 says nothing once nobody speaks of a voucher: such a beginning of an action goes."""
    loose = "|".join(sorted(given))
    if not loose:
        return list(pieces)
    beginning = re.compile(rf"(?:^|(?<=[。！？；]))(?:这|那)?张?(?:{loose})[^，,；;。]*[，,；;]")
    return [piece.saying(beginning.sub("", piece.text)) if piece.part == "action" else piece for piece in pieces]


def _closed(text: str) -> str:
    """A text whose last clauses are gone ends as a sentence."""
    left = text.strip()
    return re.sub(r"[；;，,]$", "。" if _CHINESE.search(left) else ".", left)


def join_parts(parts: Sequence[str], *, language: str) -> str:
    """Gives the parts as one text: each ends as a sentence; English puts a space between."""
    return (" " if language == "en" else "").join(_ended(part, language) for part in parts)


def _ended(part: str, language: str) -> str:
    if part and (part[-1].isalnum() or part[-1] in "〕」』”)）"):
        return part + ("." if language == "en" else "。")
    return part
