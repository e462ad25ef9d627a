"""What decides of a shop's replies whether they may be used, and what the ranking asks of each, as columns over the replies.

Worked out once; a large shop's stand in its snapshot and are mapped, so that loading does not read a million replies (D69).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.records import ProvenReply

TONES = ("", "calm", "upset")
UNSAID, NO, YES = -1, 0, 1
NO_DAY = 0
Numbers = npt.NDArray[np.int32]


class Gate(NamedTuple):
    """All that decides whether a reply may be used."""

    when: str
    products: tuple[str, ...]
    effective_from: date | None
    effective_to: date | None
    effective_basis: str


def gate_of(reply: ProvenReply) -> Gate:
    """Gives what decides whether the reply may be used: condition, products and dates."""
    return Gate(reply.when, reply.products, reply.effective_from, reply.effective_to, reply.effective_basis)


@dataclass(frozen=True, slots=True)
class ReplyColumns:
    """Columns over replies in the order of their ids, [n_replies] each."""

    ids: npt.NDArray[np.bytes_]  # ascending where the replies are
    n_triggers: Numbers
    condition: Numbers  # numbers of `conditions`
    conditions: tuple[str, ...]  # a grown shop's may hold some that no reply has any more
    products: Numbers  # numbers of `product_lists`
    product_lists: tuple[tuple[str, ...], ...]  # what replies are for; a grown shop's as with conditions
    first_day: Numbers  # `effective_from` as an ordinal; `NO_DAY` where there is none
    last_day: Numbers  # `effective_to`, likewise
    by_payment: npt.NDArray[np.bool_]  # whether the days are those of payment
    scenario: Numbers  # numbers of `scenarios`
    scenarios: tuple[str, ...]  # ascending
    tone: npt.NDArray[np.int8]  # places in `TONES`
    is_lead: npt.NDArray[np.bool_]
    proactive: npt.NDArray[np.int8]  # `YES`, `NO`, `UNSAID`
    cites: Numbers  # [n_replies, most cited], numbers of `articles`; the first stands in empty places, `len(articles)` where a reply cites none
    articles: tuple[str, ...]  # ascending

    @classmethod
    def of(cls, replies: Sequence[ProvenReply]) -> "ReplyColumns":
        """Gives the columns of the replies."""
        conditions: dict[str, int] = {}
        lists: dict[tuple[str, ...], int] = {}
        scenarios = sorted({reply.scenario for reply in replies})
        number = {name: place for place, name in enumerate(scenarios)}
        articles = sorted({article for reply in replies for article in reply.cites})
        return cls(
            ids=np.array([reply.id for reply in replies], dtype=np.bytes_),
            n_triggers=np.array([len(reply.triggers) for reply in replies], dtype=np.int32),
            condition=np.array([conditions.setdefault(reply.when, len(conditions)) for reply in replies], dtype=np.int32),
            conditions=tuple(conditions),
            products=np.array([lists.setdefault(reply.products, len(lists)) for reply in replies], dtype=np.int32),
            product_lists=tuple(lists),
            first_day=np.array([_ordinal(reply.effective_from) for reply in replies], dtype=np.int32),
            last_day=np.array([_ordinal(reply.effective_to) for reply in replies], dtype=np.int32),
            by_payment=np.array([reply.effective_basis == _PAYMENT for reply in replies], dtype=np.bool_),
            scenario=np.array([number[reply.scenario] for reply in replies], dtype=np.int32),
            scenarios=tuple(scenarios),
            tone=np.array([TONES.index(reply.tone) for reply in replies], dtype=np.int8),
            is_lead=np.array([reply.authority == "lead" for reply in replies], dtype=np.bool_),
            proactive=np.array([UNSAID if reply.proactive is None else int(reply.proactive) for reply in replies], dtype=np.int8),
            cites=_cites(replies, articles),
            articles=tuple(articles),
        )

    def __len__(self) -> int:
        return len(self.condition)

    def gate(self, row: int) -> Gate:
        """Gives what decides whether one reply may be used."""
        first, last = (None if day == NO_DAY else date.fromordinal(int(day)) for day in (self.first_day[row], self.last_day[row]))
        basis = _PAYMENT if self.by_payment[row] else _NOW
        return Gate(self.conditions[self.condition[row]], self.product_lists[self.products[row]], first, last, basis)

    def row_of(self, reply_id: str) -> int | None:
        """Gives the row of the reply of this id, or None."""
        wanted = reply_id.encode()
        row = int(np.searchsorted(self.ids, wanted)) if len(self) else 0
        return row if row < len(self) and self.ids[row] == wanted else None

    def merged(self, rows: Numbers, fresh: "ReplyColumns") -> "ReplyColumns":
        """Gives the columns of replies of which most are these ones'; there must be some here.

        Args:
            rows: [n_replies], each reply's row here; -1 for the replies of `fresh`, in their order.
            fresh: the columns of the others.
        """
        new = rows < 0
        scenarios, articles = (tuple(sorted({*old, *own})) for old, own in ((self.scenarios, fresh.scenarios), (self.articles, fresh.articles)))
        conditions, lists = (
            tuple(dict.fromkeys((*old, *own))) for old, own in ((self.conditions, fresh.conditions), (self.product_lists, fresh.product_lists))
        )
        width = max(self.cites.shape[1], fresh.cites.shape[1])
        columns: dict[str, Any] = {name: getattr(self, name)[np.where(new, 0, rows)] for name in REPLY_ARRAYS}
        columns["ids"] = columns["ids"].astype(f"S{max(self.ids.itemsize, fresh.ids.itemsize)}")
        columns["scenario"] = _renumbered(columns["scenario"], self.scenarios, scenarios)
        columns["cites"] = _renumbered(_widened(columns["cites"], width), self.articles, articles)
        columns["condition"][new] = _renumbered(fresh.condition, fresh.conditions, conditions)
        columns["products"][new] = _renumbered(fresh.products, fresh.product_lists, lists)
        columns["scenario"][new] = _renumbered(fresh.scenario, fresh.scenarios, scenarios)
        columns["cites"][new] = _renumbered(_widened(fresh.cites, width), fresh.articles, articles)
        for name in ("ids", "n_triggers", "first_day", "last_day", "by_payment", "tone", "is_lead", "proactive"):
            columns[name][new] = getattr(fresh, name)
        return ReplyColumns(**columns, conditions=conditions, product_lists=lists, scenarios=scenarios, articles=articles)


REPLY_ARRAYS = (
    "ids", "n_triggers", "condition", "products", "first_day", "last_day", "by_payment", "scenario", "tone", "is_lead", "proactive", "cites",
)  # fmt: skip
_NOW, _PAYMENT = "now", "paid_at"


def _ordinal(day: date | None) -> int:
    return NO_DAY if day is None else day.toordinal()


def _cites(replies: Sequence[ProvenReply], articles: Sequence[str]) -> Numbers:
    number = {article: place for place, article in enumerate(articles)}
    width = max((len(reply.cites) for reply in replies), default=0) or 1
    table = np.full((len(replies), width), len(articles), dtype=np.int32)
    for row, reply in enumerate(replies):
        if reply.cites:
            table[row] = number[reply.cites[0]]
            table[row, : len(reply.cites)] = [number[article] for article in reply.cites]
    return table


def _renumbered(numbers: Numbers, names: Sequence[Hashable], among: Sequence[Hashable]) -> Numbers:
    """The same names by their numbers among more; what stands for none stands for none again."""
    place = {name: number for number, name in enumerate(among)}
    return np.array([*(place[name] for name in names), len(among)], dtype=np.int32)[numbers]


def _widened(cites: Numbers, width: int) -> Numbers:
    """More places for cited articles, filled with the first one as the others are."""
    return np.concatenate([cites, np.repeat(cites[:, :1], width - cites.shape[1], axis=1)], axis=1)
