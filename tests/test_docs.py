"""The documents say what the program does."""

import re
from pathlib import Path

import pytest

from suggest.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_readme_settings_table_has_every_setting_with_its_description(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    row = next((line for line in readme.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}`")), "")

    assert Settings.model_fields[name].description in row


def test_readmes_hold_no_placeholder() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        assert not re.findall(r"@[A-Z_]+@", (ROOT / name).read_text(encoding="utf-8"))


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    named = set(re.findall(r"`make ([a-z]+)`|\$ make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))

    assert {one or other for one, other in named} <= targets


@pytest.mark.parametrize(
    "command",
    [
        "adapt",
        "reindex",
        "serve",
        "evaluate",
        "rollback",
        "check_chats",
        "check_needs",
        "check_knowledge",
        "measure_style",
        "bench",
        "measure_needs",
        "measure_retrieval",
        "measure_embedding",
        "measure_unseen",
        "train_embedding",
        "train_classifiers",
        "train_ranker",
    ],
)
def test_every_command_of_the_readme_exists(command: str) -> None:
    assert f"scripts.{command}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "scripts" / f"{command}.py").exists()
