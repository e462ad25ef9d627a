import json
from datetime import timedelta
from pathlib import Path

import pytest

from indexes.publish import current_folder, publish, snapshot_ids
from scripts.rollback import app
from tests.fakes import MORNING, FakeEmbedder, SnapshotBuilder, fake_needs_id
from tests.scripts.commands import Done, call_command, run_command


def rollback(*arguments: object) -> Done:
    return call_command(app, *arguments)


@pytest.fixture
def three(tmp_path: Path, build: SnapshotBuilder) -> tuple[Path, list[str]]:
    """An index directory with three snapshots of the tiny shop, and their ids, oldest first."""
    for day in range(3):
        publish(build(now=MORNING + timedelta(days=day)), tmp_path / "tiny", embedder=FakeEmbedder(), needs_model_id=fake_needs_id())
    return tmp_path, snapshot_ids(tmp_path / "tiny")


def test_without_an_id_the_one_before_becomes_live(three: tuple[Path, list[str]]):
    index_dir, ids = three

    done = run_command("scripts.rollback", "--store", "tiny", "--index-dir", index_dir, "--json")

    assert (done.code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"store": "tiny", "from": ids[2], "to": ids[1]}
    assert current_folder(index_dir / "tiny").name == ids[1]
    assert snapshot_ids(index_dir / "tiny") == ids


def test_twice_goes_back_two_and_a_third_time_says_there_is_none(three: tuple[Path, list[str]]):
    index_dir, ids = three

    codes = [rollback("--store", "tiny", "--index-dir", index_dir).code for _ in range(2)]
    beyond = rollback("--store", "tiny", "--index-dir", index_dir)

    assert codes == [0, 0]
    assert beyond.code == 1
    assert f"there is no snapshot before {ids[0]}" in beyond.stderr
    assert current_folder(index_dir / "tiny").name == ids[0]


def test_a_named_snapshot_becomes_live_forward_too(three: tuple[Path, list[str]]):
    index_dir, ids = three

    back = rollback("--store", "tiny", "--to", ids[0], "--index-dir", index_dir)
    forward = rollback("--store", "tiny", "--to", ids[2], "--index-dir", index_dir)

    assert (back.code, forward.code) == (0, 0)
    assert f"tiny: {ids[0]} → {ids[2]}" in forward.stderr
    assert current_folder(index_dir / "tiny").name == ids[2]


def test_an_unknown_snapshot_changes_nothing(three: tuple[Path, list[str]]):
    index_dir, ids = three

    done = rollback("--store", "tiny", "--to", "20200101T000000-gone", "--index-dir", index_dir)

    assert done.code == 1
    assert "20200101T000000-gone" in done.stderr
    assert current_folder(index_dir / "tiny").name == ids[2]


def test_an_unknown_shop_is_an_error(tmp_path: Path):
    done = rollback("--store", "nobody", "--index-dir", tmp_path)

    assert done.code == 1
    assert "no published index" in done.stderr


def test_no_arguments_are_a_wrong_use():
    done = rollback()

    assert done.code == 2
    assert "--store" in done.stderr


def test_help_names_every_option():
    done = rollback("--help")

    assert done.code == 0
    for option in ("--store", "--to", "--index-dir", "--json"):
        assert option in done.stdout
