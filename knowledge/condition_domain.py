"""Whether a condition can ever be true, and whether two hold for the same orders: by trying every combination of the values that matter.

The values are those the conditions mention and their neighbours, so that every comparison is tried on both sides; computed facts follow
their inputs as in `compute_facts`. What cannot be settled this way is said to be undecided, never guessed.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from knowledge.condition_atoms import Atom, atoms_of
from knowledge.conditions import Outcome, PreparedFacts, compile_condition, prepare_facts
from knowledge.fact_paths import FACT_VALUES
from knowledge.fact_types import FACT_KINDS
from knowledge.facts import DELIVERED, SHIPPED, UNSHIPPED
from knowledge.records import Store

MOST_ORDERS = 20_000  # combinations tried whole; of more, a seeded quarter of this number
_NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
_ABSENT = object()
_FLAGS = {"order.is_unshipped": UNSHIPPED, "order.is_shipped": SHIPPED, "order.is_delivered": DELIVERED}
_OVERDUE = ("order.ship_overdue", "order.hours_overdue", "order.delivery_overdue")
_SOME: dict[str, list[Any]] = {  # of a fact that is more than compared: enough to find an order for most conditions, too little to prove there is none
    "time": [_NOW + timedelta(hours=hours) for hours in (-72, -1, 1, 72)], "text": ["·"], "whole number": [0, 1, 9], "number": [0.0, 1.0, 99.0],
    "money": [0.0, 1.0, 99.0], "group": [{}], "yes or no": [True, False],
}  # fmt: skip
# A computed fact, what it is computed from, and how; it follows where its input is mentioned too.
_FOLLOWS: dict[str, tuple[str, Callable[[Any, Store], bool]]] = {
    "order.in_return_window": ("order.days_since_delivered", lambda days, store: bool(days <= store.return_window_days)),
    "order.in_price_protection": ("order.days_since_paid", lambda days, store: bool(days <= store.price_protection_days)),
    "order.ship_overdue": ("order.hours_overdue", lambda hours, _: bool(hours > 0)),
    "customer.is_repeat": ("customer.orders_count", lambda count, _: bool(count > 1)),
}


class Answer(Enum):
    """What trying the values says."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class ConditionProver:
    """Answers questions about the conditions of one shop; what was found for a condition is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._orders: dict[str, PreparedFacts | None] = {}  # by condition: an order that makes it true

    def can_be_true(self, source: str) -> Answer:
        """Says whether any order makes the condition true; NO only when every combination was tried."""
        if self._order_for(source) is not None:
            return Answer.YES
        return Answer.NO if Domain([source], self._store).complete else Answer.UNDECIDED

    def mean_the_same(self, first: str, second: str) -> Answer:
        """Says whether two conditions are true for exactly the same orders; YES only when every combination was tried."""
        for this, that in ((first, second), (second, first)):
            order = self._order_for(this)
            if order is not None and compile_condition(that).evaluate_prepared(order).outcome is Outcome.FALSE:
                return Answer.NO
        domain = Domain([first, second], self._store)
        if any(_holds(first, order) is not _holds(second, order) for order in map(prepare_facts, domain.orders())):
            return Answer.NO
        return Answer.YES if domain.complete else Answer.UNDECIDED

    def can_both_hold(self, first: str, second: str) -> Answer:
        """Says whether some order makes both conditions true; NO only when every combination was tried."""
        if first == second or not first or not second:
            return self.can_be_true(first or second)
        domain = Domain([first, second], self._store)
        if any(_holds(first, order) and _holds(second, order) for order in map(prepare_facts, domain.orders())):
            return Answer.YES
        return Answer.NO if domain.complete else Answer.UNDECIDED

    def _order_for(self, source: str) -> PreparedFacts | None:
        if source not in self._orders:
            orders = map(prepare_facts, Domain([source], self._store).orders())
            self._orders[source] = next((order for order in orders if _holds(source, order)), None)
        return self._orders[source]


def _holds(source: str, order: PreparedFacts) -> bool:
    return compile_condition(source).evaluate_prepared(order).outcome is Outcome.TRUE


class Domain:
    """The combinations of values that tell conditions apart; `complete` when trying them all proves something."""

    def __init__(self, sources: Sequence[str], store: Store) -> None:
        self._store = store
        atoms = [atom for source in sources for atom in _cached_atoms(source)]
        self._mentioned = {path for source in sources for path in compile_condition(source).paths if path != "now"}
        by_path = {path: [atom for atom in atoms if atom.path == path] for path in self._mentioned}
        self._values: dict[str, list[Any]] = {}
        opaque = any(atom.how == "opaque" for atom in atoms)
        for path in sorted(self._mentioned | self._implied()):
            if path in _FLAGS or self._followed(path):
                continue
            own = by_path.get(path, [])
            values = _candidates(path, own, self._thresholds(path)) if own or path in FACT_VALUES else None
            opaque |= values is None
            self._values[path] = [*(_SOME.get(FACT_KINDS.get(path, "group"), []) if values is None else values), *([] if path == "agent.role" else [_ABSENT])]
        self.size = math.prod(len(values) for values in self._values.values())
        self.complete = self.size <= MOST_ORDERS and not opaque

    def orders(self) -> Iterator[dict[str, Any]]:
        """Gives fact trees in a seeded order, all of them or a sample; impossible combinations are left out."""
        draw = random.Random(0)
        whole = self.size <= MOST_ORDERS
        places = draw.sample(range(self.size), self.size) if whole else (draw.randrange(self.size) for _ in range(MOST_ORDERS // 4))
        for place in places:
            chosen = self._at(place)
            if self._possible(chosen):
                yield self._tree(chosen)

    def _implied(self) -> set[str]:
        return {"order.status"} if self._mentioned & {*_FLAGS, *_OVERDUE} else set()

    def _followed(self, path: str) -> bool:
        return path in _FOLLOWS and _FOLLOWS[path][0] in self._mentioned

    def _thresholds(self, path: str) -> list[float]:
        """What the shop's own settings compare the fact with, where a fact that follows from it is mentioned."""
        limits = {"order.in_return_window": self._store.return_window_days, "order.in_price_protection": self._store.price_protection_days}
        limits |= {"order.ship_overdue": 0, "customer.is_repeat": 1}
        return [limits[name] for name, (input_path, _) in _FOLLOWS.items() if input_path == path and name in self._mentioned]

    def _at(self, place: int) -> dict[str, Any]:
        chosen = {}
        for path, values in self._values.items():
            place, index = divmod(place, len(values))
            chosen[path] = values[index]
        return chosen

    def _possible(self, chosen: Mapping[str, Any]) -> bool:
        """Whether `compute_facts` could give these together."""
        for path, value in chosen.items():
            group = path.rpartition(".")[0]
            while group:
                if value is not _ABSENT and chosen.get(group, value) is _ABSENT:
                    return False
                group = group.rpartition(".")[0]
        status = chosen.get("order.status")
        for path in _OVERDUE:
            value = chosen.get(path, _ABSENT)
            waits = SHIPPED - DELIVERED if path == "order.delivery_overdue" else UNSHIPPED - {"created"}
            if value is not _ABSENT and (status is _ABSENT or (value and status not in waits)):
                return False
        return True

    def _tree(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        tree: dict[str, Any] = {"order": {}, "customer": {}, "agent": {}, "message": {}, "now": _NOW}
        for path, value in chosen.items():
            if value is not _ABSENT:
                _put(tree, path, value)
        status = chosen.get("order.status", _ABSENT)
        for path in _FLAGS if status is not _ABSENT else ():
            _put(tree, path, status in _FLAGS[path])
        for path in self._mentioned:
            if self._followed(path):
                input_path, computed = _FOLLOWS[path]
                if chosen.get(input_path, _ABSENT) is not _ABSENT:
                    _put(tree, path, computed(chosen[input_path], self._store))
        return tree


@lru_cache(maxsize=4_096)
def _cached_atoms(source: str) -> tuple[Atom, ...]:
    return tuple(atoms_of(source))


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    *groups, name = path.split(".")
    for group in groups:
        tree = tree.setdefault(group, {})
    if isinstance(value, dict):
        tree.setdefault(name, {})
    else:
        tree[name] = value


def _candidates(path: str, atoms: Sequence[Atom], thresholds: Sequence[float]) -> list[Any] | None:
    """Gives values on every side of every comparison; None when trying values proves nothing of this fact."""
    kind = FACT_KINDS.get(path)
    said = [value for atom in atoms for value in atom.values]
    if path in FACT_VALUES:
        return list(FACT_VALUES[path])
    if kind == "yes or no":
        return [True, False]
    if kind in ("whole number", "number", "money"):
        return list(_numbers([float(value) for value in said if isinstance(value, int | float)] + list(thresholds), whole=kind == "whole number"))
    if kind == "time":
        return _times(atoms)
    if kind == "text":
        return _texts(atoms)
    if kind == "list" and all(atom.how in ("in list", "has") for atom in atoms):
        return [list(chosen) for n in range(len(said) + 1) for chosen in itertools.combinations(sorted({str(value) for value in said}), n)]
    return [{}] if kind == "group" and all(atom.how == "has" for atom in atoms) else None


def _numbers(limits: Sequence[float], *, whole: bool, least: int = 0) -> Sequence[float]:
    """Each limit, a step below and above it, and something between every two."""
    marks = sorted({*limits, least})
    if whole:
        return sorted({value for mark in marks for value in range(math.floor(mark) - 1, math.ceil(mark) + 2) if value >= least})
    found = {mark + by for mark in marks for by in (-0.5, 0.0, 0.5)} | {(a + b) / 2 for a, b in itertools.pairwise(marks)}
    return sorted(value for value in found if value >= least)


def _times(atoms: Sequence[Atom]) -> list[datetime] | None:
    """Moments before, at and after what the condition names; ages and calendar moments of one fact together prove nothing, for today is free."""
    ages = [atom.hours for atom in atoms if atom.how == "age"]
    moments = [atom.moment for atom in atoms if atom.moment is not None]
    if (ages and moments) or any(atom.how not in ("age", "moment", "has") for atom in atoms):
        return None
    if moments:
        return sorted({moment + timedelta(seconds=by) for moment in moments for by in (-1, 0, 1)})
    return [_NOW - timedelta(hours=hours) for hours in _numbers(ages, whole=False, least=-1)]


def _texts(atoms: Sequence[Atom]) -> list[str] | None:
    """Each text that is named, with something before, after and around it, each two put together, and one that is none of them."""
    named = sorted({str(value) for atom in atoms for value in atom.values if isinstance(value, str)})
    partly = any(atom.how in ("startsWith", "endsWith", "contains") for atom in atoms)
    if len(named) > 60 or (partly and len(named) > 12):
        return None
    around = [text for one in named for text in (f"{one}/·", f"·{one}", f"·{one}·")] if partly else []
    both = [a + "·" + b for a, b in itertools.permutations(named, 2)] if partly else []
    return [*dict.fromkeys([*named, *around, *both, "·"])]
