"""One published state of a shop's knowledge, loaded and ready to be searched. Immutable.

A snapshot is a folder of plain files; `manifest.json` names each with its checksum, and what it was made by. Nothing in it is executable.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from indexes.adapted import EMBEDDING, NEEDS, AdaptedModels, read_models
from indexes.approximate_index import ApproximateIndex
from indexes.byte_rows import ByteRows
from indexes.cases import CaseIndex
from indexes.errors import ModelUnavailable, SnapshotCorrupt, SnapshotIncompatible, SnapshotMissing
from indexes.large_lexical_index import LargeLexicalIndex
from indexes.lexical_index import LexicalIndex, lexical_terms
from indexes.reply_columns import ReplyColumns
from indexes.reply_keys import ReplyKey, ReplyKeys
from indexes.vector_index import Rows, VectorIndex
from knowledge.records import Article, Passage, Product, ProvenReply, SampleConversation, SampleOrder, Store
from knowledge.shop import Shop

FORMAT_VERSION = 3
CONTRACT_VERSION = "1"
MANIFEST = "manifest.json"
_MODELS = "models"
_CASES = "cases"
_KEY_VECTORS, _KEY_NEEDS = "key_vectors.faiss", "key_needs.faiss"
_KEY_NEEDS_OF_LARGE, _REPLY_NEEDS = "key_needs.npy", "reply_needs.npy"


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
    key_vectors: VectorIndex | ApproximateIndex
    key_needs: VectorIndex | ByteRows  # square roots of need probabilities: their inner product is the Bhattacharyya coefficient
    key_terms: LexicalIndex | LargeLexicalIndex
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
    reply_needs: ByteRows | None = None  # square roots of each reply's mean need probabilities; None where they are worked out when it is loaded

    def reply(self, reply_id: str) -> ProvenReply | None:
        """Gives the reply of this id, or None."""
        row = self.columns.row_of(reply_id)
        return None if row is None else self.shop.replies[row]


class PassageWords(Sequence[frozenset[str]]):
    """Each passage's lexical terms, found when they are asked for and kept: a large shop has thousands of passages, and most are never quoted."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._found: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._passages)

    @overload
    def __getitem__(self, row: int) -> frozenset[str]: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[frozenset[str]]: ...

    def __getitem__(self, row: int | slice) -> frozenset[str] | Sequence[frozenset[str]]:
        if isinstance(row, slice):
            return tuple(self[one] for one in range(*row.indices(len(self))))
        words = self._found.get(row)
        if words is None:
            words = self._found[row] = frozenset(lexical_terms(self._passages[row].text))
        return words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def passage_search_text(passage: Passage, article: Article) -> str:
    """What a passage is found by: where it stands and what it says."""
    return f"{article.title} {passage.heading} {passage.text}"


def assemble(manifest: Manifest, shop: Shop, *, adapted: AdaptedModels | None = None, columns: ReplyColumns | None = None, **indexes: Any) -> Snapshot:
    """Puts a snapshot together and checks that every index has a row for every record.

    Raises:
        SnapshotIncompatible: an index and the records differ in number.
    """
    columns = columns or ReplyColumns.of(shop.replies)
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


def write_snapshot(snapshot: Snapshot, folder: Path) -> Manifest:
    """Writes every file, the manifest last, and gives the manifest with their checksums."""
    folder.mkdir(parents=True)
    _write_records(snapshot.shop, folder)
    snapshot.key_vectors.write(folder / _KEY_VECTORS)
    snapshot.key_needs.write(folder / (_KEY_NEEDS if isinstance(snapshot.key_needs, VectorIndex) else _KEY_NEEDS_OF_LARGE))
    if snapshot.reply_needs is not None:
        snapshot.reply_needs.write(folder / _REPLY_NEEDS)
    snapshot.key_terms.write(folder / "key_terms")
    snapshot.passage_vectors.write(folder / "passage_vectors.faiss")
    snapshot.passage_terms.write(folder / "passage_terms")
    snapshot.cases.write(folder / _CASES)
    if snapshot.adapted is not None:
        for name in (EMBEDDING, NEEDS):
            shutil.copytree(snapshot.adapted.folder / name, folder / _MODELS / name)
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = Manifest(**{**_fields(snapshot.manifest), "files": files})
    (folder / MANIFEST).write_text(json.dumps(_fields(manifest), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def read_snapshot(folder: Path, *, model_id: str, dimension: int, needs_model_id: str) -> Snapshot:
    """Loads a snapshot after checking every file of it, with the shop's own models where it carries them.

    Args:
        folder: the snapshot's.
        model_id: of the embedding that serves; a shop's own must have been tuned from it.
        dimension: of the embedding.
        needs_model_id: of the need classifier that serves; a shop's own must have been tuned from it.

    Raises:
        SnapshotMissing: there is no manifest.
        SnapshotCorrupt: a file is missing or not what the manifest says.
        SnapshotIncompatible: it was made by another format, contract or model.
    """
    manifest = read_manifest(folder)
    _check_made_by(manifest, model_id=model_id, dimension=dimension, needs_model_id=needs_model_id)
    for name, expected in manifest.files.items():
        path = folder / name
        got = sha256_of(path) if path.is_file() else "no such file"
        if got != expected:
            raise SnapshotCorrupt(path, expected=expected, got=got)
    return assemble(
        manifest,
        _read_records(folder),
        adapted=_read_adapted(manifest, folder / _MODELS),
        **_read_key_indexes(folder),
        passage_vectors=VectorIndex.read(folder / "passage_vectors.faiss"),
        passage_terms=LexicalIndex.read(folder / "passage_terms"),
        cases=CaseIndex.read(folder / _CASES),
    )


def _read_key_indexes(folder: Path) -> dict[str, Any]:
    """The indexes of the keys, of a small shop's kind or a large one's."""
    vectors, terms, reply_needs = folder / _KEY_VECTORS, folder / "key_terms", folder / _REPLY_NEEDS
    large_needs = folder / _KEY_NEEDS_OF_LARGE
    return {
        "key_vectors": ApproximateIndex.read(vectors) if ApproximateIndex.stands_at(vectors) else VectorIndex.read(vectors),
        "key_needs": ByteRows.read(large_needs) if large_needs.exists() else VectorIndex.read(folder / _KEY_NEEDS),
        "key_terms": LargeLexicalIndex.read(terms) if LargeLexicalIndex.stands_at(terms) else LexicalIndex.read(terms),
        "reply_needs": ByteRows.read(reply_needs) if reply_needs.exists() else None,
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
        if format_version != FORMAT_VERSION:
            raise SnapshotIncompatible("format", expected=str(FORMAT_VERSION), got=str(format_version))
        return Manifest(**fields)
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotCorrupt(path, expected="a manifest in JSON", got=type(error).__name__) from error


def sha256_of(path: Path) -> str:
    """Gives the file's checksum in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


_TABLES: tuple[tuple[str, type[Any]], ...] = (
    ("articles", Article), ("passages", Passage), ("replies", ProvenReply), ("products", Product),
    ("sample_orders", SampleOrder), ("sample_conversations", SampleConversation),
)  # fmt: skip


def _write_records(shop: Shop, folder: Path) -> None:
    (folder / "store.json").write_text(shop.store.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
    for name, _ in _TABLES:
        lines = "".join(record.model_dump_json(by_alias=True, exclude_defaults=True) + "\n" for record in getattr(shop, name))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def _read_records(folder: Path) -> Shop:
    tables = {
        name: tuple(model.model_validate_json(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n") if line)
        for name, model in _TABLES
    }
    return Shop(store=Store.model_validate_json((folder / "store.json").read_text(encoding="utf-8")), **tables)
