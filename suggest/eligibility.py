"""Which replies and articles may be used at all: dates, products and conditions, before anything is ranked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from knowledge.conditions import ALWAYS, Outcome, PreparedFacts, Verdict, compile_condition, prepare_facts
from knowledge.products import ProductCatalogue, fits_products
from knowledge.records import Article, ProvenReply

_NEVER = Verdict(Outcome.FALSE)
_NO_PRODUCT_KNOWN = Verdict(Outcome.UNKNOWN, ("order.item",))
_NO_DATE_SENT = Verdict(Outcome.UNKNOWN, ("order.paid_at",))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of one request, ready for many replies."""

    facts: Mapping[str, Any]
    prepared: PreparedFacts  # the same, in CEL's types
    now: datetime
    timezone: str
    products: tuple[tuple[str, str], ...]  # (sku, category) of the item in question and of those mentioned

    @classmethod
    def of(cls, facts: Mapping[str, Any], *, now: datetime, timezone: str, mentioned: tuple[str, ...], catalogue: ProductCatalogue) -> "Circumstances":
        """Gathers them. What the message names goes before the order's item."""
        named = [(sku, product.category) for sku in mentioned if (product := catalogue.by_sku(sku)) is not None]
        item = facts["order"].get("item")
        if item is not None and not named:
            named = [(item.get("sku", ""), item.get("category", ""))]
        return cls(facts, prepare_facts(facts), now, timezone, tuple(named))


Gate = tuple[str, tuple[str, ...], date | None, date | None, str]  # all that decides whether a reply may be used


def gate_of(reply: ProvenReply) -> Gate:
    """Gives what decides whether the reply may be used: condition, products and dates."""
    return (reply.when, reply.products, reply.effective_from, reply.effective_to, reply.effective_basis)


class Eligibility:
    """Judges replies for one request; replies under equal conditions, dates and products are judged once."""

    def __init__(self, circumstances: Circumstances) -> None:
        self.circumstances = self._here = circumstances
        self._verdicts: dict[str, Verdict] = {}  # by condition
        self._gates: dict[Gate, Verdict] = {}
        self._today = self._day_of(circumstances.now)
        paid_at = circumstances.facts["order"].get("paid_at")
        self._paid_on = None if paid_at is None else self._day_of(paid_at)

    def of_reply(self, reply: ProvenReply) -> Verdict:
        """Gives the outcome over dates, products and condition together: false if any is false, then unknown if any is."""
        gate = gate_of(reply)
        verdict = self._gates.get(gate)
        if verdict is None:
            verdict = self._gates[gate] = self._judge(reply)
        return verdict

    def _judge(self, reply: ProvenReply) -> Verdict:
        dates = self._dates(reply)
        if dates.outcome is Outcome.FALSE or not self._products_fit(reply.products):
            return _NEVER
        product = _NO_PRODUCT_KNOWN if reply.products and not self._here.products else ALWAYS
        condition = self._verdicts.get(reply.when)
        if condition is None:
            condition = self._verdicts[reply.when] = compile_condition(reply.when).evaluate_prepared(self._here.prepared)
        if condition.outcome is Outcome.FALSE:
            return condition
        unknown = [one for one in (condition, dates, product) if one.outcome is Outcome.UNKNOWN]
        return Verdict(Outcome.UNKNOWN, tuple(dict.fromkeys(fact for one in unknown for fact in one.verify))) if unknown else ALWAYS

    def of_article(self, article: Article) -> bool:
        """Whether the article may be quoted now, for the item in question."""
        return article.in_force(self._today) and self._products_fit(article.products)

    def product_named(self, reply: ProvenReply) -> bool:
        """Whether the reply is written for the very product or category in question."""
        return bool(reply.products) and bool(self._here.products)

    def _products_fit(self, wanted: tuple[str, ...]) -> bool:
        """A reply for the phone never answers a question about the juicer; with no product known, it is to be checked."""
        here = self._here.products
        return not wanted or not here or any(fits_products(wanted, sku, category) for sku, category in here)

    def _dates(self, reply: ProvenReply) -> Verdict:
        if reply.effective_from is None and reply.effective_to is None:
            return ALWAYS
        day = self._paid_on if reply.effective_basis == "paid_at" else self._today
        if day is None:
            return _NO_DATE_SENT
        return ALWAYS if reply.in_force(day) else _NEVER

    def _day_of(self, moment: datetime) -> date:
        """The day in the shop's timezone."""
        return moment.astimezone(ZoneInfo(self._here.timezone)).date()
