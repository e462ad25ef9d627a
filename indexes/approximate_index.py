"""Approximate cosine search for shops too large to look at every key: FAISS's inverted lists of product-quantised codes, and the rows at two bytes a number.

The codes (a quarter of a byte a number, read sixteen at a time) only choose what is looked at: it is ranked by those rows, so a similarity is off by
at most `ROW_ERROR`. The rows are memory-mapped: several workers share one copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from indexes.embedder import Vectors
from indexes.errors import DimensionMismatch, SnapshotIncompatible
from indexes.inner_products import inner_products
from indexes.mapping import mapped
from indexes.vector_index import RowHits, Rows

RECALL_ROWS = 50  # recall is of so many nearest rows
RECALL_WANTED = 0.985  # what the number of lists looked at is chosen for, above what is refused
_STEPS = 32_767  # of a number between 0 and 1; float16 takes as much room and six times as long to read without F16C
ROW_ERROR = 2.5e-4  # of a cosine, at worst: half a step for each of 256 numbers, against a unit vector
_TRAINED_ON = 64  # rows for each list
_ROUNDS = 10
_SEED = 1
_OVERSAMPLED = 3  # rows looked at for each that is wanted: the codes misplace near neighbours
_LOOKED_AT = 600  # at least so many
_MOST_OF_LISTS = 2  # at most half of the lists is looked at; beyond that they bring nothing
_FINELY = 16  # the number of lists is found to one part in so many
_BLOCK = 16_384
_REMEMBERED_ROWS = 2 * RECALL_ROWS  # of each query: what the shop loses is made good by those behind
StoredRows = npt.NDArray[np.int16]


class ApproximateIndex:
    """Inverted lists of codes over unit vectors, with the rows at two bytes a number."""

    def __init__(self, index: faiss.IndexIVFPQFastScan, rows: StoredRows) -> None:
        self._index = index
        self._rows = rows

    @classmethod
    def build(cls, vectors: Vectors, queries: Vectors, *, wanted: float = RECALL_WANTED) -> tuple["ApproximateIndex", float]:
        """Indexes the rows in order and chooses how many lists to look at; gives the index and its recall among the `RECALL_ROWS` nearest.

        The same vectors and queries give the same bytes: the clustering is seeded and FAISS runs on one thread.

        Args:
            vectors: [n_rows, dimension], of unit length or zero.
            queries: [n_queries, dimension], what will be asked, for measuring.
            wanted: the recall to choose for; the most lists are looked at where none reaches it.
        """
        built, asked = cls.of_rows(rounded(vectors), queries, wanted=wanted)
        return built, built.recall(queries, asked.least)

    @classmethod
    def of_rows(cls, rows: StoredRows, queries: Vectors, *, wanted: float = RECALL_WANTED) -> tuple["ApproximateIndex", "Asked"]:
        """As `build`, for rows that are rounded already; gives the index and what looking at every row finds for the queries."""
        index = _trained(rows)
        built = cls(index, rows)
        built._add(rows)
        asked = Asked.of(rows, queries)
        built._look_at_as_many_lists_as(wanted, queries, asked.least)
        return built, asked

    def extended(self, kept: "ApproximateIndex | None", rows: StoredRows) -> "ApproximateIndex":
        """Gives an index by this one's lists of what `kept` holds, if anything, and of more rows behind it."""
        index: Any = faiss.clone_index(self._index if kept is None else kept._index)
        if kept is None:
            index.reset()
        index.nprobe = self._index.nprobe
        grown = ApproximateIndex(index, rows if kept is None else np.concatenate([kept._rows, rows]))
        grown._add(rows)
        return grown

    @classmethod
    def read(cls, path: Path) -> "ApproximateIndex":
        """Maps what `write` wrote.

        Raises:
            SnapshotIncompatible: it is an index of another kind, or one file is not the other's.
        """
        index = faiss.read_index(str(path), faiss.IO_FLAG_READ_ONLY)
        if not isinstance(index, faiss.IndexIVFPQFastScan):
            raise SnapshotIncompatible("kind of vector index", expected="IndexIVFPQFastScan", got=type(index).__name__)
        rows = mapped(_rows_beside(path))
        if rows.shape != (index.ntotal, index.d) or rows.dtype != np.int16:
            raise SnapshotIncompatible("rows of the vector index", expected=f"int16 {(index.ntotal, index.d)}", got=f"{rows.dtype} {rows.shape}")
        return cls(index, rows)

    @staticmethod
    def stands_at(path: Path) -> bool:
        """Whether `write` wrote there, and not the exact index."""
        return _rows_beside(path).exists()

    def write(self, path: Path) -> None:
        """Writes FAISS's own format, and the rows beside it as NumPy's."""
        faiss.write_index(self._index, str(path))
        np.save(_rows_beside(path), self._rows, allow_pickle=False)

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self._index.d)

    @property
    def kind(self) -> str:
        """What it is, in FAISS's words, and how much of it is looked at."""
        return f"IVF{self._index.nlist},PQ{self._index.pq.M}x4fs,nprobe={self._index.nprobe}"

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def vectors(self, rows: Rows) -> Vectors:
        """Gives the vectors of the rows, in their order, each number within half a step of what was indexed."""
        return self._rows.take(rows, axis=0) * np.float32(1 / _STEPS)

    def cosines(self, rows: Rows, vectors: Vectors) -> Vectors:
        """Gives the inner products of the rows with some vectors, [n_rows, n_vectors]."""
        return inner_products(self._rows, rows, vectors, np.float32(1 / _STEPS))

    def search(self, query_vectors: Vectors, *, n_rows: int) -> list[RowHits]:
        """Gives up to `n_rows` hits a query, best first, ties by row; a zero or non-finite query has none.

        Raises:
            DimensionMismatch: the queries are of another width.
        """
        found = zip(query_vectors, self.candidates(query_vectors, n_rows), strict=True)
        return [best_hits(query, rows, self.cosines, n_rows) for query, rows in found]

    def candidates(self, query_vectors: Vectors, n_rows: int) -> list[Rows]:
        """Gives for each query the rows whose codes look nearest, ascending: several times as many as are wanted.

        Raises:
            DimensionMismatch: the queries are of another width.
        """
        if query_vectors.shape[1] != self.dimension:
            raise DimensionMismatch(expected=self.dimension, got=query_vectors.shape[1])
        if not len(query_vectors) or n_rows < 1 or not len(self):
            return [np.empty(0, dtype=np.int64) for _ in query_vectors]
        queries = np.ascontiguousarray(query_vectors, dtype=np.float32)
        _, found = self._index.search(queries, min(max(_LOOKED_AT, _OVERSAMPLED * n_rows), len(self)))
        return [np.sort(rows[rows >= 0]) for rows in found]

    def stored(self, rows: Rows) -> StoredRows:
        """Gives rows as they are stored."""
        return self._rows.take(rows, axis=0)

    def recall(self, queries: Vectors, least: npt.NDArray[np.float32]) -> float:
        """Gives the share of the nearest rows that are found, see `recall_of`."""
        return recall_of(self.search(queries, n_rows=min(RECALL_ROWS, len(self))), queries, least, min(RECALL_ROWS, len(self)))

    def _add(self, rows: StoredRows) -> None:
        for start in range(0, len(rows), _BLOCK):
            self._index.add(_unrounded(rows[start : start + _BLOCK]))

    def _look_at_as_many_lists_as(self, wanted: float, queries: Vectors, least: npt.NDArray[np.float32]) -> None:
        """Doubles the lists looked at until the recall is there, then halves between the last two numbers tried."""
        most = max(1, self._index.nlist // _MOST_OF_LISTS)

        def is_enough(n_lists: int) -> bool:
            self._index.nprobe = n_lists
            return self.recall(queries, least) >= wanted

        n_lists, too_few = min(2, most), 1
        while n_lists < most and not is_enough(n_lists):
            n_lists, too_few = min(most, 2 * n_lists), n_lists
        while n_lists - too_few > max(1, n_lists // _FINELY):
            between = (too_few + n_lists) // 2
            n_lists, too_few = (between, too_few) if is_enough(between) else (n_lists, between)
        self._index.nprobe = n_lists


@dataclass(frozen=True, slots=True)
class Asked:
    """What an index's recall is measured by: the queries, and for each the nearest rows by looking at every row, best first."""

    queries: Vectors  # [n_queries, dimension]
    rows: Rows  # [n_queries, up to `_REMEMBERED_ROWS`]
    similarities: npt.NDArray[np.float32]  # of the rows

    @classmethod
    def of(cls, rows: StoredRows, queries: Vectors) -> "Asked":
        """Looks at every row."""
        n_rows = min(_REMEMBERED_ROWS, len(rows))
        best = np.full((len(queries), n_rows), -np.inf, dtype=np.float32)
        places = np.zeros((len(queries), n_rows), dtype=np.int64)
        for start in range(0, len(rows), _BLOCK):
            block = queries @ _unrounded(rows[start : start + _BLOCK]).T
            near = np.concatenate([best, block], axis=1)
            here = np.concatenate([places, np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)], axis=1)
            chosen = np.argpartition(-near, n_rows - 1, axis=1)[:, :n_rows]
            best, places = np.take_along_axis(near, chosen, axis=1), np.take_along_axis(here, chosen, axis=1)
        order = np.argsort(-best, axis=1, kind="stable")
        return cls(queries, np.take_along_axis(places, order, axis=1), np.take_along_axis(best, order, axis=1))

    @classmethod
    def read(cls, folder: Path) -> "Asked":
        """Reads what `write` wrote."""
        return cls(*(np.load(folder / f"asked_{name}.npy", allow_pickle=False) for name in ("queries", "rows", "similarities")))

    def write(self, folder: Path) -> None:
        """Writes NumPy's format."""
        for name in ("queries", "rows", "similarities"):
            np.save(folder / f"asked_{name}.npy", getattr(self, name), allow_pickle=False)

    @property
    def least(self) -> npt.NDArray[np.float32]:
        """The similarity of each query's last row that must be found, [n_queries]."""
        return np.asarray(self.similarities[:, :RECALL_ROWS].min(axis=1, initial=np.inf))

    def after(self, stands: npt.NDArray[np.bool_], more: StoredRows) -> npt.NDArray[np.float32]:
        """Gives `least` after some of the rows went and others came: exact as long as enough of the remembered ones stand.

        Args:
            stands: [n_rows], of the rows that were looked at.
            more: the rows that came and stand.
        """
        kept = np.where(stands[self.rows], self.similarities, -np.inf)
        near = np.concatenate([kept, Asked.of(more, self.queries).similarities], axis=1)
        return _last_of(near, min(RECALL_ROWS, near.shape[1]))


def best_hits(query: Vectors, rows: Rows, cosines: Callable[[Rows, Vectors], Vectors], n_rows: int) -> RowHits:
    """Gives the nearest of the rows, which ascend, best first, ties by row; nothing for a zero or non-finite query."""
    if not len(rows) or not np.isfinite(query).all() or not query.any():
        return _NOTHING
    similarities = cosines(rows, query.reshape(1, -1))[:, 0]
    order = np.argsort(-similarities, kind="stable")[:n_rows]
    return RowHits(rows[order], similarities[order])


def recall_of(found: Sequence[RowHits], queries: Vectors, least: npt.NDArray[np.float32], n_rows: int) -> float:
    """Gives the share of the `n_rows` nearest that was found; a row as near as the last of them counts, for equal texts have equal vectors."""
    near = [min(1.0, float((hits.similarities >= last - 1e-6).sum()) / n_rows) for query, last, hits in zip(queries, least, found, strict=True) if query.any()]
    return float(np.mean(near)) if near else 1.0


def rounded(vectors: Vectors) -> StoredRows:
    """Gives the rows at two bytes a number, as they are stored."""
    rows = np.empty(vectors.shape, dtype=np.int16)
    for start in range(0, len(vectors), _BLOCK):
        rows[start : start + _BLOCK] = np.rint(np.clip(vectors[start : start + _BLOCK], -1, 1) * _STEPS)
    return rows


def _unrounded(rows: StoredRows) -> Vectors:
    return np.ascontiguousarray(rows * np.float32(1 / _STEPS), dtype=np.float32)


def _last_of(near: npt.NDArray[np.float32], n_rows: int) -> npt.NDArray[np.float32]:
    """The `n_rows`-th largest of each line."""
    return np.asarray(-np.partition(-near, n_rows - 1, axis=1)[:, n_rows - 1])


def _trained(rows: StoredRows) -> faiss.IndexIVFPQFastScan:
    """An index without rows, its lists found among a seeded sample."""
    n_rows, dimension = rows.shape
    n_lists = max(1, 2 ** round(np.log2(1.6 * np.sqrt(max(1, n_rows)))))
    pairs = dimension // 2 if dimension % 2 == 0 else dimension
    index = faiss.IndexIVFPQFastScan(faiss.IndexFlatIP(dimension), dimension, n_lists, pairs, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False  # as fast-scan wants it for cosines
    index.cp.seed, index.cp.niter, index.cp.spherical = _SEED, _ROUNDS, True
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    index.pq.cp.seed = _SEED
    index.cp.max_points_per_centroid = _TRAINED_ON
    sample = np.sort(np.random.default_rng(_SEED).choice(n_rows, min(n_rows, _TRAINED_ON * n_lists), replace=False))
    index.train(_unrounded(rows[sample]))
    return index


def _rows_beside(path: Path) -> Path:
    return path.with_suffix(".rows.npy")


_NOTHING = RowHits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
