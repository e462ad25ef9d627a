"""Exact cosine search over rows of vectors, by FAISS. Rows are positions; whoever owns the index knows what they mean."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from indexes.embedder import Vectors
from indexes.errors import DimensionMismatch, SnapshotIncompatible
from indexes.inner_products import inner_products

# One thread a search: at these sizes handing work to OpenMP's pool costs more than the search, and requests run side by side anyway.
faiss.omp_set_num_threads(1)

Rows = npt.NDArray[np.int64]
_ROUNDING = 1e-6  # FAISS's one-query and many-query paths differ by about 1e-7


@dataclass(frozen=True, slots=True)
class RowHits:
    """Rows found for one query, best first, ties by row."""

    rows: Rows
    similarities: npt.NDArray[np.float32]


class VectorIndex:
    """A flat inner-product index over unit vectors: the similarity is the cosine."""

    def __init__(self, index: faiss.IndexFlat) -> None:
        self._index = index
        self._rows = _stored(index)  # [n_rows, dimension]
        self.matrix = self._rows.view()
        self.matrix.flags.writeable = False

    @classmethod
    def build(cls, vectors: Vectors) -> "VectorIndex":
        """Indexes the rows in order; rows must be unit length or zero."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def read(cls, path: Path) -> "VectorIndex":
        """Reads what `write` wrote.

        Raises:
            SnapshotIncompatible: it is an index of another kind.
        """
        index = faiss.read_index(str(path))
        if not isinstance(index, faiss.IndexFlat):
            raise SnapshotIncompatible("kind of vector index", expected="IndexFlat", got=type(index).__name__)
        return cls(index)

    def write(self, path: Path) -> None:
        """Writes FAISS's own format."""
        faiss.write_index(self._index, str(path))

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, query_vectors: Vectors, *, n_rows: int) -> list[RowHits]:
        """Gives up to `n_rows` hits a query, fewer when the index is smaller.

        FAISS fills up with row -1 beyond its size, returns ties in any order and answers a zero query with noise:
        the first are dropped, ties are ordered by row, a zero or non-finite query has no hits.

        Raises:
            DimensionMismatch: the queries are of another width.
        """
        if query_vectors.shape[1] != self.dimension:
            raise DimensionMismatch(expected=self.dimension, got=query_vectors.shape[1])
        if len(self) == 0:
            return [_NOTHING for _ in query_vectors]
        queries = np.ascontiguousarray(query_vectors, dtype=np.float32)
        similarities, rows = self._index.search(queries, min(n_rows + 1, len(self)))  # one more shows a tie across the cut
        return [self._hits(q, r, s, n_rows) for q, r, s in zip(queries, rows, similarities, strict=True)]

    def vectors(self, rows: Rows | slice) -> Vectors:
        """Gives the stored vectors of the rows, in their order."""
        return np.asarray(self.matrix[rows])

    def cosines(self, rows: Rows, vectors: Vectors) -> Vectors:
        """Gives the inner products of the rows with some vectors, [n_rows, n_vectors]."""
        return inner_products(self._rows, rows, vectors, _ONE)

    def _hits(self, query: Vectors, rows: Rows, similarities: npt.NDArray[np.float32], n_rows: int) -> RowHits:
        if not np.isfinite(query).all() or not query.any():
            return _NOTHING
        if len(rows) > n_rows > 0 and similarities[n_rows - 1] == similarities[n_rows]:
            # FAISS kept any of the tied rows: take all of them, then cut by row.
            _, similarities, rows = self._index.range_search(query[None], float(similarities[n_rows]) - _ROUNDING)
        similarities, rows = similarities[rows >= 0], rows[rows >= 0]
        order = np.lexsort((rows, -similarities))[:n_rows]
        return RowHits(rows[order], similarities[order])


def _stored(index: faiss.IndexFlat) -> Vectors:
    """The stored vectors themselves: FAISS's own memory, alive as long as the index is."""
    if not index.ntotal:
        return np.empty((0, index.d), dtype=np.float32)
    stored = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    return np.asarray(stored, dtype=np.float32)


_ONE = np.float32(1.0)
_NOTHING = RowHits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
