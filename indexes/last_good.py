"""What serves when the live snapshot cannot: the newest usable one before it. Damaged ones go to the quarantine."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from indexes.adapted import NEEDS, bundled_ids
from indexes.checksums import that_may_wait
from indexes.embedder import Embedder
from indexes.errors import IndexBusy, SnapshotCorrupt, SnapshotError, SnapshotMissing
from indexes.history import Event, read_history, record, rejected_ids
from indexes.quarantine import quarantine
from indexes.snapshot import Snapshot, read_manifest, read_snapshot
from indexes.snapshot_folders import CURRENT, SNAPSHOTS, UNKNOWN, age_key, point_to, pointed_to, pointer, snapshot_ids


@dataclass(frozen=True, slots=True)
class SetAside:
    """A snapshot that was passed over: why, and whether it was moved to the quarantine."""

    snapshot_id: str
    reason: str
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class LoadedSnapshot:
    """What serves, and what was passed over for it: empty when the live one is whole."""

    snapshot: Snapshot
    set_aside: tuple[SetAside, ...] = ()
    unchecked: tuple[str, ...] = ()  # files of it that are still to be checked


def load_last_good(store_dir: Path, *, embedder: Embedder, needs_model_id: str | None = None, later: bool = False) -> LoadedSnapshot:
    """Gives the live snapshot or, where it cannot be used, the newest usable one before it.

    A damaged snapshot is moved to the quarantine and the pointer follows to what is given; one of another model or format, or one that this
    process may not move, stays and is only reported. Snapshots that people rolled back from are never gone back to. Safe beside a reindex and
    other readers.

    Args:
        store_dir: the shop's folder of published indexes.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.
        later: whether the caller checks large tables while they serve: gigabytes take longer to read than to load.

    Raises:
        SnapshotError: nothing was published, or nothing of it can be used; the error is the live one's.
    """
    if not (store_dir / CURRENT).exists():
        raise SnapshotMissing(store_dir)
    live = pointed_to(store_dir)
    set_aside: list[SetAside] = []
    failure: SnapshotError | None = None
    for snapshot_id in _live_then_earlier(store_dir, live):
        folder = store_dir / SNAPSHOTS / snapshot_id
        try:
            unchecked = that_may_wait(folder, read_manifest(folder).files) if later else ()
            snapshot = read_usable(folder, embedder=embedder, needs_model_id=needs_model_id, unchecked=unchecked)
        except SnapshotError as error:
            failure = failure or error
            set_aside.append(_pass_over(store_dir, snapshot_id, error))
            continue
        if snapshot_id != live:
            _follow(store_dir, live, snapshot)
        return LoadedSnapshot(snapshot, tuple(set_aside), unchecked)
    raise failure or SnapshotMissing(store_dir)


def read_usable(folder: Path, *, embedder: Embedder, needs_model_id: str | None, unchecked: Collection[str] = ()) -> Snapshot:
    """Gives the snapshot of a folder, checked against the models that serve; the bundled need classifier's when no id is given.

    Files that are `unchecked` were checked a moment ago, or will be.

    Raises:
        SnapshotError: there is none, it is damaged, or another model made it.
    """
    needs_id = needs_model_id or bundled_ids()[NEEDS]
    return read_snapshot(folder, model_id=embedder.model_id, dimension=embedder.dimension, needs_model_id=needs_id, unchecked=unchecked)


def _live_then_earlier(store_dir: Path, live: str) -> list[str]:
    """The live id, then those before it that nobody rejected, newest first; where the live one's age is unknown, all others."""
    rejected = rejected_ids(read_history(store_dir))
    key = age_key(store_dir / SNAPSHOTS / live)
    others = [one for one in reversed(snapshot_ids(store_dir)) if one != live and one not in rejected]
    return [live, *(one for one in others if key[0] == UNKNOWN or age_key(store_dir / SNAPSHOTS / one) < key)]


def _pass_over(store_dir: Path, snapshot_id: str, error: SnapshotError) -> SetAside:
    """Quarantines a damaged snapshot; a folder without a manifest is one, a folder that is gone is not."""
    folder = store_dir / SNAPSHOTS / snapshot_id
    if not isinstance(error, SnapshotCorrupt | SnapshotMissing) or not snapshot_id or not folder.exists():
        return SetAside(snapshot_id, str(error))
    try:
        with pointer(store_dir):
            quarantine(folder, store_dir=store_dir, reason=str(error))
            record(store_dir, Event("quarantined", snapshot_id, reason=str(error)))
    except FileNotFoundError:
        return SetAside(snapshot_id, f"{error}; another process has set it aside")
    except (OSError, IndexBusy) as problem:
        return SetAside(snapshot_id, f"{error}; it could not be moved to the quarantine: {problem}")
    return SetAside(snapshot_id, str(error), quarantined=True)


def _follow(store_dir: Path, live: str, snapshot: Snapshot) -> None:
    """Moves the pointer from a live snapshot that is gone, unless somebody else has; a process that may not write leaves it."""
    manifest = snapshot.manifest
    try:
        with pointer(store_dir):
            if pointed_to(store_dir) == live and not (live and (store_dir / SNAPSHOTS / live).exists()):
                point_to(store_dir, manifest.snapshot_id)
                event = Event("rolled_back", manifest.snapshot_id, previous=live, marks=manifest.marks, reason="the live snapshot was damaged")
                record(store_dir, event)
    except (OSError, IndexBusy, SnapshotMissing):
        return
