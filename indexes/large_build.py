"""From a large shop's replies to its part of a snapshot: a base built at once, or what changed put behind the base of the live snapshot.

To follow one night read `large_shop` and the three it calls: `_matched`, `_Means.stored`, and `_grown` or `_based`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from indexes.adapted import bundled_ids
from indexes.approximate_index import RECALL_ROWS, ApproximateIndex, StoredRows, recall_of, rounded
from indexes.byte_rows import ByteRows, mean_needs
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder, Vectors
from indexes.grown import Arrangement, GrownVectors, Numbers
from indexes.index_recall import RECALL_FLOOR, questions
from indexes.large_lexical_index import LargeLexicalIndex
from indexes.large_shop import LargeShop, Part
from indexes.recipe import storing_recipe
from indexes.reply_columns import ReplyColumns
from indexes.reply_keys import keys_of
from indexes.spans import joined
from indexes.stored_products import StoredProducts
from indexes.stored_replies import Digests, ReplyLines, digests_of
from indexes.vector_cache import BLOCK
from knowledge.records import Product, ProvenReply

# Looking at every key takes a millisecond for each 7,000; the approximate index takes one for any number up to a hundred thousand.
EXACT_UP_TO = 16_384
MOST_RECENT = 0.2  # as many keys behind a base, as a share of it, before a new base is built
_ROWS = 8_192
Tell = Callable[[str, int, int], None]  # stage, done, of how many
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Means:
    """What a large shop is built with."""

    embedder: Embedder
    needs: TextClassifier
    tell: Tell
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # as a vector cache counts: kind → texts, and how many were computed

    @property
    def made_by(self) -> str:
        """What decides how a row is stored: rows of another recipe are computed anew."""
        return f"{self.embedder.model_id}/{self.needs.model_id}/{next(iter(bundled_ids().values()))}/{storing_recipe()}"

    def stored(self, texts: Sequence[str], *, n_all: int) -> tuple[StoredRows, npt.NDArray[np.uint8]]:
        """Gives the texts' vectors and needs as they are stored, [n_texts, dimension] and [n_texts, n_needs]; equal texts are computed once.

        Need distributions come from whole blocks: the last bits of a matrix product depend on how many rows it has.
        """
        first: dict[str, int] = {}
        said_first = np.array([first.setdefault(text, row) for row, text in enumerate(texts)], dtype=np.int64)
        own = np.array(list(first.values()), dtype=np.int64)
        vectors = np.empty((len(texts), self.embedder.dimension), dtype=np.int16)
        needs = np.empty((len(texts), len(self.needs.labels)), dtype=np.uint8)
        for start in range(0, len(own), BLOCK):
            rows = own[start : start + BLOCK]
            block = [texts[row] for row in rows.tolist()]
            padded = [*block, *[""] * (BLOCK - len(block))]
            embedded = self.embedder.encode_document(padded)
            vectors[rows] = rounded(embedded[: len(block)])
            heard = self.needs.probabilities_of_many(padded, embedded if self.needs.reads(self.embedder) else None)
            needs[rows] = ByteRows.build(np.sqrt(heard[: len(block)])).codes
            self.tell("replies", n_all - len(own) + start + len(block), n_all)
        again = np.flatnonzero(said_first != np.arange(len(texts)))
        for start in range(0, len(again), _ROWS):  # in pieces: half of a large shop's triggers may be said twice
            some = again[start : start + _ROWS]
            vectors[some], needs[some] = vectors[said_first[some]], needs[said_first[some]]
        for kind in ("embedding", "needs"):
            self.counts[kind] = {"texts": n_all, "computed": len(own)}
        return vectors, needs


@dataclass(frozen=True, slots=True)
class _Matched:
    """The shop's replies beside those of the live snapshot. What is stored there has its slot; what is not, -1."""

    columns: ReplyColumns
    digests: Digests
    products: StoredProducts
    reply_slots: Numbers  # [n_replies]
    key_slots: Numbers  # [n_keys]
    fresh: Sequence[ProvenReply]  # the replies that are not stored, in order
    texts: Sequence[str]  # the keys that are not stored, in order
    is_trigger: npt.NDArray[np.bool_]  # of `texts`

    @property
    def starts(self) -> Rows:
        """Where each reply's keys begin, [n_replies]."""
        lengths = self.columns.n_triggers.astype(np.int64) + 1
        return np.asarray(np.cumsum(lengths) - lengths)

    def of_triggers(self) -> npt.NDArray[np.bool_]:
        """Which keys are triggers, [n_keys]: all but each reply's last."""
        found = np.ones(len(self.key_slots), dtype=np.bool_)
        found[self.starts + self.columns.n_triggers] = False
        return found


def large_shop(replies: Sequence[ProvenReply], products: Sequence[Product], means: Means, *, live: LargeShop | None) -> tuple[LargeShop, float]:
    """Gives the shop's part of a snapshot and its recall. With a live one, what did not change is taken from there, and its base kept while it serves well.

    Args:
        replies: approved ones, in the order of their ids.
        products: the catalogue, in the order of SKUs.
        means: the models.
        live: what was published last; of other models or another recipe it is not used.
    """
    live = live if live is not None and live.made_by == means.made_by else None
    catalogue = StoredProducts.of(products, live.products if live else None)
    found = _matched(replies, catalogue, live)
    vectors, needs = means.stored(found.texts, n_all=len(found.key_slots))
    if live is not None:
        grown = _grown(found, live, vectors, needs)
        n_recent = len(grown.recent.needs) if grown.recent else 0
        recall = _recall(grown)
        if recall >= RECALL_FLOOR and n_recent <= MOST_RECENT * len(live.base.needs) and grown.keys_arranged.waste <= MOST_RECENT:
            return grown, round(recall, 4)
    return _based(found, live, vectors, needs, means, replies)


def _matched(replies: Sequence[ProvenReply], products: StoredProducts, live: LargeShop | None) -> _Matched:
    digests = digests_of(replies)
    if live is None:
        columns = ReplyColumns.of(replies)
        keys = [key for reply in replies for key in keys_of(0, reply)]
        is_trigger = np.array([key.is_trigger for key in keys], dtype=np.bool_)
        return _Matched(columns, digests, products, _unknown(len(replies)), _unknown(len(keys)), replies, [key.text for key in keys], is_trigger)
    ids = np.array([reply.id for reply in replies], dtype=np.bytes_)
    at = np.minimum(np.searchsorted(live.columns.ids, ids), max(0, len(live.columns) - 1))
    known = live.columns.ids[at] == ids
    same = known & (live.digests[at] == digests).all(axis=1)
    fresh_rows = np.flatnonzero(~same)
    fresh = [replies[row] for row in fresh_rows.tolist()]
    columns = live.columns.merged(np.where(same, at, -1).astype(np.int32), ReplyColumns.of(fresh))
    reply_slots = np.where(same, live.reply_slots[at], -1).astype(np.int32)
    lengths = columns.n_triggers.astype(np.int64) + 1
    starts = np.cumsum(lengths) - lengths
    old_starts = _starts(live.columns)
    key_slots = _unknown(int(lengths.sum()))
    key_slots[joined(starts[same], lengths[same])] = live.key_slots[joined(old_starts[at[same]], lengths[same])]
    texts: list[str] = []
    triggers: list[bool] = []
    stored = live.replies
    for row, reply in zip(fresh_rows.tolist(), fresh, strict=True):
        before = keys_of(0, stored[int(at[row])]) if known[row] else []
        slots = {(key.is_trigger, key.text): int(live.key_slots[old_starts[at[row]] + place]) for place, key in enumerate(before)}
        for place, key in enumerate(keys_of(0, reply), start=int(starts[row])):
            slot = slots.pop((key.is_trigger, key.text), None)  # one row for one key
            if slot is None:
                texts.append(key.text)
                triggers.append(key.is_trigger)
            else:
                key_slots[place] = slot
    return _Matched(columns, digests, products, reply_slots, key_slots, fresh, texts, np.array(triggers, dtype=np.bool_))


def _grown(found: _Matched, live: LargeShop, vectors: StoredRows, needs: npt.NDArray[np.uint8]) -> LargeShop:
    """What is new put behind what is stored; nothing that is stored is touched."""
    base, before = live.base, live.recent
    key_slots = _placed(found.key_slots, len(base.needs) + (len(before.needs) if before else 0))
    reply_slots = _placed(found.reply_slots, len(base.lines) + (len(before.lines) if before else 0))
    recent_vectors = base.vectors.extended(before.vectors if before else None, vectors)
    recent_needs = ByteRows(_behind(before.needs.codes if before else None, needs))
    arrangement = Arrangement.of(key_slots, n_base=len(base.needs), n_recent=len(recent_needs))
    terms = base.terms.extended(before.terms if before else None, found.texts, found.is_trigger)
    fresh = np.flatnonzero(found.reply_slots < 0)
    reply_needs = _reply_needs(found, fresh, lambda rows: arrangement.gathered(rows, base.needs.vectors, recent_needs.vectors))
    lines = ReplyLines.of(found.fresh)
    recent = Part(
        recent_vectors, recent_needs, terms, ByteRows(_behind(before.reply_needs.codes if before else None, reply_needs.codes)),
        before.lines + lines if before else lines,
    )  # fmt: skip
    statistics = base.terms.statistics_with(terms, arrangement.rows >= 0)
    return LargeShop(base, recent, found.columns, found.digests, key_slots, reply_slots, live.asked, statistics, live.made_by, found.products)


def _based(
    found: _Matched, live: LargeShop | None, vectors: StoredRows, needs: npt.NDArray[np.uint8], means: Means, replies: Sequence[ProvenReply]
) -> tuple[LargeShop, float]:
    """A new base, its lists found anew; rows that are stored are not computed again."""
    n_keys, is_trigger = len(found.key_slots), found.of_triggers()
    if live is None:
        terms = LargeLexicalIndex.build(found.texts, is_trigger)
    else:
        grown = _grown(found, live, vectors, needs)
        slots = grown.key_slots.astype(np.int64)
        vectors, needs = _all_stored(grown, slots)
        terms = live.base.terms.taken(grown.recent.terms if grown.recent else None, slots)
    means.tell("lists", 0, 1)
    asked = means.embedder.encode_query(questions(int(is_trigger.sum()), _trigger_texts(found, is_trigger, replies)))
    index, nearest = ApproximateIndex.of_rows(vectors, asked)
    means.tell("lists", 1, 1)
    stored = ByteRows(needs)
    base = Part(index, stored, terms, _reply_needs(found, np.arange(len(found.columns)), stored.vectors), ReplyLines.of(replies))
    shop = LargeShop(
        base, None, found.columns, found.digests, np.arange(n_keys, dtype=np.int32), np.arange(len(found.columns), dtype=np.int32),
        nearest, terms.statistics, means.made_by, found.products,
    )  # fmt: skip
    return shop, round(index.recall(asked, nearest.least), 4)


def _all_stored(grown: LargeShop, slots: Rows) -> tuple[StoredRows, npt.NDArray[np.uint8]]:
    """Every key's stored rows, in the order of the keys."""
    keys, base, recent = grown.keys_arranged, grown.base, grown.recent
    vectors = np.empty((len(slots), base.vectors.dimension), dtype=np.int16)
    needs = np.empty((len(slots), base.needs.dimension), dtype=np.uint8)
    for start in range(0, len(slots), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(slots)))
        if recent is None:
            vectors[rows], needs[rows] = base.vectors.stored(slots[rows]), base.needs.codes[slots[rows]]
        else:
            vectors[rows] = keys.gathered(rows, base.vectors.stored, recent.vectors.stored)
            needs[rows] = keys.gathered(rows, base.needs.codes.__getitem__, recent.needs.codes.__getitem__)
    return vectors, needs


def _recall(grown: LargeShop) -> float:
    """Of the keys that stand, by the base's own queries: what is nearest to them is known of the base, and looked up among the few that came later."""
    keys, recent = grown.keys_arranged, grown.recent
    stands = keys.rows >= 0
    more = np.flatnonzero(stands[keys.n_base :])
    asked = grown.asked
    least = asked.after(stands[: keys.n_base], recent.vectors.stored(more) if recent else np.empty((0, grown.base.vectors.dimension), dtype=np.int16))
    n_rows = min(RECALL_ROWS, len(keys.slots))
    index = GrownVectors(grown.base.vectors, recent.vectors, keys) if recent else grown.base.vectors
    return recall_of(index.search(asked.queries, n_rows=n_rows), asked.queries, least, n_rows)


def _reply_needs(found: _Matched, replies: Rows, roots_of: Callable[[Rows], Vectors]) -> ByteRows:
    """The mean needs of some replies, as roots; from the rows as they are stored, so that they do not depend on when a reply came."""
    starts, lengths = found.starts, found.columns.n_triggers.astype(np.int64) + 1
    pieces: list[npt.NDArray[np.uint8]] = []
    for start in range(0, len(replies), _ROWS):
        some = replies[start : start + _ROWS]
        rows, ends = joined(starts[some], lengths[some]), np.cumsum(lengths[some])
        is_trigger = np.ones(len(rows), dtype=np.bool_)
        is_trigger[ends - 1] = False
        pieces.append(ByteRows.build(np.sqrt(mean_needs(roots_of(rows), ends - lengths[some], is_trigger))).codes)
    return ByteRows(np.concatenate(pieces) if pieces else np.empty((0, roots_of(np.empty(0, dtype=np.int64)).shape[1]), dtype=np.uint8))


def _placed(slots: Numbers, n_stored: int) -> Numbers:
    """The slots with those that are not known yet numbered behind what is stored."""
    placed = np.array(slots, dtype=np.int32)
    new = np.flatnonzero(placed < 0)
    placed[new] = n_stored + np.arange(len(new), dtype=np.int32)
    return placed


def _behind(before: npt.NDArray[np.uint8] | None, more: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return more if before is None else np.concatenate([before, more])


def _unknown(n_rows: int) -> Numbers:
    return np.full(n_rows, -1, dtype=np.int32)


def _starts(columns: ReplyColumns) -> Rows:
    lengths = columns.n_triggers.astype(np.int64) + 1
    return np.asarray(np.cumsum(lengths) - lengths)


def _trigger_texts(found: _Matched, is_trigger: npt.NDArray[np.bool_], replies: Sequence[ProvenReply]) -> Callable[[int], str]:
    """The text of the shop's nth trigger."""
    rows, starts = np.flatnonzero(is_trigger), found.starts

    def text(number: int) -> str:
        reply = int(np.searchsorted(starts, rows[number], side="right")) - 1
        return replies[reply].triggers[int(rows[number] - starts[reply])]

    return text
