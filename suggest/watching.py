"""New snapshots found, loaded beside the old, warmed and swapped in, by a thread of its own. It alone changes what is served.

What is watched is the content of each shop's `CURRENT`: a reindex and a rollback both end by replacing it.
"""

import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from indexes.checksums import check_files
from indexes.errors import IndexingError, SnapshotCorrupt, SnapshotIncompatible
from indexes.last_good import LoadedSnapshot, load_last_good
from indexes.quarantine import newest_after
from indexes.snapshot import Snapshot
from indexes.snapshot_folders import CURRENT, SNAPSHOTS, pointed_to
from suggest.live import LiveShops, Models
from suggest.pipeline import Suggester
from suggest.warming import warm

_log = logging.getLogger("huashu.index")
# A full disk or too many open files pass by themselves; a snapshot that will never load costs a look at its manifest.
_RETRY_SECONDS = 30.0
# Python lets one thread run at a time; while a snapshot loads, requests get their turn after this many seconds, not after 5 ms. Measured on
# the demo shop, 2026-11-22: requests beside endless loading p50 81 → 53 ms, p99 217 → 175 ms, loading a fifth slower.
_TURN_SECONDS = 0.0001
_MOVED_ON = 3  # looks at a shop whose pointer moves while it is being loaded


class LoadEvents(Protocol):
    """Who counts what the watcher does."""

    def swapped(self, store: str, seconds: float) -> None:
        """A snapshot was loaded and serves."""

    def load_failed(self, store: str) -> None:
        """A published snapshot cannot be served."""

    def set_aside(self, store: str) -> None:
        """A snapshot was passed over for an older one."""


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """A pointer whose snapshot could not be loaded, and when to try again on the monotonic clock."""

    pointer: str
    retry_at: float


class IndexWatcher:
    """Looks at an index directory and keeps the live shops as published there."""

    def __init__(
        self,
        index_dir: Path,
        models: Models,
        shops: LiveShops,
        events: LoadEvents,
        *,
        min_confidence: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        looks_again: bool = True,
    ) -> None:
        self._index_dir, self._models, self._shops, self._events = index_dir, models, shops, events
        self._min_confidence, self._clock = min_confidence, clock
        self._looks_again = looks_again  # else every file is checked before a snapshot serves
        self._given_up: dict[str, _GivenUp] = {}
        self._unchecked: dict[str, list[tuple[str, str]]] = {}  # shop → snapshot and file, large tables that serve and are still to be checked
        self._absent: set[str] = set()  # served shops whose folder was not there at the last look
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self, seconds: float) -> None:
        """Looks every so many seconds from now on; 0 for never."""
        if seconds > 0:
            self._thread = Thread(target=self._run, args=(seconds,), name="index-watcher", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Looks no more; a load under way is left to end with the process."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _run(self, seconds: float) -> None:
        readable = True
        while not self._stopped.wait(seconds):
            try:
                self.look()
                readable = True
            except OSError as error:  # a disk that hangs or went away: what is in memory serves on
                if readable:
                    _log.error("index.unreadable", extra={"reason": str(error)})
                readable = False

    def look(self) -> None:
        """Loads what is newly published, notes what cannot be loaded, drops shops whose folder is gone."""
        found = {path.parent.name: path.parent for path in sorted(self._index_dir.glob(f"*/{CURRENT}"))}
        for store, folder in found.items():
            for _ in range(_MOVED_ON):
                if self._is_settled(store, folder):
                    break
        self._drop_removed(set(found))
        for store in sorted(self._unchecked):
            self._check_one(store, found.get(store))

    def _check_one(self, store: str, folder: Path | None) -> None:
        """Looks through one large table of what serves; where it is damaged, the last good snapshot takes over, every file of it checked."""
        snapshot_id, name = self._unchecked[store].pop()
        if not self._unchecked[store]:
            del self._unchecked[store]
        served = self._shops.serving.shops.get(store)
        if folder is None or served is None or served.snapshot_id != snapshot_id:
            return
        try:
            check_files(folder / SNAPSHOTS / snapshot_id, {name: served.suggester.snapshot.manifest.files[name]})
        except SnapshotCorrupt as error:
            _log.error("snapshot.damaged", extra={"shop": store, "snapshot_id": snapshot_id, "reason": str(error)})
            self._unchecked.pop(store, None)
            self._load(store, folder, _pointer(folder), later=False)

    def _is_settled(self, store: str, folder: Path) -> bool:
        """Loads the shop if what is published is not what serves; false where the pointer moved meanwhile."""
        pointer = _pointer(folder)
        given_up = self._given_up.get(store)
        if given_up is not None and given_up.pointer == pointer and self._clock() < given_up.retry_at:
            return True
        served = self._shops.serving.shops.get(store)
        if served is not None and served.snapshot_id == pointer:
            self._given_up.pop(store, None)
            if self._shops.recover(store):
                _log.info("snapshot.recovered", extra={"shop": store, "snapshot_id": pointer})
            return True
        self._load(store, folder, pointer)
        return _pointer(folder) == pointer

    def _load(self, store: str, folder: Path, pointer: str, *, later: bool = True) -> None:
        started = time.perf_counter()
        served = self._shops.serving.shops.get(store)
        try:
            with _short_turns():
                loaded = self._read(store, folder, later=later)
                again = served is not None and served.snapshot_id == loaded.snapshot.manifest.snapshot_id  # nothing newer was usable
                suggester = None if again else self._warmed(loaded.snapshot)
        except Exception as error:  # noqa: BLE001 - whatever a snapshot does wrong, the watcher goes on and the old one serves
            if _pointer(folder) == pointer:  # else it was no failure: the snapshot was replaced under our hands
                self._fail(store, pointer, str(error) if isinstance(error, IndexingError | OSError) else type(error).__name__)
                self._given_up[store] = _GivenUp(pointer, self._clock() + _RETRY_SECONDS)
            return
        if suggester is not None:
            self._swap(store, suggester, time.perf_counter() - started)
            self._unchecked.pop(store, None)
            if loaded.unchecked:
                self._unchecked[store] = [(suggester.snapshot.manifest.snapshot_id, name) for name in loaded.unchecked]
        self._note_set_aside(store, folder, pointer, loaded, served_first=served is None)

    def _read(self, store: str, folder: Path, *, later: bool) -> LoadedSnapshot:
        loaded = load_last_good(folder, embedder=self._models.embedder, needs_model_id=self._models.reader.needs.model_id, later=later and self._looks_again)
        if loaded.snapshot.manifest.store_id != store:  # a copied folder would serve one shop's knowledge under another's name
            raise SnapshotIncompatible("shop", expected=store, got=loaded.snapshot.manifest.store_id)
        return loaded

    def _warmed(self, snapshot: Snapshot) -> Suggester:
        models = self._models
        suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker, min_confidence=self._min_confidence)
        warm(suggester, resting=bool(self._shops.ids))
        return suggester

    def _swap(self, store: str, suggester: Suggester, seconds: float) -> None:
        self._given_up.pop(store, None)
        self._shops.swap(store, suggester)
        self._events.swapped(store, seconds)
        _log.info("snapshot.swapped", extra={"shop": store, "snapshot_id": suggester.snapshot.manifest.snapshot_id, "seconds": round(seconds, 3)})

    def _note_set_aside(self, store: str, folder: Path, pointer: str, loaded: LoadedSnapshot, *, served_first: bool) -> None:
        """Tells of what was passed over for an older one; said until something newer serves, also where the pointer has followed to the older one."""
        for one in loaded.set_aside:
            self._events.set_aside(store)
            _log.error("snapshot.set_aside", extra={"shop": store, "snapshot_id": one.snapshot_id, "quarantined": one.quarantined, "reason": one.reason})
        now = _pointer(folder)
        if loaded.set_aside and now in (pointer, loaded.snapshot.manifest.snapshot_id):
            self._fail(store, loaded.set_aside[0].snapshot_id, loaded.set_aside[0].reason)
            self._given_up[store] = _GivenUp(now, math.inf)
        elif served_first and (before := newest_after(folder, loaded.snapshot.manifest.snapshot_id)):  # a service that starts remembers no failure
            self._fail(store, *before)
            self._given_up[store] = _GivenUp(now, math.inf)

    def _fail(self, store: str, snapshot_id: str, reason: str) -> None:
        """Tells of a failure once, not at every look."""
        if self._shops.fail(store, snapshot_id, reason):
            self._events.load_failed(store)
            _log.error("snapshot.not_loaded", extra={"shop": store, "snapshot_id": snapshot_id, "reason": reason})

    def _drop_removed(self, found: set[str]) -> None:
        """Drops shops whose folder was not there at two looks running. When every folder is gone at once, a disk is: all go on being served."""
        absent = {store for store in self._shops.serving.known if store not in found and not (self._index_dir / store).exists()}
        if not found and absent:
            absent = set()
        for store in absent & self._absent:
            self._shops.drop(store)
            self._given_up.pop(store, None)
            _log.info("shop.dropped", extra={"shop": store})
        self._absent = absent


@contextmanager
def _short_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _pointer(folder: Path) -> str:
    """The id that the shop's pointer names; empty where it cannot be read or names nothing."""
    try:
        return pointed_to(folder)
    except OSError:
        return ""
