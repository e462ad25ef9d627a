"""Published snapshots of one shop on disk: build beside, check, rename, then move the pointer. A crash at any line leaves the old one.

`<index dir>/<store>/CURRENT` names the live snapshot; `snapshots/<id>/` holds each; what starts with `.staging-` was never live.
"""

import dataclasses
import itertools
import os
import shutil
from pathlib import Path

from indexes.adapted import NEEDS, bundled_ids
from indexes.embedder import Embedder
from indexes.errors import SnapshotMissing
from indexes.snapshot import MANIFEST, Manifest, Snapshot, read_snapshot, write_snapshot

CURRENT = "CURRENT"
SNAPSHOTS = "snapshots"
KEPT = 5


def publish(snapshot: Snapshot, store_dir: Path, *, embedder: Embedder, needs_model_id: str | None = None) -> Manifest:
    """Writes, loads back, renames and makes live; gives the manifest as written, its id with a number behind when it was taken.

    Args:
        snapshot: what is published.
        store_dir: the shop's folder of published indexes.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.

    Raises:
        SnapshotCorrupt: what was written cannot be read back; the live snapshot is unchanged.
    """
    snapshots = store_dir / SNAPSHOTS
    snapshots.mkdir(parents=True, exist_ok=True)
    snapshot = _under_free_id(snapshot, snapshots)
    staging = snapshots / f".staging-{snapshot.manifest.snapshot_id}"
    final = snapshots / snapshot.manifest.snapshot_id
    _remove_staging(snapshots)
    try:
        manifest = write_snapshot(snapshot, staging)
        read_snapshot(staging, model_id=embedder.model_id, dimension=embedder.dimension, needs_model_id=needs_model_id or bundled_ids()[NEEDS])
        _sync_tree(staging)
        staging.rename(final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _sync(snapshots)
    point_to(store_dir, manifest.snapshot_id)
    _forget_old(store_dir)
    return manifest


def point_to(store_dir: Path, snapshot_id: str) -> None:
    """Makes a snapshot of the shop the live one.

    Raises:
        SnapshotMissing: there is no such snapshot.
    """
    if not (store_dir / SNAPSHOTS / snapshot_id / MANIFEST).exists():
        raise SnapshotMissing(store_dir / SNAPSHOTS / snapshot_id)
    fresh = store_dir / f".{CURRENT}.new"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(snapshot_id + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(store_dir / CURRENT)
    _sync(store_dir)


def current_folder(store_dir: Path) -> Path:
    """Gives the folder of the live snapshot.

    Raises:
        SnapshotMissing: nothing was published.
    """
    pointer = store_dir / CURRENT
    if not pointer.exists():
        raise SnapshotMissing(store_dir)
    return store_dir / SNAPSHOTS / pointer.read_text(encoding="utf-8").strip()


def snapshot_ids(store_dir: Path) -> list[str]:
    """Gives the ids of the shop's snapshots, oldest first."""
    folder = store_dir / SNAPSHOTS
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{MANIFEST}")) if folder.exists() else []


def store_dirs(index_dir: Path) -> list[Path]:
    """Gives the folders below `index_dir` that hold a published shop, by name."""
    return sorted(path.parent for path in index_dir.glob(f"*/{CURRENT}"))


def load_current(store_dir: Path, *, embedder: Embedder, needs_model_id: str | None = None) -> Snapshot:
    """Gives the live snapshot, checked, with the shop's own models where it carries them.

    Args:
        store_dir: the shop's folder of published indexes.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.

    Raises:
        SnapshotError: there is none, it is damaged, or another model made it.
    """
    folder = current_folder(store_dir)
    return read_snapshot(folder, model_id=embedder.model_id, dimension=embedder.dimension, needs_model_id=needs_model_id or bundled_ids()[NEEDS])


def _under_free_id(snapshot: Snapshot, snapshots: Path) -> Snapshot:
    """Gives the snapshot under an id that no folder has: the same words built twice in a second must not touch what is live."""
    wanted = snapshot.manifest.snapshot_id
    ids = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
    free = next(one for one in ids if not (snapshots / one).exists())
    return dataclasses.replace(snapshot, manifest=dataclasses.replace(snapshot.manifest, snapshot_id=free))


def _remove_staging(snapshots: Path) -> None:
    for path in snapshots.glob(".staging-*"):
        shutil.rmtree(path)


def _forget_old(store_dir: Path) -> None:
    live = current_folder(store_dir).name
    for old in [one for one in snapshot_ids(store_dir) if one != live][: -(KEPT - 1)]:
        shutil.rmtree(store_dir / SNAPSHOTS / old)


def _sync_tree(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
