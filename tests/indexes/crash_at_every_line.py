"""A publisher that is killed at line after line of `publish`, `snapshot_folders`, `history`. Run by test_publish in its own process, because it forks.

`python -m tests.indexes.crash_at_every_line <folder>` prints one JSON object a case: the lines it died at, and those after which
the live snapshot was neither the old nor the new one, or a later publish did not clean up.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from indexes import history, snapshot_folders
from indexes import publish as protocol
from indexes.build import build_snapshot
from indexes.errors import SnapshotError
from indexes.snapshot import Snapshot
from knowledge.shop import load_shop
from tests.fakes import MORNING, REPLIES, FakeEmbedder, fake_needs, fake_needs_id, write_shop

Line = tuple[str, int]  # module, line
_KILLED = 9
_PROTOCOL = {protocol.__file__, snapshot_folders.__file__, history.__file__}


def lines_run(action: Callable[[], object], *, die_at: Line | None = None) -> list[Line]:
    """Runs the action and gives the lines of the protocol that it ran, in order of first coming; kills the process before line `die_at`."""
    seen: dict[Line, None] = {}

    def watch(frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in _PROTOCOL:
            return None
        if event == "line":
            line = (Path(frame.f_code.co_filename).stem, frame.f_lineno)
            if line == die_at:
                os._exit(_KILLED)
            seen[line] = None
        return watch

    sys.settrace(watch)
    action()
    sys.settrace(None)
    return list(seen)


def died_at(line: Line, action: Callable[[], object]) -> bool:
    """Runs the action in a child that is killed before `line`."""
    child = os.fork()
    if child == 0:
        lines_run(action, die_at=line)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == _KILLED


def survive(first: Snapshot, second: Snapshot, folder: Path) -> dict[str, list[Line]]:
    """Kills the publishing of `second` over `first` at every line in turn, and each time publishes `second` in peace afterwards."""
    embedder = FakeEmbedder()
    report: dict[str, list[Line]] = {"died_at": [], "lost": [], "not_mended": []}

    def publish(snapshot: Snapshot, store_dir: Path) -> None:
        protocol.publish(snapshot, store_dir, embedder=embedder, needs_model_id=fake_needs_id())

    def served() -> str:
        try:
            return protocol.load_current(folder, embedder=embedder, needs_model_id=fake_needs_id()).manifest.knowledge_hash
        except SnapshotError as error:
            return error.slug

    def start_again() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(published, folder)

    published = folder.with_name(f"{folder.name}-published")
    shutil.rmtree(published, ignore_errors=True)
    publish(first, published)
    start_again()
    for line in lines_run(lambda: publish(second, folder)):
        start_again()
        if died_at(line, lambda: publish(second, folder)):
            report["died_at"].append(line)
        if served() not in (first.manifest.knowledge_hash, second.manifest.knowledge_hash):
            report["lost"].append(line)
        publish(second, folder)
        if served() != second.manifest.knowledge_hash or any(folder.rglob(".staging*")):
            report["not_mended"].append(line)
    return report


def main(folder: Path) -> None:
    os.fsync = lambda _descriptor: None  # the machine does not lose power here, and a hundred publishes wait long for the disk
    needs = fake_needs(folder / "needs")
    old_shop, new_shop = load_shop(write_shop(folder / "old")), load_shop(write_shop(folder / "new", replies=REPLIES[:2]))
    old = build_snapshot(old_shop, embedder=FakeEmbedder(), needs=needs, now=MORNING)
    new = build_snapshot(new_shop, embedder=FakeEmbedder(), needs=needs, now=MORNING + timedelta(hours=1))
    report = {"another": survive(old, new, folder / "index"), "the same again": survive(old, old, folder / "index")}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
