"""Whether a message asks two things, and which: a small learned judge over the pieces of a message.

Chinese customers part two questions by a comma, a space or nothing at all, so punctuation alone tells little. The judge sees how differently the need
model hears two pieces, how surely, and whether each asks; its weights were fitted on labelled double questions.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.normalise import strip_console, without_politeness

BUNDLED_SPLITTER = Path(__file__).parent / "models" / "question_splitter.json"
_HAN_BREAKS = re.compile(r"[。！？!?；;…,，、~～\s]+|\.{2,}")
_BREAKS = re.compile(r"[!?;…]+\s*|\.+(?=\s|$)")  # English: a comma and a space part words, not questions
_ENGLISH_LEADS = r"(?:oh,? )?(?:and|also|btw|by the way|fyi)\b|&(?=\s)"
_CONNECTIVES = re.compile(
    rf"^(?:另外|还有就是|还有(?!多久|多少|几|没|货|吗)|对了|顺便(?:问(?:一)?下)?|然后|还想问(?:一)?下|再问(?:一)?下|{_ENGLISH_LEADS})(?:[,，:：\s]|\b(?:{_ENGLISH_LEADS}))*"
)
_ASKING = r"(?:how|what|when|where|which|who|why|can|could|do|does|did|is|are|will|would|should|if|please)"
_CONNECTIVE_INSIDE = re.compile(
    r"(?=另外|还有(?!多久|多少|几|没|货|吗)|对了|顺便|\b(?:also|btw|by the way|fyi)\b"
    rf"|(?<=\s)& {_ASKING}\b|\band {_ASKING}\b|\band i(?:'?m|'?ve|'?d| (?:need|want|can'?t|cant|cannot|didn'?t|didnt|don'?t|dont|still|got|have|was))\b)"
)
_LEFT_OVER = re.compile(r"\s(?:oh|and|&)$")  # of what led to the next piece
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"\w")
_ASKS = re.compile(
    r"吗|嘛|么|呢|啥|怎|咋|多少|多久|多大|(?<!好)几|哪|谁|能|可以|行不|是不是|有没有|还是|要不要|(.)不\1|[吧不没]$|没有$"
    r"|^(?:how|what|when|where|which|who|why|can|could|do|does|did|is|are|will|would|may)\b"
)
_LEXEMES = re.compile(r"[a-z]+|\d+|[㐀-鿿]")
_MIN_CHARS = 3
_LONG_CHARS = 20
Needs = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message that may ask something by itself."""

    text: str
    joined: bool  # a word such as 另外 or «also» led to it
    asks: bool


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Gives the pieces in order, none twice, without the words that join them; a piece too short to ask anything is left out."""
    breaks = _HAN_BREAKS if _HAN.search(text) else _BREAKS
    found: dict[str, Piece] = {}
    start = 0
    for end, after, mark in [*((one.start(), one.end(), one.group()) for one in breaks.finditer(text)), (len(text), len(text), "")]:
        parts = [part.strip(" ,，、") for part in _CONNECTIVE_INSIDE.split(text[start:end])]
        for part in parts:
            bare = _LEFT_OVER.sub("", _CONNECTIVES.sub("", part)).strip()
            if len(_WORD.findall(bare)) >= _MIN_CHARS:
                asks = _ASKS.search(bare) is not None or (part == parts[-1] and ("?" in mark or "？" in mark))
                found.setdefault(bare, Piece(bare, not part.startswith(bare), asks))
        start = after
    return tuple(found.values())


def asks(text: str) -> bool:
    """Whether a word of the text asks something, a question mark or not."""
    return _ASKS.search(text) is not None


_TWO_SCENARIOS, _SHARED = 4, -1  # where they stand among the features of `best_pair`
_SAID_TWICE = 0.4  # of the shorter piece's words: with one scenario for both, «why not sent? when will it be sent» is one matter in two wordings


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the need model heard: in the whole message and in each piece, as scenarios and as needs."""

    scenarios: Needs  # [n_scenarios], of the whole
    pieces: Needs  # [n_pieces, n_scenarios]
    needs: Needs  # [n_pieces, n_needs]
    is_matter: npt.NDArray[np.bool_]  # [n_scenarios], false for `chat.*`: a greeting is no question


@dataclass(frozen=True, slots=True)
class Split:
    """The two things that a message asks, or may ask, in its order."""

    texts: tuple[str, ...]  # every piece with the one it is nearer to
    probability: float  # that two are asked, by a judge to whom a double question counted twice: .5 where one in three is double
    sure: bool  # enough to speak of two questions; else they only have a say in what is offered second


@dataclass(frozen=True, slots=True)
class QuestionSplitter:
    """A logistic judge of the pair of pieces that most likely ask two things."""

    mean: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    threshold: float  # log-odds from which two questions are spoken of
    perhaps: float  # log-odds from which two are reckoned with

    @classmethod
    def load(cls, path: Path = BUNDLED_SPLITTER) -> "QuestionSplitter":
        """Reads the splitter that ships."""
        card = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(card["mean"]), tuple(card["weights"]), *(float(card[name]) for name in ("bias", "threshold", "perhaps")))

    def write(self, path: Path = BUNDLED_SPLITTER) -> None:
        """Writes it as JSON."""
        card = {"mean": self.mean, "weights": self.weights, "bias": self.bias, "threshold": self.threshold, "perhaps": self.perhaps}
        path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")

    def split(self, pieces: Sequence[Piece], heard: Hearing) -> Split | None:
        """Gives the two things that the pieces ask or may ask; none when it is one."""
        if len(pieces) < 2:
            return None
        features, pair = best_pair(pieces, heard)
        if not features[_TWO_SCENARIOS] and features[_SHARED] >= _SAID_TWICE:
            return None
        odds = float((np.array(features) - self.mean) @ np.array(self.weights)) + self.bias
        if odds < self.perhaps:
            return None
        return Split(_texts(pieces, heard, pair), 1 / (1 + math.exp(-odds)), odds >= self.threshold)


def best_pair(pieces: Sequence[Piece], heard: Hearing) -> tuple[list[float], tuple[int, int]]:
    """Gives the features of the two pieces that ask different things the most, and their places; the first of equals."""
    matter = heard.pieces * heard.is_matter
    roots = np.sqrt(heard.needs)
    best: tuple[float, list[float], tuple[int, int]] | None = None
    for one, other in combinations(range(len(pieces)), 2):
        first, second = matter[one], matter[other]
        top, second_top = int(first.argmax()), int(second.argmax())
        differ = float(first.sum() * second.sum() - (first * second).sum())  # the probability that they are of two scenarios
        least = float(min(first[top], second[second_top]))
        both_ask = pieces[one].asks and pieces[other].asks
        worth = differ * (0.5 + 0.5 * both_ask) * (top != second_top) * least**0.5
        if best is None or worth > best[0]:
            whole = (float(heard.scenarios[top]), float(heard.scenarios[second_top]))
            features = [
                differ, 1 - float(roots[one] @ roots[other]), least, float(max(first[top], second[second_top])), float(top != second_top),
                float(pieces[one].asks), float(pieces[other].asks), float(both_ask), float(pieces[other].joined), float(other - one == 1),
                min(len(pieces[one].text), _LONG_CHARS) / _LONG_CHARS, min(len(pieces[other].text), _LONG_CHARS) / _LONG_CHARS,
                *whole, min(whole), len(pieces) / 6, float(heard.scenarios.max()), sum(piece.asks for piece in pieces) / 4, float(top != second_top) * least,
                _shared(pieces[one].text, pieces[other].text),
            ]  # fmt: skip
            best = (worth, features, (one, other))
    if best is None:
        raise ValueError("expected at least two pieces")
    return best[1], best[2]


def _shared(one: str, other: str) -> float:
    """Share of the shorter text's words (Chinese: characters) that the other has too, 0 to 1: who says 发货 twice asks about one thing."""
    words, others = set(_LEXEMES.findall(one)), set(_LEXEMES.findall(other))
    return len(words & others) / max(1, min(len(words), len(others)))


def _texts(pieces: Sequence[Piece], heard: Hearing, pair: tuple[int, int]) -> tuple[str, ...]:
    roots = np.sqrt(heard.needs)
    nearer_second = roots @ roots[pair[1]] > roots @ roots[pair[0]]
    gathered: tuple[list[str], list[str]] = ([], [])
    for place, piece in enumerate(pieces):
        gathered[1 if place == pair[1] or (place != pair[0] and nearer_second[place]) else 0].append(piece.text)
    return tuple(("，" if _HAN.search("".join(texts)) else ". ").join(texts) for texts in gathered)


def words_to_split(message: str) -> str:
    """Gives the text of a message that pieces are taken from: the customer's own words without politeness."""
    return without_politeness(strip_console(message))
