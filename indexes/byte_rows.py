"""Rows of numbers between 0 and 1 at one byte each, memory-mapped: the need distributions of a large shop's keys and replies."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.errors import SnapshotIncompatible
from indexes.inner_products import inner_products
from indexes.mapping import mapped
from indexes.vector_index import Rows

Values = npt.NDArray[np.float32]
_STEPS = 255
ROUNDED = 1 / (2 * _STEPS)  # the most by which a number is off


class ByteRows:
    """[n_rows, dimension] of numbers in [0, 1], each within `ROUNDED` of what was given."""

    def __init__(self, codes: npt.NDArray[np.uint8]) -> None:
        self._codes = codes

    @classmethod
    def build(cls, values: Values) -> "ByteRows":
        """Rounds the rows."""
        codes = np.empty(values.shape, dtype=np.uint8)
        for start in range(0, len(values), 16_384):  # in pieces: no second float copy of a large table
            block = values[start : start + 16_384]
            codes[start : start + len(block)] = np.rint(np.clip(block, 0, 1) * _STEPS)
        return cls(codes)

    @classmethod
    def read(cls, path: Path) -> "ByteRows":
        """Maps what `write` wrote.

        Raises:
            SnapshotIncompatible: it holds something else.
        """
        codes = mapped(path)
        if codes.dtype != np.uint8 or codes.ndim != 2:
            raise SnapshotIncompatible(f"kind of {path.name}", expected="a table of bytes", got=f"{codes.dtype} {codes.shape}")
        return cls(codes)

    def write(self, path: Path) -> None:
        """Writes NumPy's format."""
        np.save(path, self._codes, allow_pickle=False)

    @property
    def dimension(self) -> int:
        """Width of the rows."""
        return int(self._codes.shape[1])

    def __len__(self) -> int:
        return len(self._codes)

    def vectors(self, rows: Rows | slice) -> Values:
        """Gives some of the rows, in their order."""
        return self._codes[rows] * np.float32(1 / _STEPS)

    def cosines(self, rows: Rows, vectors: Values) -> Values:
        """Gives the inner products of the rows with some vectors, [n_rows, n_vectors]."""
        return inner_products(self._codes, rows, vectors, np.float32(1 / _STEPS))
