"""How much likelier than overall each scenario is in each state of an order, counted on labelled chats: where a shop's missing replies are missed."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from knowledge.chats import LabelledChat
from knowledge.facts import compute_facts
from knowledge.shop import Shop
from suggest.order_state import order_state

BUNDLED_RATIOS = Path(__file__).parent / "models" / "asked_states.json"
_SMOOTHING = 3.0  # chats imagined in every cell, spread as the scenario is over all states: rare scenarios keep to the average
_BOUNDS = (0.15, 6.0)


def asked_ratios(path: Path = BUNDLED_RATIOS) -> Mapping[str, Mapping[str, float]]:
    """Gives P(scenario | state) / P(scenario) by state and scenario, as counted for the shipped shops."""
    found: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def count_asked(shops: Iterable[tuple[Shop, Sequence[LabelledChat]]], out: Path = BUNDLED_RATIOS) -> None:
    """Counts answerable chats and writes the ratios. «no_order» has none: that nothing was sent says little of what is wanted."""
    seen = [pair for shop, chats in shops for pair in _seen(shop, chats)]
    pairs, scenarios, states = Counter(seen), Counter(scenario for scenario, _ in seen), Counter(state for _, state in seen)
    low, high = _BOUNDS
    table: dict[str, dict[str, float]] = {}
    for state, n_state in sorted(states.items()):
        usual = n_state / len(seen)
        if state != "no_order":
            ratio = {name: (pairs[name, state] + _SMOOTHING * usual) / (n + _SMOOTHING) / usual for name, n in sorted(scenarios.items())}
            table[state] = {name: round(min(high, max(low, value)), 3) for name, value in ratio.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _seen(shop: Shop, chats: Sequence[LabelledChat]) -> Iterator[tuple[str, str]]:
    """Each scenario that was asked about with the state of the order."""
    catalogue = shop.catalogue()
    for chat in chats:
        if chat.labels.answerable:
            state = order_state(compute_facts(order=chat.order, customer=None, agent=None, now=chat.now, store=shop.store, catalogue=catalogue))
            yield from ((scenario, state) for scenario in chat.labels.scenarios)
