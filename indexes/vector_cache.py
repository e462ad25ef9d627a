"""Vectors that are kept from one reindex to the next, by what made them and the text's hash: unchanged text is never embedded twice.

Files are NumPy's own format without pickle, `<kind>-<made by>-<sha256 of the content>.npy`: one that is not what its name says is thrown away and its
texts are embedded again. A cache knows texts, not ids: the same text under two ids has one vector here and two rows in the index.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.embedder import Embedder, Vectors
from indexes.recipe import embedding_recipe

CACHE = "vectors"
BLOCK = 512  # texts computed at once
_MAX_FILES = 8
_WASTE = 1.5  # rows kept for each row that the last run used
_KEY_BYTES = 16
Compute = Callable[[Sequence[str]], Vectors]
Keys = npt.NDArray[np.bytes_]  # S16, a text's digest
Tell = Callable[[int, int], None]  # done, of how many


class _Kind:
    """Everything kept of one kind made by one model."""

    def __init__(self, prefix: str, width: int) -> None:
        self.prefix = prefix
        self.rows = np.dtype([("key", f"S{_KEY_BYTES}"), ("vector", "<f4", (width,))])
        self.files: list[Path] = []
        self.kept: list[npt.NDArray[Any]] = []  # as on disk, each ordered by key
        self.added: list[npt.NDArray[Any]] = []
        self.used: list[Keys] = []


class VectorCache:
    """The vectors of one shop. Without a folder nothing is kept, and equal texts are still computed once.

    Args:
        folder: where vectors are kept from run to run.
        reuse: whether what is kept there is used; else all is computed anew and takes its place.
    """

    def __init__(self, folder: Path | None = None, *, reuse: bool = True) -> None:
        self._folder, self._reuse = folder, reuse
        self._kinds: dict[str, _Kind] = {}
        self.counts: dict[str, dict[str, int]] = {}  # kind → texts asked for, and how many of them were computed
        self.damaged: list[str] = []  # files that were not what their names said

    def vectors(self, texts: Sequence[str], *, kind: str, made_by: str, width: int, compute: Compute, tell: Tell | None = None) -> Vectors:
        """Gives the vectors of the texts in order, computing only those not kept, each once, in blocks.

        Args:
            texts: any, repeats allowed.
            kind: a word for the file's name.
            made_by: ids of the models; another one has other vectors.
            width: of the vectors.
            compute: texts to float32[n_texts, width]; must give a text the same vector whatever stands beside it.
            tell: hears how many are done, of how many.
        """
        store = self._store(kind, made_by, width)
        keys = np.array([_digest(text) for text in texts], dtype=f"S{_KEY_BYTES}")
        unique, first, back = np.unique(keys, return_index=True, return_inverse=True)
        found = np.empty((len(texts), width), dtype=np.float32)  # each unique text's vector at its first place: a large shop has no room for two tables
        missing = self._fill(found, unique, store, first)
        order = missing[np.argsort(first[missing])]  # as they came
        done = len(texts) - len(order)
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            found[first[block]] = compute([texts[row] for row in first[block]])
            if tell is not None:
                tell(done + min(start + BLOCK, len(order)), len(texts))
        if tell is not None and not len(order):
            tell(len(texts), len(texts))
        if len(missing):
            added = np.empty(len(missing), dtype=store.rows)
            added["key"], added["vector"] = unique[missing], found[first[missing]]
            store.added.append(added)
        store.used.append(unique)
        counts = self.counts.setdefault(kind, {"texts": 0, "computed": 0})
        counts["texts"] += len(texts)
        counts["computed"] += len(missing)
        said_first = first[back.reshape(-1)]
        again = np.flatnonzero(said_first != np.arange(len(texts)))
        found[again] = found[said_first[again]]
        return found

    def keep(self) -> None:
        """Writes what was computed, so that no later run computes it again, whatever becomes of this one.

        Raises:
            OSError: the disk is full or forbids writing; what was kept before is whole.
        """
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for store in self._kinds.values():
            if store.added:
                added = np.concatenate(store.added)
                self._write(store, added[np.argsort(added["key"])])
                store.added = []

    def forget_unused(self) -> None:
        """Forgets what the texts of this run no longer need: damaged files, other models' vectors, and unused ones when they are many.

        For after a publish: a run that was refused must not cost what the live snapshot still uses.

        Raises:
            OSError: the disk is full or forbids writing; what was kept before is whole.
        """
        if self._folder is None or not self._folder.exists():
            return
        for store in self._kinds.values():
            used = np.unique(np.concatenate(store.used))
            if sum(map(len, store.kept)) > _WASTE * len(used) or len(store.files) > _MAX_FILES:
                whole = np.zeros(len(used), dtype=store.rows)
                whole["key"] = used
                vectors = np.zeros((len(used), *store.rows["vector"].shape), dtype=np.float32)
                self._fill(vectors, used, store, np.arange(len(used)))
                whole["vector"] = vectors
                store.files, store.kept = [], []
                self._write(store, whole)
        wanted = {path for store in self._kinds.values() for path in store.files}
        for path in self._folder.iterdir():
            if path not in wanted:
                path.unlink()

    def _store(self, kind: str, made_by: str, width: int) -> _Kind:
        prefix = f"{kind}-{hashlib.sha256(f'{made_by}/{width}/{embedding_recipe()}'.encode()).hexdigest()[:12]}"
        if prefix not in self._kinds:
            self._kinds[prefix] = self._opened(_Kind(prefix, width))
        return self._kinds[prefix]

    def _opened(self, store: _Kind) -> _Kind:
        for path in sorted(self._folder.glob(f"{store.prefix}-*.npy")) if self._folder is not None and self._reuse else []:
            rows = _checked(path, store.rows)
            if rows is None:
                self.damaged.append(path.name)
            else:
                store.files.append(path)
                store.kept.append(rows)
        return store

    def _fill(self, found: Vectors, keys: Keys, store: _Kind, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Writes the vectors that are kept, each key's at its place, and gives the rows of the keys that are not."""
        missing = np.arange(len(keys))
        for rows in [*store.kept, *store.added]:
            if not len(missing) or not len(rows):
                continue
            at = np.minimum(np.searchsorted(rows["key"], keys[missing]), len(rows) - 1)
            hit = rows["key"][at] == keys[missing]
            found[places[missing[hit]]] = rows["vector"][at[hit]]
            missing = missing[~hit]
        return missing

    def _write(self, store: _Kind, rows: npt.NDArray[Any]) -> None:
        folder = self._folder or Path()
        fresh = folder / f".{store.prefix}.new"
        with fresh.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        path = folder / f"{store.prefix}-{_sha256(fresh)}.npy"
        fresh.replace(path)
        store.files.append(path)
        store.kept.append(rows)


class CachedEmbedder:
    """An embedder whose texts to be searched go through a cache."""

    def __init__(self, embedder: Embedder, cache: VectorCache) -> None:
        self.model_id, self.dimension, self.quick = embedder.model_id, embedder.dimension, embedder.quick
        self._embedder, self._cache = embedder, cache

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Gives the embedder's own."""
        return self._embedder.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Gives kept vectors, and the embedder's own for texts that are new."""
        return self.embed(texts)

    def embed(self, texts: Sequence[str], tell: Tell | None = None) -> Vectors:
        """The same, saying how far it is."""
        compute = self._embedder.encode_document
        return self._cache.vectors(texts, kind="embedding", made_by=self.model_id, width=self.dimension, compute=compute, tell=tell)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def _checked(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any] | None:
    """Gives the rows of a file, mapped, or None when it is not what its name says."""
    if not path.stem.endswith(f"-{_sha256(path)}"):
        return None
    try:
        rows: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    return rows if rows.dtype == dtype and rows.ndim == 1 else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
