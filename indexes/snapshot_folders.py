"""Where a shop's published snapshots lie, in what order they were made, and which is live. No snapshot is opened here.

`<index dir>/<store>/CURRENT` names the live snapshot; `snapshots/<id>/` holds each; what starts with `.` there was never live or is no more.
Snapshots are ordered by the number in their manifests, not by the clock, which may jump.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from indexes.errors import IndexBusy, SnapshotMissing
from indexes.history import write_durably
from indexes.snapshot import MANIFEST

CURRENT = "CURRENT"
SNAPSHOTS = "snapshots"
UNKNOWN = -1  # the number of a snapshot whose manifest cannot be read
_POINTER_LOCK = ".pointer.lock"
_POINTER_WAIT_S = 30.0


def point_to(store_dir: Path, snapshot_id: str) -> None:
    """Makes a snapshot of the shop the live one.

    Raises:
        SnapshotMissing: there is no such snapshot.
    """
    if not (store_dir / SNAPSHOTS / snapshot_id / MANIFEST).exists():
        raise SnapshotMissing(store_dir / SNAPSHOTS / snapshot_id)
    write_durably(store_dir / CURRENT, snapshot_id + "\n")


def pointed_to(store_dir: Path) -> str:
    """Gives the live snapshot's id; empty where nothing was published or the pointer names nothing that could be a snapshot."""
    try:
        name = (store_dir / CURRENT).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""
    return "" if name.startswith(".") or not name.isprintable() or Path(name).name != name else name


def current_folder(store_dir: Path) -> Path:
    """Gives the folder of the live snapshot.

    Raises:
        SnapshotMissing: nothing was published.
    """
    live = pointed_to(store_dir)
    if not live:
        raise SnapshotMissing(store_dir)
    return store_dir / SNAPSHOTS / live


def snapshot_ids(store_dir: Path) -> list[str]:
    """Gives the ids of the shop's snapshots, oldest first by their numbers; those made before there were numbers by id."""
    folder = store_dir / SNAPSHOTS
    found = [path.parent for path in folder.glob(f"[!.]*/{MANIFEST}")] if folder.exists() else []
    return [one.name for one in sorted(found, key=age_key)]


def store_dirs(index_dir: Path) -> list[Path]:
    """Gives the folders below `index_dir` that hold a published shop, by name."""
    return sorted(path.parent for path in index_dir.glob(f"*/{CURRENT}"))


def age_key(folder: Path) -> tuple[int, str]:
    """Gives what snapshots are ordered by."""
    return sequence_of(folder), folder.name


def sequence_of(folder: Path) -> int:
    """Gives the number in a snapshot's manifest: 0 for one made before there were numbers, `UNKNOWN` where it cannot be read."""
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return int(fields.get("sequence", 0)) if fields["snapshot_id"] else UNKNOWN
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return UNKNOWN


def counts_of(folder: Path) -> dict[str, int]:
    """Gives the numbers of records in a snapshot's manifest, whatever its format; none where it cannot be read."""
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): int(number) for name, number in fields["counts"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


@contextmanager
def pointer(store_dir: Path) -> Iterator[None]:
    """Holds the pointer for the milliseconds of a change. The kernel frees it when a process dies.

    Raises:
        IndexBusy: another process has held it for long.
    """
    lock = FileLock(store_dir / _POINTER_LOCK, timeout=_POINTER_WAIT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(store_dir, f"another process has held {_POINTER_LOCK} for {_POINTER_WAIT_S:.0f} s") from error
    try:
        yield
    finally:
        lock.release()
