"""A condition taken apart: its comparisons between `&&`, `||` and `!`, each with the fact it looks at and what it compares it with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_PATH = r"(?P<path>(?:order|customer|agent|message)(?:\.\w+)+)"
_STRING = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
_NUMBER = r"-?\d+(?:\.\d+)?"
_LITERAL = rf"(?:{_STRING}|{_NUMBER}|true|false)"
_OP = r"(?:==|!=|<=|>=|<|>)"
_PLAIN = re.compile(rf"{_PATH}$")
_HAS = re.compile(rf"has\(\s*{_PATH}\s*\)$")
_COMPARED = re.compile(rf"{_PATH}\s*(?P<op>{_OP})\s*(?P<literal>{_LITERAL})$")
_COMPARED_TURNED = re.compile(rf"(?P<literal>{_LITERAL})\s*(?P<op>{_OP})\s*{_PATH}$")
_ONE_OF = re.compile(rf"{_PATH}\s+in\s*\[(?P<list>\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\]$")
_IN_LIST = re.compile(rf"(?P<literal>{_STRING})\s+in\s+{_PATH}$")
_PART_OF = re.compile(rf"{_PATH}\.(?P<op>startsWith|endsWith|contains)\(\s*(?P<literal>{_STRING})\s*\)$")
_AGE = re.compile(rf"now\s*-\s*{_PATH}\s*{_OP}\s*duration\(\s*['\"](?P<amount>\d+(?:\.\d+)?)(?P<unit>[hms])['\"]\s*\)$")
_MOMENT = re.compile(rf"{_PATH}\s*{_OP}\s*timestamp\(\s*['\"](?P<time>[^'\"]+)['\"]\s*\)$")
_HOURS = {"h": 1.0, "m": 1 / 60, "s": 1 / 3600}

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison. `how` is opaque where it is more than a fact and plain values: then nothing can be proved by trying values."""

    source: str
    how: str  # constant, plain, has, compared, one of, in list, startsWith, endsWith, contains, age, moment, opaque
    path: str = ""
    values: tuple[Value, ...] = ()
    hours: float = 0.0
    moment: datetime | None = None


def atoms_of(source: str) -> list[Atom]:
    """Gives the comparisons of a condition from left to right."""
    return [_atom(piece) for piece in _pieces(source)]


def _pieces(source: str) -> Iterator[str]:
    """Splits at `||` and `&&` outside strings and calls, and goes into parentheses and negations."""
    text = source.strip()
    while text.startswith("!") and not text.startswith("!="):
        text = text[1:].strip()
    for operator in ("||", "&&"):
        parts = _split(text, operator)
        if len(parts) > 1:
            for part in parts:
                yield from _pieces(part)
            return
    if text.startswith("(") and _closing(text) == len(text) - 1:
        yield from _pieces(text[1:-1])
    elif text:
        yield text


def _split(text: str, operator: str) -> list[str]:
    parts, start = [], 0
    for place in _outside(text):
        if text.startswith(operator, place) and place >= start:
            parts.append(text[start:place])
            start = place + len(operator)
    return [*parts, text[start:]]


def _outside(text: str) -> Iterator[int]:
    """Gives the places that are in no string and no bracket."""
    depth, quote, place = 0, "", 0
    while place < len(text):
        char = text[place]
        if quote:
            place += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
            if depth == 0 and char not in ")]}":
                yield place
        place += 1


def _closing(text: str) -> int:
    """Where the bracket that opens the text closes."""
    depth, quote = 0, ""
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[place - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
            if depth == 0:
                return place
    return -1


def _atom(text: str) -> Atom:
    if text in ("true", "false"):
        return Atom(text, "constant")
    for how, pattern in (("plain", _PLAIN), ("has", _HAS)):
        if match := pattern.match(text):
            return Atom(text, how, match["path"])
    if match := _COMPARED.match(text) or _COMPARED_TURNED.match(text):
        return Atom(text, "compared", match["path"], (_value(match["literal"]),))
    if match := _ONE_OF.match(text):
        return Atom(text, "one of", match["path"], tuple(_value(one) for one in re.findall(_LITERAL, match["list"])))
    if match := _IN_LIST.match(text):
        return Atom(text, "in list", match["path"], (_value(match["literal"]),))
    if match := _PART_OF.match(text):
        return Atom(text, match["op"], match["path"], (_value(match["literal"]),))
    if match := _AGE.match(text):
        return Atom(text, "age", match["path"], hours=float(match["amount"]) * _HOURS[match["unit"]])
    if match := _MOMENT.match(text):
        return Atom(text, "moment", match["path"], moment=datetime.fromisoformat(match["time"]))
    return Atom(text, "opaque")


def _value(literal: str) -> Value:
    if literal in ("true", "false"):
        return literal == "true"
    if literal[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", literal[1:-1])
    return float(literal) if "." in literal else int(literal)
