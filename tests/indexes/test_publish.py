import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from indexes import publish as protocol
from indexes.classifier import TextClassifier
from indexes.errors import SnapshotCorrupt, SnapshotIncompatible, SnapshotMissing
from indexes.history import HISTORY
from indexes.publish import CURRENT, KEPT, SNAPSHOTS, current_folder, point_to, snapshot_ids, store_dirs
from indexes.snapshot import MANIFEST, Manifest, Snapshot
from tests.fakes import MORNING, FakeEmbedder, SnapshotBuilder, fake_needs_id

ROOT = Path(__file__).parents[2]


def publish(snapshot: Snapshot, store_dir: Path, *, embedder: FakeEmbedder) -> Manifest:
    return protocol.publish(snapshot, store_dir, embedder=embedder, needs_model_id=fake_needs_id())


def load_current(store_dir: Path, *, embedder: FakeEmbedder) -> Snapshot:
    return protocol.load_current(store_dir, embedder=embedder, needs_model_id=fake_needs_id())


def publish_days(build: SnapshotBuilder, store_dir: Path, n_days: int) -> list[str]:
    """Publishes the tiny shop once a day; gives the ids, oldest first."""
    snapshots = [build(now=MORNING + timedelta(days=day)) for day in range(n_days)]
    return [publish(snapshot, store_dir, embedder=FakeEmbedder()).snapshot_id for snapshot in snapshots]


def names_below(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_published_is_live(tmp_path: Path, tiny_snapshot: Snapshot):
    manifest = publish(tiny_snapshot, tmp_path / "tiny", embedder=FakeEmbedder())

    loaded = load_current(tmp_path / "tiny", embedder=FakeEmbedder())

    assert loaded.manifest == manifest
    assert loaded.shop == tiny_snapshot.shop
    assert current_folder(tmp_path / "tiny").name == tiny_snapshot.manifest.snapshot_id
    assert names_below(tmp_path / "tiny") == {CURRENT, SNAPSHOTS, HISTORY, ".pointer.lock"}
    assert names_below(tmp_path / "tiny" / SNAPSHOTS) == {manifest.snapshot_id}


def test_the_newest_published_is_live_and_the_earlier_stays(tmp_path: Path, build: SnapshotBuilder):
    first, second = publish_days(build, tmp_path, 2)

    assert current_folder(tmp_path).name == second
    assert snapshot_ids(tmp_path) == [first, second]


def test_the_same_words_twice_in_a_second_are_two_snapshots_and_the_live_one_is_not_touched(tmp_path: Path, tiny_snapshot: Snapshot):
    first = publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())
    written_at = (tmp_path / SNAPSHOTS / first.snapshot_id / MANIFEST).stat().st_mtime_ns

    second = publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())

    assert second.snapshot_id == f"{first.snapshot_id}-2"
    assert snapshot_ids(tmp_path) == [first.snapshot_id, second.snapshot_id]
    assert (tmp_path / SNAPSHOTS / first.snapshot_id / MANIFEST).stat().st_mtime_ns == written_at
    assert load_current(tmp_path, embedder=FakeEmbedder()).manifest == second


def test_nothing_published_is_missing_with_the_command_to_run(tmp_path: Path):
    with pytest.raises(SnapshotMissing, match=r"python -m scripts\.reindex") as raised:
        load_current(tmp_path / "tiny", embedder=FakeEmbedder())

    assert raised.value.path == tmp_path / "tiny"
    assert snapshot_ids(tmp_path / "tiny") == []


def test_a_pointer_to_a_snapshot_that_is_gone_is_missing(tmp_path: Path, tiny_snapshot: Snapshot):
    publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())
    (tmp_path / CURRENT).write_text("20200101T000000-gone\n", encoding="utf-8")

    with pytest.raises(SnapshotMissing):
        load_current(tmp_path, embedder=FakeEmbedder())


def test_another_model_cannot_load_what_is_live(tmp_path: Path, tiny_snapshot: Snapshot):
    publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())

    with pytest.raises(SnapshotIncompatible) as raised:
        load_current(tmp_path, embedder=FakeEmbedder(model_id="bge-small"))

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("model", "bge-small", "fake-16")


def test_another_need_classifier_cannot_load_what_is_live(tmp_path: Path, tiny_snapshot: Snapshot):
    """A classifier fitted again hears other distributions: they must not be compared with the index's."""
    publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())

    with pytest.raises(SnapshotIncompatible, match=r"needs model is .*rebuild with `python -m scripts\.reindex`") as raised:
        protocol.load_current(tmp_path, embedder=FakeEmbedder(), needs_model_id="needs@fitted-again")

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("needs model", "needs@fitted-again", fake_needs_id())


def test_without_being_told_the_bundled_need_classifier_is_the_one_that_serves(tmp_path: Path, tiny_snapshot: Snapshot, needs: TextClassifier):
    publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())

    with pytest.raises(SnapshotIncompatible) as raised:
        protocol.load_current(tmp_path, embedder=FakeEmbedder())

    assert (raised.value.field, raised.value.expected) == ("needs model", needs.model_id)


def test_a_damaged_live_snapshot_is_not_served(tmp_path: Path, tiny_snapshot: Snapshot):
    publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())
    with (current_folder(tmp_path) / "key_vectors.faiss").open("ab") as file:
        file.write(b"x")

    with pytest.raises(SnapshotCorrupt):
        load_current(tmp_path, embedder=FakeEmbedder())


# Crashes


@pytest.mark.parametrize("failing", ["rename", "replace"])
def test_a_failure_while_publishing_leaves_the_old_one_live(tmp_path: Path, build: SnapshotBuilder, monkeypatch: pytest.MonkeyPatch, failing: str):
    [old] = publish_days(build, tmp_path, 1)
    new = build(now=MORNING + timedelta(days=1))

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, failing, full_disk)
        with pytest.raises(OSError, match="No space left"):
            publish(new, tmp_path, embedder=FakeEmbedder())

    assert load_current(tmp_path, embedder=FakeEmbedder()).manifest.snapshot_id == old
    assert not any(name.startswith(".staging") for name in names_below(tmp_path / SNAPSHOTS))
    assert publish(new, tmp_path, embedder=FakeEmbedder()) == load_current(tmp_path, embedder=FakeEmbedder()).manifest


def test_a_first_publish_that_fails_leaves_nothing_live(tmp_path: Path, tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch):
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            publish(tiny_snapshot, tmp_path / "tiny", embedder=FakeEmbedder())

    assert store_dirs(tmp_path) == []
    with pytest.raises(SnapshotMissing):
        load_current(tmp_path / "tiny", embedder=FakeEmbedder())


def test_what_a_crash_left_is_cleaned_by_the_next_publish(tmp_path: Path, tiny_snapshot: Snapshot):
    left = tmp_path / SNAPSHOTS / ".staging-20260101T000000-dead"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{", encoding="utf-8")
    assert snapshot_ids(tmp_path) == []

    manifest = publish(tiny_snapshot, tmp_path, embedder=FakeEmbedder())

    assert names_below(tmp_path / SNAPSHOTS) == {manifest.snapshot_id}


def test_killed_at_any_line_the_live_snapshot_is_the_old_or_the_new_one(tmp_path: Path):
    command = [sys.executable, "-m", "tests.indexes.crash_at_every_line", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr

    report = json.loads(done.stdout)

    assert set(report) == {"another", "the same again"}
    for case in report.values():
        assert len(case["died_at"]) > 30
        assert (case["lost"], case["not_mended"]) == ([], [])


def test_what_cannot_be_read_back_is_not_published(tmp_path: Path, build: SnapshotBuilder):
    """Published with another embedder than it was built with: found when it is loaded back, before it is live."""
    [old] = publish_days(build, tmp_path, 1)

    with pytest.raises(SnapshotIncompatible):
        publish(build(now=MORNING + timedelta(days=1)), tmp_path, embedder=FakeEmbedder(model_id="other"))

    assert current_folder(tmp_path).name == old
    assert names_below(tmp_path / SNAPSHOTS) == {old}


# Keeping and rolling back


def test_five_are_kept_the_oldest_go_first(tmp_path: Path, build: SnapshotBuilder):
    ids = publish_days(build, tmp_path, KEPT + 2)

    assert KEPT == 5
    assert snapshot_ids(tmp_path) == ids[2:]
    assert current_folder(tmp_path).name == ids[-1]


def test_rollback_moves_the_pointer_and_nothing_else(tmp_path: Path, build: SnapshotBuilder):
    first, second, third = publish_days(build, tmp_path, 3)

    point_to(tmp_path, first)

    assert load_current(tmp_path, embedder=FakeEmbedder()).manifest.snapshot_id == first
    assert snapshot_ids(tmp_path) == [first, second, third]
    assert names_below(tmp_path) == {CURRENT, SNAPSHOTS, HISTORY, ".pointer.lock"}


@pytest.mark.parametrize("unknown", ["20200101T000000-gone", "", "."])
def test_rolling_back_to_what_is_not_there_changes_nothing(tmp_path: Path, build: SnapshotBuilder, unknown: str):
    [live] = publish_days(build, tmp_path, 1)

    with pytest.raises(SnapshotMissing):
        point_to(tmp_path, unknown)

    assert current_folder(tmp_path).name == live


def test_publishing_after_a_rollback_goes_forward_again(tmp_path: Path, build: SnapshotBuilder):
    first, second = publish_days(build, tmp_path, 2)
    point_to(tmp_path, first)

    third = publish(build(now=MORNING + timedelta(days=2)), tmp_path, embedder=FakeEmbedder()).snapshot_id

    assert current_folder(tmp_path).name == third
    assert snapshot_ids(tmp_path) == [first, second, third]


def test_the_live_one_is_kept_however_old_its_id(tmp_path: Path, build: SnapshotBuilder):
    """A clock set back: what is published now has the lowest id of all."""
    publish_days(build, tmp_path, KEPT)

    early = publish(build(now=MORNING - timedelta(days=9)), tmp_path, embedder=FakeEmbedder()).snapshot_id

    assert load_current(tmp_path, embedder=FakeEmbedder()).manifest.snapshot_id == early
    assert len(snapshot_ids(tmp_path)) == KEPT


def test_only_folders_with_a_live_snapshot_are_shops(tmp_path: Path, tiny_snapshot: Snapshot):
    for name in ("b-shop", "a-shop"):
        publish(tiny_snapshot, tmp_path / name, embedder=FakeEmbedder())
    (tmp_path / "empty").mkdir()

    assert [folder.name for folder in store_dirs(tmp_path)] == ["a-shop", "b-shop"]
    assert store_dirs(tmp_path / "nowhere") == []
