"""All conditions of a shop, judged together for one order: most are made of the same few tests, and what those come to is remembered.

A condition is taken apart at its top-level `&&`. Tests that look at the same facts in the same way form a group; where all that matters of those facts is
a plain word, a truth value or where they lie among numbers and times, the whole group costs one lookup. The verdicts are those of `Condition.evaluate`;
sets of conditions are the bits of an integer.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter, or_
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.condition_scales import Look, look_of
from knowledge.conditions import ALWAYS, NEVER, STRINGS, Condition, Result, Verdict, cel_context, compile_condition, compiled, executed, referenced_paths

_REMEMBERED = 1_024  # outcomes kept for each group
_ABSENT = object()
Path = tuple[str, ...]
Masks = tuple[int, int, int]  # conditions that some test of a group makes false, that lack a fact, that compare what cannot be compared


@dataclass(frozen=True, slots=True)
class _Group:
    """Tests on the same facts: each with the set of conditions that it stands in."""

    paths: tuple[Path, ...]
    facts: tuple[int, ...]  # their numbers in the set
    conditions: int  # in which any of the tests stands
    tests: tuple[tuple[int, Any], ...]


class ConditionSet:
    """Conditions by number, in the order given; equal sources are one condition."""

    def __init__(self, sources: Sequence[str]) -> None:
        """Compiles them.

        Raises:
            InvalidCondition: one does not parse or names what does not exist.
        """
        self.number = {source: place for place, source in enumerate(dict.fromkeys(sources))}
        self._conditions: list[Condition] = [compile_condition(source) for source in self.number]
        standing: dict[str, int] = {}
        for place, condition in enumerate(self._conditions):
            for part in conjuncts(condition.source):
                standing[part] = standing.get(part, 0) | 1 << place
        self._facts: dict[tuple[Path, Look], int] = {}  # a path, and what of it matters
        groups: dict[tuple[int, ...], list[tuple[int, Any]]] = {}
        for part, conditions in standing.items():
            looks = [(tuple(path.split(".")), look_of(part, path)) for path in referenced_paths(part)]
            groups.setdefault(tuple(self._facts.setdefault(one, len(self._facts)) for one in looks), []).append((conditions, compiled(part)))
        every = [path for path, _ in self._facts]
        self._of_the_unsent: dict[frozenset[str], npt.NDArray[np.bool_]] = {}
        self._looking_at: dict[frozenset[str], int] = {}  # facts asked about → the conditions that look at any of them
        self._turning_on: dict[frozenset[str], tuple[list[int], dict[Path, list[tuple[int, str, Look]]]]] = {}  # the same → groups, and all their facts
        self._below: dict[Path, list[tuple[int, str, Look]]] = {}  # facts by what they stand below
        for (path, look), number in self._facts.items():
            self._below.setdefault(path[:-1], []).append((number, path[-1], look))
        groups_of_tests = [
            _Group(tuple(every[fact] for fact in facts), facts, reduce(or_, (conditions for conditions, _ in tests)), tuple(tests))
            for facts, tests in groups.items()
        ]
        # Each with the values of its facts, and what those came to: the three sets of `Masks` in one number.
        self._lookups: list[tuple[_Group, Callable[[list[object | None]], object], dict[object, int]]] = [
            (group, itemgetter(*group.facts) if group.facts else _no_value, {}) for group in groups_of_tests
        ]

    def _looked_up(self, facts: Mapping[str, Any], places: Mapping[Path, Sequence[tuple[int, str, Look]]], plain: list[object | None]) -> list[object | None]:
        """What of some facts matters to their tests, or at which step they are not there; None where only the tests can tell."""
        now = facts.get("now")
        for above, below in places.items():
            node: Any = facts
            absent: object | None = None
            for step, name in enumerate(above):
                node = node.get(name, _ABSENT) if type(node) is dict else None
                if node is _ABSENT:
                    absent = (step,)
                    break
            for number, name, look in below if absent or type(node) is dict else ():
                value = absent or node.get(name, _ABSENT)
                if value is _ABSENT:
                    plain[number] = (len(above),)
                else:
                    plain[number] = absent or look(value, now)
        return plain

    @property
    def each(self) -> Sequence[Condition]:
        """The conditions, by number."""
        return self._conditions

    def looking_at(self, paths: frozenset[str]) -> int:
        """Gives the set of conditions that look at any of some facts, by their dotted names."""
        found = self._looking_at.get(paths)
        if found is None:
            looks = [1 << place for place, condition in enumerate(self._conditions) if not paths.isdisjoint(referenced_paths(condition.source))]
            found = self._looking_at[paths] = reduce(or_, looks, 0)
        return found

    def of_the_unsent(self, paths: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Gives the conditions that want one of some facts not to have been sent («!has(…)»), [n_conditions]: they ask for it, or cover every case."""
        found = self._of_the_unsent.get(paths)
        if found is None:
            asked = re.compile(rf"!\s*has\(\s*(?:{'|'.join(map(re.escape, sorted(paths)))})\s*\)")
            found = self._of_the_unsent[paths] = np.array([asked.search(one.source) is not None for one in self._conditions], dtype=np.bool_)
        return found

    def judge(self, facts: Mapping[str, Any]) -> "Judged":
        """Gives the verdicts of all of them."""
        plain = self._looked_up(facts, self._below, [None] * len(self._facts))
        return self._judged(facts, plain, range(len(self._lookups)), [0] * len(self._lookups))

    def judge_filled(self, before: "Judged", facts: Mapping[str, Any], filled: frozenset[str]) -> "Judged":
        """Gives the verdicts of those that could not be decided, after facts that were missing were filled in; of the others they say nothing new.

        Args:
            before: what they came to without.
            facts: the same facts and the filled ones.
            filled: dotted names, of all that may have been filled in.
        """
        if filled not in self._turning_on:
            numbers = [number for number, (group, _, _) in enumerate(self._lookups) if not filled.isdisjoint(map(".".join, group.paths))]
            wanted = {fact for number in numbers for fact in self._lookups[number][0].facts}
            places = {above: kept for above, below in self._below.items() if (kept := [one for one in below if one[0] in wanted])}
            self._turning_on[filled] = numbers, places
        turning, places = self._turning_on[filled]
        plain = self._looked_up(facts, places, [None] * len(self._facts))
        return self._judged(facts, plain, turning, list(before.of_groups))

    def _judged(self, facts: Mapping[str, Any], plain: list[object | None], numbers: Iterable[int], of_groups: list[int]) -> "Judged":
        """The verdicts by what some groups' tests come to and what the others came to, which stands in `of_groups`."""
        later = []
        for number in numbers:
            group, values_of, remembered = self._lookups[number]
            values = values_of(plain)
            mask = remembered.get(values)
            if mask is None:
                if values is None or (type(values) is tuple and None in values):
                    later.append((number, group))
                    of_groups[number] = 0
                    continue
                mask = self._packed(_masks(group, cel_context(_part(facts, group.paths)), ruled_out=0))
                if len(remembered) < _REMEMBERED:
                    remembered[values] = mask
            of_groups[number] = mask
        masks = reduce(or_, of_groups, 0)
        n = len(self._conditions)
        every = (1 << n) - 1
        false = masks & every
        later = [(number, group) for number, group in later if group.conditions & ~false]  # hours and times: only where it still matters
        context = cel_context(_part(facts, [path for _, group in later for path in group.paths])) if later else None
        for number, group in later:
            of_groups[number] = self._packed(_masks(group, context, ruled_out=masks & every))
            masks |= of_groups[number]
        return Judged(self._conditions, facts, masks & every, masks >> n & every, masks >> 2 * n, of_groups)

    def _packed(self, masks: Masks) -> int:
        """The three sets in one number, one behind the other."""
        false, missing, incomparable = masks
        return false | missing << len(self._conditions) | incomparable << 2 * len(self._conditions)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of a set's conditions for one order."""

    conditions: Sequence[Condition]
    facts: Mapping[str, Any]
    false: int
    missing: int
    incomparable: int
    of_groups: Sequence[int] = ()  # what each group's tests came to, see `ConditionSet`

    @property
    def false_ones(self) -> npt.NDArray[np.bool_]:
        """Which conditions are false, [n_conditions]."""
        return _bits(self.false, len(self.conditions))

    @property
    def unknown_ones(self) -> npt.NDArray[np.bool_]:
        """Which conditions lack a fact or compare what cannot be compared, [n_conditions]; one that is false too is false."""
        return _bits(self.missing | self.incomparable, len(self.conditions))

    def verdict(self, number: int) -> Verdict:
        """Gives the verdict of one condition."""
        bit = 1 << number
        if self.false & bit:
            return NEVER
        if self.incomparable & bit:
            return self.conditions[number].unknown(self.facts, Result.INCOMPARABLE)
        return self.conditions[number].unknown(self.facts, Result.MISSING) if self.missing & bit else ALWAYS


def _no_value(_plain: list[object | None]) -> object:
    return ()


def _bits(members: int, n: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(members.to_bytes(n // 8 + 1, "little"), dtype=np.uint8), count=n, bitorder="little").astype(np.bool_)


def conjuncts(source: str) -> tuple[str, ...]:
    """Gives the parts that `&&` joins at the top of the expression, in order; the whole where something binds them otherwise, none of an empty one.

    `&&` binds tighter than `||` and `? :`, so one of those at the top keeps the expression whole.
    """
    bare = STRINGS.sub(lambda found: "s" * len(found.group()), source)  # same length: positions hold
    parts, start, depth = [], 0, 0
    for position, character in enumerate(bare):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and (character == "?" or bare.startswith("||", position)):
            return (source.strip(),)
        if depth == 0 and bare.startswith("&&", position):
            parts.append(source[start:position])
            start = position + 2
    return tuple(part.strip() for part in [*parts, source[start:]] if part.strip())


def _masks(group: _Group, context: Any, *, ruled_out: int) -> Masks:
    """What the group's tests come to; a test that stands only in conditions ruled out already is not made."""
    false = missing = incomparable = 0
    for conditions, program in group.tests:
        if not conditions & ~(ruled_out | false):
            continue
        result = executed(program, context)
        if result is Result.FALSE:
            false |= conditions
        elif result is Result.MISSING:
            missing |= conditions
        elif result is Result.INCOMPARABLE:
            incomparable |= conditions
    return false, missing, incomparable


def _part(facts: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """The facts at the paths, nested as they are: turning all of them into CEL's types costs more than everything else here."""
    part: dict[str, Any] = {root: {} if isinstance(value, dict) else value for root, value in facts.items()}
    for path in dict.fromkeys(paths):
        node: Any = facts
        copy = part
        for name in path[:-1]:
            node = node.get(name)
            if not isinstance(node, dict):
                break
            copy = copy.setdefault(name, {})
        else:
            if path[-1] in node:
                copy[path[-1]] = node[path[-1]]
    return part
