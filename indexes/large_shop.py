"""A large shop's part of a snapshot (D67): a base written once and shared by the snapshots after it, what came later, and the order in which both stand.

`base/` and `recent/` have the same files; `columns/` says which of their rows the shop has, and where. `products/` has the catalogue.
"""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.approximate_index import ApproximateIndex, Asked
from indexes.byte_rows import ByteRows
from indexes.errors import SnapshotIncompatible
from indexes.grown import Arrangement, GrownRows, GrownTerms, GrownVectors
from indexes.large_lexical_index import LargeLexicalIndex, Statistics
from indexes.mapping import mapped
from indexes.recipe import reading_recipe
from indexes.reply_columns import REPLY_ARRAYS, ReplyColumns
from indexes.stored_products import StoredProducts
from indexes.stored_replies import Digests, ReplyLines, StoredReplies
from knowledge.rows import ROW_DIGEST_BYTES

BASE, RECENT, COLUMNS, PRODUCTS = "base", "recent", "columns", "products"
TABLES, PROVEN_ROWS = "tables.json", "proven_rows.npy"
_VECTORS, _NEEDS, _REPLY_NEEDS, _TERMS = "vectors.faiss", "needs.npy", "reply_needs.npy", "terms"
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are stored together: of keys and of replies."""

    vectors: ApproximateIndex  # of keys
    needs: ByteRows  # of keys
    terms: LargeLexicalIndex  # of keys
    reply_needs: ByteRows
    lines: ReplyLines  # of replies
    folder: Path | None = None  # where it lies already

    @classmethod
    def read(cls, folder: Path) -> "Part":
        """Maps what `write` wrote."""
        return cls(
            ApproximateIndex.read(folder / _VECTORS), ByteRows.read(folder / _NEEDS), LargeLexicalIndex.read(folder / _TERMS),
            ByteRows.read(folder / _REPLY_NEEDS), ReplyLines.read(folder), folder,
        )  # fmt: skip

    def write(self, folder: Path) -> None:
        """Writes every file."""
        folder.mkdir(parents=True, exist_ok=True)
        self.vectors.write(folder / _VECTORS)
        self.needs.write(folder / _NEEDS)
        self.terms.write(folder / _TERMS)
        self.reply_needs.write(folder / _REPLY_NEEDS)
        self.lines.write(folder)


@dataclass(frozen=True, slots=True)
class LargeShop:
    """The keys and replies of a large shop. `recent` is there once the shop has changed since its base was built."""

    base: Part
    recent: Part | None
    columns: ReplyColumns
    digests: Digests
    key_slots: Numbers  # [n_keys], where each key is stored: in the base, or behind it
    reply_slots: Numbers  # [n_replies]
    asked: Asked  # of the base's rows
    statistics: Statistics  # of the keys that stand
    made_by: str  # recipe and models of the stored rows
    products: StoredProducts
    proven_rows: frozenset[bytes] = frozenset()  # digests of the rows of the shop's table that were found right; written, not read back with the rest

    @property
    def replies(self) -> StoredReplies:
        """The replies, read when they are asked for."""
        parts = [self.base, *([self.recent] if self.recent else [])]
        return StoredReplies([part.lines for part in parts], self.reply_slots, self.digests, self.columns.ids)

    @property
    def keys_arranged(self) -> Arrangement:
        """Where the keys are stored."""
        return Arrangement.of(self.key_slots, n_base=len(self.base.needs), n_recent=len(self.recent.needs) if self.recent else 0)

    def indexes(self) -> dict[str, Any]:
        """Gives what `assemble` wants of the keys and replies."""
        if self.recent is None:
            base = self.base
            return {"key_vectors": base.vectors, "key_needs": base.needs, "key_terms": base.terms, "reply_needs": base.reply_needs}
        keys, base, recent = self.keys_arranged, self.base, self.recent
        replies = Arrangement.of(self.reply_slots, n_base=len(base.lines), n_recent=len(recent.lines))
        return {
            "key_vectors": GrownVectors(base.vectors, recent.vectors, keys),
            "key_needs": GrownRows(base.needs, recent.needs, keys),
            "key_terms": GrownTerms(base.terms, recent.terms, keys, self.statistics),
            "reply_needs": GrownRows(base.reply_needs, recent.reply_needs, replies),
        }

    def write(self, folder: Path, *, sibling: Path | None = None) -> None:
        """Writes every file; of a base that lies somewhere already, links or copies.

        Args:
            folder: the snapshot's.
            sibling: a base with the same content, in another snapshot than the one that this shop grew from: its files are linked. Without one
                the base is copied, so that no two snapshots in a row share a file that a disk may damage.
        """
        if self.base.folder is None:
            self.base.write(folder / BASE)
            self.asked.write(folder / BASE)
        elif sibling is not None:
            shutil.copytree(sibling, folder / BASE, copy_function=_linked_or_copied)
        else:
            shutil.copytree(self.base.folder, folder / BASE)
        if self.recent is not None:
            self.recent.write(folder / RECENT)
        self._write_columns(folder / COLUMNS)
        self.products.write(folder / PRODUCTS)

    def _write_columns(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self.columns, name) for name in REPLY_ARRAYS}
        arrays |= {"digests": self.digests, "key_slots": self.key_slots, "reply_slots": self.reply_slots, "found": self.statistics.found}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        proven = np.frombuffer(b"".join(sorted(self.proven_rows)), dtype=np.uint8).reshape(-1, ROW_DIGEST_BYTES)
        np.save(folder / PROVEN_ROWS, proven, allow_pickle=False)
        tables = {
            "scenarios": self.columns.scenarios, "articles": self.columns.articles, "made_by": self.made_by, "read_by": reading_recipe(),
            "mean_length": self.statistics.mean_length, "conditions": self.columns.conditions, "product_lists": self.columns.product_lists,
        }  # fmt: skip
        (folder / TABLES).write_text(json.dumps(tables, ensure_ascii=False) + "\n", encoding="utf-8")

    @staticmethod
    def stands_at(folder: Path) -> bool:
        """Whether a snapshot's folder has one."""
        return (folder / COLUMNS).is_dir()

    @classmethod
    def read(cls, folder: Path) -> "LargeShop":
        """Maps what `write` wrote.

        Raises:
            SnapshotIncompatible: parts and columns differ in number.
        """
        own = folder / COLUMNS
        tables = json.loads((own / TABLES).read_text(encoding="utf-8"))
        arrays = {name: mapped(own / f"{name}.npy") for name in (*REPLY_ARRAYS, "digests", "key_slots", "reply_slots", "found")}
        columns = ReplyColumns(
            **{name: arrays[name] for name in REPLY_ARRAYS},
            conditions=tuple(tables["conditions"]), product_lists=tuple(map(tuple, tables["product_lists"])),
            scenarios=tuple(tables["scenarios"]), articles=tuple(tables["articles"]),
        )  # fmt: skip
        large = cls(
            base=Part.read(folder / BASE),
            recent=Part.read(folder / RECENT) if (folder / RECENT).is_dir() else None,
            columns=columns,
            digests=arrays["digests"],
            key_slots=arrays["key_slots"],
            reply_slots=arrays["reply_slots"],
            asked=Asked.read(folder / BASE),
            statistics=Statistics(len(arrays["key_slots"]), float(tables["mean_length"]), arrays["found"]),
            made_by=tables["made_by"],
            products=StoredProducts.read(folder / PRODUCTS),
        )
        n_keys = int(columns.n_triggers.sum()) + len(columns)
        for name, length, expected in (("keys", len(large.key_slots), n_keys), ("replies", len(large.reply_slots), len(columns))):
            if length != expected:
                raise SnapshotIncompatible(f"number of {name}", expected=str(expected), got=str(length))
        return large

    def lying_in(self, folder: Path) -> "LargeShop":
        """Gives the same with its parts where a snapshot's folder has them."""
        return replace(self, base=replace(self.base, folder=folder / BASE))


def _linked_or_copied(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
    return target
