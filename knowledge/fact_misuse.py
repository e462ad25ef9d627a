"""Facts used as what they are not: a number of hours compared with words, a name written as money. Found in the source, before any customer asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from jinja2 import nodes

from knowledge.condition_atoms import Atom, Value, atoms_of
from knowledge.conditions import Outcome, compile_condition
from knowledge.fact_paths import FACT_VALUES
from knowledge.fact_types import FACT_KINDS, Kind
from knowledge.facts import known
from knowledge.templates import dotted_path, parse_template

_NUMBERS: frozenset[Kind] = frozenset({"whole number", "number", "money"})
# What each filter can write; the others take anything.
_WRITES: dict[str, frozenset[Kind]] = {
    "date": frozenset({"time"}), "time": frozenset({"time"}), "when": frozenset({"time"}), "money": frozenset({"money"}),
    "moment": frozenset({"time"}), "left": frozenset({"time"}), "ago": frozenset({"time"}), "span": _NUMBERS - {"money"}, "several": frozenset({"list"}),
    "masked": frozenset({"text", "whole number"}), "tail": frozenset({"text", "whole number"}),
    "round": _NUMBERS, "int": _NUMBERS | {"text"}, "lower": frozenset({"text"}), "upper": frozenset({"text"}),
}  # fmt: skip
_SAMPLES: dict[Kind, Any] = {
    "yes or no": True, "whole number": 3, "number": 3.0, "money": Decimal(3), "time": datetime(2026, 6, 15, tzinfo=UTC), "text": "x", "list": ["x"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misuse:
    """A fact, what it is, and the words in which it is used as something else; `never` when it is compared with a value that it never has."""

    path: str
    kind: Kind
    used: str
    never: bool = False


def misused_in_condition(source: str) -> Iterator[Misuse]:
    """Gives each comparison of a condition that its fact's kind does not allow."""
    for atom in atoms_of(source):
        kind = FACT_KINDS.get(atom.path)
        if kind is not None and _mismatched(atom, kind):
            yield Misuse(atom.path, kind, atom.source)
        elif atom.how != "has":
            yield from _unanswerable(atom.source)


def _mismatched(atom: Atom, kind: Kind) -> bool:
    if atom.how == "plain":
        return kind != "yes or no"
    if atom.how in ("compared", "one of"):
        return any(not _fits(value, kind) for value in atom.values)
    if atom.how in ("startsWith", "endsWith", "contains"):
        return kind != "text"
    if atom.how in ("age", "moment"):
        return kind != "time"
    return atom.how == "in list" and kind != "list"


def _fits(value: Value, kind: Kind) -> bool:
    if isinstance(value, bool):
        return kind == "yes or no"
    return kind in _NUMBERS if isinstance(value, int | float) else kind == "text"


def _unanswerable(comparison: str) -> Iterator[Misuse]:
    """A comparison that has no answer though every fact of it is there compares things that cannot be compared."""
    condition = compile_condition(comparison)
    if any(FACT_KINDS.get(path) == "list" for path in condition.paths):
        return
    tree = _tree_of(condition.paths)
    if condition.paths and all(known(tree, path) for path in condition.paths) and "[" not in comparison.replace("in [", ""):
        if condition.evaluate(tree).outcome is Outcome.UNKNOWN:
            path = condition.paths[0]
            yield Misuse(path, FACT_KINDS.get(path, "group"), comparison)


def _tree_of(paths: tuple[str, ...]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        kind = FACT_KINDS.get(path)
        if kind is None or kind == "group":
            continue
        node = tree
        *groups, name = path.split(".")
        for group in groups:
            node = node.setdefault(group, {})
        node[name] = FACT_VALUES[path][0] if path in FACT_VALUES else _SAMPLES[kind]
    return tree


def misused_in_template(source: str) -> Iterator[Misuse]:
    """Gives each filter that cannot write its fact, and each comparison with a value that the fact never has, in branches that seldom run too."""
    tree = parse_template(source)
    for node in tree.find_all(nodes.Filter):
        path = _path(node.node)
        kind = FACT_KINDS.get(path)
        if kind is not None and kind not in _WRITES.get(node.name, frozenset({kind})):
            yield Misuse(path, kind, f"{path} | {node.name}")
    for compare in tree.find_all(nodes.Compare):
        path = _path(compare.expr)
        for operand in compare.ops:
            yield from _compared(path, operand.expr)


def _compared(path: str, other: nodes.Node) -> Iterator[Misuse]:
    kind = FACT_KINDS.get(path)
    constants = other.items if isinstance(other, nodes.List | nodes.Tuple) else [other]
    for constant in constants if kind is not None else []:
        if not isinstance(constant, nodes.Const) or kind is None:
            continue
        if not _fits(constant.value, kind):
            yield Misuse(path, kind, f"{path} … {constant.value!r}")
        elif path in FACT_VALUES and constant.value not in FACT_VALUES[path]:
            yield Misuse(path, kind, f"{path} … {constant.value!r}", never=True)


def _path(node: nodes.Node | None) -> str:
    words = dotted_path(node) if node is not None else None
    return ".".join(words) if words else ""
