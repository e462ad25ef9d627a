"""Spans of positions, joined."""

import numpy as np

from indexes.spans import joined


def test_joined_spans_equal_a_loop_over_them():
    rng = np.random.default_rng(3)
    for n in (0, 1, 7, 40):
        starts, lengths = rng.integers(0, 100, n), rng.integers(0, 6, n)

        assert joined(starts, lengths).tolist() == [place for start, length in zip(starts, lengths, strict=True) for place in range(start, start + length)]
