"""Products that fit what a customer told of their need, each with why: budget, ages and sizes by the product's own data, the benefit in the shop's words.

Nothing is recommended to somebody upset, while a case is open, or when something else is the matter.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from indexes.reply_columns import NO_DAY, ReplyColumns
from indexes.snapshot import Snapshot
from knowledge.conduct_rules import Use, uses
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from knowledge.records import Product, ProvenReply
from knowledge.scenarios import AFTER_SALES
from suggest.choices import Answer
from suggest.contract import Recommendation
from suggest.shopping import Quantity, ShoppingNeed, bounds, shopping_need
from suggest.understanding import Understanding

_SCENARIO = "product.recommend"
_LIKELY = 0.5
_TOLD = 0.3  # enough where a budget and a use were told: nobody tells those to hear a rule
_UPSET = 0.4
_MOST = 3
_ENDED_CASES = frozenset({"refunded", "completed", "closed"})
_TELLING = ("product.recommend", "product.spec", "product.price")  # replies of these say what a product does for you, the surest first
_MONTHS = 12
_ATTRIBUTES_SHOWN = 2
_REACH = Decimal(2)  # times the most that was named
_TOO_CHEAP = Decimal("0.5")  # of the least that was named: below it a product is not what they meant
_QUOTED = re.compile(r"「[^」]*」|“[^”]*”")
_AGES = ("岁", "个月")


def wanted(understanding: Understanding, facts: FactTree, history: Sequence[Turn], *, drafted: str | None) -> ShoppingNeed | None:
    """Gives what a customer who wants a recommendation has told; None when nobody asks for one or this is not the moment (P6).

    Args:
        understanding: what was heard.
        facts: of the order and the people.
        history: the turns before the message; what the customer said in the last four is part of the need.
        drafted: the contact reason of the first draft.
    """
    likely = max(question.scenarios.get(_SCENARIO, 0.0) for question in (understanding, *understanding.questions))
    if drafted != _SCENARIO and likely < _TOLD:
        return None
    said = [turn.text for turn in history[-4:] if turn.role == "customer"]
    need = shopping_need(match_form(" \n ".join([*said, understanding.text])))
    asks = drafted == _SCENARIO or likely >= (_TOLD if need.has_budget and need.uses else _LIKELY)
    troubled = understanding.upset >= _UPSET or understanding.threatens or understanding.emotion in ("upset", "angry")
    case = facts["order"].get("case")
    if not asks or troubled or (case is not None and case.get("status") not in _ENDED_CASES):
        return None
    if any(probability >= _LIKELY for name, probability in understanding.scenarios.items() if name.startswith(AFTER_SALES)):
        return None
    return need


def for_the_same_person(answer: Answer, history: Sequence[Turn]) -> Answer:
    """Gives the answer without recommendations written for another person than the one named: no gift for elders where a baby is spoken of."""
    if not any(one.reply.scenario == _SCENARIO for one in answer.candidates[:_MOST]):
        return answer
    told = _persons(" ".join([*(match_form(turn.text) for turn in history[-4:] if turn.role == "customer"), answer.question.text]))
    kept = [one for one in answer.candidates if one.reply.scenario != _SCENARIO or not told or _written_for(one.reply) & told or not _written_for(one.reply)]
    return replace(answer, candidates=kept)


def _written_for(reply: ProvenReply) -> frozenset[str]:
    return _persons(_QUOTED.sub("", match_form(" ".join([reply.empathy, reply.information, reply.text]))))


@lru_cache(maxsize=4_096)  # of the shops' own replies mostly
def _persons(form: str) -> frozenset[str]:
    return frozenset(use.name[0] for use in uses() if use.person and re.search(use.said, form))


class Recommender:
    """A shop's catalogue, ready to be searched by need."""

    def __init__(self, catalogue: ProductCatalogue, snapshot: Snapshot, *, language: str) -> None:
        self._catalogue, self._english = catalogue, language == "en"
        self._of_kind: dict[str, list[int]] = {}  # rows of products by the words for their kind: few words, however large the catalogue
        for row, words in enumerate(catalogue.words):
            for kind in words.kinds:
                self._of_kind.setdefault(kind, []).append(row)
        self._matching: dict[str, npt.NDArray[np.bool_]] = {}  # expression → which products' data it is found in
        self._snapshot, self._telling = snapshot, _telling(snapshot.columns)

    def recommend(self, need: ShoppingNeed, understanding: Understanding, writer: FactWriter) -> list[Recommendation]:
        """Gives at most three products that meet all that was told, best first, ties by SKU; none when nothing in the words leads to a product.

        Where all that would suit costs more than was to be spent, the cheapest of it is shown with that said: the customer decides.
        """
        led_to = self._led_to(need, understanding)
        fitting = [product for product in led_to if _affordable(product, need)]
        if not fitting:
            fitting = sorted((one for one in led_to if _within_reach(one, need)), key=lambda one: (one.price, one.sku))[:1]
        fits = {product.sku: [_fit(quantity, product) for quantity in need.quantities] for product in fitting}
        fitting = [product for product in fitting if False not in fits[product.sku]]
        if any(isinstance(fit, str) for product in fitting for fit in fits[product.sku]):  # some say that they suit the figure: the rest do not compare
            fitting = [product for product in fitting if any(isinstance(fit, str) for fit in fits[product.sku])]
        fitting.sort(key=lambda product: (product.sku not in understanding.products, _is_cheap(product, need), product.sku))
        return [
            Recommendation(sku=product.sku, title=product.title, why=self._why(product, need, fits[product.sku], writer), price=product.price)
            for product in fitting[:_MOST]
        ]

    def _led_to(self, need: ShoppingNeed, understanding: Understanding) -> list[Product]:
        """The products of the kind that the words name; where they name none, those for all the uses told."""
        named = self._named(understanding.products, understanding.text)
        if not named:  # 「100以内的」 is about what was named before
            named = self._named(self._catalogue.mentioned(need.said), need.said)
        if named and not (named := [row for row in named if self._suits(row, need)]):
            return []  # another kind than the one asked for is no answer
        uses = [use for use in need.uses if not use.occasion] or ([] if named else list(need.uses))
        if named:
            rows = [row for row in named if all(self._serves(row, use) for use in uses)] or named
        else:
            served = [self._found_in(use.product) for use in uses]
            rows = [row for row in np.flatnonzero(np.logical_and.reduce(served)).tolist() if self._suits(row, need)] if served else []
        return [self._catalogue.products[row] for row in rows]

    def _named(self, skus: Collection[str], form: str) -> list[int]:
        """Rows of the products that were mentioned or whose kind the words name."""
        rows = set(self._catalogue.rows_of(skus))
        for word, own in self._of_kind.items():
            if _word_stands(word, form):
                rows.update(own)
        return sorted(rows)

    def _suits(self, row: int, need: ShoppingNeed) -> bool:
        """Whether the product's own data does not warn against a use that was told."""
        return not any(use.unfit and self._found_in(use.unfit)[row] for use in need.uses)

    def _serves(self, row: int, use: Use) -> bool:
        return bool(self._found_in(use.product)[row])

    def _found_in(self, expression: str) -> npt.NDArray[np.bool_]:
        """Which products' data the expression of a use is found in, [n_products]."""
        found = self._matching.get(expression)
        if found is None:
            search = re.compile(expression).search
            found = np.array([search(words.described) is not None for words in self._catalogue.words], dtype=np.bool_)
            self._matching[expression] = found
        return found

    def _why(self, product: Product, need: ShoppingNeed, fits: Sequence[str | bool | None], writer: FactWriter) -> list[str]:
        [row] = self._catalogue.rows_of([product.sku])
        uses = [use.name[self._english] for use in need.uses if self._serves(row, use)]
        told = [(", " if self._english else "、").join(uses)] if uses else []
        return [*self._price(product, need, writer), *told, *self._fits(need.quantities, fits, product), *self._tell(product, told=fits)]

    def _price(self, product: Product, need: ShoppingNeed, writer: FactWriter) -> list[str]:
        if product.price is None or not need.has_budget:
            return []
        amount = writer.money(product.price)
        if not _affordable(product, need):
            return [f"{amount}, above your budget" if self._english else f"{amount}，超出您的预算"]
        return [f"{amount}, within your budget" if self._english else f"{amount}，在您的预算内"]

    def _fits(self, quantities: Sequence[Quantity], fits: Sequence[str | bool | None], product: Product) -> list[str]:
        return [
            f"{name}: {product.attributes[name]} (you said {quantity.said})"
            if self._english
            else f"{name}：{product.attributes[name]}（您说的{quantity.said}合适）"
            for quantity, name in zip(quantities, fits, strict=True)
            if isinstance(name, str)
        ]

    def _tell(self, product: Product, *, told: Collection[object]) -> list[str]:
        """What it does for the customer in the shop's own words, else its first attributes that were not told yet."""
        benefit = _benefit([self._snapshot.shop.replies[row] for row in self._telling.get(product.sku, ())])
        if benefit:
            return [benefit]
        shown = [(name, value) for name, value in product.attributes.items() if name not in told][:_ATTRIBUTES_SHOWN]
        return [f"{name}: {value}" if self._english else f"{name}：{value}" for name, value in shown]


def _word_stands(word: str, form: str) -> bool:
    return word in form if word[0] >= "㐀" else re.search(rf"(?<![a-z]){re.escape(word.rstrip('s'))}(?:e?s)?(?![a-z])", form) is not None


def _is_cheap(product: Product, need: ShoppingNeed) -> bool:
    return need.least is not None and product.price is not None and product.price < need.least


def _affordable(product: Product, need: ShoppingNeed) -> bool:
    """Whether it is within the budget; a product without a price cannot be said to be."""
    if not need.has_budget:
        return True
    if product.price is None:
        return False
    return (need.least is None or product.price >= need.least * _TOO_CHEAP) and (need.most is None or product.price <= need.most)


def _within_reach(product: Product, need: ShoppingNeed) -> bool:
    """Whether it costs more than was named, but not another kind of money."""
    return need.most is not None and product.price is not None and need.most < product.price <= need.most * _REACH


def _fit(quantity: Quantity, product: Product) -> str | bool | None:
    """The attribute whose range holds the figure; False where a range of that unit leaves it out; None where the product states no such range."""
    value, unit = _in_months(quantity.value, quantity.unit)
    stated = [(name, *_in_months(low, own)[:1], *_in_months(high, own)[:1], _in_months(low, own)[1]) for name, low, high, own in bounds(product.attributes)]
    same = [(name, low, high) for name, low, high, own in stated if own == unit]
    if not same:
        return None
    return next((name for name, low, high in same if low <= value <= high), False)


def _in_months(value: float, unit: str) -> tuple[float, str]:
    return (value * (_MONTHS if unit == "岁" else 1), "个月") if unit in _AGES else (value, unit)


def _telling(columns: ReplyColumns) -> dict[str, list[int]]:
    """Rows of the replies that tell of one product alone, by SKU: nothing that needs an order, a date, a condition or a lead to be true."""
    scenarios = [place for place, name in enumerate(columns.scenarios) if name in _TELLING]
    of_one = np.array([len(wanted) == 1 for wanted in columns.product_lists], dtype=np.bool_)
    unconditional = np.array([not when for when in columns.conditions], dtype=np.bool_)
    undated = (columns.first_day == NO_DAY) & (columns.last_day == NO_DAY)
    rows = np.flatnonzero(np.isin(columns.scenario, scenarios) & ~columns.is_lead & undated & of_one[columns.products] & unconditional[columns.condition])
    found: dict[str, list[int]] = {}
    for row, products in zip(rows.tolist(), columns.products[rows].tolist(), strict=True):
        found.setdefault(columns.product_lists[products][0], []).append(row)
    return found


def _benefit(telling: Sequence[ProvenReply]) -> str:
    """The `value` part of the shop's reply about this very product; a plain one that promises no money."""
    about = [reply for reply in telling if reply.value and "{" not in reply.value and not reply.promises_amount]
    return min(about, key=lambda reply: (_TELLING.index(reply.scenario), reply.id)).value if about else ""
