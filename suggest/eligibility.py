"""Which replies and articles may be used at all: dates, products and conditions, before anything is ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.reply_columns import NO_DAY, Gate, Numbers, ReplyColumns, gate_of
from knowledge.condition_set import ConditionSet, Judged
from knowledge.conditions import ALWAYS, NEVER, Outcome, Verdict, compile_condition
from knowledge.likely_facts import answered_facts, likely_facts, likely_paths
from knowledge.products import ProductCatalogue, category_levels, fits_products
from knowledge.records import Article, ProvenReply
from suggest.notable import notable_in

Products = tuple[tuple[str, str], ...]
Codes = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
_REMEMBERED = 256  # products asked about whose outcomes are at hand
_NO_PRODUCT_KNOWN = Verdict(Outcome.UNKNOWN, ("order.item",))
_NO_DATE_SENT = Verdict(Outcome.UNKNOWN, ("order.paid_at",))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of one request, ready for many replies."""

    facts: Mapping[str, Any]
    now: datetime
    timezone: str
    products: Products  # (sku, category) of the item in question and of those mentioned
    said: tuple[str, ...] = ()  # the customer's messages, the one to be answered first
    asked: str = ""  # the agent's last turn, where nobody else wrote after it

    @classmethod
    def of(
        cls,
        facts: Mapping[str, Any],
        *,
        now: datetime,
        timezone: str,
        mentioned: tuple[str, ...],
        catalogue: ProductCatalogue,
        mentioned_before: tuple[str, ...] = (),
        said: Sequence[str] = (),
        asked: str = "",
    ) -> "Circumstances":
        """Gathers them. What the message names goes before the order's item, and that before what was spoken of earlier."""
        item = facts["order"].get("item")
        named = _listed(mentioned, catalogue)
        if item is not None and not named:
            named = [(item.get("sku", ""), item.get("category", ""))]
        named = named or _listed(mentioned_before, catalogue)
        return cls(facts, now, timezone, tuple(named), tuple(said), asked)


def _listed(skus: Sequence[str], catalogue: ProductCatalogue) -> list[tuple[str, str]]:
    return [(sku, product.category) for sku in skus if (product := catalogue.by_sku(sku)) is not None]


# Ascending: of several the least counts. What cannot be decided is likely where only what is usual or was told is wanting, see `likely_facts`.
RULED_OUT, TO_CHECK, LIKELY, ALLOWED = range(4)


class Likely(NamedTuple):
    """Conditions judged once more; None where that adds nothing."""

    told: Judged | None = None  # by what the customer told
    usual: Judged | None = None  # by what was told and what is usual
    denied: npt.NDArray[np.bool_] | None = None  # what was told because an agent asked is against them, [n_conditions]


class Gates:
    """What decides whether each of a shop's replies may be used, as columns, and their conditions to be judged together.

    Asked for some replies, it looks at those alone: a large shop has hundreds of thousands, and a message meets some hundred of them.
    """

    def __init__(self, columns: ReplyColumns) -> None:
        self._columns = columns
        self.conditions = ConditionSet(columns.conditions)
        numbers = [self.conditions.number[when] for when in columns.conditions]
        self.condition = columns.condition if numbers == list(range(len(numbers))) else np.array(numbers, dtype=np.int32)[columns.condition]  # [n_replies]
        self._wanting_product = np.array([bool(wanted) for wanted in columns.product_lists], dtype=np.bool_)  # [n_lists]
        self._wanted: dict[str, list[int]] = {}  # lists of products by each SKU and category in them
        for place, products in enumerate(columns.product_lists):
            for wanted in products:
                self._wanted.setdefault(wanted, []).append(place)
        self._by_products: dict[Products, Codes] = {}

    def of_row(self, row: int) -> Gate:
        """Gives what decides whether one reply may be used."""
        return self._columns.gate(row)

    def outcomes(self, rows: Rows, judged: Judged, likely: "Likely", products: Products, today: date, paid_on: date | None) -> Codes:
        """Gives what some replies come to, [n_rows]: condition, products and dates, whichever says the least.

        Args:
            rows: of the replies.
            judged: the conditions by what is known.
            likely: the same by what was told and what is usual.
            products: in question.
            today: in the shop's timezone.
            paid_on: the day of payment there, where it is known.
        """
        unknown = judged.unknown_ones
        conditions = np.where(unknown, TO_CHECK, ALLOWED).astype(np.int8)
        if likely.usual is not None:
            conditions[unknown & ~likely.usual.unknown_ones & ~likely.usual.false_ones] = LIKELY
        if likely.told is not None:
            conditions[unknown & likely.told.false_ones] = RULED_OUT
        if likely.denied is not None:  # also of those that hold as long as nothing is known: «!(has(order.item.condition) && …)»
            conditions[likely.denied] = RULED_OUT
        conditions[judged.false_ones] = RULED_OUT
        own = self._columns
        return _least(
            rows, self.condition, conditions, own.products, self._of_products(products), own.first_day, own.last_day, own.by_payment,
            today.toordinal(), NO_DAY if paid_on is None else paid_on.toordinal(),
        )  # fmt: skip

    def _of_products(self, products: Products) -> Codes:
        """What every list of products comes to, [n_lists]."""
        codes = self._by_products.get(products)
        if codes is None:
            codes = self._worked_out_of_products(products)
            if len(self._by_products) < _REMEMBERED:
                self._by_products[products] = codes
        return codes

    def _worked_out_of_products(self, products: Products) -> Codes:
        if not products:
            return np.where(self._wanting_product, TO_CHECK, ALLOWED).astype(np.int8)
        codes = np.where(self._wanting_product, RULED_OUT, ALLOWED).astype(np.int8)
        for name in {name for sku, category in products for name in (sku, *category_levels(category))}:
            codes[self._wanted.get(name, [])] = ALLOWED
        return codes


@compiled
def _least(
    rows: Rows, condition: Numbers, of_conditions: Codes, products: Numbers, of_products: Codes,
    first_day: Numbers, last_day: Numbers, by_payment: npt.NDArray[np.bool_], today: int, paid_on: int,
) -> Codes:  # fmt: skip
    """What each row's condition, products and days come to, whichever says the least: `dates_allow` and the others for all of them at once."""
    found = np.empty(len(rows), dtype=np.int8)
    for place, row in enumerate(rows):
        code = min(of_conditions[condition[row]], of_products[products[row]])
        first, last = first_day[row], last_day[row]
        if first != NO_DAY or last != NO_DAY:
            day = paid_on if by_payment[row] else today
            if day == NO_DAY:
                code = min(code, np.int8(TO_CHECK))
            elif day < first or (last != NO_DAY and day > last):
                code = np.int8(RULED_OUT)
        found[place] = code
    return found


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
    """Judges replies for one request; replies of one gate are judged once, and the shop's conditions all together."""

    def __init__(self, circumstances: Circumstances, gates: Gates | None = None) -> None:
        self.circumstances = self._here = circumstances
        self._gates = gates or Gates(ReplyColumns.of(()))
        self._judged = self._gates.conditions.judge(circumstances.facts)
        self._likely = self._judged_by_the_likely()
        self._verdicts: dict[Gate, Verdict] = {}
        self._today = self._day_of(circumstances.now)
        paid_at = circumstances.facts["order"].get("paid_at")
        self._paid_on = None if paid_at is None else self._day_of(paid_at)

    def outcomes(self, rows: Rows) -> Codes:
        """Gives what some of the shop's replies come to, [n_rows]: `RULED_OUT` … `ALLOWED`."""
        return self._gates.outcomes(rows, self._judged, self._likely, self._here.products, self._today, self._paid_on)

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

    def _judged_by_the_likely(self) -> Likely:
        """The conditions by what is likely, where some that cannot be decided look at it, and by what was answered."""
        conditions, here = self._gates.conditions, self._here
        told = usual = denied = None
        if self._judged.missing & conditions.looking_at(likely_paths()):
            told, usual = map(self._with, likely_facts(here.facts, here.said))
        if here.asked and here.said and (answered := self._with(answered_facts(here.facts, here.asked, here.said[0]))) is not None:
            denied = answered.false_ones & ~conditions.of_the_unsent(likely_paths())
        return Likely(told, usual, denied)

    def _with(self, facts: Mapping[str, Any] | None) -> Judged | None:
        return None if facts is None else self._gates.conditions.judge_filled(self._judged, facts, likely_paths())

    def _day_of(self, moment: datetime) -> date:
        """The day in the shop's timezone."""
        return moment.astimezone(ZoneInfo(self._here.timezone)).date()
