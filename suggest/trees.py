"""A gradient-boosted ensemble of small trees, read without the library that fitted it.

LightGBM fits it (see `fitting`); reading it here needs neither it nor OpenMP on the serving machine. Every test of every tree is made at once
and the leaf that is left is looked up, as QuickScorer does (Lucchese et al. 2015, doi:10.1145/2766462.2767733).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled

MOST_LEAVES = 16
_ALL = np.uint16(0xFFFF)
_BYTE = 8
# The position of the lowest bit that is set: the leftmost leaf still standing.
_LOWEST = np.array([0, *((mask & -mask).bit_length() - 1 for mask in range(1, 1 << MOST_LEAVES))], dtype=np.uint8)

Arrays = dict[str, npt.NDArray[Any]]


class TreeEnsemble:
    """The sum of trees' leaf values. A test `signal <= threshold` leads left.

    All tests on one signal, sorted by threshold, fail up to some place for a value: which leaves that leaves standing in every tree is worked out once
    for each place, so a row of signals costs one lookup a signal.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Reads `arrays_of`'s result."""
        tree, test = np.nonzero(arrays["mask"] != _ALL)
        feature, threshold, mask = (arrays[name][tree, test] for name in ("feature", "threshold", "mask"))
        self._signals = np.unique(feature).astype(np.int64)
        thresholds: list[npt.NDArray[np.float32]] = []  # of each signal, ascending
        standing: list[npt.NDArray[Any]] = []
        small = arrays["mask"].shape[1] < _BYTE  # seven tests, so eight leaves at most: one byte a tree
        for signal in self._signals.tolist():
            places = np.unique(threshold[feature == signal]).astype(np.float32)
            thresholds.append(places)
            standing.append(_standing(places, tree[feature == signal], threshold[feature == signal], mask[feature == signal], len(arrays["leaves"])))
        self._thresholds = np.concatenate([np.empty(0, dtype=np.float32), *thresholds])
        self._ends = np.cumsum([len(one) for one in thresholds], dtype=np.int64)  # where each signal's thresholds end
        # [n_places, n_trees] of all signals, one after the other: leaves still possible in each tree. A signal has one place more than it has thresholds.
        self._standing = np.concatenate([np.empty((0, len(arrays["leaves"])), dtype=np.uint16), *standing]).astype(np.uint8 if small else np.uint16)
        self._leaves = arrays["leaves"].astype(np.float32)  # [n_trees, MOST_LEAVES]

    def scores(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Gives the ensemble's sum for each row of [n_rows, n_signals]."""
        return _sums(np.ascontiguousarray(values), self._signals, self._thresholds, self._ends, self._standing, self._leaves, _LOWEST)


@compiled
def _sums(
    values: npt.NDArray[np.float32],
    signals: npt.NDArray[np.int64],
    thresholds: npt.NDArray[np.float32],
    ends: npt.NDArray[np.int64],
    standing: npt.NDArray[Any],
    leaves: npt.NDArray[np.float32],
    lowest: npt.NDArray[np.uint8],
) -> npt.NDArray[np.float32]:
    """The sum of the leaves that are left, [n_rows]."""
    sums = np.empty(len(values), dtype=np.float32)
    left = np.empty(len(leaves), dtype=standing.dtype)
    for row in range(len(values)):
        left[:] = _ALL
        for number in range(len(signals)):
            value, failed, end = values[row, signals[number]], (ends[number - 1] if number else 0), ends[number]
            while failed < end:  # halving: the first threshold that the value does not exceed
                middle = (failed + end) >> 1
                failed, end = (middle + 1, end) if thresholds[middle] < value else (failed, middle)
            still = standing[failed + number]
            for tree in range(len(left)):
                left[tree] &= still[tree]
        total = 0.0
        for tree in range(len(leaves)):
            total += leaves[tree, lowest[left[tree]]]
        sums[row] = total
    return sums


def _standing(
    places: npt.NDArray[np.float32], tree: npt.NDArray[Any], threshold: npt.NDArray[Any], mask: npt.NDArray[Any], n_trees: int
) -> npt.NDArray[np.uint16]:
    """Leaves that one signal's failed tests leave, [len(places) + 1, n_trees]: row i when the first i places are below the value."""
    rows = np.full((len(places) + 1, n_trees), _ALL, dtype=np.uint16)
    np.bitwise_and.at(rows, (np.searchsorted(places, threshold) + 1, tree), mask)
    return np.asarray(np.bitwise_and.accumulate(rows, axis=0), dtype=np.uint16)


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
