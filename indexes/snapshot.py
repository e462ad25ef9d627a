"""One published state of a shop's knowledge, loaded and ready to be searched. Immutable.

A snapshot is a folder of plain files; `manifest.json` names each with its checksum, and what it was made by. Nothing in it is executable.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.adapted import EMBEDDING, NEEDS, AdaptedModels, read_models
from indexes.approximate_index import ApproximateIndex
from indexes.byte_rows import ByteRows
from indexes.cases import CaseIndex
from indexes.checksums import check_files, sha256_of
from indexes.errors import ModelUnavailable, SnapshotCorrupt, SnapshotIncompatible, SnapshotMissing
from indexes.grown import GrownRows, GrownTerms, GrownVectors
from indexes.large_lexical_index import LargeLexicalIndex
from indexes.large_shop import COLUMNS, LargeShop
from indexes.lexical_index import LexicalIndex
from indexes.passage_words import PassageWords
from indexes.record_files import read_records, write_records
from indexes.reply_columns import ReplyColumns
from indexes.reply_keys import ReplyKey, ReplyKeys
from indexes.vector_index import Rows, VectorIndex
from knowledge.records import Article, Passage, ProvenReply
from knowledge.shop import Shop

FORMAT_VERSION = 3
LARGE_FORMAT_VERSION = 5  # of shops that have a base
CONTRACT_VERSION = "1"
MANIFEST = "manifest.json"
_MODELS = "models"
_CASES = "cases"
_KEY_INDEXES = {"key_vectors": "key_vectors.faiss", "key_needs": "key_needs.faiss", "key_terms": "key_terms"}  # of a small shop


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is and what it was made by."""

    snapshot_id: str
    store_id: str
    created_at: str
    model_id: str
    dimension: int
    needs_model_id: str
    knowledge_hash: str
    counts: dict[str, int]
    files: dict[str, str]  # path within the snapshot → sha256
    adapted_from: dict[str, str] = field(default_factory=dict)  # what the shop's own models were tuned from; empty where it has none
    sequence: int = 0  # counts the shop's publications: the clock may jump; 0 where it was made before there were numbers
    fingerprint: str = ""  # of everything it was built from; the same again needs no new snapshot
    recall: float | None = None  # of the 50 nearest keys that the approximate index finds; None where every key is looked at
    format_version: int = FORMAT_VERSION
    contract_version: str = CONTRACT_VERSION

    @property
    def marks(self) -> tuple[str, ...]:
        """What a rollback remembers of it: its fingerprint, where it has one, and its knowledge hash."""
        return tuple(mark for mark in (self.fingerprint, self.knowledge_hash) if mark)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Records and indexes of one shop. Rows of `keys` are rows of the key indexes; `keys[i].reply_row` is a row of `shop.replies`."""

    manifest: Manifest
    shop: Shop
    columns: ReplyColumns  # over `shop.replies`
    keys: Sequence[ReplyKey]  # made when they are asked for
    key_vectors: VectorIndex | ApproximateIndex | GrownVectors
    key_needs: VectorIndex | ByteRows | GrownRows  # square roots of need probabilities: their inner product is the Bhattacharyya coefficient
    key_terms: LexicalIndex | LargeLexicalIndex | GrownTerms
    passage_vectors: VectorIndex
    passage_terms: LexicalIndex
    key_reply_rows: npt.NDArray[np.int64]  # [n_keys]
    key_is_trigger: npt.NDArray[np.bool_]  # [n_keys]
    reply_key_starts: npt.NDArray[np.int64]  # [n_replies], where each reply's keys begin
    reply_key_ends: npt.NDArray[np.int64]  # [n_replies], where they end
    article_passages: dict[str, tuple[int, ...]]  # article id → its rows of `shop.passages`
    scenario_replies: dict[str, Rows]  # scenario → its rows of `shop.replies`
    passage_words: Sequence[frozenset[str]]  # each passage's lexical terms, for picking the span to quote
    cases: CaseIndex  # what the shop's own chats taught
    adapted: AdaptedModels | None = None  # the shop's own models, which the index was made by; None: the ones all shops share
    reply_needs: ByteRows | GrownRows | None = None  # square roots of each reply's mean need probabilities; None where they are worked out when it is loaded
    large: LargeShop | None = None  # what the key indexes of a large shop are made of

    def reply(self, reply_id: str) -> ProvenReply | None:
        """Gives the reply of this id, or None."""
        row = self.columns.row_of(reply_id)
        return None if row is None else self.shop.replies[row]


def passage_search_text(passage: Passage, article: Article) -> str:
    """What a passage is found by: where it stands and what it says."""
    return f"{article.title} {passage.heading} {passage.text}"


def assemble(manifest: Manifest, shop: Shop, *, adapted: AdaptedModels | None = None, large: LargeShop | None = None, **indexes: Any) -> Snapshot:
    """Puts a snapshot together and checks that every index has a row for every record; those of a large shop's keys come with it.

    Raises:
        SnapshotIncompatible: an index and the records differ in number.
    """
    columns = large.columns if large else ReplyColumns.of(shop.replies)
    indexes |= large.indexes() if large else {}
    n_keys_of = columns.n_triggers.astype(np.int64) + 1
    ends = np.cumsum(n_keys_of)
    starts, key_reply_rows = ends - n_keys_of, np.repeat(np.arange(len(n_keys_of)), n_keys_of)
    is_trigger = np.ones(len(key_reply_rows), dtype=np.bool_)
    is_trigger[ends - 1] = False  # its own words come last
    keys = ReplyKeys(shop.replies, key_reply_rows, starts)
    expected = {"key_vectors": len(keys), "key_needs": len(keys), "key_terms": len(keys)}
    expected |= {"passage_vectors": len(shop.passages), "passage_terms": len(shop.passages)}
    for name, n_rows in expected.items():
        if len(indexes[name]) != n_rows:
            raise SnapshotIncompatible(f"number of rows in {name}", expected=str(n_rows), got=str(len(indexes[name])))
    return Snapshot(
        manifest=manifest,
        shop=shop,
        columns=columns,
        keys=keys,
        key_reply_rows=key_reply_rows,
        reply_key_starts=starts,
        reply_key_ends=ends,
        key_is_trigger=is_trigger,
        article_passages={article.id: () for article in shop.articles} | _rows_by(passage.article_id for passage in shop.passages),
        scenario_replies=_rows_by_number(columns.scenario, columns.scenarios),
        passage_words=PassageWords(shop.passages),
        adapted=adapted,
        large=large,
        **indexes,
    )


def _rows_by(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return {name: tuple(own) for name, own in rows.items()}


def _rows_by_number(numbers: npt.NDArray[np.int32], names: Sequence[str]) -> dict[str, Rows]:
    """The rows of each name, ascending, in the order of the names."""
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=len(names)))
    return dict(zip(names, np.split(order, ends[:-1]), strict=True)) if len(names) else {}


def write_snapshot(snapshot: Snapshot, folder: Path, *, sibling: Path | None = None, known: Mapping[str, str] | None = None) -> Manifest:
    """Writes every file, the manifest last, and gives the manifest with their checksums.

    Args:
        snapshot: what is written.
        folder: must not exist.
        sibling: the base of another snapshot that has the same, to be linked, see `LargeShop.write`.
        known: checksums that files must have by their path, such as those of a base that is copied; they are not read for it.
    """
    folder.mkdir(parents=True)
    if snapshot.large is not None:
        write_records(snapshot.shop, folder, without=("replies", "products"))
        snapshot.large.write(folder, sibling=sibling)
    else:
        write_records(snapshot.shop, folder)
        for name in _KEY_INDEXES:
            getattr(snapshot, name).write(folder / _KEY_INDEXES[name])
    snapshot.passage_vectors.write(folder / "passage_vectors.faiss")
    snapshot.passage_terms.write(folder / "passage_terms")
    snapshot.cases.write(folder / _CASES)
    if snapshot.adapted is not None:
        for name in (EMBEDDING, NEEDS):
            shutil.copytree(snapshot.adapted.folder / name, folder / _MODELS / name)
    written = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files = {name: (known or {}).get(name) or sha256_of(path) for name, path in written.items()}
    manifest = Manifest(**{**_fields(snapshot.manifest), "files": files})
    (folder / MANIFEST).write_text(json.dumps(_fields(manifest), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def read_snapshot(folder: Path, *, model_id: str, dimension: int, needs_model_id: str, unchecked: Collection[str] = ()) -> Snapshot:
    """Loads a snapshot after checking its files, with the shop's own models where it carries them.

    Args:
        folder: the snapshot's.
        model_id: of the embedding that serves; a shop's own must have been tuned from it.
        dimension: of the embedding.
        needs_model_id: of the need classifier that serves; a shop's own must have been tuned from it.
        unchecked: files that were checked a moment ago, or will be.

    Raises:
        SnapshotMissing: there is no manifest.
        SnapshotCorrupt: a file is missing or not what the manifest says.
        SnapshotIncompatible: it was made by another format, contract or model.
    """
    manifest = read_manifest(folder)
    _check_made_by(manifest, model_id=model_id, dimension=dimension, needs_model_id=needs_model_id)
    check_files(folder, {name: expected for name, expected in manifest.files.items() if name not in unchecked})
    try:
        return _read(manifest, folder)
    except (OSError, ValueError, KeyError, RuntimeError):  # such as a table that is too short, or a folder that went away
        check_files(folder, manifest.files)
        raise


def _read(manifest: Manifest, folder: Path) -> Snapshot:
    large = LargeShop.read(folder) if LargeShop.stands_at(folder) else None
    return assemble(
        manifest,
        read_records(folder, **({"replies": large.replies, "products": large.products} if large else {})),
        adapted=_read_adapted(manifest, folder / _MODELS),
        large=large,
        **({} if large else _read_key_indexes(folder)),
        passage_vectors=VectorIndex.read(folder / "passage_vectors.faiss"),
        passage_terms=LexicalIndex.read(folder / "passage_terms"),
        cases=CaseIndex.read(folder / _CASES),
    )


def _read_key_indexes(folder: Path) -> dict[str, Any]:
    """The indexes of a small shop's keys."""
    paths = {name: folder / path for name, path in _KEY_INDEXES.items()}
    return {
        "key_vectors": VectorIndex.read(paths["key_vectors"]),
        "key_needs": VectorIndex.read(paths["key_needs"]),
        "key_terms": LexicalIndex.read(paths["key_terms"]),
    }


def read_manifest(folder: Path) -> Manifest:
    """Gives the manifest of a snapshot folder.

    Raises:
        SnapshotMissing: there is none.
        SnapshotCorrupt: it cannot be read.
        SnapshotIncompatible: it is of another format.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise SnapshotMissing(folder)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        format_version = int(fields["format_version"])
        files = fields.get("files", {})
        expected = LARGE_FORMAT_VERSION if {f"{COLUMNS}/tables.json", "key_terms/vocabulary.json"} & files.keys() else FORMAT_VERSION
        if format_version != expected:
            raise SnapshotIncompatible("format", expected=str(expected), got=str(format_version))
        return Manifest(**fields)
    except FileNotFoundError as error:  # set aside just now by another reader
        raise SnapshotMissing(folder) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotCorrupt(path, expected="a manifest in JSON", got=type(error).__name__) from error


def _check_made_by(manifest: Manifest, *, model_id: str, dimension: int, needs_model_id: str) -> None:
    if manifest.contract_version != CONTRACT_VERSION:
        raise SnapshotIncompatible("contract", expected=CONTRACT_VERSION, got=manifest.contract_version)
    for name, own, serving in ((EMBEDDING, manifest.model_id, model_id), (NEEDS, manifest.needs_model_id, needs_model_id)):
        made_by = manifest.adapted_from.get(name, own)
        if made_by != serving:
            raise SnapshotIncompatible("model" if name == EMBEDDING else "needs model", expected=serving, got=made_by)
    if manifest.dimension != dimension:
        raise SnapshotIncompatible("dimension", expected=str(dimension), got=str(manifest.dimension))


def _read_adapted(manifest: Manifest, folder: Path) -> AdaptedModels | None:
    if not manifest.adapted_from:
        return None
    expected = {EMBEDDING: manifest.model_id, NEEDS: manifest.needs_model_id}
    try:
        models = read_models(folder, base=manifest.adapted_from)
    except ModelUnavailable as error:
        raise SnapshotCorrupt(folder, expected=str(expected), got=error.reason) from error
    if models.ids != expected:
        raise SnapshotCorrupt(folder, expected=str(expected), got=str(models.ids))
    return models


def _fields(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}
