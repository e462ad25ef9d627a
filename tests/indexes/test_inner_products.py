"""Inner products of rows against NumPy's matrix product, and where the compiled code is kept."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexes.inner_products import inner_products


@pytest.mark.parametrize(("kind", "step"), [(np.float32, 1.0), (np.int16, 1 / 32767), (np.uint8, 1 / 255)])
def test_inner_products_are_those_of_the_rows(kind: type, step: float):
    rng = np.random.default_rng(5)
    table = (rng.uniform(0 if kind is np.uint8 else -1, 1, (60, 37)) / step).astype(kind)
    rows, vectors = np.array([59, 0, 7, 7]), rng.normal(size=(3, 37)).astype(np.float32)

    found = inner_products(table, rows, vectors, np.float32(step))

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (table[rows].astype(np.float64) * step) @ vectors.T.astype(np.float64), atol=1e-4)


def test_no_rows_give_no_products_and_a_read_only_table_is_taken():
    table, vectors = np.ones((2, 4), dtype=np.float32), np.ones((3, 4), dtype=np.float32)
    table.flags.writeable = False

    assert inner_products(table, np.empty(0, dtype=np.int64), vectors, np.float32(1)).shape == (0, 3)
    assert inner_products(table, np.array([1]), vectors, np.float32(1)).tolist() == [[4.0, 4.0, 4.0]]


LOOP = """
from indexes.compiled import compiled

@compiled
def doubled(value: float) -> float:
    return 2 * value

print(doubled(4.0))
"""


def test_a_loop_is_compiled_where_nothing_can_be_kept(tmp_path: Path):
    """Source that is no file, as in a zip or a console: there is no place beside it."""
    ran = subprocess.run([sys.executable, "-c", LOOP], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "8.0"
