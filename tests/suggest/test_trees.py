"""Trees read with NumPy, against LightGBM's own predictions and against trees worked out by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from suggest.trees import MOST_LEAVES, TreeEnsemble, arrays_of

N_SIGNALS = 5
Values = npt.NDArray[np.float32]


def leaf(value: float) -> dict[str, Any]:
    return {"leaf_value": value}


def asked(feature: int, threshold: float, left: dict[str, Any], right: dict[str, Any], *, decision: str = "<=") -> dict[str, Any]:
    return {"split_feature": feature, "threshold": threshold, "decision_type": decision, "left_child": left, "right_child": right}


def model_of(*trees: dict[str, Any]) -> dict[str, Any]:
    return {"tree_info": [{"tree_structure": tree} for tree in trees]}


def chain(n_leaves: int) -> dict[str, Any]:
    """A tree that asks one signal after another whether it is at most 0, 1, 2, …: leaf number i for the values in (i - 1, i]."""
    tree = leaf(float(n_leaves - 1))
    for number in range(n_leaves - 2, -1, -1):
        tree = asked(0, float(number), leaf(float(number)), tree)
    return tree


def walked(model: dict[str, Any], row: Values) -> float:
    """By brute force: each tree from its root down, in double precision."""
    total = 0.0
    for one in model["tree_info"]:
        node = one["tree_structure"]
        while "left_child" in node:
            node = node["left_child"] if float(row[node["split_feature"]]) <= node["threshold"] else node["right_child"]
        total += node["leaf_value"]
    return total


def thresholds_of(node: dict[str, Any]) -> list[tuple[int, float]]:
    if "left_child" not in node:
        return []
    return [(node["split_feature"], node["threshold"]), *thresholds_of(node["left_child"]), *thresholds_of(node["right_child"])]


@pytest.fixture(scope="module", params=[8, MOST_LEAVES], ids=["8 leaves", "as many leaves as may be"])
def booster(request: pytest.FixtureRequest) -> Any:
    """A small ranker's worth of trees on signals like ours: some smooth, one coarse, one nearly always 0."""
    lightgbm = pytest.importorskip("lightgbm")
    values = made_up(600, seed=1)
    wanted = values[:, 0] * (values[:, 1] > 0) + np.sin(3 * values[:, 2]) + values[:, 3] - 2 * values[:, 4]
    told = {"objective": "regression", "num_leaves": request.param, "min_data_in_leaf": 5, "num_threads": 1, "seed": 1, "verbose": -1}
    return lightgbm.train(told, lightgbm.Dataset(values, wanted), 40)


def made_up(n: int, *, seed: int) -> Values:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, N_SIGNALS)).astype(np.float32)
    values[:, 3] = rng.integers(0, 4, size=n) / 3
    values[:, 4] = np.where(rng.random(n) < 0.9, 0.0, rng.random(n))
    return values


def test_scores_are_what_lightgbm_predicts(booster: Any):
    values = made_up(500, seed=2)

    scores = TreeEnsemble(arrays_of(booster.dump_model())).scores(values)

    assert scores.dtype == np.float32
    assert scores == pytest.approx(booster.predict(values, raw_score=True), abs=1e-5)
    assert len(set(scores.tolist())) > 100  # a constant would agree with nothing


def test_a_value_at_a_threshold_goes_where_lightgbm_sends_it(booster: Any):
    """Each threshold rounded to a float32, and the next float32 below and above it: a test rounded the wrong way would send one of them astray."""
    model = booster.dump_model()
    at = [found for one in model["tree_info"] for found in thresholds_of(one["tree_structure"])]
    rows = []
    for number, (feature, threshold) in enumerate(at):
        near = np.float32(threshold)
        for value in (np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))):
            row = made_up(1, seed=number)[0]
            row[feature] = value
            rows.append(row)
    values = np.array(rows, dtype=np.float32)

    scores = TreeEnsemble(arrays_of(model)).scores(values)

    assert len(at) > 100
    assert scores == pytest.approx(booster.predict(values, raw_score=True), abs=1e-5)
    assert scores == pytest.approx([walked(model, row) for row in values], abs=1e-5)


@pytest.mark.parametrize("way", [-1, 1], ids=["rounded down", "rounded up"])
def test_a_threshold_between_two_float32_parts_them(way: int):
    """.1 is no float32: the nearest one is above it, and of .3 too; 2 / 3's is above, 1 / 3's is above, .7's below."""
    for threshold in (0.1, 0.3, 1 / 3, 2 / 3, 0.7, -0.1, -0.7, 1e-35):
        near = np.float32(threshold)
        value = np.nextafter(near, np.float32(way * np.inf)) if (float(near) > threshold) != (way > 0) else near
        ensemble = TreeEnsemble(arrays_of(model_of(asked(0, threshold, leaf(1.0), leaf(2.0)))))

        assert (float(value) > threshold) is (way > 0)
        assert ensemble.scores(np.array([[value]], dtype=np.float32)).tolist() == [2.0 if way > 0 else 1.0]


def test_two_trees_by_hand():
    """The first: at most .5 in signal 0, then at most 1 in signal 2 decides between 10 and 20, else 30. The second: at most -1 in signal 1 is 1, else 2."""
    first = asked(0, 0.5, asked(2, 1.0, leaf(10.0), leaf(20.0)), leaf(30.0))
    second = asked(1, -1.0, leaf(1.0), leaf(2.0))
    values = np.array(
        [
            [0.0, 0.0, 0.0],  # 10 + 2
            [0.5, -1.0, 1.0],  # at every threshold: left, left, left = 10 + 1
            [0.5, -1.0, 1.5],  # 20 + 1
            [0.6, -2.0, 0.0],  # 30 + 1: what signal 2 says no longer matters
            [0.6, 5.0, 9.0],  # 30 + 2
        ],
        dtype=np.float32,
    )

    assert TreeEnsemble(arrays_of(model_of(first, second))).scores(values).tolist() == [12.0, 11.0, 21.0, 31.0, 32.0]


def test_a_tree_that_grows_to_the_right_is_read_leaf_by_leaf():
    ensemble = TreeEnsemble(arrays_of(model_of(chain(MOST_LEAVES))))
    values = np.array([[number + half] for number in range(MOST_LEAVES) for half in (-0.5, 0.0)], dtype=np.float32)

    assert ensemble.scores(values).tolist() == [float(number) for number in range(MOST_LEAVES) for _ in range(2)]


def test_a_tree_of_one_leaf_says_the_same_of_everything():
    """LightGBM makes one where it finds nothing to split by."""
    ensemble = TreeEnsemble(arrays_of(model_of(leaf(0.25), chain(2))))

    assert ensemble.scores(np.array([[-1.0], [0.0], [1.0]], dtype=np.float32)).tolist() == [0.25, 0.25, 1.25]


def test_trees_of_unlike_size_stand_side_by_side():
    model = model_of(chain(2), chain(9), leaf(-1.0), chain(5))
    values = np.arange(-2, 12, 0.25, dtype=np.float32)[:, None]

    assert TreeEnsemble(arrays_of(model)).scores(values) == pytest.approx([walked(model, row) for row in values])


def test_a_tree_of_more_leaves_than_can_be_read_is_refused():
    assert arrays_of(model_of(chain(MOST_LEAVES)))["leaves"].shape == (1, MOST_LEAVES)
    with pytest.raises(ValueError, match=rf"tree 1 has {MOST_LEAVES + 1} leaves; expected at most {MOST_LEAVES}"):
        arrays_of(model_of(chain(2), chain(MOST_LEAVES + 1)))


@pytest.mark.parametrize("decision", ["==", "<", ">"])
def test_a_test_other_than_at_most_is_refused_wherever_it_stands(decision: str):
    hidden = asked(0, 0.0, leaf(0.0), asked(1, 1.0, leaf(1.0), leaf(2.0), decision=decision))

    with pytest.raises(ValueError, match=f"expected tests with <= and no missing values, got '{decision}'"):
        arrays_of(model_of(chain(2), hidden))


def test_a_model_that_knows_missing_values_is_refused():
    unsure = asked(0, 0.0, leaf(0.0), leaf(1.0)) | {"missing_type": "NaN"}

    with pytest.raises(ValueError, match="no missing values, got '<=' and 'NaN'"):
        arrays_of(model_of(unsure))


def test_no_rows_have_no_scores():
    scores = TreeEnsemble(arrays_of(model_of(chain(3)))).scores(np.empty((0, N_SIGNALS), dtype=np.float32))

    assert (scores.shape, scores.dtype) == ((0,), np.float32)


def test_no_trees_say_nothing_of_anything():
    ensemble = TreeEnsemble(arrays_of({"tree_info": []}))

    assert ensemble.scores(np.ones((3, N_SIGNALS), dtype=np.float32)).tolist() == [0.0, 0.0, 0.0]
    assert ensemble.scores(np.empty((0, N_SIGNALS), dtype=np.float32)).shape == (0,)
