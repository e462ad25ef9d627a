"""The nightly job over a tiny shop: real files, real FAISS, real processes; the models are the fakes."""

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from indexes.classifier import TextClassifier
from indexes.gate import Refusal, Verdict
from indexes.history import Event, read_history, record
from indexes.publish import CURRENT, SNAPSHOTS, current_folder, load_current, point_to, snapshot_ids
from indexes.quarantine import quarantined
from indexes.reindex_report import KEPT_REPORTS, REPORTS, Report, exit_code, write_report
from indexes.reindexing import Means, Task, reindex
from indexes.rollback import roll_back
from indexes.snapshot import MANIFEST
from indexes.write_lock import writing
from tests.fakes import ARTICLES, MORNING, REPLIES, FakeEmbedder, write_shop

ROOT = Path(__file__).parents[2]


class Night:
    """One shop and its nights: each `run` is a day later than the one before."""

    def __init__(self, folder: Path, needs: TextClassifier) -> None:
        self.shop, self.index_dir, self.needs = write_shop(folder / "shop"), folder / "indexes", needs
        self.store_dir = self.index_dir / "tiny"
        self.refusals: tuple[Refusal, ...] = ()
        self.model_id, self.day = "fake-16", 0

    def run(self, *, on_step: Any = None, **options: Any) -> Report:
        means = Means(FakeEmbedder(self.model_id), self.needs, lambda _live, _new, _chats: Verdict({"n_chats": 0}, self.refusals))
        self.day += 1
        task = Task(self.shop, self.index_dir, self.index_dir.parent / "adapted", **options)
        return reindex(task, lambda: means, now=MORNING + timedelta(days=self.day), on_step=on_step)

    def write_replies(self, *replies: dict[str, Any]) -> None:
        (self.shop / "replies.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in replies), encoding="utf-8")

    def live_ids(self) -> list[str]:
        snapshot = load_current(self.store_dir, embedder=FakeEmbedder(self.model_id), needs_model_id=self.needs.model_id)
        return [reply.id for reply in snapshot.shop.replies]


@pytest.fixture
def night(tmp_path: Path, tiny_needs: TextClassifier) -> Night:
    return Night(tmp_path, tiny_needs)


EDITED = {**REPLIES[1], "triggers": "发票抬头写错了|抬头能换吗"}
MORE = tuple({**REPLIES[1], "id": f"more-{n}", "triggers": ""} for n in range(3))
NEW = {"id": "address", "scenario": "order.modify", "text": "地址改好了。", "triggers": "怎么退货|改一下地址", "status": "approved"}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a snapshot but its manifest, which has the time in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}


# Incremental


def test_after_an_edit_only_new_text_is_embedded_and_the_index_is_that_of_a_rebuild_to_the_byte(night: Night, tmp_path: Path):
    """The new reply has a trigger that another has already: one vector, two rows."""
    night.run()
    night.write_replies(REPLIES[0], EDITED, REPLIES[2], NEW)
    (night.shop / "articles" / "staff.md").write_text(ARTICLES["staff.md"].replace("八点", "九点"), encoding="utf-8")

    report = night.run()

    rebuilt = Night(tmp_path / "rebuilt", night.needs)
    shutil.rmtree(rebuilt.shop)
    shutil.copytree(night.shop, rebuilt.shop)
    assert (report.status, rebuilt.run().status) == ("published", "published")
    assert report.vectors["embedding"]["computed"] == 4  # 抬头能换吗, 改一下地址, 地址改好了。, the article's passage
    assert report.vectors["needs"]["computed"] == 3
    assert report.vectors["embedding"]["texts"] == 12 + 3
    assert contents(current_folder(night.store_dir)) == contents(current_folder(rebuilt.store_dir))


def test_deleted_and_edited_text_is_gone_at_the_publish(night: Night):
    night.run()
    night.write_replies(REPLIES[0], {**REPLIES[1], "text": "抬头由专员来改。"})
    (night.shop / "articles" / "staff.md").unlink()

    report = night.run()

    words = "".join(path.read_text(encoding="utf-8") for path in current_folder(night.store_dir).glob("*.jsonl"))
    assert report.status == "published", report.reason
    assert night.live_ids() == ["delay-stalled", "invoice-title"]
    assert "在订单里点申请退货" not in words
    assert "发票抬头可以改" not in words
    assert "夜班" not in words


def test_a_damaged_cache_is_said_and_changes_nothing(night: Night, tmp_path: Path):
    night.run()
    first = contents(current_folder(night.store_dir))
    for path in (night.store_dir / "vectors").iterdir():
        path.write_bytes(path.read_bytes()[:-9])

    report = night.run(rebuild=True)
    shutil.rmtree(night.store_dir / "vectors")
    again = night.run(rebuild=True)

    assert (report.status, again.status) == ("published", "published")
    assert contents(current_folder(night.store_dir)) == first
    for path in (night.store_dir / "vectors").iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    night.write_replies(*REPLIES[:3], NEW)
    mended = night.run()
    assert sum("was damaged and its vectors were computed again" in note for note in mended.notes) == 2
    assert mended.vectors["embedding"]["computed"] == mended.vectors["embedding"]["texts"] - 1


def test_another_model_reuses_nothing_and_compares_counts_only(night: Night):
    night.run()
    night.model_id = "fake-17"

    report = night.run()

    assert report.status == "published"
    assert report.vectors["embedding"]["computed"] == report.vectors["embedding"]["texts"]
    assert report.checks["counts"]["live"]["replies"] == 3
    assert "model" in report.set_aside[0].reason
    assert not report.set_aside[0].quarantined


def test_a_snapshot_of_an_older_format_is_built_anew(night: Night):
    night.run()
    path = current_folder(night.store_dir) / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"format_version": 3', '"format_version": 1'), encoding="utf-8")

    report = night.run()

    assert (report.status, len(snapshot_ids(night.store_dir))) == ("published", 2)
    assert "format" in report.set_aside[0].reason


# Unchanged


def test_nothing_is_published_when_nothing_changed(night: Night):
    first = night.run()
    files = {path: path.stat().st_mtime_ns for path in (night.store_dir / SNAPSHOTS).rglob("*")}
    night.write_replies(*REPLIES[:3], {**REPLIES[3], "text": "另一份草稿"})  # drafts are in no index

    report = night.run()

    assert (report.status, report.snapshot_id) == ("unchanged", first.snapshot_id)
    assert exit_code([report]) == 0
    assert {path: path.stat().st_mtime_ns for path in (night.store_dir / SNAPSHOTS).rglob("*")} == files


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [("sample_conversations.jsonl", "快点", "快些"), ("store.toml", "小店", "大店"), ("articles/staff.md", "八点", "九点"), ("products.jsonl", "外套", "大衣")],
)
def test_whatever_is_in_the_snapshot_counts_as_a_change(night: Night, table: str, old: str, new: str):
    night.run()
    path = night.shop / table
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    assert night.run().status == "published"


def test_rebuild_publishes_the_same_again(night: Night):
    night.run()

    report = night.run(rebuild=True)

    assert (report.status, len(snapshot_ids(night.store_dir))) == ("published", 2)


# Refusals


def test_half_of_the_replies_gone_is_refused_and_can_be_forced_with_a_reason(night: Night):
    night.write_replies(*REPLIES[:3], *MORE)
    first = night.run()
    night.write_replies(*REPLIES[:3])

    refused = night.run()
    forced = night.run(force="the shop closes")

    assert (refused.status, refused.snapshot_id, exit_code([refused])) == ("refused", first.snapshot_id, 1)
    assert [one.code for one in refused.refusals] == ["counts"]
    assert "3 replies, the live snapshot has 6: 50% fewer, at most 30%" in refused.reason
    assert forced.status == "published"
    assert forced.forced is not None
    assert (forced.forced["reason"], forced.forced["refusals"]) == ("the shop closes", ["counts"])
    assert "@" in forced.forced["by"]
    assert "forced: the shop closes; in spite of: 3 replies" in read_history(night.store_dir)[-1].reason
    kept = json.loads(Path(forced.path).read_text(encoding="utf-8"))
    assert kept["forced"] == forced.forced
    assert night.live_ids() == ["delay-stalled", "invoice-title", "return-how"]


def test_the_share_that_may_go_is_an_option(night: Night):
    night.write_replies(*REPLIES[:3], *MORE)
    night.run()
    night.write_replies(*REPLIES[:3])

    assert night.run(max_fewer=0.5).status == "published"


def test_the_share_that_may_go_is_the_shops_own(night: Night):
    night.write_replies(*REPLIES[:3], *MORE)
    night.run()
    settings = night.shop / "store.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[gate]\nmax_fewer = 0.6\n", encoding="utf-8")
    night.write_replies(*REPLIES[:3])

    assert night.run().status == "published"


def test_a_share_that_is_none_is_a_bad_row(night: Night):
    settings = night.shop / "store.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[gate]\nmax_worse = 3\n", encoding="utf-8")

    report = night.run()

    assert report.status == "invalid"
    assert [(row["file"], row["field"]) for row in report.bad_rows] == [("store.toml", "gate.max_worse")]


def test_a_small_shop_may_lose_two(night: Night):
    night.run()
    night.write_replies(REPLIES[0])

    assert night.run().status == "published"


def test_what_the_judge_refuses_stays_out(night: Night):
    first = night.run()
    night.refusals = (Refusal("chats", "three chats lost"),)
    night.write_replies(*REPLIES[:3], NEW)

    report = night.run()

    assert (report.status, report.reason) == ("refused", "three chats lost")
    assert current_folder(night.store_dir).name == first.snapshot_id
    assert snapshot_ids(night.store_dir) == [first.snapshot_id]


def test_a_first_snapshot_has_nothing_to_be_compared_with(night: Night):
    report = night.run()

    assert (report.status, report.previous, report.checks["counts"]["live"]) == ("published", "", {})
    assert report.changes["replies"].added == ("delay-stalled", "invoice-title", "return-how")


# Rolled back


def test_what_was_rolled_back_from_is_not_published_again_until_it_changes_or_is_forced(night: Night):
    first = night.run()
    night.write_replies(*REPLIES[:3], NEW)
    night.run()
    roll_back(night.store_dir, reason="wrong address", embedder=FakeEmbedder(), needs_model_id=night.needs.model_id)

    same = night.run()
    night.write_replies(*REPLIES[:3])
    as_live = night.run()
    night.write_replies(*REPLIES[:3], NEW)
    again = night.run()
    night.write_replies(*REPLIES[:3], {**NEW, "text": "地址可以改。"})
    mended = night.run()

    assert [one.status for one in (same, as_live, again, mended)] == ["refused", "unchanged", "refused", "published"]
    assert (same.refusals[0].code, same.snapshot_id) == ("rolled_back", first.snapshot_id)
    assert "rolled back from this very knowledge on" in same.reason
    assert "(wrong address); mend the files first" in same.reason
    night.write_replies(*REPLIES[:3], NEW)
    assert [night.run(force="it was right").status, night.run(rebuild=True).status] == ["published", "published"]


def test_a_rejected_model_does_not_reject_the_words(night: Night):
    """The same words by two models: the second was rolled back from, so the words are still those of the live one."""
    night.run()
    night.model_id = "fake-17"
    night.run()
    point_to(night.store_dir, snapshot_ids(night.store_dir)[0])
    night.model_id = "fake-16"
    other = json.loads((night.store_dir / SNAPSHOTS / snapshot_ids(night.store_dir)[1] / MANIFEST).read_text(encoding="utf-8"))
    record(night.store_dir, Event("rolled_back", snapshot_ids(night.store_dir)[0], rejected_marks=(other["fingerprint"], other["knowledge_hash"])))

    assert night.run(rebuild=True).status == "published"


# Dry run


def test_a_dry_run_says_what_would_change_and_writes_nothing(night: Night):
    night.run()
    before = {path: path.stat().st_mtime_ns for path in night.index_dir.rglob("*")}
    night.write_replies(REPLIES[0], EDITED, NEW, {**REPLIES[2], "status": "draft"})

    report = night.run(dry_run=True)

    assert {path: path.stat().st_mtime_ns for path in night.index_dir.rglob("*")} == before
    assert (report.status, report.dry_run, report.path) == ("published", True, "")
    assert report.changes["replies"].added == ("address",)
    assert report.changes["replies"].changed == ("invoice-title",)
    assert report.changes["replies"].removed == ("return-how",)
    assert report.vectors["embedding"]["computed"] == 3
    assert report.checks["findable"]["lost_live"] == ()


def test_a_dry_run_that_would_be_refused_says_so_with_an_exit_code(night: Night):
    night.write_replies(*REPLIES[:3], *MORE)
    night.run()
    night.write_replies(*REPLIES[:3])

    report = night.run(dry_run=True)

    assert (report.status, exit_code([report])) == ("refused", 1)


def test_a_dry_run_of_a_new_shop_makes_no_folder(night: Night):
    assert night.run(dry_run=True).status == "published"
    assert not night.index_dir.exists()


# Reports


def test_what_expires_is_in_every_report(night: Night):
    night.write_replies(*REPLIES[:2], {**REPLIES[2], "effective_to": "2026-12-01"})

    published, unchanged = night.run(), night.run()

    for report in (published, unchanged):
        assert report.dates["replies"].expiring == (("return-how", "2026-12-01"),)
        assert json.loads(Path(report.path).read_text(encoding="utf-8"))["dates"]["replies"]["expiring"] == [["return-how", "2026-12-01"]]


def test_reports_are_numbered_and_the_oldest_go_whatever_the_clock_says(tmp_path: Path):
    days = ["2026-11-21", "2020-01-01", "2031-01-01"]
    for number in range(KEPT_REPORTS + 5):
        write_report(Report("shop", f"{days[number % 3]}T00:00:00+00:00"), tmp_path)

    numbers = sorted(int(path.stem.rsplit("-", 1)[1]) for path in (tmp_path / REPORTS).iterdir())
    assert numbers == list(range(6, KEPT_REPORTS + 6))


def test_a_customers_words_in_a_bad_chat_are_not_kept(night: Night):
    (night.shop / "chats").mkdir()
    (night.shop / "chats" / "dev.jsonl").write_text('{"id": "a", "store": "tiny", "now": "我住在幸福路1号", "message": "x", "labels": {}}\n', encoding="utf-8")

    report = night.run()

    assert report.status == "invalid"
    assert report.bad_rows[0]["file"] == "chats/dev.jsonl"
    assert "幸福路" not in Path(report.path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(["published", "unchanged"], 0), (["published", "refused"], 1), (["invalid"], 1), (["busy", "published"], 75), (["busy", "failed"], 1), ([], 0)],
)
def test_exit_codes(statuses: list[Any], code: int):
    assert exit_code([replace(Report("shop", "now"), status=status) for status in statuses]) == code


# Trouble


def test_an_article_edited_after_it_was_read_is_mentioned(night: Night):
    def edit(step: str) -> None:
        if step == "built":
            (night.shop / "articles" / "staff.md").write_text(ARTICLES["staff.md"].replace("八点", "九点"), encoding="utf-8")

    report = night.run(on_step=edit)

    assert "articles/staff.md changed after the files were read; the next run takes it in" in report.notes
    assert night.run().changes["articles"].changed == ("staff",)


def test_a_second_writer_is_busy_and_changes_nothing(night: Night):
    night.run()
    night.write_replies(*REPLIES[:3], NEW)

    with writing(night.store_dir):
        report = night.run()

    assert (report.status, exit_code([report])) == ("busy", 75)
    assert f"process {os.getpid()} on " in report.reason
    assert night.run().status == "published"


def test_a_rollback_while_it_runs_holds(night: Night):
    """The same words were live, and somebody rolled back from them between reading and publishing."""
    night.run()
    night.write_replies(*REPLIES[:3], NEW)
    night.run()

    def go_back(step: str) -> None:
        if step == "checked":
            roll_back(night.store_dir, embedder=FakeEmbedder(), needs_model_id=night.needs.model_id)

    report = night.run(rebuild=True, on_step=go_back)

    assert (report.status, [one.code for one in report.refusals]) == ("refused", ["rolled_back"])
    assert current_folder(night.store_dir).name == snapshot_ids(night.store_dir)[0]


def test_a_damaged_live_snapshot_is_quarantined_and_the_night_goes_on(night: Night):
    first = night.run()
    with (current_folder(night.store_dir) / "replies.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")

    report = night.run()

    assert report.status == "published"
    assert report.set_aside[0].quarantined
    assert [path.name for path in quarantined(night.store_dir)] == [f"{first.snapshot_id}-1"]
    assert report.checks["counts"]["live"] == {}


def test_a_clock_set_back_breaks_neither_order_nor_what_is_kept(night: Night):
    ids = []
    for day, reply_text in ((30, "一"), (3, "二"), (20, "三"), (1, "四"), (2, "五"), (0, "六"), (9, "七")):
        night.day = day
        night.write_replies(*REPLIES[:3], {**NEW, "text": f"地址改好了{reply_text}。"})
        ids.append(night.run().snapshot_id)

    assert snapshot_ids(night.store_dir) == ids[-5:]
    assert current_folder(night.store_dir).name == ids[-1]
    assert roll_back(night.store_dir, embedder=FakeEmbedder(), needs_model_id=night.needs.model_id) == (ids[-1], ids[-2])


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from indexes.reindex_report import exit_code
from tests.indexes.kill_at_each_step import Shop
shop = Shop(Path(sys.argv[1]))
first = shop.reindex("old", lambda _name: None)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
full = shop.reindex("new", lambda _name: None)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
live = shop.live()
later = shop.reindex("new", lambda _name: None)
print(json.dumps([first.status, full.status, full.reason, exit_code([full]), live, later.status, shop.live()]))
"""


@pytest.mark.parametrize("n_bytes", [100, 600, 2_000])
def test_a_disk_that_takes_no_more_leaves_the_old_one_and_the_next_run_succeeds(tmp_path: Path, n_bytes: int):
    """No file may grow beyond so many bytes: small ones fail at the lock's owner, larger ones among the indexes."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(n_bytes)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr

    first, full, reason, code, live, later, live_later = json.loads(done.stdout)

    assert (first, full, code) == ("published", "failed", 1)
    assert "File too large" in reason
    assert "look for free space" in reason
    assert (live, later, live_later) == (["old", 0], "published", ["new", 0])


def test_killed_at_every_step_the_live_one_is_whole_and_the_next_run_cleans_up(tmp_path: Path):
    command = [sys.executable, "-m", "tests.indexes.kill_at_each_step", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr

    report = json.loads(done.stdout)

    for case, nothing_yet in (("first", "snapshot_missing"), ("over an old one", "old")):
        steps = {one["step"]: one for one in report[case]}
        assert {"locked", "read", "built", "kept vectors", "checked"} <= set(steps)
        assert {"written", "loaded back", "synced", "renamed", "pointed", "recorded", "forgotten"} <= set(steps)
        for name, one in steps.items():
            is_live = name in ("pointed", "recorded", "forgotten")
            assert one["killed"], name
            assert (one["live"], one["set_aside"]) == ("new" if is_live else nothing_yet, 0), name
            assert (one["next_status"], one["next_live"]) == ("unchanged" if is_live else "published", "new"), name
            assert one["took_over"], name
            assert one["left"] == [], name
            assert one["n_snapshots"] == (1 if case == "first" else 2), name


def test_resource_limits_are_this_processs_own():
    """The limit above is set in a child; should it ever leak, every later test would fail strangely."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_nothing_is_live_before_the_first_publish(night: Night):
    night.write_replies({**REPLIES[1], "id": "bad id!"})

    report = night.run()

    assert report.status == "invalid"
    assert not (night.store_dir / CURRENT).exists()
