"""What became live in a shop's index folder, and when, why and by whom: `history.jsonl`, the newest last.

The files of a snapshot never change, so what happened to it is written here. No text of a customer or of the shop enters.
"""

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

HISTORY = "history.jsonl"
_KEPT_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One change of the live snapshot, or one snapshot found damaged."""

    kind: Literal["published", "rolled_back", "quarantined"]
    snapshot_id: str  # what became live; of a quarantined one, itself
    previous: str = ""  # what was live before
    marks: tuple[str, ...] = ()  # of what became live: its fingerprint and its knowledge hash
    reason: str = ""
    by: str = ""
    at: str = ""
    rejected: tuple[str, ...] = ()  # ids that a rollback left behind
    rejected_marks: tuple[str, ...] = ()  # their fingerprints and knowledge hashes


def read_history(store_dir: Path) -> list[Event]:
    """Gives the shop's events, oldest first; a line that cannot be read is left out."""
    path = store_dir / HISTORY
    events = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []:
        try:
            fields = json.loads(line) if line else None
            if fields:
                lists = {name: tuple(fields.get(name, ())) for name in ("marks", "rejected", "rejected_marks")}
                events.append(Event(**{**fields, **lists}))
        except (ValueError, TypeError):
            continue
    return events


def record(store_dir: Path, event: Event) -> None:
    """Adds an event with the time and who ran it; a crash leaves the old history whole."""
    whole = {**asdict(event), "at": event.at or datetime.now(UTC).isoformat(timespec="seconds"), "by": event.by or who()}
    path = store_dir / HISTORY
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
    kept = [*(line for line in lines if line), json.dumps(whole, ensure_ascii=False)][-_KEPT_EVENTS:]
    write_durably(path, "\n".join(kept) + "\n")


def rejected_ids(events: list[Event]) -> set[str]:
    """Gives the ids of snapshots that people rolled back from and did not make live again."""
    rejected: set[str] = set()
    for event in events:
        if event.kind != "quarantined":
            rejected = (rejected | set(event.rejected)) - {event.snapshot_id}
    return rejected


def rejection_of(events: list[Event], mark: str) -> Event | None:
    """Gives the rollback that last rejected what has this mark, or None where none did or it was made live again since."""
    found: Event | None = None
    for event in events:
        if mark in event.rejected_marks:
            found = event
        if event.kind != "quarantined" and mark in event.marks:
            found = None
    return found


def write_durably(path: Path, text: str) -> None:
    """Puts a text file in the place of the old one; readers see one or the other, whole, also after the power was lost."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Waits until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def who() -> str:
    """Gives `user@host` of this process."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
