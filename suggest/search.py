"""Finding any article or reply by a few words (P20): the agent's own search, apart from suggestions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, Field

from indexes.embedder import Embedder
from indexes.snapshot import Snapshot
from knowledge.products import fits_products
from knowledge.records import Article, ProvenReply
from knowledge.templates import literal_words
from suggest.contract import EvidencePassage
from suggest.passages import quote, telling_terms

_HALF = 12.0  # BM25 score that counts as .5
_LEXICAL = 0.6


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
    about = telling_terms(wanted.text)
    found = []
    for article in snapshot.shop.articles:
        rows, holds = snapshot.article_passages[article.id], may_be_told(article, wanted.today)
        if not rows or (wanted.scenario and wanted.scenario not in article.scenarios) or not _is_wanted(snapshot, wanted, article.products, holds):
            continue
        best = max(rows, key=lambda row: (near[row], -row))
        result = SearchResult(kind="article", rank=1, in_force=holds, passage=quote(passages[best], article, about))
        found.append((float(near[best]), article.id, result))
    return found


def _replies(snapshot: Snapshot, vectors: np.ndarray, wanted: Wanted) -> list[tuple[float, str, SearchResult]]:
    if not snapshot.keys:
        return []
    near = _nearness(snapshot.key_vectors.vectors(np.arange(len(snapshot.keys))), vectors, snapshot.key_terms.scores(wanted.text))
    best = np.full(len(snapshot.shop.replies), -np.inf)
    np.maximum.at(best, snapshot.key_reply_rows, near)
    found = []
    for score, reply in zip(best, snapshot.shop.replies, strict=True):
        holds = may_be_told(reply, wanted.today)
        if (wanted.scenario and wanted.scenario != reply.scenario) or not _is_wanted(snapshot, wanted, reply.products, holds):
            continue
        found.append((float(score), reply.id, SearchResult(kind="reply", rank=1, in_force=holds, reply=_as_written(reply))))
    return found


def _as_written(reply: ProvenReply) -> FoundReply:
    words = "".join(literal_words(source) for source in reply.templates().values())
    return FoundReply(
        reply_id=reply.id, scenario=reply.scenario, words=words, products=list(reply.products),
        effective_from=reply.effective_from, effective_to=reply.effective_to, effective_basis=reply.effective_basis,
    )  # fmt: skip


def _is_wanted(snapshot: Snapshot, wanted: Wanted, products: tuple[str, ...], holds: bool) -> bool:
    return (holds or wanted.all_dates) and _covers(snapshot, products, wanted.product)


def _covers(snapshot: Snapshot, wanted: tuple[str, ...], product: str | None) -> bool:
    """Whether a text for `wanted` products covers the SKU or category asked for."""
    if not product:
        return True
    known = snapshot.shop.catalogue().by_sku(product)
    return fits_products(wanted, product, known.category if known else product)
