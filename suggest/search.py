"""Finding any article or reply by a few words (P20): the agent's own search, apart from suggestions."""

from typing import Literal

import numpy as np
from pydantic import BaseModel

from indexes.embedder import Embedder
from indexes.snapshot import Snapshot
from knowledge.products import fits_products
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


class SearchResult(BaseModel):
    """One article passage or one reply."""

    kind: Literal["article", "reply"]
    rank: int
    passage: EvidencePassage | None = None
    reply: FoundReply | None = None


class SearchResponse(BaseModel):
    """Best first; articles and replies in one list."""

    snapshot_id: str
    results: list[SearchResult]


def search(
    snapshot: Snapshot, embedder: Embedder, query: str, *, kind: str | None, scenario: str | None, product: str | None, limit: int = 10
) -> SearchResponse:
    """Gives up to `limit` articles and replies by nearness to the words, ties by id."""
    vectors = embedder.encode_query([query])
    found: list[tuple[float, str, SearchResult]] = []
    if kind in (None, "article"):
        found += _articles(snapshot, query, vectors, scenario, product)
    if kind in (None, "reply"):
        found += _replies(snapshot, query, vectors, scenario, product)
    found.sort(key=lambda one: (-one[0], one[1]))
    results = [result.model_copy(update={"rank": rank}) for rank, (_, _, result) in enumerate(found[:limit], start=1)]
    return SearchResponse(snapshot_id=snapshot.manifest.snapshot_id, results=results)


def _nearness(index_vectors: np.ndarray, query: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    return np.asarray(index_vectors @ query[0] + _LEXICAL * lexical / (lexical + _HALF))


def _articles(snapshot: Snapshot, query: str, vectors: np.ndarray, scenario: str | None, product: str | None) -> list[tuple[float, str, SearchResult]]:
    passages = snapshot.shop.passages
    if not passages:
        return []
    near = _nearness(snapshot.passage_vectors.vectors(np.arange(len(passages))), vectors, snapshot.passage_terms.scores(query))
    articles = {article.id: article for article in snapshot.shop.articles}
    best: dict[str, tuple[float, str, SearchResult]] = {}
    for row, passage in enumerate(passages):
        article = articles[passage.article_id]
        if (scenario and scenario not in article.scenarios) or not _covers(snapshot, article.products, product):
            continue
        if article.id not in best or near[row] > best[article.id][0]:
            best[article.id] = (float(near[row]), article.id, SearchResult(kind="article", rank=1, passage=quote(passage, article, telling_terms([query]))))
    return list(best.values())


def _replies(snapshot: Snapshot, query: str, vectors: np.ndarray, scenario: str | None, product: str | None) -> list[tuple[float, str, SearchResult]]:
    if not snapshot.keys:
        return []
    near = _nearness(snapshot.key_vectors.vectors(np.arange(len(snapshot.keys))), vectors, snapshot.key_terms.scores(query))
    best = np.full(len(snapshot.shop.replies), -np.inf)
    np.maximum.at(best, snapshot.key_reply_rows, near)
    found = []
    for score, reply in zip(best, snapshot.shop.replies, strict=True):
        if (scenario and scenario != reply.scenario) or not _covers(snapshot, reply.products, product):
            continue
        words = "".join(literal_words(source) for source in reply.templates().values())
        found.append(
            (
                float(score),
                reply.id,
                SearchResult(kind="reply", rank=1, reply=FoundReply(reply_id=reply.id, scenario=reply.scenario, words=words, products=list(reply.products))),
            )
        )
    return found


def _covers(snapshot: Snapshot, wanted: tuple[str, ...], product: str | None) -> bool:
    """Whether a text for `wanted` products covers the SKU or category asked for."""
    if not product:
        return True
    known = snapshot.shop.catalogue().by_sku(product)
    return fits_products(wanted, product, known.category if known else product)
