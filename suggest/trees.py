"""A gradient-boosted ensemble of small trees, read with NumPy alone.

LightGBM fits it (see `fitting`); reading it here needs no compiled library and no OpenMP on the serving machine. Every test of every tree is made at once
and the leaf that is left is looked up, as QuickScorer does (Lucchese et al. 2015, doi:10.1145/2766462.2767733).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_LEAVES = 16
_ALL = np.uint16(0xFFFF)
# The position of the lowest bit that is set: the leftmost leaf still standing.
_LOWEST = np.array([0, *((mask & -mask).bit_length() - 1 for mask in range(1, 1 << MOST_LEAVES))], dtype=np.uint8)

Arrays = dict[str, npt.NDArray[Any]]


class TreeEnsemble:
    """The sum of trees' leaf values. A test `signal <= threshold` leads left."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Reads `arrays_of`'s result."""
        self._feature = arrays["feature"].astype(np.int64)  # [n_trees, n_tests]
        self._threshold = arrays["threshold"].astype(np.float32)  # [n_trees, n_tests]
        self._mask = arrays["mask"].astype(np.uint16)  # [n_trees, n_tests], leaves still possible when the test fails
        self._leaves = arrays["leaves"].astype(np.float32)  # [n_trees, MOST_LEAVES]
        self._tree = np.arange(len(self._leaves))

    def scores(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Gives the ensemble's sum for each row of [n_rows, n_signals]."""
        if not len(values):
            return np.empty(0, dtype=np.float32)
        columns = np.ascontiguousarray(values.T)  # whole columns are compared at once: several times faster than row by row
        standing = np.full((len(self._leaves), len(values)), _ALL, dtype=np.uint16)  # [n_trees, n_rows]
        for test in range(self._feature.shape[1]):
            failed = columns[self._feature[:, test]] > self._threshold[:, test, None]
            standing &= np.where(failed, self._mask[:, test, None], _ALL)
        return np.asarray(self._leaves[self._tree[:, None], _LOWEST[standing]].sum(axis=0, dtype=np.float32), dtype=np.float32)


def arrays_of(model: Mapping[str, Any]) -> Arrays:
    """Gives a LightGBM model (its `dump_model()`) as arrays.

    Raises:
        ValueError: a tree has more than `MOST_LEAVES` leaves, a test other than `<=`, or one that knows missing values.
    """
    trees = [one["tree_structure"] for one in model["tree_info"]]
    n_tests = MOST_LEAVES - 1
    arrays: Arrays = {
        "feature": np.zeros((len(trees), n_tests), dtype=np.int16),
        "threshold": np.full((len(trees), n_tests), np.inf, dtype=np.float32),
        "mask": np.full((len(trees), n_tests), _ALL, dtype=np.uint16),
        "leaves": np.zeros((len(trees), MOST_LEAVES), dtype=np.float32),
    }
    for row, tree in enumerate(trees):
        tests: list[tuple[int, float, int]] = []
        leaves: list[float] = []
        _walk(tree, tests, leaves)
        if len(leaves) > MOST_LEAVES:
            raise ValueError(f"tree {row} has {len(leaves)} leaves; expected at most {MOST_LEAVES}")
        for column, (feature, threshold, mask) in enumerate(tests):
            arrays["feature"][row, column], arrays["threshold"][row, column], arrays["mask"][row, column] = feature, _down(threshold), mask
        arrays["leaves"][row, : len(leaves)] = leaves
    used = max((int((arrays["mask"][row] != _ALL).sum()) for row in range(len(trees))), default=0)
    return {name: (values if name == "leaves" else values[:, : max(used, 1)].copy()) for name, values in arrays.items()}


def _walk(node: Mapping[str, Any], tests: list[tuple[int, float, int]], leaves: list[float]) -> None:
    """Adds the node's tests and leaves, leaves from left to right: a failed test rules out the leaves on its left."""
    if "leaf_value" in node and "left_child" not in node:
        leaves.append(float(node["leaf_value"]))
        return
    if node["decision_type"] != "<=" or node.get("missing_type", "None") != "None":
        raise ValueError(f"expected tests with <= and no missing values, got {node['decision_type']!r} and {node.get('missing_type')!r}")
    first = len(leaves)
    _walk(node["left_child"], tests, leaves)
    left = sum(1 << leaf for leaf in range(first, len(leaves)))
    tests.append((int(node["split_feature"]), float(node["threshold"]), 0xFFFF & ~left))
    _walk(node["right_child"], tests, leaves)


def _down(threshold: float) -> np.float32:
    """The largest float32 that is not above: a float32 passes the one test exactly when it passes the other."""
    near = np.float32(threshold)
    return near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
