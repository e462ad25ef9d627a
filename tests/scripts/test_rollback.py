import json
from datetime import timedelta
from pathlib import Path

import pytest

from indexes.build import build_snapshot
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder
from indexes.history import read_history
from indexes.publish import SNAPSHOTS, current_folder, publish, snapshot_ids
from indexes.quarantine import QUARANTINE
from indexes.snapshot import MANIFEST
from indexes.write_lock import writing
from knowledge.shop import Shop
from scripts.rollback import app
from tests.fakes import MORNING
from tests.scripts.commands import Done, call_command, run_command


def rollback(*arguments: object) -> Done:
    return call_command(app, *arguments)


@pytest.fixture
def three(tmp_path: Path, tiny_shop: Shop, embedder: Embedder, needs: TextClassifier) -> tuple[Path, list[str]]:
    """An index directory with three snapshots of the tiny shop by the bundled models, and their ids, oldest first."""
    for day in range(3):
        publish(build_snapshot(tiny_shop, embedder=embedder, needs=needs, now=MORNING + timedelta(days=day)), tmp_path / "tiny", embedder=embedder)
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
    for option in ("--store", "--to", "--list", "--reason", "--index-dir", "--model", "--json"):
        assert option in done.stdout


def test_the_list_shows_age_counts_and_which_is_live_and_changes_nothing(three: tuple[Path, list[str]]):
    index_dir, ids = three
    rollback("--store", "tiny", "--index-dir", index_dir)

    shown = rollback("--store", "tiny", "--list", "--index-dir", index_dir)
    report = json.loads(rollback("--store", "tiny", "--list", "--index-dir", index_dir, "--json").stdout)

    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ids[::-1]
    assert ["rolled back from" in line for line in lines] == [True, False, False]
    assert [" live " in line for line in lines] == [False, True, False]
    assert all("2 articles" in line and "3 replies" in line for line in lines)
    assert [one["snapshot_id"] for one in report["snapshots"] if one["is_live"]] == [ids[1]] == [current_folder(index_dir / "tiny").name]


def test_a_damaged_snapshot_is_not_made_live_and_the_others_are_named(three: tuple[Path, list[str]]):
    index_dir, ids = three
    with (index_dir / "tiny" / SNAPSHOTS / ids[1] / "replies.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")

    done = rollback("--store", "tiny", "--index-dir", index_dir)

    assert done.code == 1
    assert "nothing was changed" in done.stderr
    assert "replies.jsonl is damaged" in done.stderr
    assert ids[0] in done.stderr
    assert current_folder(index_dir / "tiny").name == ids[2]
    assert rollback("--store", "tiny", "--to", ids[0], "--index-dir", index_dir).code == 0


@pytest.mark.parametrize(("field", "value"), [("format_version", 1), ("model_id", "other@1"), ("needs_model_id", "needs@other"), ("contract_version", "0")])
def test_a_snapshot_of_another_format_or_model_is_not_made_live(three: tuple[Path, list[str]], field: str, value: object):
    index_dir, ids = three
    path = index_dir / "tiny" / SNAPSHOTS / ids[0] / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), field: value}), encoding="utf-8")

    done = rollback("--store", "tiny", "--to", ids[0], "--index-dir", index_dir)

    assert done.code == 1
    assert "expected" in done.stderr
    assert current_folder(index_dir / "tiny").name == ids[2]
    assert not (index_dir / "tiny" / QUARANTINE).exists()


def test_the_history_says_who_went_back_why_and_what_was_left(three: tuple[Path, list[str]]):
    index_dir, ids = three

    rollback("--store", "tiny", "--to", ids[0], "--reason", "wrong refund days", "--index-dir", index_dir)

    event = read_history(index_dir / "tiny")[-1]
    assert (event.kind, event.snapshot_id, event.previous, event.reason) == ("rolled_back", ids[0], ids[2], "wrong refund days")
    assert event.rejected == (ids[1], ids[2])
    assert "@" in event.by


def test_a_running_reindex_is_mentioned(three: tuple[Path, list[str]]):
    index_dir, _ = three

    with writing(index_dir / "tiny"):
        done = rollback("--store", "tiny", "--index-dir", index_dir)

    assert done.code == 0
    assert "a reindex is running" in done.stderr


def test_a_path_is_no_snapshot_id(three: tuple[Path, list[str]]):
    index_dir, ids = three

    assert rollback("--store", "tiny", "--to", f"../{SNAPSHOTS}/{ids[0]}", "--index-dir", index_dir).code == 1
