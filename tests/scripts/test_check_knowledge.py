import json
from pathlib import Path

from scripts.check_knowledge import app
from tests.scripts.commands import call_command, run_command
from tests.suggest.test_desk import shop


def test_lead_gets_findings_with_file_and_line_and_a_page(tmp_path: Path) -> None:
    folder = shop(tmp_path / "tiny", {"action": ""}, {"scenario": "invoice", "triggers": ["怎么开票"]})

    done = run_command("scripts.check_knowledge", "--store-dir", folder, "--now", "2026-11-21", "--html", tmp_path / "out" / "desk.html")

    assert done.code == 0
    assert "replies.jsonl:1" in done.stdout
    assert "没有「行动」" in done.stdout
    assert "小店: 必须改 0" in done.stdout
    assert (tmp_path / "out" / "desk.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_error_makes_the_command_fail_and_json_says_which(tmp_path: Path) -> None:
    folder = shop(tmp_path / "tiny", {"when": "order.is_shipped && order.is_unshipped"})

    done = call_command(app, "--store-dir", folder, "--json", "--now", "2026-11-21")

    assert done.code == 1
    report = json.loads(done.stdout)
    assert report["counts"]["error"] == 1
    assert report["findings"][0] == {
        "severity": "error", "code": "never_true", "file": "replies.jsonl", "line": 1, "id": "r1", "field": "when",
        "problem": "条件永远不成立：order.is_shipped && order.is_unshipped，这条话术不会出现", "advice": "检查是不是写反了，或两个条件互相矛盾",
    }  # fmt: skip
    assert {"scenario": "order.expedite", "order_state": "unshipped", "replies": 0, "categories": 0, "asked": True} in report["coverage"]


def test_wrong_arguments_are_two(tmp_path: Path) -> None:
    folders = [shop(tmp_path / name, {}) for name in ("a", "b")]

    assert call_command(app, "--store-dir", tmp_path / "none").code == 2
    assert call_command(app, "--store-dir", folders[0], "--store-dir", folders[1], "--html", tmp_path / "x.html").code == 2
    assert call_command(app, "--store-dir", folders[0], "--now", "yesterday").code == 2
