"""Approximate cosine search for shops too large to look at every key: FAISS's inverted lists of product-quantised codes, and the rows at two bytes a number.

The codes (a quarter of a byte a number, read sixteen at a time) only choose what is looked at: it is ranked by those rows, so a similarity is off by
at most `ROW_ERROR`. The rows are memory-mapped: several workers share one copy.
"""

from collections.abc import Callable
from pathlib import Path

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
_BLOCK = 16_384


class ApproximateIndex:
    """Inverted lists of codes over unit vectors, with the rows at two bytes a number."""

    def __init__(self, index: faiss.IndexIVFPQFastScan, rows: npt.NDArray[np.int16]) -> None:
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
        index = _trained(vectors)
        for start in range(0, len(vectors), _BLOCK):
            index.add(np.ascontiguousarray(vectors[start : start + _BLOCK], dtype=np.float32))
        built = cls(index, _rounded(vectors))
        return built, built._look_at_as_many_lists_as(wanted, vectors, queries)

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
        if query_vectors.shape[1] != self.dimension:
            raise DimensionMismatch(expected=self.dimension, got=query_vectors.shape[1])
        if not len(query_vectors) or n_rows < 1:
            return [_NOTHING for _ in query_vectors]
        queries = np.ascontiguousarray(query_vectors, dtype=np.float32)
        _, found = self._index.search(queries, min(max(_LOOKED_AT, _OVERSAMPLED * n_rows), len(self)))
        return [self._hits(query, rows, n_rows) for query, rows in zip(queries, found, strict=True)]

    def _hits(self, query: Vectors, rows: Rows, n_rows: int) -> RowHits:
        if not np.isfinite(query).all() or not query.any():
            return _NOTHING
        rows = np.sort(rows[rows >= 0])
        similarities = self.cosines(rows, query.reshape(1, -1))[:, 0]
        order = np.argsort(-similarities, kind="stable")[:n_rows]
        return RowHits(rows[order], similarities[order])

    def _look_at_as_many_lists_as(self, wanted: float, vectors: Vectors, queries: Vectors) -> float:
        """Doubles the lists looked at until the recall is there."""
        least = _nearest_similarities(vectors, queries)
        recall, n_lists = 0.0, 1
        most = max(1, self._index.nlist // _MOST_OF_LISTS)
        while n_lists < most and recall < wanted:
            n_lists = min(most, 2 * n_lists)
            self._index.nprobe = n_lists
            recall = self._recall(queries, least, lambda rows: vectors[rows])
        return recall

    def _recall(self, queries: Vectors, least: npt.NDArray[np.float32], vectors_of: Callable[[Rows], Vectors]) -> float:
        """Share of the nearest rows that are found; a row as near as the last of them counts, for equal texts have equal vectors."""
        n_rows = min(RECALL_ROWS, len(self))
        near = [
            float((vectors_of(hits.rows) @ query >= last - 1e-6).sum()) / n_rows
            for query, last, hits in zip(queries, least, self.search(queries, n_rows=n_rows), strict=True)
            if query.any()
        ]
        return float(np.mean(near)) if near else 1.0


def _rounded(vectors: Vectors) -> npt.NDArray[np.int16]:
    rows = np.empty(vectors.shape, dtype=np.int16)
    for start in range(0, len(vectors), _BLOCK):
        rows[start : start + _BLOCK] = np.rint(np.clip(vectors[start : start + _BLOCK], -1, 1) * _STEPS)
    return rows


def _trained(vectors: Vectors) -> faiss.IndexIVFPQFastScan:
    """An index without rows, its lists found among a seeded sample."""
    n_rows, dimension = vectors.shape
    n_lists = max(1, 2 ** round(np.log2(1.6 * np.sqrt(max(1, n_rows)))))
    pairs = dimension // 2 if dimension % 2 == 0 else dimension
    index = faiss.IndexIVFPQFastScan(faiss.IndexFlatIP(dimension), dimension, n_lists, pairs, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False  # as fast-scan wants it for cosines
    index.cp.seed, index.cp.niter, index.cp.spherical = _SEED, _ROUNDS, True
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    index.pq.cp.seed = _SEED
    index.cp.max_points_per_centroid = _TRAINED_ON
    sample = np.sort(np.random.default_rng(_SEED).choice(n_rows, min(n_rows, _TRAINED_ON * n_lists), replace=False))
    index.train(np.ascontiguousarray(vectors[sample], dtype=np.float32))
    return index


def _nearest_similarities(vectors: Vectors, queries: Vectors) -> npt.NDArray[np.float32]:
    """The similarity of each query's last nearest row by looking at every row, [n_queries]."""
    n_rows = min(RECALL_ROWS, len(vectors))
    best = np.full((len(queries), n_rows), -np.inf, dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        near = np.concatenate([best, queries @ vectors[start : start + _BLOCK].astype(np.float32).T], axis=1)
        best = -np.partition(-near, n_rows - 1, axis=1)[:, :n_rows]
    return np.asarray(best.min(axis=1))


def _rows_beside(path: Path) -> Path:
    return path.with_suffix(".rows.npy")


_NOTHING = RowHits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
