"""Which replies and articles may be used at all: dates, products and conditions, before anything is ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from indexes.reply_columns import Gate, ReplyColumns, gate_of
from knowledge.condition_set import ConditionSet, Judged
from knowledge.conditions import ALWAYS, NEVER, Outcome, Verdict, compile_condition
from knowledge.products import ProductCatalogue, category_levels, fits_products
from knowledge.records import Article, ProvenReply
from suggest.notable import notable_in

Products = tuple[tuple[str, str], ...]
Codes = npt.NDArray[np.int8]
_REMEMBERED = 256  # products asked about, and pairs of days, whose outcomes are at hand
_NO_PRODUCT_KNOWN = Verdict(Outcome.UNKNOWN, ("order.item",))
_NO_DATE_SENT = Verdict(Outcome.UNKNOWN, ("order.paid_at",))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of one request, ready for many replies."""

    facts: Mapping[str, Any]
    now: datetime
    timezone: str
    products: Products  # (sku, category) of the item in question and of those mentioned

    @classmethod
    def of(cls, facts: Mapping[str, Any], *, now: datetime, timezone: str, mentioned: tuple[str, ...], catalogue: ProductCatalogue) -> "Circumstances":
        """Gathers them. What the message names goes before the order's item."""
        named = [(sku, product.category) for sku in mentioned if (product := catalogue.by_sku(sku)) is not None]
        item = facts["order"].get("item")
        if item is not None and not named:
            named = [(item.get("sku", ""), item.get("category", ""))]
        return cls(facts, now, timezone, tuple(named))


RULED_OUT, TO_CHECK, ALLOWED = 0, 1, 2  # ascending: of several the least counts


class Gates:
    """The gates of a shop's replies, by number, and their conditions to be judged together."""

    def __init__(self, columns: ReplyColumns) -> None:
        self.each: tuple[Gate, ...] = columns.gates
        self.of_replies = columns.gate  # [n_replies]
        self.conditions = ConditionSet([gate.when for gate in self.each])
        self.condition = np.array([self.conditions.number[gate.when] for gate in self.each], dtype=np.int64)  # [n_gates]
        self._dates = _Dates.of(self.each)
        self._wanting_product = np.array([bool(gate.products) for gate in self.each], dtype=np.bool_)
        self._wanted: dict[str, list[int]] = {}  # gates by each SKU and category they are for
        for place, gate in enumerate(self.each):
            for wanted in gate.products:
                self._wanted.setdefault(wanted, []).append(place)
        self._by_products: dict[Products, Codes] = {}
        self._by_days: dict[tuple[date, date | None], Codes] = {}

    def outcomes(self, judged: Judged, products: Products, today: date, paid_on: date | None) -> Codes:
        """Gives what every gate comes to, [n_gates]: its condition, its products and its dates, whichever says the least."""
        conditions = np.where(judged.unknown_ones, TO_CHECK, ALLOWED).astype(np.int8)
        conditions[judged.false_ones] = RULED_OUT
        return np.minimum(np.minimum(conditions[self.condition], self._of_products(products)), self._of_days(today, paid_on))

    def _of_products(self, products: Products) -> Codes:
        codes = self._by_products.get(products)
        if codes is None:
            codes = self._worked_out_of_products(products)
            if len(self._by_products) < _REMEMBERED:
                self._by_products[products] = codes
        return codes

    def _of_days(self, today: date, paid_on: date | None) -> Codes:
        codes = self._by_days.get((today, paid_on))
        if codes is None:
            codes = self._worked_out_of_days(today, paid_on)
            if len(self._by_days) >= _REMEMBERED:
                self._by_days.clear()  # days go by
            self._by_days[today, paid_on] = codes
        return codes

    def _worked_out_of_products(self, products: Products) -> Codes:
        if not products:
            return np.where(self._wanting_product, TO_CHECK, ALLOWED).astype(np.int8)
        codes = np.where(self._wanting_product, RULED_OUT, ALLOWED).astype(np.int8)
        for name in {name for sku, category in products for name in (sku, *category_levels(category))}:
            codes[self._wanted.get(name, [])] = ALLOWED
        return codes

    def _worked_out_of_days(self, today: date, paid_on: date | None) -> Codes:
        codes = np.full(len(self.each), ALLOWED, dtype=np.int8)
        codes[self._dates.places] = self._dates.outcomes(today, paid_on)
        return codes


@dataclass(frozen=True, slots=True)
class _Dates:
    """The gates that have dates, as columns: `dates_allow` for all of them at once. Days are ordinals."""

    places: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    by_payment: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, gates: Sequence[Gate]) -> "_Dates":
        dated = [(place, gate) for place, gate in enumerate(gates) if gate.effective_from or gate.effective_to]
        return cls(
            np.array([place for place, _ in dated], dtype=np.int64),
            np.array([(gate.effective_from or date.min).toordinal() for _, gate in dated], dtype=np.int64),
            np.array([(gate.effective_to or date.max).toordinal() for _, gate in dated], dtype=np.int64),
            np.array([gate.effective_basis == "paid_at" for _, gate in dated], dtype=np.bool_),
        )

    def outcomes(self, today: date, paid_on: date | None) -> Codes:
        """Gives what each comes to, [n_dated]."""
        days = np.where(self.by_payment, (paid_on or today).toordinal(), today.toordinal())
        codes = np.where((self.first <= days) & (days <= self.last), ALLOWED, RULED_OUT)
        return np.where(self.by_payment & (paid_on is None), TO_CHECK, codes).astype(np.int8)


def products_fit(wanted: tuple[str, ...], here: Products) -> bool:
    """Whether a reply for these products suits what is asked about: one for the phone never answers for the juicer; with nothing known, it is to be checked."""
    return not wanted or not here or any(fits_products(wanted, sku, category) for sku, category in here)


def dates_allow(gate: Gate, today: date, paid_on: date | None) -> Verdict:
    """Gives what the gate's two days say; unknown where they speak of a payment that was not sent."""
    if gate.effective_from is None and gate.effective_to is None:
        return ALWAYS
    day = paid_on if gate.effective_basis == "paid_at" else today
    if day is None:
        return _NO_DATE_SENT
    begun = gate.effective_from is None or gate.effective_from <= day
    return ALWAYS if begun and (gate.effective_to is None or day <= gate.effective_to) else NEVER


class Eligibility:
    """Judges replies for one request; replies of one gate are judged once, and those of the shop's gates all together."""

    def __init__(self, circumstances: Circumstances, gates: Gates | None = None) -> None:
        self.circumstances = self._here = circumstances
        self._gates = gates or Gates(ReplyColumns.of(()))
        self._judged = self._gates.conditions.judge(circumstances.facts)
        self._verdicts: dict[Gate, Verdict] = {}
        self._today = self._day_of(circumstances.now)
        paid_at = circumstances.facts["order"].get("paid_at")
        self._paid_on = None if paid_at is None else self._day_of(paid_at)

    @cached_property
    def outcomes(self) -> Codes:
        """What every one of the shop's gates comes to, [n_gates]: `RULED_OUT`, `TO_CHECK` or `ALLOWED`."""
        return self._gates.outcomes(self._judged, self._here.products, self._today, self._paid_on)

    @cached_property
    def notable(self) -> npt.NDArray[np.float32]:
        """What of `NOTABLE` there is about the order, the same for every question of a message."""
        return notable_in(self.circumstances.facts)

    def of_reply(self, reply: ProvenReply) -> Verdict:
        """Gives the outcome over dates, products and condition together: false if any is false, then unknown if any is."""
        return self.of_gate(gate_of(reply))

    def of_gate(self, gate: Gate) -> Verdict:
        """Gives the outcome for every reply of the gate."""
        verdict = self._verdicts.get(gate)
        if verdict is None:
            verdict = self._verdicts[gate] = self._judge(gate)
        return verdict

    def _judge(self, gate: Gate) -> Verdict:
        dates = dates_allow(gate, self._today, self._paid_on)
        if dates is NEVER or not products_fit(gate.products, self._here.products):
            return NEVER
        product = _NO_PRODUCT_KNOWN if gate.products and not self._here.products else ALWAYS
        number = self._gates.conditions.number.get(gate.when)
        condition = compile_condition(gate.when).evaluate(self._here.facts) if number is None else self._judged.verdict(number)
        if condition is NEVER or condition is dates is product:
            return condition
        unknown = [one for one in (condition, dates, product) if one.outcome is Outcome.UNKNOWN]
        return Verdict(Outcome.UNKNOWN, tuple(dict.fromkeys(fact for one in unknown for fact in one.verify))) if unknown else ALWAYS

    def of_article(self, article: Article) -> bool:
        """Whether the article may be quoted now, for the item in question."""
        return article.in_force(self._today) and products_fit(article.products, self._here.products)

    def product_named(self, reply: ProvenReply) -> bool:
        """Whether the reply is written for the very product or category in question."""
        return bool(reply.products) and bool(self._here.products)

    def _day_of(self, moment: datetime) -> date:
        """The day in the shop's timezone."""
        return moment.astimezone(ZoneInfo(self._here.timezone)).date()
