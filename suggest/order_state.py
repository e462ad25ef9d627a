"""What an order's state says of why its customer writes: before shipping nobody asks where the parcel is stuck.

Two tables counted on labelled chats, both over the contract's own scenarios and states, so they hold for any shop: what customers
whose words sound like one scenario turn out to mean, and how much likelier each scenario is in each state of the order.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.classifier import TextClassifier
from knowledge.chats import LabelledChat
from knowledge.facts import compute_facts
from knowledge.normalise import strip_console
from knowledge.shop import Shop

BUNDLED_PRIOR = Path(__file__).parent / "models" / "order_state_prior.json"
_SMOOTHING = 3.0  # chats imagined in every cell, spread as the scenario is over all states: rare scenarios keep to the average
_BOUNDS = (0.15, 6.0)  # a state makes a scenario at most so much less or more likely; the words may still win
_FAITH = 8.0  # chats imagined in which the words meant just what they sound like


def order_state(facts: Mapping[str, Any]) -> str:
    """Gives the state of the order in `facts`, the most telling first; an after-sale case goes before everything else."""
    order = facts["order"]
    status = order.get("status")
    if "case" in order:
        return "case"
    if status is None:
        return "no_order"
    if status in ("cancelled", "closed"):
        return "ended"
    if status == "created":
        return "unpaid"
    if order["is_unshipped"]:
        return _waiting_state(order)
    return "delivered" if order["is_delivered"] else _travelling_state(order)


def _waiting_state(order: Mapping[str, Any]) -> str:
    if any(item.get("availability", "in_stock") != "in_stock" for item in order.get("items", [])):
        return "unshipped_no_stock"
    return "unshipped_overdue" if order.get("ship_overdue") else "unshipped"


def _travelling_state(order: Mapping[str, Any]) -> str:
    parcel = order.get("logistics", {}).get("status")
    if parcel in ("lost", "damaged", "returned"):
        return f"parcel_{parcel}"
    if parcel == "stalled" or order.get("hours_since_last_scan", 0.0) >= 48.0:
        return "shipped_stalled"
    return "shipped_late" if order.get("delivery_overdue") else "shipped"


@dataclass(frozen=True, slots=True)
class Heard:
    """One labelled chat for counting: what the words sound like, what was meant, and the order's state."""

    sounds_like: str
    meant: tuple[str, ...]
    state: str


class OrderStatePrior:
    """Turns what the words sound like into what is meant, for an order in a state."""

    def __init__(self, meant: Mapping[str, Mapping[str, float]], ratios: Mapping[str, Mapping[str, float]]) -> None:
        self._meant, self._ratios = meant, ratios
        self._tables: dict[tuple[tuple[str, ...], str], tuple[list[str], npt.NDArray[np.float64]]] = {}

    @classmethod
    def load(cls, path: Path = BUNDLED_PRIOR) -> "OrderStatePrior":
        """Reads the tables that ship; without a file, words mean what they sound like."""
        if not path.exists():
            return cls({}, {})
        tables = json.loads(path.read_text(encoding="utf-8"))
        return cls(tables["meant"], tables["ratios"])

    def weigh(self, scenarios: Mapping[str, float], state: str) -> dict[str, float]:
        """Gives the scenarios' probabilities for an order in this state (Bayes); they sum to 1."""
        names, table = self._table(tuple(scenarios), state)
        weighed = np.fromiter(scenarios.values(), dtype=np.float64, count=len(scenarios)) @ table
        total = weighed.sum()
        return dict(zip(names, (weighed / total).tolist(), strict=True)) if total else dict(scenarios)

    def _table(self, heard: tuple[str, ...], state: str) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Scenarios that may be meant, and how much of each heard one goes to each of them in this state, [n_heard, n_meant]; made once."""
        found = self._tables.get((heard, state))
        if found is None:
            meant = {one: self._meant.get(one, {one: 1.0}) for one in heard}
            names = list(dict.fromkeys([*heard, *(name for one in heard for name in meant[one])]))
            ratios = self._ratios.get(state, {})
            table = np.array([[meant[one].get(name, 0.0) * ratios.get(name, 1.0) for name in names] for one in heard])
            found = self._tables[heard, state] = (names, table)
        return found


def heard_states(chats: Iterable[LabelledChat], shop: Shop, needs: TextClassifier) -> list[Heard]:
    """Gives what every answerable chat sounds like, means, and the state of its order."""
    answerable = [chat for chat in chats if chat.labels.answerable and chat.labels.scenarios]
    catalogue = shop.catalogue()
    loudest = needs.probabilities([strip_console(chat.message) for chat in answerable]).argmax(axis=1)
    found = []
    for chat, label in zip(answerable, loudest, strict=True):
        facts = compute_facts(order=chat.order, customer=None, agent=None, now=chat.now, store=shop.store, catalogue=catalogue)
        found.append(Heard(needs.labels[int(label)].split("/")[0], chat.labels.scenarios, order_state(facts)))
    return found


def count_prior(heard: Iterable[Heard], out: Path) -> None:
    """Counts labelled chats and writes both tables. «no_order» has no ratios: that nothing was sent says little of what is wanted."""
    chats = list(heard)
    tables = {"meant": _meant_table(chats), "ratios": _ratio_table([(scenario, chat.state) for chat in chats for scenario in chat.meant])}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _meant_table(chats: Sequence[Heard]) -> dict[str, dict[str, float]]:
    pairs = Counter((chat.sounds_like, chat.meant[0]) for chat in chats)
    rows: dict[str, Counter[str]] = {}
    for (sounds_like, meant), n in pairs.items():
        rows.setdefault(sounds_like, Counter())[meant] += n
    table = {}
    for sounds_like, row in sorted(rows.items()):
        total = sum(row.values()) + _FAITH
        shares = {meant: (n + (_FAITH if meant == sounds_like else 0.0)) / total for meant, n in row.items()}
        shares.setdefault(sounds_like, _FAITH / total)
        table[sounds_like] = {meant: round(share, 4) for meant, share in sorted(shares.items())}
    return table


def _ratio_table(seen: Sequence[tuple[str, str]]) -> dict[str, dict[str, float]]:
    pairs = Counter(seen)
    scenarios, states = Counter(scenario for scenario, _ in seen), Counter(state for _, state in seen)
    low, high = _BOUNDS
    table: dict[str, dict[str, float]] = {}
    for state, n_state in sorted(states.items()):
        usual = n_state / len(seen)
        if state != "no_order":
            ratio = {name: (pairs[name, state] + _SMOOTHING * usual) / (n + _SMOOTHING) / usual for name, n in sorted(scenarios.items())}
            table[state] = {name: round(min(high, max(low, value)), 3) for name, value in ratio.items()}
    return table
