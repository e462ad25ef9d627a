"""Going back: which snapshots there are, and making an earlier one live. Only whole ones that the running models can use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexes.embedder import Embedder
from indexes.errors import NoEarlierSnapshot, SnapshotMissing
from indexes.history import Event, read_history, record, rejected_ids
from indexes.last_good import read_usable
from indexes.snapshot import MANIFEST
from indexes.snapshot_folders import SNAPSHOTS, age_key, counts_of, current_folder, point_to, pointed_to, pointer, snapshot_ids


@dataclass(frozen=True, slots=True)
class Kept:
    """One snapshot of a shop as its manifest and the history have it; nothing of it was checked."""

    snapshot_id: str
    created_at: str  # empty where the manifest cannot be read
    model_id: str
    counts: Mapping[str, int]
    is_live: bool
    is_rejected: bool  # people rolled back from it


def kept_snapshots(store_dir: Path) -> list[Kept]:
    """Gives the shop's snapshots, newest first.

    Raises:
        SnapshotMissing: nothing was published.
    """
    live = current_folder(store_dir).name
    rejected = rejected_ids(read_history(store_dir))
    return [_kept(store_dir / SNAPSHOTS / one, live, rejected) for one in reversed(snapshot_ids(store_dir))]


def roll_back(store_dir: Path, *, to: str = "", reason: str = "", embedder: Embedder, needs_model_id: str | None = None) -> tuple[str, str]:
    """Makes another snapshot live and gives the ids (before, after). What it leaves behind is not published again by itself.

    Args:
        store_dir: the shop's folder of published indexes.
        to: a snapshot's id; the newest before the live one that nobody rolled back from when empty.
        reason: for the history.
        embedder: the embedding that serves.
        needs_model_id: of the need classifier that serves; the bundled one's when None.

    Raises:
        NoEarlierSnapshot: there is none before the live one.
        SnapshotError: the snapshot is not there, is damaged, or another model made it; what is live stays.
    """
    live = current_folder(store_dir).name
    chosen = to or _before(store_dir, live)
    if chosen not in snapshot_ids(store_dir):
        raise SnapshotMissing(store_dir / SNAPSHOTS / chosen)
    target = read_usable(store_dir / SNAPSHOTS / chosen, embedder=embedder, needs_model_id=needs_model_id).manifest
    with pointer(store_dir):
        live = pointed_to(store_dir) or live
        left = _left_behind(store_dir, live, chosen)
        marks = tuple(sorted({mark for one in left for mark in _marks(store_dir / SNAPSHOTS / one)}))
        point_to(store_dir, chosen)
        if chosen != live:
            record(store_dir, Event("rolled_back", chosen, previous=live, marks=target.marks, reason=reason, rejected=tuple(left), rejected_marks=marks))
    return live, chosen


def _before(store_dir: Path, live: str) -> str:
    rejected = rejected_ids(read_history(store_dir))
    key = age_key(store_dir / SNAPSHOTS / live)
    earlier = [one for one in snapshot_ids(store_dir) if one not in rejected and age_key(store_dir / SNAPSHOTS / one) < key]
    if not earlier:
        raise NoEarlierSnapshot(store_dir, live)
    return earlier[-1]


def _left_behind(store_dir: Path, live: str, chosen: str) -> list[str]:
    """The ids of what is newer than the chosen one, up to the live one: going forward leaves nothing behind."""
    low, high = (age_key(store_dir / SNAPSHOTS / one) for one in (chosen, live))
    return [one for one in snapshot_ids(store_dir) if low < age_key(store_dir / SNAPSHOTS / one) <= high]


def _kept(folder: Path, live: str, rejected: set[str]) -> Kept:
    fields = _fields(folder)
    return Kept(
        folder.name, str(fields.get("created_at", "")), str(fields.get("model_id", "")), counts_of(folder), folder.name == live, folder.name in rejected
    )


def _marks(folder: Path) -> list[str]:
    fields = _fields(folder)
    return [str(fields[name]) for name in ("fingerprint", "knowledge_hash") if fields.get(name)]


def _fields(folder: Path) -> dict[str, object]:
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}
