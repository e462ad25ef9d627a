"""Rows that stand together: positions of several spans at once, without a loop over them."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def joined(starts: Rows, lengths: Rows) -> Rows:
    """Gives the positions `start … start + length - 1` of every span, one span after the other."""
    ends = np.cumsum(lengths)
    return np.asarray(np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0), dtype=np.int64)
