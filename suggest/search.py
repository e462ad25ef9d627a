"""Finding any article or reply by a few words (P20): the agent's own search, apart from suggestions."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, Field

from indexes.embedder import Embedder
from indexes.snapshot import Snapshot
from indexes.vector_index import Rows, VectorIndex
from knowledge.products import fits_products
from knowledge.records import Article, ProvenReply
from knowledge.templates import literal_words
from suggest.contract import EvidencePassage
from suggest.passages import quote, telling_terms

_HALF = 12.0  # BM25 score that counts as .5
_LEXICAL = 0.6
_LOOKED_AT = 600  # keys of each channel in a large shop


class FoundReply(BaseModel):
    """A reply as it is written, templates unfilled, for reading."""

    reply_id: str
    scenario: str
    words: str
    products: list[str]
    effective_from: date | None = None
    effective_to: date | None = None
    effective_basis: Literal["now", "paid_at"] = "now"


class SearchResult(BaseModel):
    """One article passage or one reply."""

    kind: Literal["article", "reply"]
    rank: int
    in_force: bool = Field(default=True, description="Whether it may be told to a customer today; only `all_dates` brings what may not")
    passage: EvidencePassage | None = None
    reply: FoundReply | None = None


class SearchResponse(BaseModel):
    """Best first; articles and replies in one list."""

    snapshot_id: str
    results: list[SearchResult]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for: words, and which texts may be found.

    Attributes:
        text: a few words.
        today: the day in the shop's timezone.
        all_dates: also what is not in force today, after all that is.
    """

    text: str
    today: date
    kind: Literal["article", "reply"] | None = None
    scenario: str | None = None
    product: str | None = None
    all_dates: bool = False


def day_of(moment: datetime, snapshot: Snapshot) -> date:
    """Gives the day in the shop's timezone."""
    return moment.astimezone(ZoneInfo(snapshot.shop.store.timezone)).date()


def may_be_told(record: Article | ProvenReply, today: date) -> bool:
    """Whether the text holds today. A promise tied to the day of payment, once begun, goes on holding for the orders paid in its time."""
    if isinstance(record, ProvenReply) and record.effective_basis == "paid_at":
        return record.effective_from is None or record.effective_from <= today
    return record.in_force(today)


def search(snapshot: Snapshot, embedder: Embedder, wanted: Wanted, *, limit: int = 10) -> SearchResponse:
    """Gives up to `limit` articles and replies: those in force by nearness to the words, then the others where they are wanted; ties by id."""
    vectors = embedder.encode_query([wanted.text])
    found: list[tuple[float, str, SearchResult]] = []
    if wanted.kind in (None, "article"):
        found += _articles(snapshot, vectors, wanted)
    if wanted.kind in (None, "reply"):
        found += _replies(snapshot, vectors, wanted)
    found.sort(key=lambda one: (not one[2].in_force, -one[0], one[1]))
    results = [result.model_copy(update={"rank": rank}) for rank, (_, _, result) in enumerate(found[:limit], start=1)]
    return SearchResponse(snapshot_id=snapshot.manifest.snapshot_id, results=results)


def _nearness(index_vectors: np.ndarray, query: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    return np.asarray(index_vectors @ query[0] + _LEXICAL * lexical / (lexical + _HALF))


def _articles(snapshot: Snapshot, vectors: np.ndarray, wanted: Wanted) -> list[tuple[float, str, SearchResult]]:
    passages = snapshot.shop.passages
    if not passages:
        return []
    near = _nearness(snapshot.passage_vectors.vectors(np.arange(len(passages))), vectors, snapshot.passage_terms.scores(wanted.text))
    about, category = telling_terms(wanted.text), _category_of(snapshot, wanted.product)
    found = []
    for article in snapshot.shop.articles:
        rows, holds = snapshot.article_passages[article.id], may_be_told(article, wanted.today)
        if not rows or (wanted.scenario and wanted.scenario not in article.scenarios) or not _is_wanted(wanted, category, article.products, holds):
            continue
        best = max(rows, key=lambda row: (near[row], -row))
        result = SearchResult(kind="article", rank=1, in_force=holds, passage=quote(passages[best], article, about))
        found.append((float(near[best]), article.id, result))
    return found


def _replies(snapshot: Snapshot, vectors: np.ndarray, wanted: Wanted) -> list[tuple[float, str, SearchResult]]:
    if not snapshot.keys:
        return []
    replies, category = snapshot.shop.replies, _category_of(snapshot, wanted.product)
    rows = _keys_looked_at(snapshot, vectors, wanted.text)
    near = _nearness(snapshot.key_vectors.vectors(rows), vectors, snapshot.key_terms.scores_of(wanted.text, rows))
    reply_rows, places = np.unique(snapshot.key_reply_rows[rows], return_inverse=True)
    best = np.full(len(reply_rows), -np.inf)
    np.maximum.at(best, places, near)
    found = []
    for score, reply in zip(best, (replies[row] for row in reply_rows.tolist()), strict=True):
        holds = may_be_told(reply, wanted.today)
        if (wanted.scenario and wanted.scenario != reply.scenario) or not _is_wanted(wanted, category, reply.products, holds):
            continue
        found.append((float(score), reply.id, SearchResult(kind="reply", rank=1, in_force=holds, reply=_as_written(reply))))
    return found


def _keys_looked_at(snapshot: Snapshot, vectors: np.ndarray, text: str) -> Rows:
    """Every key of a small shop; of a large one the nearest by vectors and by terms, so that a narrow filter may find nothing there."""
    if isinstance(snapshot.key_vectors, VectorIndex):
        return np.arange(len(snapshot.keys))
    [dense] = snapshot.key_vectors.search(vectors, n_rows=_LOOKED_AT)
    return np.union1d(dense.rows, snapshot.key_terms.search(text, n_rows=_LOOKED_AT).rows)


def _as_written(reply: ProvenReply) -> FoundReply:
    words = "".join(literal_words(source) for source in reply.templates().values())
    return FoundReply(
        reply_id=reply.id, scenario=reply.scenario, words=words, products=list(reply.products),
        effective_from=reply.effective_from, effective_to=reply.effective_to, effective_basis=reply.effective_basis,
    )  # fmt: skip


def _is_wanted(wanted: Wanted, category: str, products: tuple[str, ...], holds: bool) -> bool:
    covers = not wanted.product or fits_products(products, wanted.product, category)
    return covers and (holds or wanted.all_dates)


def _category_of(snapshot: Snapshot, product: str | None) -> str:
    """The category of the SKU asked for; what is no SKU of the shop is taken for a category itself."""
    products, wanted = snapshot.shop.products, product or ""
    row = bisect_left(products, wanted, key=lambda one: one.sku)
    return products[row].category if row < len(products) and products[row].sku == wanted else wanted
