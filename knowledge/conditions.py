"""Conditions on facts: a CEL expression with three outcomes. Compiled when loaded, so that a typo is heard at reindex.

Evaluation is by the Rust implementation of the Common Expression Language; a fact that was not sent raises there, which is our *unknown*.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

import cel

from knowledge.errors import InvalidCondition
from knowledge.fact_paths import CONDITION_FACTS, FACT_VALUES, unknown_name
from knowledge.facts import leads

STRINGS = re.compile(r'(?:\b[rR])?(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')')
_PATHS = re.compile(r"(?<![\w.)\]])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*(?:\s*\()?")
_MACRO = re.compile(r"(?:(?<![\w.)\]])([A-Za-z_]\w*(?:\.\w+)*)|\S)\s*\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_LITERAL_TIME = re.compile(r"""\btimestamp\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
_TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")  # RFC 3339, as CEL reads
_COMPARED = re.compile(r"""([A-Za-z_][\w.]*)\s*(?:[=!]=\s*("[^"]*"|'[^']*')|in\s*\[([^\]]*)\])""")
_QUOTED = re.compile(r"""["']([^"']*)["']""")
_WORDS = frozenset({"true", "false", "null", "in"})
_FUNCTIONS = frozenset({
    "all", "contains", "double", "duration", "endsWith", "exists", "exists_one", "filter", "has", "int", "map", "matches",
    "size", "startsWith", "string", "timestamp",
})  # fmt: skip


class Outcome(Enum):
    """What a condition says of an order."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, with the facts that are wanting when it is unknown."""

    outcome: Outcome
    verify: tuple[str, ...] = ()


ALWAYS = Verdict(Outcome.TRUE)
NEVER = Verdict(Outcome.FALSE)


class Result(Enum):
    """What an expression came to."""

    TRUE = "true"
    FALSE = "false"
    MISSING = "missing"  # a fact was not sent
    INCOMPARABLE = "incomparable"  # of another type than it is compared with, or no truth value


class Condition:
    """One compiled `when`. Empty source = always true."""

    def __init__(self, source: str) -> None:
        """Compiles the expression.

        Raises:
            InvalidCondition: it does not parse, names a fact or function that does not exist, or writes a time without hour or offset.
        """
        self.source = source.strip()
        self.paths = referenced_paths(self.source)
        _check_literal_times(self.source)
        _check_spellings(self.source)
        self._program = compiled(self.source) if self.source else None
        self._steps = tuple((path, tuple(path.split("."))) for path in self.paths)

    @property
    def specificity(self) -> int:
        """How many different facts it looks at: of two true conditions the one with more says more about this order."""
        return len(self.paths)

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """Gives the outcome for the facts (as `compute_facts` makes them); `false && unknown` is false in either order.

        A comparison of things that cannot be compared is unknown too, naming every fact the condition uses.
        """
        return self.evaluate_prepared(prepare_facts(facts))

    def evaluate_prepared(self, prepared: "PreparedFacts") -> Verdict:
        """As `evaluate`, for facts prepared once a request: converting them costs a hundred times the evaluation."""
        if self._program is None:
            return ALWAYS
        result = executed(self._program, prepared.context)
        return NEVER if result is Result.FALSE else ALWAYS if result is Result.TRUE else self.unknown(prepared.facts, result)

    def unknown(self, facts: Mapping[str, Any], result: "Result") -> Verdict:
        """Gives the verdict that names what is wanting: the facts that were not sent, or every fact used where things cannot be compared."""
        wanting = () if result is Result.INCOMPARABLE else tuple([path for path, steps in self._steps if not leads(facts, steps)])
        return Verdict(Outcome.UNKNOWN, wanting or self.paths)


@lru_cache(maxsize=16_384)
def compile_condition(source: str) -> Condition:
    """Gives the condition of the source; equal sources share one."""
    return Condition(source)


@dataclass(frozen=True, slots=True)
class PreparedFacts:
    """Facts converted for CEL, beside the facts themselves."""

    facts: Mapping[str, Any]
    context: Any


def prepare_facts(facts: Mapping[str, Any]) -> PreparedFacts:
    """Gives the facts in CEL's types: money a double, a day its midnight in UTC; everything else as it is."""
    return PreparedFacts(facts, cel_context(facts))


def cel_context(facts: Mapping[str, Any]) -> Any:
    """Gives what a compiled expression is executed on."""
    return cel.Context(variables={name: _cel_value(value) for name, value in facts.items()})


def _cel_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cel_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cel_value(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)  # the binding takes fixed offsets only
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def executed(program: Any, context: Any) -> Result:
    """Gives what a compiled expression comes to for facts in CEL's types."""
    try:
        value = program.execute(context)
    except LookupError:  # a name that is not there, or a position past the end of a list
        return Result.MISSING
    except (RuntimeError, TypeError, ArithmeticError):
        return Result.INCOMPARABLE
    if not isinstance(value, bool):
        return Result.INCOMPARABLE
    return Result.TRUE if value else Result.FALSE


@lru_cache(maxsize=16_384)
def compiled(source: str) -> Any:
    """Gives the program of an expression.

    Raises:
        InvalidCondition: it does not parse or calls a function that does not exist.
    """
    try:
        program = cel.compile(source)
    except ValueError as error:
        first = str(error).split("ERROR: ")[-1].splitlines()[0]
        raise InvalidCondition(source, f"does not parse: {first}") from error
    strangers = sorted(name for name in program.functions() if name[:1].isalpha() and name not in _FUNCTIONS)
    if strangers:
        raise InvalidCondition(source, f"calls {strangers[0]!r}; expected one of {', '.join(sorted(_FUNCTIONS))}")
    return program


def referenced_paths(source: str) -> tuple[str, ...]:
    """Gives the facts that the expression names, sorted, after checking that each exists."""
    bare = STRINGS.sub('""', source)
    ranges = {variable: over for over, variable in _MACRO.findall(bare)}  # i of order.items.exists(i, …): order.items
    paths = set()
    for match in _PATHS.findall(bare):
        words = [word.strip() for word in match.rstrip("( ").split(".")]
        called = match.endswith("(")
        if words[0] in _WORDS or (called and len(words) == 1):
            continue
        path = words[:-1] if called else words  # the last word of a call is the method: order.item.category.startsWith(
        meant = _meant_path(path, ranges)
        reason = unknown_name(meant, CONDITION_FACTS)
        if reason is not None:
            raise InvalidCondition(source, reason)
        if path[0] not in ranges:
            paths.add(".".join(path))
    return tuple(sorted(paths))


def _meant_path(path: list[str], ranges: Mapping[str, str]) -> list[str]:
    """Gives the fact that a path means: a macro's variable is one of what it ranges over; empty when that is no plain fact."""
    if path[0] not in ranges:
        return path
    over = ranges[path[0]].split(".")
    return [] if over[0] in ("", *ranges) else [*over, *path[1:]]


def _check_spellings(source: str) -> None:
    """A status that no order can have makes a reply that is never offered: heard when loaded."""
    for path, one, many in _COMPARED.findall(source):
        allowed = FACT_VALUES.get(path, ())
        for spelling in _QUOTED.findall(one or many):
            if allowed and spelling not in allowed:
                near = difflib.get_close_matches(spelling, allowed, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(allowed)}"
                raise InvalidCondition(source, f"compares {path} with {spelling!r}, which it never is; {hint}")


def _check_literal_times(source: str) -> None:
    """A time that CEL cannot read is never true nor false: heard when loaded, not suffered as an eternal unknown."""
    for double, single in _LITERAL_TIME.findall(source):
        text = double or single
        if not _TIME.fullmatch(text):
            raise InvalidCondition(source, f"writes the time {text!r}; expected one with hour and offset, such as 2026-11-01T00:00:00+08:00")
