"""The day is lived through again, every step of it checked by the command itself, and the page in the docs is of the same day."""

from pathlib import Path

from tests.scripts.commands import ROOT, run_command


def headings(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]


def test_the_day_goes_as_the_docs_say(tmp_path: Path) -> None:
    done = run_command("scripts.day_in_the_life", "--out", tmp_path / "day.md")

    assert done.code == 0, done.stderr
    assert headings(tmp_path / "day.md") == headings(ROOT / "docs" / "day-in-the-life.md")
    assert str(tmp_path) not in (tmp_path / "day.md").read_text(encoding="utf-8")
