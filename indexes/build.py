"""From a checked shop to a snapshot in memory: embed, index, and prove that it finds what it holds."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from indexes.adapted import AdaptedModels
from indexes.cases import Case, CaseIndex
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder, Vectors
from indexes.errors import SnapshotRefused
from indexes.lexical_index import LexicalIndex
from indexes.snapshot import Manifest, Snapshot, assemble, passage_search_text, reply_keys
from indexes.vector_index import VectorIndex
from knowledge.shop import Shop

Progress = Callable[[str, int, int], None]  # stage, done, of how many
_BATCH = 512
# Each reply must be found among the first 50 by its own trigger (many replies of a scenario may share one);
# below this share something is broken, not merely worse.
CANARY_FLOOR = 0.97
_CANARY_ROWS = 50


def build_snapshot(
    shop: Shop,
    *,
    embedder: Embedder,
    needs: TextClassifier,
    now: datetime,
    cases: Sequence[Case] = (),
    adapted: AdaptedModels | None = None,
    on_progress: Progress | None = None,
) -> Snapshot:
    """Gives the snapshot of the shop's approved replies and all its articles. Drafts and blocked replies do not enter it at all.

    Args:
        shop: what is indexed.
        embedder: the embedding all shops share.
        needs: the need classifier all shops share.
        now: goes into the id.
        cases: what the shop's own chats taught.
        adapted: the shop's own models, used in the place of the shared ones.
        on_progress: hears (stage, done, of how many).
    """
    if adapted is not None:
        embedder, needs = adapted.embedder, adapted.needs
    shop = replace(shop, replies=tuple(reply for reply in shop.replies if reply.status == "approved"))
    keys = [key.text for key in reply_keys(shop.replies)]
    articles = {article.id: article for article in shop.articles}
    passages = [passage_search_text(passage, articles[passage.article_id]) for passage in shop.passages]
    tell = on_progress or (lambda _stage, _done, _total: None)
    manifest = _manifest(shop, embedder, needs, now, adapted, n_keys=len(keys), n_cases=len(cases))
    return assemble(
        manifest,
        shop,
        adapted=adapted,
        key_vectors=VectorIndex.build(_embed(keys, embedder, "replies", tell)),
        key_needs=VectorIndex.build(_needs(keys, needs, tell)),
        key_terms=LexicalIndex.build(keys),
        passage_vectors=VectorIndex.build(_embed(passages, embedder, "passages", tell)),
        passage_terms=LexicalIndex.build(passages),
        cases=CaseIndex.build(cases, [reply.id for reply in shop.replies], embedder),
    )


def _manifest(shop: Shop, embedder: Embedder, needs: TextClassifier, now: datetime, adapted: AdaptedModels | None, *, n_keys: int, n_cases: int) -> Manifest:
    knowledge_hash = _knowledge_hash(shop)
    return Manifest(
        snapshot_id=f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{knowledge_hash[:8]}",
        store_id=shop.store.id,
        created_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        model_id=embedder.model_id,
        dimension=embedder.dimension,
        needs_model_id=needs.model_id,
        knowledge_hash=knowledge_hash,
        counts=_counts(shop, n_keys=n_keys, n_cases=n_cases),
        files={},
        adapted_from=dict(adapted.base) if adapted else {},
    )


def _counts(shop: Shop, *, n_keys: int, n_cases: int) -> dict[str, int]:
    tables = {"articles": shop.articles, "passages": shop.passages, "replies": shop.replies}
    return {name: len(rows) for name, rows in tables.items()} | {"keys": n_keys, "products": len(shop.products), "cases": n_cases}


def check_findable(snapshot: Snapshot, embedder: Embedder) -> None:
    """Proves that replies are found by their own triggers and articles by their titles, by the shop's own embedding where it has one.

    Raises:
        SnapshotRefused: fewer than `CANARY_FLOOR` are, with the ids that are not.
    """
    embedder = snapshot.adapted.embedder if snapshot.adapted else embedder
    lost = _lost_replies(snapshot, embedder) + _lost_articles(snapshot, embedder)
    n_canaries = int(snapshot.key_is_trigger.sum()) + len(snapshot.shop.articles)
    if n_canaries and 1 - len(lost) / n_canaries < CANARY_FLOOR:
        raise SnapshotRefused([f"{len(lost)} of {n_canaries} are not found by their own words, such as {', '.join(lost[:5])}"])


def _embed(texts: Sequence[str], embedder: Embedder, stage: str, tell: Progress) -> Vectors:
    blocks = [np.empty((0, embedder.dimension), dtype=np.float32)]
    for start in range(0, len(texts), _BATCH):
        blocks.append(embedder.encode_document(texts[start : start + _BATCH]))
        tell(stage, min(start + _BATCH, len(texts)), len(texts))
    return np.concatenate(blocks)


def _needs(texts: Sequence[str], needs: TextClassifier, tell: Progress) -> Vectors:
    blocks = [np.empty((0, len(needs.labels)), dtype=np.float32)]
    for start in range(0, len(texts), _BATCH):
        blocks.append(np.sqrt(needs.probabilities(texts[start : start + _BATCH])))
        tell("needs", min(start + _BATCH, len(texts)), len(texts))
    return np.concatenate(blocks)


def _knowledge_hash(shop: Shop) -> str:
    """The same for the same words, whatever order the files came in."""
    digest = hashlib.sha256(shop.store.model_dump_json().encode())
    for table in (shop.articles, shop.replies, shop.products):
        for record in table:
            digest.update(record.model_dump_json().encode())
    return digest.hexdigest()


def _lost_replies(snapshot: Snapshot, embedder: Embedder) -> list[str]:
    rows = np.flatnonzero(snapshot.key_is_trigger)
    texts = [snapshot.keys[row].text for row in rows]
    lost = []
    for start in range(0, len(texts), _BATCH):
        found = snapshot.key_vectors.search(embedder.encode_query(texts[start : start + _BATCH]), n_rows=_CANARY_ROWS)
        for row, hits in zip(rows[start : start + _BATCH], found, strict=True):
            reply_row = snapshot.keys[row].reply_row
            lexical = snapshot.key_terms.search(snapshot.keys[row].text, n_rows=_CANARY_ROWS) if reply_row not in snapshot.key_reply_rows[hits.rows] else None
            if lexical is not None and reply_row not in snapshot.key_reply_rows[lexical.rows]:
                lost.append(snapshot.shop.replies[reply_row].id)
    return lost


def _lost_articles(snapshot: Snapshot, embedder: Embedder) -> list[str]:
    lost = []
    passages = snapshot.shop.passages
    for article in snapshot.shop.articles:
        dense = snapshot.passage_vectors.search(embedder.encode_query([article.title]), n_rows=_CANARY_ROWS)[0].rows
        lexical = snapshot.passage_terms.search(article.title, n_rows=_CANARY_ROWS).rows
        if not any(passages[row].article_id == article.id for row in [*dense, *lexical]):
            lost.append(article.id)
    return lost
