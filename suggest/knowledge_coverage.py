"""Which combinations of contact reason, order state and product a shop has words for: real facts of made-up orders through the real eligibility."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from knowledge.conditions import Outcome, compile_condition, prepare_facts
from knowledge.facts import compute_facts
from knowledge.order_context import CaseStatus, CaseType, Order
from knowledge.products import fits_products
from knowledge.records import Product, ProvenReply
from knowledge.scenarios import SCENARIOS
from knowledge.shop import Shop
from suggest.asked_states import asked_ratios
from suggest.order_state import order_state

STATES = (
    "no_order", "unpaid", "unshipped", "unshipped_overdue", "unshipped_no_stock", "shipped", "shipped_late", "shipped_stalled",
    "parcel_lost", "parcel_damaged", "parcel_returned", "delivered", "case", "ended",
)  # fmt: skip
_ASKED = 0.6  # a scenario this much less likely in a state than overall is seldom asked there; from labelled chats of the shipped shops
# Facts of an order that differ from product to product.
_OF_THE_PRODUCT = (
    "order.item.sku", "order.item.title", "order.item.category", "order.item.attributes", "order.item.no_reason_return", "order.item.warranty_until",
    "order.in_warranty",
)  # fmt: skip
Ago = Callable[[float], str]  # hours before now, as a time
Gate = tuple[str, tuple[str, ...]]  # condition and products of a reply


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario in one state: how many replies fit an order there, and whether customers ask it there at all."""

    scenario: str
    state: str
    n_replies: int
    n_categories: int  # of the shop's categories that have a fitting reply
    asked: bool


@dataclass(frozen=True, slots=True)
class CoverageMatrix:
    """All cells, scenarios in the contract's order and then the shop's own; by category the replies that fit in some state, and what has none."""

    scenarios: tuple[str, ...]
    categories: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    by_category: dict[tuple[str, str], int]

    def missing(self, scenario: str) -> tuple[str, ...]:
        """Gives the categories that no reply of the scenario fits, whatever the order's state."""
        return tuple(category for category in self.categories if not self.by_category[scenario, category])


def coverage_matrix(shop: Shop, now: datetime) -> CoverageMatrix:
    """Gives the matrix of the approved replies on the day of `now`. A reply counts where its condition is not false."""
    approved = [reply for reply in shop.replies if reply.status == "approved"]
    own = sorted({reply.scenario for reply in approved} - set(SCENARIOS))
    scenarios = (*(one for one in SCENARIOS if one != "chat.other"), *own)
    products = _one_a_category(shop)
    fitting: dict[tuple[str, str], set[str]] = defaultdict(set)
    fitted: dict[tuple[str, str], set[str]] = defaultdict(set)
    of_category: dict[tuple[str, str], set[str]] = defaultdict(set)
    groups = _groups(approved, shop, now)
    for category, state, gate in _fits(groups, shop, products, now):
        for reply in groups[gate]:
            fitting[reply.scenario, state].add(reply.id)
            fitted[reply.scenario, state].add(category)
            of_category[reply.scenario, category].add(reply.id)
    ratios = asked_ratios()
    cells = {}
    for here in itertools.product(scenarios, STATES):
        scenario, state = here
        asked = ratios.get(state, {}).get(scenario, 1.0) >= _ASKED
        cells[here] = Cell(scenario, state, len(fitting[here]), len(fitted[here]), asked)
    counts = {here: len(of_category[here]) for here in itertools.product(scenarios, products)}
    return CoverageMatrix(scenarios, tuple(products), cells, counts)


def _groups(replies: Sequence[ProvenReply], shop: Shop, now: datetime) -> dict[Gate, list[ProvenReply]]:
    """The replies in force by what decides whether they fit an order."""
    day = now.astimezone(ZoneInfo(shop.store.timezone)).date()
    groups: dict[Gate, list[ProvenReply]] = defaultdict(list)
    for reply in replies:
        if reply.effective_basis == "paid_at" or reply.in_force(day):
            groups[reply.when, reply.products].append(reply)
    return groups


def _fits(groups: Iterable[Gate], shop: Shop, products: Mapping[str, Product | None], now: datetime) -> set[tuple[str, str, Gate]]:
    """Gives (category, state, gate) for every gate that an order of the category in the state may pass.

    A condition is asked once for all categories, unless it looks at the product.
    """
    found: set[tuple[str, str, Gate]] = set()
    paths = {when: set(compile_condition(when).paths) for when, _ in groups}
    by_product = {when for when, own in paths.items() if any(path.startswith(_OF_THE_PRODUCT) for path in own)}
    catalogue = shop.catalogue()
    said: dict[tuple[int, str], bool] = {}  # by order and condition that looks at no product
    for category, product in products.items():
        here = [gate for gate in groups if product is None or fits_products(gate[1], product.sku, product.category)]
        for place, order in enumerate(sample_orders(product, now)):
            facts = compute_facts(order=order, customer=None, agent=None, now=now, store=shop.store, catalogue=catalogue)
            prepared, state = prepare_facts(facts), order_state(facts)
            for gate in here:
                key = (place, gate[0])
                if key not in said or gate[0] in by_product:
                    said[key] = compile_condition(gate[0]).evaluate_prepared(prepared).outcome is not Outcome.FALSE
                if said[key]:
                    found.add((category, state, gate))
    return found


def meet_on_an_order(first: ProvenReply, second: ProvenReply, shop: Shop, now: datetime) -> bool:
    """Whether an order that is likely to exist may get both replies: nobody asks after the lost parcel of an order that was never shipped."""
    catalogue = shop.catalogue()
    wanted = (first.products, second.products)
    product = next((one for one in shop.products if all(fits_products(names, one.sku, one.category) for names in wanted)), None)
    for order in sample_orders(product, now):
        if order is not None:
            facts = compute_facts(order=order, customer=None, agent=None, now=now, store=shop.store, catalogue=catalogue)
            prepared = prepare_facts(facts)
            if all(compile_condition(reply.when).evaluate_prepared(prepared).outcome is Outcome.TRUE for reply in (first, second)):
                return True
    return False


def _one_a_category(shop: Shop) -> dict[str, Product | None]:
    """The first product of every category, by the category's first two levels; a shop without a catalogue has one nameless category."""
    found: dict[str, Product | None] = {}
    for product in shop.products:
        found.setdefault("/".join(product.category.split("/")[:2]), product)
    return found or {"": None}


def sample_orders(product: Product | None, now: datetime) -> Iterator[Order | None]:
    """Gives orders of the product in every state that conditions tell apart, and no order at all.

    They say nothing of carriers, channels and amounts, so a condition on those is unknown, not false.
    """
    yield None
    for fields in _order_fields(now):
        item = {"quantity": 1, **fields.pop("item", {})} | ({} if product is None else {"sku": product.sku})
        yield Order.model_validate({"id": "1", "items": [item], **fields})


def _order_fields(now: datetime) -> Iterator[dict[str, Any]]:
    def ago(hours: float) -> str:
        return (now - timedelta(hours=hours)).isoformat()

    yield {"status": "created", "placed_at": ago(2)}
    yield from ({"status": status, "paid_at": ago(20)} for status in ("cancelled", "closed"))
    yield from _waiting(ago)
    yield from _travelling(ago)
    yield from _received(ago)


def _waiting(ago: Ago) -> Iterator[dict[str, Any]]:
    for status in ("paid", "picking", "packed"):
        yield {"status": status, "paid_at": ago(5), "promised_ship_by": ago(-40), "item": {"availability": "in_stock"}}
        for late in (2, 30, 100):
            yield {"status": status, "paid_at": ago(48 + late), "promised_ship_by": ago(late), "item": {"availability": "in_stock"}}
        for stock in ("preorder", "backorder", "out_of_stock"):
            yield {"status": status, "paid_at": ago(5), "promised_ship_by": ago(-200), "item": {"availability": stock, "restock_at": ago(-120)}}


def _travelling(ago: Ago) -> Iterator[dict[str, Any]]:
    way = {"paid_at": ago(90), "shipped_at": ago(60)}
    for status in ("shipped", "out_for_delivery"):
        for parcel, eta, scan in (("awaiting_pickup", -48, 2), ("in_transit", -24, 5), ("in_transit", 30, 10), ("in_transit", 150, 40)):
            yield {"status": status, **way, "logistics": _parcel(parcel, ago(eta), ago(scan))}
    for scan in (60, 80, 130, 260):
        yield {"status": "shipped", **way, "logistics": _parcel("stalled", ago(24), ago(scan))}
    for parcel in ("lost", "damaged", "returned"):
        yield {"status": "shipped", **way, "logistics": _parcel(parcel, ago(24), ago(30))}


def _received(ago: Ago) -> Iterator[dict[str, Any]]:
    got = {"paid_at": ago(400), "shipped_at": ago(300)}
    for days, condition in ((0.2, "unopened"), (1.5, "damaged"), (3, "opened"), (6, "used"), (9, "washed"), (20, "used"), (50, "opened"), (150, "used")):
        parcel = _parcel("delivered", ago(days * 24), ago(days * 24))
        yield {
            "status": "delivered" if days < 10 else "completed",
            **got,
            "delivered_at": ago(days * 24),
            "logistics": parcel,
            "item": {"condition": condition},
        }
    for kind, status in itertools.product(get_args(CaseType), get_args(CaseStatus)):
        case = {"case_id": "1", "type": kind, "status": status, "requested_at": ago(30)}
        yield {"status": "delivered", **got, "delivered_at": ago(72), "cases": [case]}


def _parcel(status: str, eta: str, scanned: str) -> dict[str, str]:
    return {"status": status, "last_event_at": scanned, "eta": eta}
