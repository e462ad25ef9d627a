"""The command as people run it: a process, its exit code, its two streams, and what is on disk afterwards."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.embedder import load_embedder
from indexes.publish import load_current, snapshot_ids, store_dirs
from scripts.reindex import app
from tests.fakes import REPLIES, write_shop
from tests.scripts.commands import Done, call_command, run_command

BAD_REPLIES = [
    {**REPLIES[1], "id": "bad id!"},
    {**REPLIES[1], "id": "no-words", "text": ""},
    {**REPLIES[1], "id": "bad-condition", "when": "order.status =="},
    {**REPLIES[1], "id": "unknown-fact", "when": "order.colour == 'red'"},
    {**REPLIES[1], "id": "bad-template", "text": "{{ order.id"},
    {**REPLIES[1], "id": "bad-status", "status": "maybe"},
    {**REPLIES[1], "id": "bad-cite", "cites": "no-such-article"},
    {**REPLIES[1], "id": "misspelt", "trigers": "发票"},
    REPLIES[1],
    REPLIES[1],
]
# line of replies.jsonl → the field that is wrong there
BAD_FIELDS = {1: "id", 2: "row", 3: "when", 4: "when", 5: "text", 6: "status", 7: "cites", 8: "trigers", 10: "id"}


def reindex(*arguments: object) -> Done:
    return call_command(app, *arguments)


def fingerprint(folder: Path) -> dict[str, str]:
    """Of everything but the reports, which every run writes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "reports"
    }


def nothing_published(index_dir: Path) -> bool:
    """Whether the run left its report and its lock, and nothing else."""
    return {path.name for path in index_dir.rglob("*") if path.is_file()} == {".reindex.lock", *(path.name for path in index_dir.glob("tiny/reports/*.json"))}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """An index directory with the tiny shop published by the command, and what the command said."""
    folder = tmp_path_factory.mktemp("good")
    return folder / "indexes", run_command("scripts.reindex", "--store-dir", write_shop(folder / "shop"), "--index-dir", folder / "indexes", "--json")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, good: tuple[Path, Done]) -> tuple[Done, Callable[[], bool]]:
    """The same shop with many bad rows, indexed over the good one; what was said, and whether the index directory is as before."""
    index_dir, _ = good
    before = fingerprint(index_dir)
    shop = write_shop(tmp_path_factory.mktemp("bad") / "shop", replies=BAD_REPLIES)
    (shop / "articles" / "plain.md").write_text("没有前言\n", encoding="utf-8")
    return run_command("scripts.reindex", "--store-dir", shop, "--index-dir", index_dir), lambda: fingerprint(index_dir) == before


def test_a_good_shop_is_published_and_reported_in_json(good: tuple[Path, Done]):
    index_dir, done = good

    report = json.loads(done.stdout)

    assert done.code == 0, done.stderr
    assert (report["status"], report["store"]) == ("published", "tiny")
    assert report["counts"] == {"articles": 2, "passages": 3, "replies": 3, "keys": 8, "products": 1, "cases": 0}
    assert 0 <= report["seconds"] < 60
    assert snapshot_ids(index_dir / "tiny") == [report["snapshot_id"]]
    assert done.stderr == ""


def test_what_was_published_is_served_by_the_bundled_model(good: tuple[Path, Done]):
    index_dir, _ = good

    snapshot = load_current(index_dir / "tiny", embedder=load_embedder())

    assert [reply.id for reply in snapshot.shop.replies] == ["delay-stalled", "invoice-title", "return-how"]
    assert snapshot.manifest.model_id.startswith("zh-static@")
    assert snapshot.manifest.dimension == 256


def test_bad_rows_stop_the_command_and_nothing_is_published(bad: tuple[Done, Callable[[], bool]]):
    done, unchanged = bad

    assert done.code == 1
    assert done.stdout == ""
    assert "nothing was published" in done.stderr
    assert unchanged()


@pytest.mark.parametrize(("line", "field"), BAD_FIELDS.items(), ids=[f"line {line} {field}" for line, field in BAD_FIELDS.items()])
def test_every_bad_row_is_named_by_file_line_and_field(bad: tuple[Done, Callable[[], bool]], line: int, field: str):
    done, _ = bad

    assert f"replies.jsonl:{line} {field}: " in done.stderr


def test_bad_rows_of_every_file_come_at_once_and_good_rows_are_not_among_them(bad: tuple[Done, Callable[[], bool]]):
    done, _ = bad

    assert "articles/plain.md:1 front matter: " in done.stderr
    assert "\n  replies.jsonl:10 " in done.stderr
    assert "\n  replies.jsonl:9 " not in done.stderr
    assert "10 bad rows" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_rows_in_json_are_data(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", replies=BAD_REPLIES[7:8])

    done = reindex("--store-dir", shop, "--index-dir", tmp_path / "indexes", "--json")

    report = json.loads(done.stdout)
    assert done.code == 1
    assert (report["status"], report["store_dir"]) == ("invalid", str(shop))
    expected = "unknown field; did you mean 'triggers'?"
    assert report["bad_rows"] == [{"file": "replies.jsonl", "line": 1, "field": "trigers", "expected": expected, "got": "发票"}]
    assert nothing_published(tmp_path / "indexes")


def test_a_bad_shop_does_not_hold_up_a_good_one(tmp_path: Path):
    good, bad = write_shop(tmp_path / "good"), write_shop(tmp_path / "bad", replies=BAD_REPLIES)

    done = reindex("--store-dir", bad, "--store-dir", good, "--index-dir", tmp_path / "indexes", "--json")

    assert done.code == 1
    assert [report["status"] for report in json.loads(done.stdout)] == ["invalid", "published"]
    assert len(snapshot_ids(tmp_path / "indexes" / "tiny")) == 1


def test_a_reply_that_cannot_be_found_is_refused_by_name(tmp_path: Path):
    shop = write_shop(tmp_path / "shop", replies=[*REPLIES, {**REPLIES[1], "id": "lost", "triggers": "😀|😂"}])

    done = reindex("--store-dir", shop, "--index-dir", tmp_path / "indexes")

    assert done.code == 1
    assert "2 of 9 are not found by their own words, such as lost" in done.stderr
    assert store_dirs(tmp_path / "indexes") == []


def test_a_folder_that_is_no_shop_says_what_is_missing(tmp_path: Path):
    done = reindex("--store-dir", tmp_path / "nowhere", "--index-dir", tmp_path / "indexes")

    assert done.code == 1
    assert "store.toml:1 file: " in done.stderr


def test_no_arguments_are_a_wrong_use():
    done = run_command("scripts.reindex")

    assert done.code == 2
    assert "--store-dir" in done.stderr


def test_help_names_every_option():
    done = reindex("--help")

    assert done.code == 0
    options = "--store-dir --index-dir --model --adapted --dry-run --rebuild --force --reason --max-fewer --max-worse --json"
    for option in options.split():
        assert option in done.stdout


def test_train_chats_become_cases_and_chats_for_judging_do_not(tmp_path: Path):
    shop = write_shop(tmp_path / "shop")
    (shop / "chats").mkdir()
    label = {"scenarios": ["invoice"], "replies": {REPLIES[0]["id"]: 2}}
    for split, said in (("train", "票开错了咋整"), ("dev", "抬头不对"), ("test", "能重开一张不")):
        chat = {"id": split, "store": "tiny", "now": "2026-11-21T10:00:00+08:00", "message": said, "labels": label}
        (shop / "chats" / f"{split}.jsonl").write_text(json.dumps(chat, ensure_ascii=False) + "\n", encoding="utf-8")

    done = reindex("--store-dir", shop, "--index-dir", tmp_path / "indexes", "--json")

    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["cases"] == 1
    assert load_current(tmp_path / "indexes" / "tiny", embedder=load_embedder()).cases.conversations == ("train",)


def test_a_bad_train_chat_is_reported_and_nothing_is_published(tmp_path: Path):
    shop = write_shop(tmp_path / "shop")
    (shop / "chats").mkdir()
    (shop / "chats" / "train.jsonl").write_text('{"id": "a", "store": "tiny"}\n', encoding="utf-8")

    done = reindex("--store-dir", shop, "--index-dir", tmp_path / "indexes")

    assert done.code == 1
    assert "chats/train.jsonl:1" in done.stderr
    assert nothing_published(tmp_path / "indexes")
