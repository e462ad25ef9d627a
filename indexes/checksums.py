"""Whether a snapshot's files are what its manifest says: several at once, and the largest ones after the snapshot serves, if the reader looks again."""

import hashlib
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from indexes.errors import SnapshotCorrupt

# Plain tables of at least so many bytes may be looked through while they serve: what is wrong in one is a wrong number, not a wrong structure.
LARGE = 32 * 2**20
_TABLES = (".npy", ".jsonl")


def sha256_of(path: Path) -> str:
    """Gives the file's checksum in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Proves that every file is what its checksum says.

    Args:
        folder: the snapshot's.
        files: path within it → sha256.

    Raises:
        SnapshotCorrupt: one is missing or different; the first of them by name.
    """
    names = sorted(files)
    n_threads = min(4, os.cpu_count() or 1) if that_may_wait(folder, names) else 1  # for a small shop's files threads cost more than they bring
    if n_threads == 1:
        found = [_found(folder / name) for name in names]
    else:
        with ThreadPoolExecutor(max_workers=n_threads) as threads:  # hashing leaves Python's lock
            found = list(threads.map(lambda name: _found(folder / name), names))
    for name, got in zip(names, found, strict=True):
        if got != files[name]:
            raise SnapshotCorrupt(folder / name, expected=files[name], got=got)


def that_may_wait(folder: Path, names: Collection[str]) -> tuple[str, ...]:
    """Gives the files that may be checked while they serve, by name."""
    return tuple(sorted(name for name in names if name.endswith(_TABLES) and _size_of(folder / name) >= LARGE))


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _found(path: Path) -> str:
    try:
        return sha256_of(path) if path.is_file() else "no such file"
    except FileNotFoundError:  # another reader set the snapshot aside just now
        return "no such file"
