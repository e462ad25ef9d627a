"""Which rows of a large shop's table were found right by this very code: reading them again skips their proof.

The conditions and templates of a hundred thousand replies take a minute to compile, and a night changes few of them.
"""

import json
from pathlib import Path

import numpy as np

from indexes.checksums import check_files
from indexes.errors import SnapshotError
from indexes.large_shop import COLUMNS, PROVEN_ROWS, TABLES
from indexes.recipe import reading_recipe
from indexes.snapshot import read_manifest
from indexes.snapshot_folders import SNAPSHOTS, pointed_to
from knowledge.rows import ROW_DIGEST_BYTES


def proven_rows(store_dir: Path) -> frozenset[bytes]:
    """Gives the digests of the rows that the live snapshot was read from; none where it is small, damaged or was read by other code.

    Args:
        store_dir: the shop's folder of published indexes.
    """
    folder = store_dir / SNAPSHOTS / pointed_to(store_dir)
    names = [f"{COLUMNS}/{name}" for name in (PROVEN_ROWS, TABLES)]
    try:
        files = read_manifest(folder).files
        check_files(folder, {name: files[name] for name in names})
        tables = json.loads((folder / COLUMNS / TABLES).read_text(encoding="utf-8"))
        if tables["read_by"] != reading_recipe():
            return frozenset()
        digests = np.load(folder / COLUMNS / PROVEN_ROWS, allow_pickle=False).tobytes()
    except (SnapshotError, OSError, ValueError, KeyError):  # then every row is proven again
        return frozenset()
    return frozenset(digests[start : start + ROW_DIGEST_BYTES] for start in range(0, len(digests), ROW_DIGEST_BYTES))
