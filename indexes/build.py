"""From a checked shop to a snapshot in memory: embed, index, and prove that it finds what it holds."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from indexes.adapted import EMBEDDING, NEEDS, AdaptedModels, bundled_ids
from indexes.cases import Case, CaseIndex
from indexes.changes import approved
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder, Vectors
from indexes.errors import SnapshotRefused
from indexes.index_recall import check_recall
from indexes.large_build import EXACT_UP_TO, Means, large_shop
from indexes.large_shop import LargeShop
from indexes.lexical_index import LexicalIndex
from indexes.recipe import building_recipe
from indexes.reply_keys import reply_keys
from indexes.snapshot import CONTRACT_VERSION, FORMAT_VERSION, LARGE_FORMAT_VERSION, Manifest, Snapshot, assemble, passage_search_text
from indexes.stored_replies import digests_of
from indexes.vector_cache import BLOCK, CachedEmbedder, Tell, VectorCache
from indexes.vector_index import Rows, VectorIndex
from knowledge.records import Article
from knowledge.shop import Shop

Progress = Callable[[str, int, int], None]  # stage, done, of how many
_BATCH = 512
# Each reply must be found among the first 50 by its own trigger (many replies of a scenario may share one);
# below this share something is broken, not merely worse.
CANARY_FLOOR = 0.97
MAX_CANARIES = 2_000
_CANARY_ROWS = 50


def build_snapshot(
    shop: Shop,
    *,
    embedder: Embedder,
    needs: TextClassifier,
    now: datetime,
    cases: Sequence[Case] = (),
    adapted: AdaptedModels | None = None,
    cache: VectorCache | None = None,
    on_progress: Progress | None = None,
    exact_up_to: int = EXACT_UP_TO,
    live: Snapshot | None = None,
) -> Snapshot:
    """Gives the snapshot of the shop's approved replies and all its articles. Drafts and blocked replies do not enter it at all.

    Args:
        shop: what is indexed.
        embedder: the embedding all shops share.
        needs: the need classifier all shops share.
        now: goes into the id.
        cases: what the shop's own chats taught.
        adapted: the shop's own models, used in the place of the shared ones.
        cache: vectors of earlier runs; with it only new or changed text is embedded, and the index is the same to the byte.
        on_progress: hears (stage, done, of how many).
        live: the live snapshot; of a large shop what did not change is taken from it.
        exact_up_to: keys up to which every key is looked at with every message; beyond, the index is approximate and its recall is measured.
    """
    embedder, needs = (embedder, needs) if adapted is None else (adapted.embedder, adapted.needs)
    shop = replace(shop, replies=approved(shop))
    passages = _passage_texts(shop)
    tell = on_progress or (lambda _stage, _done, _total: None)
    cached = CachedEmbedder(embedder, cache := cache or VectorCache())
    manifest = _manifest(shop, embedder, needs, now, adapted, cases)
    means = Means(embedder, needs, tell, cache.counts)
    large, manifest = _large(shop, manifest, means, live) if manifest.counts["keys"] > exact_up_to else (None, manifest)
    return assemble(
        manifest,
        shop,
        adapted=adapted,
        large=large,
        **(_indexed_keys(shop, cached, needs, cache, tell) if large is None else {}),
        passage_vectors=VectorIndex.build(cached.embed(passages, partial(tell, "passages"))),
        passage_terms=_passage_terms(shop, passages, large, live),
        cases=CaseIndex.build(cases, [reply.id for reply in shop.replies], cached),
    )


def _passage_texts(shop: Shop) -> list[str]:
    articles = {article.id: article for article in shop.articles}
    return [passage_search_text(passage, articles[passage.article_id]) for passage in shop.passages]


def _large(shop: Shop, manifest: Manifest, means: Means, live: Snapshot | None) -> tuple[LargeShop, Manifest]:
    """What a large shop's replies are found by, and the manifest that says how well."""
    large, recall = large_shop(shop.replies, shop.products, means, live=live.large if live else None)
    return replace(large, proven_rows=shop.proven_rows), replace(manifest, recall=recall, format_version=LARGE_FORMAT_VERSION)


def _passage_terms(shop: Shop, passages: Sequence[str], large: LargeShop | None, live: Snapshot | None) -> LexicalIndex:
    """The live snapshot's of a large shop, where the same code made it of the same words."""
    if live is not None and live.large is not None and large is not None and large.made_by == live.large.made_by:
        titles, before = ([article.title for article in one.articles] for one in (shop, live.shop))
        if titles == before and shop.passages == live.shop.passages:
            return live.passage_terms
    return LexicalIndex.build(passages)


def _indexed_keys(shop: Shop, cached: CachedEmbedder, needs: TextClassifier, cache: VectorCache, tell: Progress) -> dict[str, Any]:
    """The indexes of a small shop's keys: every one of them is looked at with every message."""
    texts = [key.text for key in reply_keys(shop.replies)]
    vectors, heard = cached.embed(texts, partial(tell, "replies")), _needs(texts, needs, cache, partial(tell, "needs"))
    return {"key_vectors": VectorIndex.build(vectors), "key_needs": VectorIndex.build(heard), "key_terms": LexicalIndex.build(texts)}


def fingerprint_of(shop: Shop, *, ids: Mapping[str, str], cases: Sequence[Case], base: Mapping[str, str]) -> tuple[str, str]:
    """Gives a digest of everything a snapshot is built from, and one of the words alone.

    Everything: the approved words, the models, the cases, our own code. The same again is the same index.

    Args:
        shop: drafts and blocked replies do not count.
        ids: of the models that index (`embedding`, `needs`).
        cases: what the shop's own chats taught.
        base: what the shop's own models were tuned from; empty where it has none.
    """
    digest = hashlib.sha256(f"{FORMAT_VERSION}/{CONTRACT_VERSION}/{building_recipe()}/{sorted(ids.items())}/{sorted(base.items())}".encode())
    knowledge_hash = _knowledge_hash(replace(shop, replies=approved(shop)))
    digest.update(knowledge_hash.encode())
    for sample in (*shop.sample_orders, *shop.sample_conversations):
        digest.update(sample.model_dump_json().encode())
    for case in cases:
        digest.update(repr((case.conversation, case.text, sorted(case.votes.items()))).encode())
    return digest.hexdigest(), knowledge_hash


def _manifest(
    shop: Shop,
    embedder: Embedder,
    needs: TextClassifier,
    now: datetime,
    adapted: AdaptedModels | None,
    cases: Sequence[Case],
) -> Manifest:
    ids = {EMBEDDING: embedder.model_id, NEEDS: needs.model_id}
    fingerprint, knowledge_hash = fingerprint_of(shop, ids=ids, cases=cases, base=adapted.base if adapted else {})
    n_keys = sum(len(reply.triggers) + 1 for reply in shop.replies)
    return Manifest(
        snapshot_id=f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{knowledge_hash[:8]}",
        store_id=shop.store.id,
        created_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        model_id=embedder.model_id,
        dimension=embedder.dimension,
        needs_model_id=needs.model_id,
        knowledge_hash=knowledge_hash,
        counts=_counts(shop, n_keys=n_keys, n_cases=len(cases)),
        files={},
        adapted_from=dict(adapted.base) if adapted else {},
        fingerprint=fingerprint,
    )


def _counts(shop: Shop, *, n_keys: int, n_cases: int) -> dict[str, int]:
    tables = {"articles": shop.articles, "passages": shop.passages, "replies": shop.replies}
    return {name: len(rows) for name, rows in tables.items()} | {"keys": n_keys, "products": len(shop.products), "cases": n_cases}


def check_findable(snapshot: Snapshot, embedder: Embedder) -> None:
    """Proves that replies are found by their own triggers and articles by their titles.

    Raises:
        SnapshotRefused: fewer than `CANARY_FLOOR` are, with the ids that are not; or an approximate index finds too little.
    """
    check_recall(snapshot.manifest.recall)
    found = findability(snapshot, embedder)
    if found.refusal:
        raise SnapshotRefused([found.refusal])


@dataclass(frozen=True, slots=True)
class Findability:
    """Of so many triggers and titles, the ids of replies and articles that their own words do not find."""

    n_asked: int
    lost: tuple[str, ...]

    @property
    def refusal(self) -> str:
        """Why such an index is not published; empty where it may be."""
        if not self.n_asked or 1 - len(self.lost) / self.n_asked >= CANARY_FLOOR:
            return ""
        return f"{len(self.lost)} of {self.n_asked} are not found by their own words, such as {', '.join(self.lost[:5])}"


def findability(snapshot: Snapshot, embedder: Embedder) -> Findability:
    """Asks the snapshot for its own triggers and titles, with the shop's own embedding where it has one; of more than `MAX_CANARIES` a seeded sample."""
    embedder = snapshot.adapted.embedder if snapshot.adapted else embedder
    triggers = _sample(np.flatnonzero(snapshot.key_is_trigger))
    articles = [snapshot.shop.articles[row] for row in _sample(np.arange(len(snapshot.shop.articles)))]
    return Findability(len(triggers) + len(articles), (*_lost_replies(snapshot, embedder, triggers), *_lost_articles(snapshot, embedder, articles)))


def _sample(rows: Rows) -> Rows:
    return rows if len(rows) <= MAX_CANARIES else np.sort(np.random.default_rng(7).choice(rows, MAX_CANARIES, replace=False))


def _needs(texts: Sequence[str], needs: TextClassifier, cache: VectorCache, tell: Tell) -> Vectors:
    """Always whole blocks: the last bits of a matrix product depend on how many rows it has, and a kept vector must be the one a rebuild would give."""

    def compute(block: Sequence[str]) -> Vectors:
        return np.sqrt(needs.probabilities([*block, *[""] * (BLOCK - len(block))])[: len(block)])

    reads = bundled_ids()[EMBEDDING]
    return cache.vectors(texts, kind="needs", made_by=f"{needs.model_id}+{reads}", width=len(needs.labels), compute=compute, tell=tell)


def _knowledge_hash(shop: Shop) -> str:
    """The same for the same words, whatever order the files came in."""
    digest = hashlib.sha256(shop.store.model_dump_json().encode())
    digest.update(digests_of(shop.replies).tobytes())
    for table in (shop.articles, shop.products):
        for record in table:
            digest.update(record.model_dump_json().encode())
    return digest.hexdigest()


def _lost_replies(snapshot: Snapshot, embedder: Embedder, rows: Rows) -> list[str]:
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


def _lost_articles(snapshot: Snapshot, embedder: Embedder, articles: Sequence[Article]) -> list[str]:
    lost = []
    passages = snapshot.shop.passages
    for article in articles:
        dense = snapshot.passage_vectors.search(embedder.encode_query([article.title]), n_rows=_CANARY_ROWS)[0].rows
        lexical = snapshot.passage_terms.search(article.title, n_rows=_CANARY_ROWS).rows
        if not any(passages[row].article_id == article.id for row in [*dense, *lexical]):
            lost.append(article.id)
    return lost
