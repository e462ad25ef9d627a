"""Indexes that grew: what was built at once, the base, is never touched again, and what came later stands behind it. An arrangement says which row is where.

A night that changes one reply in a hundred writes a hundredth; what the shop has no more stays where it was stored and is passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.approximate_index import ApproximateIndex, best_hits
from indexes.byte_rows import ByteRows
from indexes.embedder import Vectors
from indexes.large_lexical_index import LargeLexicalIndex, Statistics
from indexes.lexical_index import Scores
from indexes.vector_index import RowHits, Rows

Numbers = npt.NDArray[np.int32]
Stored = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where each of a shop's rows is stored: the base's rows by their numbers there, later ones after them."""

    slots: Numbers  # [n_rows]
    rows: Numbers  # [n_slots], the row that is stored there; -1 where the shop has it no more
    n_base: int

    @classmethod
    def of(cls, slots: Numbers, *, n_base: int, n_recent: int) -> "Arrangement":
        """Gives the arrangement of rows stored in these slots."""
        rows = np.full(n_base + n_recent, -1, dtype=np.int32)
        rows[slots] = np.arange(len(slots), dtype=np.int32)
        return cls(slots, rows, n_base)

    def gathered(self, rows: Rows, of_base: Callable[[Rows], Stored], of_recent: Callable[[Rows], Stored]) -> Stored:
        """Gives what the rows hold, in their order, wherever it stands; the two are asked by rows of their own."""
        slots = self.slots[rows].astype(np.int64)
        late = slots >= self.n_base
        if not late.any():
            return of_base(slots)
        later = of_recent(slots[late] - self.n_base)
        found = np.empty((len(slots), *later.shape[1:]), dtype=later.dtype)
        found[late] = later
        found[~late] = of_base(slots[~late])
        return found

    def standing(self, of_base: Rows, of_recent: Rows) -> Rows:
        """Gives the rows of what was found in the two, ascending, without what the shop has no more."""
        rows = self.rows[np.concatenate([of_base, of_recent + self.n_base])]
        return np.sort(rows[rows >= 0]).astype(np.int64)

    @property
    def waste(self) -> float:
        """How many more rows are stored than the shop has, as a share of them."""
        return len(self.rows) / max(1, len(self.slots)) - 1


class GrownVectors:
    """Approximate search over a base and what came later, by the base's lists."""

    def __init__(self, base: ApproximateIndex, recent: ApproximateIndex, arrangement: Arrangement) -> None:
        self._base, self._recent, self._arrangement = base, recent, arrangement

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return self._base.dimension

    @property
    def kind(self) -> str:
        """What it is, and how much came later."""
        return f"{self._base.kind}+{len(self._recent)}"

    def __len__(self) -> int:
        return len(self._arrangement.slots)

    def vectors(self, rows: Rows) -> Vectors:
        """Gives the vectors of the rows, in their order."""
        return self._arrangement.gathered(rows, self._base.vectors, self._recent.vectors)

    def cosines(self, rows: Rows, vectors: Vectors) -> Vectors:
        """Gives the inner products of the rows with some vectors, [n_rows, n_vectors]."""
        return self._arrangement.gathered(rows, lambda own: self._base.cosines(own, vectors), lambda own: self._recent.cosines(own, vectors))

    def search(self, query_vectors: Vectors, *, n_rows: int) -> list[RowHits]:
        """Gives up to `n_rows` hits a query, best first, ties by row; a zero or non-finite query has none.

        Raises:
            DimensionMismatch: the queries are of another width.
        """
        wanted = round(n_rows * (1 + self._arrangement.waste))  # some of what is found is there no more
        pairs = zip(query_vectors, self._base.candidates(query_vectors, wanted), self._recent.candidates(query_vectors, n_rows), strict=True)
        return [best_hits(query, self._arrangement.standing(one, other), self.cosines, n_rows) for query, one, other in pairs]


class GrownRows:
    """Rows at one byte a number, of a base and what came later."""

    def __init__(self, base: ByteRows, recent: ByteRows, arrangement: Arrangement) -> None:
        self._base, self._recent, self._arrangement = base, recent, arrangement

    @property
    def dimension(self) -> int:
        """Width of the rows."""
        return self._base.dimension

    def __len__(self) -> int:
        return len(self._arrangement.slots)

    def vectors(self, rows: Rows | slice) -> Vectors:
        """Gives some of the rows, in their order."""
        wanted = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        return self._arrangement.gathered(wanted, self._base.vectors, self._recent.vectors)

    def cosines(self, rows: Rows, vectors: Vectors) -> Vectors:
        """Gives the inner products of the rows with some vectors, [n_rows, n_vectors]."""
        return self._arrangement.gathered(rows, lambda own: self._base.cosines(own, vectors), lambda own: self._recent.cosines(own, vectors))


class GrownTerms:
    """BM25 over a base and what came later, rarity and length counted over the rows that stand."""

    def __init__(self, base: LargeLexicalIndex, recent: LargeLexicalIndex, arrangement: Arrangement, statistics: Statistics) -> None:
        self._base, self._recent = base.weighed_by(statistics), recent.weighed_by(statistics)
        self._arrangement = arrangement

    def __len__(self) -> int:
        return len(self._arrangement.slots)

    def scores(self, text: str) -> Scores:
        """Gives the BM25 score of every row, float32[n_rows]. It reads the whole index: for measuring, not for messages."""
        return self.scores_of(text, np.arange(len(self)))

    def scores_of(self, text: str, rows: Rows) -> Scores:
        """Gives the BM25 score of some of the rows, in their order, at the cost of those rows alone."""
        return self._arrangement.gathered(rows, lambda own: self._base.scores_of(text, own), lambda own: self._recent.scores_of(text, own))

    def search(self, text: str, *, n_rows: int) -> RowHits:
        """Gives up to `n_rows` rows that share a term and may be found, best first, ties by row, of those that the terms' best rows lead to."""
        rows = self._arrangement.standing(self._base.promising(text, n_rows=n_rows), self._recent.promising(text, n_rows=n_rows))
        scores = self.scores_of(text, rows)
        best = np.argsort(-scores, kind="stable")[:n_rows]  # rows ascend: ties by row
        return RowHits(rows[best], scores[best])
