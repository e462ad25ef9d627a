"""The command from end to end on a few chats of the demo shop."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.evaluate import app
from tests.conftest import STORES
from tests.scripts.commands import Done, call_command

N_CHATS = 6


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    lines = (STORES / "demo" / "chats" / "test.jsonl").read_text(encoding="utf-8").splitlines()[:N_CHATS]
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def evaluate(index_dir: Path, *arguments: Any) -> Done:
    return call_command(app, "--store-dir", STORES / "demo", "--index-dir", index_dir, *arguments)


def untimed(path: Path) -> dict[str, Any]:
    return {name: value for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name not in ("ms", "stages_ms")}


def test_report_is_written_twice_the_same_and_can_be_compared(index_dir: Path, chats: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = evaluate(index_dir, "--chats", chats, "--report", tmp_path / name, "--fast")
        assert 0 == done.code

    figures = untimed(tmp_path / "a" / "evaluation.json")
    assert figures == untimed(tmp_path / "b" / "evaluation.json")
    assert ["huashu", "BM25 on triggers", "BM25 + conditions", "dense + conditions"] == list(figures["systems"])
    assert N_CHATS == figures["n_chats"] == len(figures["chats"])
    assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    compared = evaluate(index_dir, "--compare", tmp_path / "a", tmp_path / "b", "--json")
    assert ([], [], N_CHATS) == tuple(json.loads(compared.stdout)[name] for name in ("better", "worse", "n_chats"))


def test_a_higher_threshold_is_compared_with_what_is_served(index_dir: Path, chats: Path, tmp_path: Path) -> None:
    done = evaluate(index_dir, "--chats", chats, "--compare", "current", "min_confidence=1", "--report", tmp_path / "out", "--json")

    figures = json.loads(done.stdout)
    assert 1.0 == figures["metrics"]["answerable_abstained"]["b"]["mean"]
    assert figures["worse"]
    assert figures == json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / "comparison.html").exists()


def test_review_goes_out_and_comes_back_unfilled_without_a_change(index_dir: Path, chats: Path, tmp_path: Path) -> None:
    sheet, out = tmp_path / "drafts.csv", tmp_path / "new.jsonl"

    assert 0 == evaluate(index_dir, "--chats", chats, "--export-for-review", sheet).code
    done = evaluate(index_dir, "--chats", chats, "--import-review", sheet, "--out", out, "--json")

    assert {"n_judged": 0, "added": [], "disagreements": []} == json.loads(done.stdout)
    assert chats.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param((), 2, id="no chats"),
        pytest.param(("--compare", "current", "current"), 2, id="no chats to compare on"),
        pytest.param(("--compare", "a.json", "b.json", "--export-for-review", "x.csv"), 2, id="two tasks at once"),
        pytest.param(("--compare", "a.json", "b.json"), 1, id="no such reports"),
    ],
)
def test_wrong_arguments(index_dir: Path, arguments: tuple[str, ...], code: int) -> None:
    assert code == evaluate(index_dir, *arguments).code


def test_import_wants_another_file_to_write_to(index_dir: Path, chats: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text("x\n", encoding="utf-8")

    assert 2 == evaluate(index_dir, "--chats", chats, "--import-review", sheet, "--out", chats).code
