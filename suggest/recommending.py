"""Products that fit what a customer told of their need, each with why: budget, ages and sizes by the product's own data, the benefit in the shop's words.

Nothing is recommended to somebody upset, while a case is open, or when something else is the matter.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np

from indexes.reply_columns import ReplyColumns
from indexes.snapshot import Snapshot
from knowledge.conduct_rules import Use, uses
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from knowledge.records import Product, ProvenReply
from suggest.choices import Answer
from suggest.contract import Recommendation
from suggest.shopping import Quantity, ShoppingNeed, bounds, shopping_need
from suggest.understanding import Understanding

_SCENARIO = "product.recommend"
_LIKELY = 0.5
_TOLD = 0.3  # enough where a budget and a use were told: nobody tells those to hear a rule
_UPSET = 0.4
_MOST = 3
_AFTER_SALES = ("return.", "exchange", "refund.", "warranty.", "aftersale.", "complaint.", "safety", "logistics.", "order.")
_ENDED_CASES = frozenset({"refunded", "completed", "closed"})
_TELLING = ("product.recommend", "product.spec", "product.price")  # replies of these say what a product does for you, the surest first
_MONTHS = 12
_ATTRIBUTES_SHOWN = 2
_LETTERS = 2  # a category of one character says too little inside other words
_LATIN_LETTERS = 4
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
    said = [turn.text for turn in history[-4:] if turn.role == "customer"]
    need = shopping_need(match_form(" \n ".join([*said, understanding.text])))
    likely = _TOLD if need.has_budget and need.uses else _LIKELY
    asks = drafted == _SCENARIO or any(question.scenarios.get(_SCENARIO, 0.0) >= likely for question in (understanding, *understanding.questions))
    troubled = understanding.upset >= _UPSET or understanding.threatens or understanding.emotion in ("upset", "angry")
    case = facts["order"].get("case")
    if not asks or troubled or (case is not None and case.get("status") not in _ENDED_CASES):
        return None
    if any(probability >= _LIKELY for name, probability in understanding.scenarios.items() if name.startswith(_AFTER_SALES)):
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
        self._described: dict[str, str] = {}  # as they are asked for
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
        named = [one for one in self._catalogue.products if one.sku in understanding.products or _named(one, understanding.text)]
        if not named:  # 「100以内的」 is about what was named before
            before = self._catalogue.mentioned(need.said)
            named = [one for one in self._catalogue.products if one.sku in before or _named(one, need.said)]
        if named and not (named := [one for one in named if self._suits(one, need)]):
            return []  # another kind than the one asked for is no answer
        uses = [use for use in need.uses if not use.occasion] or ([] if named else list(need.uses))
        if named:
            return [one for one in named if all(self._serves(one, use) for use in uses)] or named
        return [one for one in self._catalogue.products if uses and all(self._serves(one, use) for use in uses) and self._suits(one, need)]

    def _suits(self, product: Product, need: ShoppingNeed) -> bool:
        """Whether the product's own data does not warn against a use that was told."""
        return not any(use.unfit and re.search(use.unfit, self._description(product)) for use in need.uses)

    def _serves(self, product: Product, use: Use) -> bool:
        return re.search(use.product, self._description(product)) is not None

    def _description(self, product: Product) -> str:
        described = self._described.get(product.sku)
        if described is None:
            described = match_form(json.dumps([product.title, product.category, product.attributes], ensure_ascii=False))
            self._described[product.sku] = described
        return described

    def _why(self, product: Product, need: ShoppingNeed, fits: Sequence[str | bool | None], writer: FactWriter) -> list[str]:
        uses = [use.name[self._english] for use in need.uses if self._serves(product, use)]
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


def _named(product: Product, form: str) -> bool:
    """Whether the words name its category, one above it (「护肤品」 names 护肤/精华), or its kind in English: the last word of an alias."""
    kinds = [alias.split()[-1] for alias in product.aliases if alias.isascii() and len(alias.split()[-1]) >= _LATIN_LETTERS]
    return any(_word_stands(match_form(word), form) for word in (*product.category.split("/"), *kinds))


def _word_stands(word: str, form: str) -> bool:
    if len(word) < _LETTERS:
        return False
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
    plain = {
        number: gate.products[0] for number, gate in enumerate(columns.gates)
        if len(gate.products) == 1 and not gate.when and gate.effective_from is None and gate.effective_to is None
    }  # fmt: skip
    scenarios = [place for place, name in enumerate(columns.scenarios) if name in _TELLING]
    rows = np.flatnonzero(np.isin(columns.scenario, scenarios) & ~columns.is_lead & np.isin(columns.gate, list(plain)))
    found: dict[str, list[int]] = {}
    for row, gate in zip(rows.tolist(), columns.gate[rows].tolist(), strict=True):
        found.setdefault(plain[gate], []).append(row)
    return found


def _benefit(telling: Sequence[ProvenReply]) -> str:
    """The `value` part of the shop's reply about this very product; a plain one that promises no money."""
    about = [reply for reply in telling if reply.value and "{" not in reply.value and not reply.promises_amount]
    return min(about, key=lambda reply: (_TELLING.index(reply.scenario), reply.id)).value if about else ""
