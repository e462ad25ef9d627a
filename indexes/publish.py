"""Publishing: build beside, check, rename, then move the pointer. A crash at any line leaves the old snapshot live. Also the way to the live one."""

import dataclasses
import itertools
import logging
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from safetensors import SafetensorError

from indexes.embedder import Embedder
from indexes.errors import SnapshotUnwritable
from indexes.history import Event, read_history, record, sync
from indexes.kept_base import KeptBase, base_for, lay_by
from indexes.last_good import LoadedSnapshot, SetAside, load_last_good, read_usable
from indexes.quarantine import QUARANTINE, forget_oldest, quarantine
from indexes.snapshot import Manifest, Snapshot, write_snapshot
from indexes.snapshot_folders import CURRENT, SNAPSHOTS, UNKNOWN, current_folder, point_to, pointed_to, pointer, sequence_of, snapshot_ids, store_dirs

__all__ = [
    "CURRENT",
    "KEPT",
    "SNAPSHOTS",
    "LoadedSnapshot",
    "SetAside",
    "clean",
    "current_folder",
    "load_current",
    "load_last_good",
    "point_to",
    "publish",
    "snapshot_ids",
    "store_dirs",
]
KEPT = 5
_log = logging.getLogger("huashu.publish")
OnStep = Callable[[str], None]


def publish(
    snapshot: Snapshot,
    store_dir: Path,
    *,
    embedder: Embedder,
    needs_model_id: str | None = None,
    reason: str = "",
    on_step: OnStep | None = None,
) -> Manifest:
    """Writes, loads back, renames and makes live; gives the manifest as written, with its number and an id that no other snapshot has.

    Args:
        snapshot: what is published.
        store_dir: the shop's folder of published indexes.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.
        reason: why it was published in spite of its checks, for the history.
        on_step: hears each step after it was taken.

    Raises:
        SnapshotCorrupt: what was written cannot be read back; the live snapshot is unchanged.
        SnapshotUnwritable: it could not be written, such as on a full disk; the live snapshot is unchanged.
        IndexBusy: another process holds the pointer.
    """
    step = on_step or (lambda _name: None)
    snapshots = store_dir / SNAPSHOTS
    snapshots.mkdir(parents=True, exist_ok=True)
    clean(store_dir)
    snapshot = _numbered(snapshot, store_dir)
    manifest = _placed(snapshot, snapshots, embedder, needs_model_id, step)
    with pointer(store_dir):
        previous = pointed_to(store_dir)
        point_to(store_dir, manifest.snapshot_id)
        step("pointed")
        _afterwards(lambda: record(store_dir, Event("published", manifest.snapshot_id, previous=previous, marks=manifest.marks, reason=reason)))
        step("recorded")
        _afterwards(lambda: _forget_old(store_dir))
        _afterwards(lambda: _told(forget_oldest(store_dir)))
    step("forgotten")
    if snapshot.large is not None and snapshot.large.base.folder is None:  # a new base
        _afterwards(lambda: lay_by(snapshots / manifest.snapshot_id, store_dir))
        step("laid by")
    return manifest


def _placed(snapshot: Snapshot, snapshots: Path, embedder: Embedder, needs_model_id: str | None, step: OnStep) -> Manifest:
    """Writes beside, loads back, and gives the whole folder its name; nothing is left of it where any of that fails."""
    staging = snapshots / f".staging-{snapshot.manifest.snapshot_id}"
    try:
        kept = base_for(snapshot.large, snapshots.parent)
        manifest = _written(snapshot, staging, kept)
        step("written")
        _read_back(staging, embedder, needs_model_id, unchecked=kept.checked_in(staging))
        step("loaded back")
        _sync_tree(staging)
        step("synced")
        staging.rename(snapshots / snapshot.manifest.snapshot_id)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    sync(snapshots)
    step("renamed")
    return manifest


def load_current(store_dir: Path, *, embedder: Embedder, needs_model_id: str | None = None) -> Snapshot:
    """Gives the live snapshot, checked, with the shop's own models where it carries them.

    Args:
        store_dir: the shop's folder of published indexes.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.

    Raises:
        SnapshotError: there is none, it is damaged, or another model made it.
    """
    return read_usable(current_folder(store_dir), embedder=embedder, needs_model_id=needs_model_id)


def clean(store_dir: Path) -> list[str]:
    """Removes what runs that were killed left behind and gives its names. Only for whoever holds the shop's lock."""
    snapshots = store_dir / SNAPSHOTS
    if not snapshots.exists():
        return []
    with pointer(store_dir):
        left = [path for path in sorted(snapshots.iterdir()) if path.name.startswith((".staging-", ".forgotten-"))]
        left += sorted([*store_dir.glob(".*.new"), *store_dir.glob("*/.*.new")])
        left += [_hidden(snapshots / one) for one in _never_live(store_dir)]
    for path in left:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return [path.name for path in left]


def _afterwards(action: Callable[[], None]) -> None:
    """What is live is live: a disk that is full only now leaves no history or an old snapshot too many, which the next run mends."""
    try:
        action()
    except OSError:
        _log.warning("publish.afterwards_failed", exc_info=True)


def _told(forgotten: list[str]) -> None:
    for name in forgotten:
        _log.info("quarantine.forgotten", extra={"snapshot_id": name})


def _written(snapshot: Snapshot, staging: Path, kept: KeptBase) -> Manifest:
    try:
        return write_snapshot(snapshot, staging, sibling=kept.sibling, known=kept.files)
    except (OSError, RuntimeError, SafetensorError) as error:  # FAISS raises RuntimeError when a write falls short
        raise SnapshotUnwritable(staging.parent, str(error)) from error


def _read_back(staging: Path, embedder: Embedder, needs_model_id: str | None, *, unchecked: Collection[str]) -> None:
    try:
        read_usable(staging, embedder=embedder, needs_model_id=needs_model_id, unchecked=unchecked)
    except (OSError, RuntimeError, ValueError) as error:  # a file that fell short unnoticed when it was written
        raise SnapshotUnwritable(staging.parent, f"what was written cannot be read back: {error}") from error


def _numbered(snapshot: Snapshot, store_dir: Path) -> Snapshot:
    """Gives the snapshot the next number, and an id that no folder has: the same words built twice in a second must not touch what is live."""
    snapshots, away = store_dir / SNAPSHOTS, store_dir / QUARANTINE
    wanted = snapshot.manifest.snapshot_id
    ids = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
    free = next(one for one in ids if not (snapshots / one).exists() and not (away / f"{one}-1").exists())
    folders = [*(snapshots / one for one in snapshot_ids(store_dir)), *away.glob("*/")]
    sequence = 1 + max((sequence_of(folder) for folder in folders), default=0)
    manifest = dataclasses.replace(snapshot.manifest, snapshot_id=free, sequence=max(1, sequence))
    return dataclasses.replace(snapshot, manifest=manifest)


def _never_live(store_dir: Path) -> list[str]:
    """The ids of snapshots newer than the live one that never were live: a run was killed between renaming and pointing."""
    live = pointed_to(store_dir)
    newest = sequence_of(store_dir / SNAPSHOTS / live) if live else 0
    known = {one for event in read_history(store_dir) for one in (event.snapshot_id, event.previous, *event.rejected)}
    if newest == UNKNOWN:
        return []
    return [one for one in snapshot_ids(store_dir) if one != live and one not in known and sequence_of(store_dir / SNAPSHOTS / one) > newest]


def _forget_old(store_dir: Path) -> None:
    live = pointed_to(store_dir)
    for old in [one for one in snapshot_ids(store_dir) if one != live][: -(KEPT - 1)]:
        folder = store_dir / SNAPSHOTS / old
        if sequence_of(folder) == UNKNOWN:
            quarantine(folder, store_dir=store_dir, reason="its manifest cannot be read")
        else:
            shutil.rmtree(_hidden(folder))


def _hidden(folder: Path) -> Path:
    """Takes a folder away in one step, so that no reader finds half of it."""
    hidden = folder.with_name(f".forgotten-{folder.name}")
    folder.rename(hidden)
    return hidden


def _sync_tree(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        sync(path)
