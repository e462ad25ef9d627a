from pathlib import Path

import numpy as np
import pytest

from indexes.embedder import unit
from indexes.errors import DimensionMismatch
from indexes.vector_index import VectorIndex

EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]


def vectors(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_known_vectors_give_known_rows_and_their_cosines():
    index = VectorIndex.build(vectors(EAST, NORTH, NORTH_EAST))

    [hits] = index.search(vectors(EAST), n_rows=3)

    assert hits.rows.tolist() == [0, 2, 1]
    assert hits.similarities.tolist() == pytest.approx([1.0, 0.6, 0.0], abs=1e-7)


def test_each_query_gets_its_own_hits_in_the_order_asked():
    index = VectorIndex.build(vectors(EAST, NORTH))

    found = index.search(vectors(NORTH, EAST, NORTH), n_rows=1)

    assert [hits.rows.tolist() for hits in found] == [[1], [0], [1]]


def brute_force(stored: np.ndarray, query: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    similarities = stored @ query
    order = np.lexsort((np.arange(len(stored)), -similarities))[:n_rows]
    return order, similarities[order]


@pytest.mark.parametrize("seed", range(100))
def test_search_equals_brute_force_on_random_unit_vectors(seed: int):
    rng = np.random.default_rng(seed)
    stored = unit(rng.normal(size=(rng.integers(1, 300), 32)).astype(np.float32))
    queries = unit(rng.normal(size=(rng.integers(1, 40), 32)).astype(np.float32))
    n_rows = int(rng.integers(1, 320))

    for query, hits in zip(queries, VectorIndex.build(stored).search(queries, n_rows=n_rows), strict=True):
        _, similarities = brute_force(stored, query, n_rows)
        assert hits.similarities == pytest.approx(similarities, abs=1e-6)
        assert stored[hits.rows] @ query == pytest.approx(similarities, abs=1e-6)
        assert len(set(hits.rows.tolist())) == len(hits.rows)


@pytest.mark.parametrize("seed", range(100, 200))
def test_ties_are_ordered_and_cut_by_row(seed: int):
    """Corners of a cube: every product is exact in float32 and nearly all similarities are tied, so rows must agree one by one."""
    rng = np.random.default_rng(seed)
    stored = rng.choice([-0.5, 0.5], size=(rng.integers(1, 400), 4)).astype(np.float32)
    queries = rng.choice([-0.5, 0.5], size=(rng.choice([1, 5, 30]), 4)).astype(np.float32)
    n_rows = int(rng.integers(1, 300))

    for query, hits in zip(queries, VectorIndex.build(stored).search(queries, n_rows=n_rows), strict=True):
        rows, similarities = brute_force(stored, query, n_rows)
        assert hits.rows.tolist() == rows.tolist()
        assert hits.similarities.tolist() == similarities.tolist()


def test_more_rows_never_reorder_the_head():
    rng = np.random.default_rng(7)
    index = VectorIndex.build(rng.choice([-0.5, 0.5], size=(200, 4)).astype(np.float32))
    query = vectors([0.5, 0.5, -0.5, 0.5])
    whole = index.search(query, n_rows=200)[0].rows.tolist()

    for n_rows in range(1, 200):
        assert index.search(query, n_rows=n_rows)[0].rows.tolist() == whole[:n_rows]


def test_asking_beyond_the_size_gives_every_row_and_never_minus_one():
    index = VectorIndex.build(vectors(EAST, NORTH, NORTH_EAST))

    [hits] = index.search(vectors(NORTH), n_rows=50)

    assert hits.rows.tolist() == [1, 2, 0]


def test_asking_for_no_rows_gives_none():
    [hits] = VectorIndex.build(vectors(EAST, NORTH)).search(vectors(EAST), n_rows=0)

    assert (hits.rows.tolist(), hits.similarities.tolist()) == ([], [])


@pytest.mark.parametrize("width", [1, 3])
def test_queries_of_another_width_are_refused(width: int):
    index = VectorIndex.build(vectors(EAST, NORTH))

    with pytest.raises(DimensionMismatch) as raised:
        index.search(np.ones((1, width), dtype=np.float32), n_rows=1)

    assert (raised.value.expected, raised.value.got) == (2, width)
    assert raised.value.slug == "dimension_mismatch"


@pytest.mark.parametrize("query", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [-np.inf, np.nan]], ids=["zero", "nan", "infinite", "both"])
def test_a_query_that_says_nothing_has_no_hits_and_harms_no_other(query: list[float]):
    index = VectorIndex.build(vectors(EAST, NORTH))

    nothing, something = index.search(vectors(query, NORTH), n_rows=1)

    assert nothing.rows.tolist() == []
    assert nothing.similarities.tolist() == []
    assert something.rows.tolist() == [1]


def test_an_empty_index_has_no_hits():
    index = VectorIndex.build(np.empty((0, 2), dtype=np.float32))

    found = index.search(vectors(EAST, NORTH), n_rows=5)

    assert len(index) == 0
    assert [hits.rows.tolist() for hits in found] == [[], []]


def test_no_queries_give_no_hits():
    assert VectorIndex.build(vectors(EAST)).search(np.empty((0, 2), dtype=np.float32), n_rows=5) == []


def test_stored_vectors_are_given_back_in_the_order_asked():
    index = VectorIndex.build(vectors(EAST, NORTH, NORTH_EAST))

    assert index.vectors(np.array([2, 0])).tolist() == vectors(NORTH_EAST, EAST).tolist()


@pytest.mark.parametrize("n_vectors", [0, 1, 25])
def test_what_is_written_is_read_back(tmp_path: Path, n_vectors: int):
    stored = unit(np.random.default_rng(1).normal(size=(n_vectors, 8)).astype(np.float32))
    queries = unit(np.random.default_rng(2).normal(size=(3, 8)).astype(np.float32))
    index = VectorIndex.build(stored)
    index.write(tmp_path / "index.faiss")

    read = VectorIndex.read(tmp_path / "index.faiss")

    assert (len(read), read.dimension) == (n_vectors, 8)
    assert read.vectors(np.arange(n_vectors)).tolist() == stored.tolist()
    for before, after in zip(index.search(queries, n_rows=4), read.search(queries, n_rows=4), strict=True):
        assert (after.rows.tolist(), after.similarities.tolist()) == (before.rows.tolist(), before.similarities.tolist())
