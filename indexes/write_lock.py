"""One writer at a time for each shop's index folder.

The lock is the kernel's (flock, by `filelock`): it is gone with the process that held it, even after `kill -9`, so nothing stale can keep a night's
reindex out. Who holds it, since when and what it is doing stands beside it for whoever is kept out, and for whoever comes after a killed one.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from indexes.errors import IndexBusy

LOCK = ".reindex.lock"
OWNER = ".reindex.owner.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that writes. `ticks` counts seconds since the machine started: an age that a clock set anew does not change."""

    pid: int
    host: str
    since: str
    ticks: float
    doing: str

    def __str__(self) -> str:
        """Gives what a person needs to find it."""
        return f"process {self.pid} on {self.host}, since {self.since}{self._age()}, {self.doing}"

    def _age(self) -> str:
        seconds = time.monotonic() - self.ticks
        return f" ({seconds:.0f} s)" if self.host == socket.gethostname() and seconds >= 0 else ""


class HeldLock:
    """The lock of this process. `taken_over` says whose it was, when that process died holding it."""

    def __init__(self, store_dir: Path) -> None:
        self._path = store_dir / OWNER
        dead = read_owner(store_dir)
        self.taken_over = f"took over from {dead}: it ended without finishing" if dead else ""
        self._owner = Owner(os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic(), "starting")
        self.doing("starting")

    def doing(self, what: str) -> None:
        """Says what the process does now, for whoever is kept out."""
        card = {**asdict(self._owner), "doing": what}
        fresh = self._path.with_name(f"{OWNER}.new")
        fresh.write_text(json.dumps(card) + "\n", encoding="utf-8")
        fresh.replace(self._path)

    def gone(self) -> None:
        """Leaves no owner behind."""
        self._path.unlink(missing_ok=True)


@contextmanager
def writing(store_dir: Path) -> Iterator[HeldLock]:
    """Holds the lock of a shop's index folder, which is made where it is missing.

    Raises:
        IndexBusy: another process holds it; the message names it.
    """
    store_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store_dir / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(store_dir, str(read_owner(store_dir) or "another process holds the lock")) from error
    try:
        held = HeldLock(store_dir)
        try:
            yield held
        finally:
            held.gone()
    finally:
        lock.release()


def running(store_dir: Path) -> Owner | None:
    """Gives the owner of the lock if a process holds it now."""
    if not (store_dir / LOCK).exists():
        return None
    lock = FileLock(store_dir / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return read_owner(store_dir)
    lock.release()
    return None


def read_owner(store_dir: Path) -> Owner | None:
    """Gives who holds or held the lock, or None where nobody does or the file cannot be read."""
    try:
        return Owner(**json.loads((store_dir / OWNER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
