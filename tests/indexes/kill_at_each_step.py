"""A reindex that kills itself (SIGKILL) at one named step after the other. Run by test_reindexing in a process of its own, because it forks.

`python -m tests.indexes.kill_at_each_step <folder>` prints one JSON object a case: what happened at each step.
"""

import json
import os
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from indexes.errors import SnapshotMissing
from indexes.gate import Verdict
from indexes.publish import OnStep, load_last_good, snapshot_ids
from indexes.reindex_report import Report
from indexes.reindexing import Means, Task, reindex
from tests.fakes import MORNING, REPLIES, FakeEmbedder, fake_needs, write_shop


@dataclass(frozen=True)
class Survived:
    """What is there after a run that was killed, and after the next one."""

    step: str
    killed: bool
    live: str  # old, new, or why there is none
    set_aside: int
    next_status: str
    next_live: str
    took_over: bool
    left: list[str]  # what nobody cleaned
    n_snapshots: int


class Shop:
    """One shop's files before and after an edit, its index folder, and the models."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.index_dir = folder, folder / "indexes"
        self.needs = fake_needs(folder / "needs")
        self.files = {"old": write_shop(folder / "old"), "new": write_shop(folder / "new", replies=REPLIES[:2])}

    def reindex(self, which: str, on_step: OnStep) -> Report:
        means = Means(FakeEmbedder(), self.needs, lambda _live, _new, _chats: Verdict())
        task = Task(self.files[which], self.index_dir, self.folder / "adapted", max_fewer=1.0)
        return reindex(task, lambda: means, now=MORNING, on_step=on_step)

    def live(self) -> tuple[str, int]:
        try:
            loaded = load_last_good(self.index_dir / "tiny", embedder=FakeEmbedder(), needs_model_id=self.needs.model_id)
        except SnapshotMissing as error:
            return error.slug, 0
        return {3: "old", 2: "new"}[len(loaded.snapshot.shop.replies)], len(loaded.set_aside)


def killed_at(shop: Shop, step: str) -> bool:
    """Runs the new reindex in a child that kills itself at the step."""

    def die(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        shop.reindex("new", die)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def survive(shop: Shop, before: Path | None) -> list[Survived]:
    """Kills at every step in turn over what was there before, and each time runs once more in peace."""

    def start_again() -> None:
        shutil.rmtree(shop.index_dir, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, shop.index_dir)

    steps: list[str] = []
    start_again()
    shop.reindex("new", steps.append)
    found = []
    for step in steps:
        start_again()
        killed = killed_at(shop, step)
        live, set_aside = shop.live()
        report = shop.reindex("new", lambda _name: None)
        hidden = [path.relative_to(shop.index_dir / "tiny") for path in (shop.index_dir / "tiny").rglob(".*")]
        left = sorted(str(path) for path in hidden if path.name not in (".pointer.lock", ".reindex.lock"))
        took_over = any(note.startswith("took over from process") for note in report.notes)
        n_snapshots = len(snapshot_ids(shop.index_dir / "tiny"))
        found.append(Survived(step, killed, live, set_aside, report.status, shop.live()[0], took_over, left, n_snapshots))
    return found


def main(folder: Path) -> None:
    shop = Shop(folder)
    first = survive(shop, None)
    shutil.rmtree(shop.index_dir)
    shop.reindex("old", lambda _name: None)
    before = folder / "before"
    shutil.copytree(shop.index_dir, before)
    report = {"first": [asdict(one) for one in first], "over an old one": [asdict(one) for one in survive(shop, before)]}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
