"""What is notable about an order, and which replies look at it: of two replies whose conditions hold, the one that looks at the rare thing is meant.

«Your installation was done on Friday» answers 「师傅哪天来装」 better than the general rule, for the one order in eighty that has one.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.conditions import compile_condition

Facts = Mapping[str, Any]


class Notable(NamedTuple):
    """One thing that an order may have about it."""

    paths: tuple[str, ...]  # how the facts begin by which a condition looks at it
    weight: float  # 1: one order in fifty or fewer; falls with the logarithm of how many have it
    holds: Callable[[Facts], bool]


_ON_THE_WAY = ("stalled", "lost", "damaged", "returned", "out_for_delivery", "awaiting_pickup")


def _item(facts: Facts) -> Mapping[str, Any]:
    return facts["order"].get("item") or {}


# Weights: min(1, -ln(share of labelled chats) / 4), 2026-11-22.
NOTABLE = (
    Notable(("order.case",), 0.55, lambda facts: "case" in facts["order"]),
    Notable(("order.install",), 1.0, lambda facts: facts["order"].get("install", {}).get("status") in ("booked", "done")),
    Notable(("order.item.condition",), 0.8, lambda facts: bool(_item(facts).get("condition"))),
    Notable(("order.item.availability", "order.item.restock_at"), 0.9, lambda facts: _item(facts).get("availability", "in_stock") != "in_stock"),
    Notable(("order.seller",), 1.0, lambda facts: facts["order"].get("seller") == "third_party"),
    Notable(
        ("order.logistics", "order.hours_since_last_scan"), 0.75,
        lambda facts: not facts["order"].get("is_delivered", False) and facts["order"].get("logistics", {}).get("status") in _ON_THE_WAY,
    ),
    Notable(("order.invoice",), 0.9, lambda facts: "invoice" in facts["order"]),
    Notable(("order.booking",), 1.0, lambda facts: "booking" in facts["order"]),
    Notable(("order.ship_overdue", "order.hours_overdue"), 0.9, lambda facts: bool(facts["order"].get("ship_overdue") and facts["order"].get("is_unshipped"))),
    Notable(("order.delivery_overdue",), 0.85, lambda facts: bool(facts["order"].get("delivery_overdue"))),
    Notable(("customer.tier",), 1.0, lambda facts: facts["customer"].get("tier") in ("vip", "new")),
    Notable(
        ("order.days_since_delivered", "order.in_return_window", "order.in_warranty"), 0.2, lambda facts: bool(facts["order"].get("is_delivered"))
    ),
)  # fmt: skip
WEIGHTS = np.array([one.weight for one in NOTABLE], dtype=np.float32)


def notable_in(facts: Facts) -> npt.NDArray[np.float32]:
    """Gives which of `NOTABLE` the order and its customer have about them, [len(NOTABLE)] of 0 and 1."""
    return np.array([one.holds(facts) for one in NOTABLE], dtype=np.float32)


def looked_at(when: str) -> list[bool]:
    """Gives which of `NOTABLE` a condition looks at."""
    paths = compile_condition(when).paths
    return [any(path.startswith(one.paths) for path in paths) for one in NOTABLE]
