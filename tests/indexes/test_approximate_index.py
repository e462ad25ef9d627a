"""The index of a large shop against looking at every row, on real FAISS and real files."""

from pathlib import Path

import numpy as np
import pytest

from indexes.approximate_index import RECALL_ROWS, ROW_ERROR, ApproximateIndex
from indexes.embedder import unit
from indexes.errors import DimensionMismatch, SnapshotIncompatible
from indexes.vector_index import VectorIndex

DIMENSION = 32


def texts_like(n_rows: int, seed: int) -> np.ndarray:
    """Vectors in groups, as texts of a few hundred needs stand."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(60, DIMENSION))
    return unit((middles[rng.integers(0, 60, n_rows)] + 0.6 * rng.normal(size=(n_rows, DIMENSION))).astype(np.float32))


@pytest.fixture(scope="module")
def stored() -> np.ndarray:
    return texts_like(6_000, seed=1)


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    rng = np.random.default_rng(2)
    return unit(texts_like(6_000, seed=1)[:200] + 0.05 * rng.normal(size=(200, DIMENSION)).astype(np.float32))


@pytest.fixture(scope="module")
def built(stored: np.ndarray, queries: np.ndarray) -> tuple[ApproximateIndex, float]:
    return ApproximateIndex.build(stored, queries)


def nearest(stored: np.ndarray, query: np.ndarray, n_rows: int) -> set[int]:
    return set(np.argsort(-(stored @ query), kind="stable")[:n_rows].tolist())


def test_the_recall_it_states_is_what_brute_force_counts(built, stored, queries):
    index, recall = built

    every = index.search(queries, n_rows=RECALL_ROWS)
    found = [len(nearest(stored, query, RECALL_ROWS) & set(hits.rows.tolist())) for query, hits in zip(queries, every, strict=True)]
    assert recall == pytest.approx(np.mean(found) / RECALL_ROWS, abs=0.002)
    assert recall >= 0.98


def test_similarities_are_cosines_of_the_rows_given_best_first(built, stored, queries):
    index, _ = built

    for query, hits in zip(queries[:50], index.search(queries[:50], n_rows=20), strict=True):
        assert np.abs(hits.similarities - stored[hits.rows] @ query).max() <= ROW_ERROR
        assert (np.diff(hits.similarities) <= 0).all()
        assert len(set(hits.rows.tolist())) == 20


def test_it_says_the_same_as_the_exact_index_about_rows(built, stored):
    index, _ = built
    rows = np.array([5, 0, 4_321])

    np.testing.assert_allclose(index.vectors(rows), VectorIndex.build(stored).vectors(rows), atol=2**-15)
    assert (len(index), index.dimension) == (6_000, DIMENSION)


def test_equal_rows_come_in_their_order(stored, queries):
    twice = np.concatenate([stored[:500], stored[:500]])

    index, _ = ApproximateIndex.build(twice, queries)

    [hits] = index.search(stored[7:8], n_rows=2)
    assert hits.rows.tolist() == [7, 507]


def test_the_same_vectors_give_the_same_bytes(stored, queries, tmp_path: Path):
    for name in ("one", "other"):
        index, _ = ApproximateIndex.build(stored, queries)
        index.write(tmp_path / f"{name}.faiss")

    for ending in ("faiss", "rows.npy"):
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"other.{ending}").read_bytes()


def test_what_is_written_is_mapped_and_answers_the_same(built, queries, tmp_path: Path):
    index, _ = built
    index.write(tmp_path / "index.faiss")

    read = ApproximateIndex.read(tmp_path / "index.faiss")

    assert ApproximateIndex.stands_at(tmp_path / "index.faiss")
    assert isinstance(read._rows.base, np.memmap) or isinstance(read._rows.base.base, np.memmap)
    for before, after in zip(index.search(queries[:20], n_rows=30), read.search(queries[:20], n_rows=30), strict=True):
        assert (after.rows.tolist(), after.similarities.tolist()) == (before.rows.tolist(), before.similarities.tolist())


def test_an_index_of_another_kind_is_refused(stored, built, tmp_path: Path):
    built[0].write(tmp_path / "index.faiss")
    VectorIndex.build(stored).write(tmp_path / "index.faiss")

    with pytest.raises(SnapshotIncompatible, match="kind of vector index"):
        ApproximateIndex.read(tmp_path / "index.faiss")
    with pytest.raises(SnapshotIncompatible, match="kind of vector index"):
        built[0].write(tmp_path / "other.faiss")
        VectorIndex.read(tmp_path / "other.faiss")


def test_queries_that_say_nothing_have_no_hits_and_others_widths_are_refused(built):
    index, _ = built

    nothing, infinite = index.search(np.array([np.zeros(DIMENSION), np.full(DIMENSION, np.nan)], dtype=np.float32), n_rows=5)

    assert (nothing.rows.tolist(), infinite.rows.tolist()) == ([], [])
    with pytest.raises(DimensionMismatch):
        index.search(np.ones((1, 3), dtype=np.float32), n_rows=1)
