"""What an expression can tell apart of a fact: whether it is there, its kind of word, or only where it lies among the values that it is compared with.

«More than 48 hours ago» is one answer for a parcel of yesterday and of the day before, whatever the second: what CEL made of the one holds for the other.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from knowledge.condition_atoms import Atom, atoms_of
from knowledge.conditions import STRINGS

# What a fact's value is to an expression at a moment: equal answers, equal outcomes. None: only the expression itself can tell.
Look = Callable[[Any, Any], object | None]

_OP = r"\s*(?:==|!=|<=|>=|<|>)\s*"
_FACT = r"(?P<path>(?:order|customer|agent|message)(?:\.\w+)+)"
_NOW = r"now(?:\s*(?P<sign>[+-])\s*duration\(\s*['\"](?P<amount>\d+(?:\.\d+)?)(?P<unit>[hms])['\"]\s*\))?"
_AGAINST_NOW = (re.compile(rf"{_NOW}{_OP}{_FACT}$"), re.compile(rf"{_FACT}{_OP}{_NOW}$"))
_NOW_AGAINST_MOMENT = re.compile(rf"now{_OP}timestamp\(\s*['\"](?P<time>[^'\"]+)['\"]\s*\)$")
_HOURS = {"h": 1.0, "m": 1 / 60, "s": 1 / 3600}
_BELOW = re.compile(r"\.\w+(?:\.\w+)*(?:\.\w+\()?$")  # a fact below; one name and a bracket would be a method of the fact itself
_EXACT = 2**53  # whole numbers below are the same as doubles
_SHORT_TEXT = 40  # a longer text is somebody's words rather than a kind of value


def look_of(source: str, path: str) -> Look:
    """Gives what of the fact matters to the expression; equal looks are equal."""
    return there if _only_presence(source, path) else _scale_of(source, path) or plain


def there(_value: Any, _now: Any) -> object:
    """For a fact that is only asked to be there."""
    return True


def plain(value: Any, _now: Any) -> object | None:
    """Short text, truth values and whole numbers, alone or listed: equal values are the same to every expression."""
    kind = type(value)
    if kind is bool or (kind is str and len(value) <= _SHORT_TEXT):
        return value  # type: ignore[no-any-return]
    if kind is int or (kind is Decimal and value.is_finite()):
        return kind, value  # 1 is not true
    if kind is list:
        every = tuple([plain(one, _now) for one in value])
        return None if None in every else every
    return None


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values that a fact is compared with, ascending; of an age, how long before now in hours."""

    how: str  # number, moment, age
    steps: tuple[Any, ...]

    def __call__(self, value: Any, now: Any) -> object | None:
        kind = type(value)
        if self.how == "number":
            if kind is Decimal:
                value = float(value)
            if (kind is not float and kind is not int and kind is not Decimal) or not -_EXACT < value < _EXACT:
                return plain(value, now)
        elif kind is not datetime or type(now) is not datetime:
            return plain(value, now)
        elif self.how == "age":
            value = now - value
        return kind, bisect_left(self.steps, value) + bisect_right(self.steps, value)  # even between two steps, odd on one


def _scale_of(source: str, path: str) -> _Scale | None:
    """The values, where comparing with values of one kind is all that the expression does with the fact; no steps: nothing of it matters."""
    hows: set[str] = set()
    steps: set[Any] = set()
    for atom in atoms_of(source):
        if re.search(rf"(?<![\w.]){re.escape(path)}(?!\w)", atom.source) and not (atom.how == "has" and atom.path == path):
            scale = _compared(atom, path)
            if scale is None:
                return None
            hows.update([scale.how] if scale.steps else [])
            steps.update(scale.steps)
    return _Scale(hows.pop() if hows else "moment", tuple(sorted(steps))) if len(hows) < 2 else None


def _compared(atom: Atom, path: str) -> _Scale | None:
    """What one comparison compares the fact with; nothing of `now` matters where it only tells another fact's age."""
    if atom.how == "compared" and atom.path == path and all(type(value) in (int, float) for value in atom.values):
        return _Scale("number", tuple(map(float, atom.values)))
    if atom.how == "moment" and atom.path == path:
        return _Scale("moment", (atom.moment,))
    if path == "now" and (found := _NOW_AGAINST_MOMENT.match(atom.source)):
        return _Scale("moment", (datetime.fromisoformat(found["time"]),))
    against_now = next((found for pattern in _AGAINST_NOW if (found := pattern.match(atom.source))), None)
    if atom.how != "age" and against_now is None:
        return None
    compared = atom.path if against_now is None else against_now["path"]
    if path == "now" and compared != path:
        return _Scale("moment", ())
    if compared != path:
        return None
    hours = atom.hours if against_now is None else _hours_before_now(against_now)
    return _Scale("age", (timedelta(hours=hours),))


def _hours_before_now(found: re.Match[str]) -> float:
    """`now - duration("2h") > fact` compares its age with two hours, `now + …` with two less than none."""
    hours = float(found["amount"]) * _HOURS[found["unit"]] if found["amount"] else 0.0
    return hours if found["sign"] == "-" else -hours


def _only_presence(source: str, path: str) -> bool:
    """Whether a test asks of a fact only that it is there, `has(order.item)`, or of what is below it."""
    bare = re.sub(r"\s*([.()])\s*", r"\1", STRINGS.sub('""', source))
    return all(
        (found.group("before") == "has(" and found.group("after") == ")") or _BELOW.match(found.group("after"))
        for found in re.finditer(rf"(?P<before>has\(|(?<![\w.])){re.escape(path)}(?!\w)(?P<after>\)|[.\w]*\(?)", bare)
    )
