"""A damaged snapshot is set aside and the one before it serves."""

import json
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from indexes import publish as protocol
from indexes.errors import SnapshotCorrupt, SnapshotIncompatible, SnapshotMissing
from indexes.history import Event, read_history, record
from indexes.publish import CURRENT, SNAPSHOTS, LoadedSnapshot, current_folder, point_to, snapshot_ids
from indexes.quarantine import KEPT, QUARANTINE, forget_oldest, quarantine, quarantined
from indexes.snapshot import MANIFEST
from tests.fakes import MORNING, FakeEmbedder, SnapshotBuilder, fake_needs_id


def load(store_dir: Path, embedder: FakeEmbedder | None = None) -> LoadedSnapshot:
    return protocol.load_last_good(store_dir, embedder=embedder or FakeEmbedder(), needs_model_id=fake_needs_id())


def publish(build: SnapshotBuilder, store_dir: Path, day: int, embedder: FakeEmbedder | None = None) -> str:
    return protocol.publish(
        build(now=MORNING + timedelta(days=day)), store_dir, embedder=embedder or FakeEmbedder(), needs_model_id=fake_needs_id()
    ).snapshot_id


@pytest.fixture
def three(tmp_path: Path, build: SnapshotBuilder) -> tuple[Path, list[str]]:
    """A shop's folder with three snapshots, and their ids, oldest first."""
    return tmp_path, [publish(build, tmp_path, day) for day in range(3)]


def damage(folder: Path, name: str = "key_vectors.faiss") -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)


def test_a_whole_live_snapshot_is_given_and_nothing_is_set_aside(three: tuple[Path, list[str]]):
    store_dir, ids = three

    loaded = load(store_dir)

    assert (loaded.snapshot.manifest.snapshot_id, loaded.set_aside) == (ids[2], ())
    assert not (store_dir / QUARANTINE).exists()


def test_one_flipped_bit_moves_the_live_one_to_the_quarantine_and_the_one_before_serves(three: tuple[Path, list[str]]):
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])

    loaded = load(store_dir)

    assert loaded.snapshot.manifest.snapshot_id == ids[1] == current_folder(store_dir).name
    [aside] = loaded.set_aside
    assert (aside.snapshot_id, aside.quarantined) == (ids[2], True)
    assert "key_vectors.faiss is damaged" in aside.reason
    assert [path.name for path in quarantined(store_dir)] == [f"{ids[2]}-1"]
    assert (store_dir / QUARANTINE / f"{ids[2]}-1" / MANIFEST).exists()
    assert json.loads((store_dir / QUARANTINE / f"{ids[2]}-1.json").read_text(encoding="utf-8"))["reason"] == aside.reason
    assert [event.kind for event in read_history(store_dir)][-2:] == ["quarantined", "rolled_back"]
    assert load(store_dir).set_aside == ()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format_version": 3}'])
def test_a_manifest_that_says_nothing_is_damage_too(three: tuple[Path, list[str]], content: str):
    store_dir, ids = three
    (store_dir / SNAPSHOTS / ids[2] / MANIFEST).write_text(content, encoding="utf-8")

    assert load(store_dir).snapshot.manifest.snapshot_id == ids[1]
    assert snapshot_ids(store_dir) == ids[:2]


def test_a_live_folder_without_a_manifest_is_damage(three: tuple[Path, list[str]]):
    store_dir, ids = three
    (store_dir / SNAPSHOTS / ids[2] / MANIFEST).unlink()

    loaded = load(store_dir)

    assert (loaded.snapshot.manifest.snapshot_id, loaded.set_aside[0].quarantined) == (ids[1], True)


@pytest.mark.parametrize("pointer", ["", "20200101T000000-gone\n", "\x00\x00", "../.."])
def test_a_pointer_that_leads_nowhere_is_mended(three: tuple[Path, list[str]], pointer: str):
    store_dir, ids = three
    (store_dir / CURRENT).write_text(pointer, encoding="utf-8")

    loaded = load(store_dir)

    assert loaded.snapshot.manifest.snapshot_id == ids[2] == current_folder(store_dir).name
    assert snapshot_ids(store_dir) == ids


def test_several_damaged_ones_are_passed_over(three: tuple[Path, list[str]]):
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])
    damage(store_dir / SNAPSHOTS / ids[1], "replies.jsonl")

    loaded = load(store_dir)

    assert loaded.snapshot.manifest.snapshot_id == ids[0]
    assert [one.snapshot_id for one in loaded.set_aside] == [ids[2], ids[1]]


def test_when_all_are_damaged_the_error_is_the_live_ones_and_nothing_is_lost(three: tuple[Path, list[str]], build: SnapshotBuilder):
    store_dir, ids = three
    for one in ids:
        damage(store_dir / SNAPSHOTS / one)

    with pytest.raises(SnapshotCorrupt, match=ids[2]):
        load(store_dir)

    assert len(quarantined(store_dir)) == 3
    with pytest.raises(SnapshotMissing):
        load(store_dir)
    again = publish(build, store_dir, 2)
    assert again == f"{ids[2]}-2"  # never the name of one that is in the quarantine
    assert load(store_dir).snapshot.manifest.snapshot_id == again


def test_a_snapshot_of_another_model_is_reported_and_stays(three: tuple[Path, list[str]]):
    store_dir, ids = three

    with pytest.raises(SnapshotIncompatible, match="other"):
        load(store_dir, FakeEmbedder(model_id="other"))

    assert snapshot_ids(store_dir) == ids
    assert current_folder(store_dir).name == ids[2]


def test_a_live_one_of_an_older_format_is_passed_over_not_moved(three: tuple[Path, list[str]]):
    store_dir, ids = three
    path = store_dir / SNAPSHOTS / ids[2] / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"format_version": 3', '"format_version": 1'), encoding="utf-8")

    loaded = load(store_dir)

    assert loaded.snapshot.manifest.snapshot_id == ids[1]
    assert [(one.snapshot_id, one.quarantined) for one in loaded.set_aside] == [(ids[2], False)]
    assert current_folder(store_dir).name == ids[2]  # the pointer is a person's to move


def test_a_snapshot_that_people_rolled_back_from_is_not_gone_back_to(three: tuple[Path, list[str]]):
    store_dir, ids = three
    point_to(store_dir, ids[1])
    record(store_dir, Event("rolled_back", ids[1], previous=ids[2], rejected=(ids[2],)))
    damage(store_dir / SNAPSHOTS / ids[1], MANIFEST)

    assert load(store_dir).snapshot.manifest.snapshot_id == ids[0]


def test_where_nothing_may_be_written_the_last_good_one_still_serves(three: tuple[Path, list[str]]):
    """A service that has the folder read-only: root may write anyway, so the lock's place is taken by a folder."""
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])
    (store_dir / ".pointer.lock").unlink()
    (store_dir / ".pointer.lock").mkdir()

    loaded = load(store_dir)

    assert loaded.snapshot.manifest.snapshot_id == ids[1]
    assert not loaded.set_aside[0].quarantined
    assert "could not be moved" in loaded.set_aside[0].reason
    assert current_folder(store_dir).name == ids[2]


def test_many_readers_at_once_set_it_aside_once(three: tuple[Path, list[str]]):
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])
    given: list[str] = []
    readers = [threading.Thread(target=lambda: given.append(load(store_dir).snapshot.manifest.snapshot_id)) for _ in range(8)]

    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert given == [ids[1]] * 8
    assert [path.name for path in quarantined(store_dir)] == [f"{ids[2]}-1"]
    assert current_folder(store_dir).name == ids[1]


def test_what_was_published_meanwhile_is_not_pointed_away_from(three: tuple[Path, list[str]], build: SnapshotBuilder):
    """The reader found the live one damaged, and before it could move the pointer a reindex published."""
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])

    class Publishing(FakeEmbedder):
        """Publishes a fourth snapshot the moment the reader asks for the width: within reading the second."""

        asked = 0

        @property
        def dimension(self) -> int:
            type(self).asked += 1
            if type(self).asked == 2:
                publish(build, store_dir, 3)
            return 16

        @dimension.setter
        def dimension(self, value: int) -> None:
            pass

    loaded = load(store_dir, Publishing())

    assert loaded.snapshot.manifest.snapshot_id == ids[1]
    assert current_folder(store_dir).name == snapshot_ids(store_dir)[-1] not in ids


def test_a_lock_held_by_a_process_that_was_killed_is_free(three: tuple[Path, list[str]]):
    store_dir, ids = three
    damage(store_dir / SNAPSHOTS / ids[2])
    source = f"from filelock import FileLock; import os; FileLock({str(store_dir / '.pointer.lock')!r}).acquire(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", source], check=False, timeout=60).returncode == -9

    assert load(store_dir).set_aside[0].quarantined


def test_a_history_with_a_torn_line_is_read_without_it(tmp_path: Path):
    record(tmp_path, Event("published", "a"))
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "publ')
    record(tmp_path, Event("published", "b"))

    assert [event.snapshot_id for event in read_history(tmp_path)] == ["a", "b"]
    shutil.rmtree(tmp_path)
    assert read_history(tmp_path) == []


def test_of_many_quarantined_ones_the_oldest_go_once_something_whole_is_published(build: SnapshotBuilder, tmp_path: Path):
    """By when they were set aside, not by name; one whose card is gone stays."""
    for number in range(KEPT + 3):
        folder = tmp_path / SNAPSHOTS / f"{9 - number}-damaged"
        folder.mkdir(parents=True)
        quarantine(folder, store_dir=tmp_path, reason="test")
        card = tmp_path / QUARANTINE / f"{folder.name}-1.json"
        card.write_text(json.dumps({"at": f"2026-11-{number + 1:02d}T00:00:00+00:00"}), encoding="utf-8")
    (tmp_path / QUARANTINE / "9-damaged-1.json").unlink()
    (tmp_path / QUARANTINE / "taken-out-by-hand-1.json").write_text("{}", encoding="utf-8")

    publish(build, tmp_path, day=1)

    left = sorted(path.name for path in (tmp_path / QUARANTINE).iterdir())
    kept = [f"{9 - number}-damaged-1" for number in (0, *range(KEPT + 3 - (KEPT - 1), KEPT + 3))]
    assert left == sorted([*kept, *(f"{name}.json" for name in kept[1:])])
    assert forget_oldest(tmp_path) == []


def test_nothing_leaves_the_quarantine_while_nothing_is_published(three: tuple[Path, list[str]]):
    store_dir, ids = three
    for one in ids:
        damage(store_dir / SNAPSHOTS / one)

    with pytest.raises(SnapshotCorrupt):
        load(store_dir)

    assert len(quarantined(store_dir)) == len(ids)
