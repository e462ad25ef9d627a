"""The documents say what the program does."""

import re
from pathlib import Path

import pytest
import typer

from indexes.gate import MIN_GONE
from indexes.history import HISTORY
from indexes.publish import CURRENT, SNAPSHOTS
from indexes.quarantine import KEPT, QUARANTINE
from indexes.reindex_report import BUSY, KEPT_REPORTS, REPORTS
from indexes.vector_cache import CACHE
from indexes.write_lock import LOCK, OWNER
from knowledge.records import GateLimits
from scripts.bench import app as bench_app
from scripts.generate_shop import app as generate_app
from scripts.reindex import app as reindex_app
from scripts.rollback import app as rollback_app
from suggest.api import create_app
from suggest.quality_gate import MAX_CHATS, MIN_LOST
from suggest.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_readme_settings_table_has_every_setting_with_its_description(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    row = next((line for line in readme.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}`")), "")

    assert Settings.model_fields[name].description in row


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readmes_list_every_endpoint(name: str) -> None:
    readme = (ROOT / name).read_text(encoding="utf-8")
    paths = {re.sub(r"\{\w+\}", "{id}", path) for path in create_app(Settings()).openapi()["paths"]}

    assert {"/v1/suggestions", "/metrics"} <= paths
    assert set() == {path for path in paths if path not in readme}


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
        "measure_drafts",
        "measure_moves",
        "practice_table",
        "bench",
        "bench_swaps",
        "day_in_the_life",
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


OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def options_of(app: typer.Typer) -> set[str]:
    """The options as a person sees them, but --help."""
    command = typer.main.get_command(app)
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", OPERATIONS))))
def test_every_option_of_the_operations_page_exists(option: str) -> None:
    every = [options_of(one) for one in (reindex_app, rollback_app, bench_app, generate_app)]
    assert option in set().union(*every, {"--now"})  # systemctl enable --now


@pytest.mark.parametrize("option", sorted(options_of(reindex_app) | options_of(rollback_app)))
def test_every_option_of_reindex_and_rollback_is_on_the_operations_page(option: str) -> None:
    assert option in OPERATIONS


def test_the_operations_page_has_the_limits_that_the_program_has() -> None:
    limits = GateLimits()
    assert f"`--max-fewer {limits.max_fewer}`" in OPERATIONS
    assert f"`--max-worse {limits.max_worse}`" in OPERATIONS
    assert f"more than {limits.max_fewer:.0%} of the replies or articles are gone, at least {MIN_GONE}" in OPERATIONS
    assert f"more than {100 * limits.max_worse:g} points and at least {MIN_LOST} chats" in OPERATIONS
    assert f"the newest {KEPT} stay" in OPERATIONS
    assert f"of more than\n{MAX_CHATS} chats a fixed sample" in OPERATIONS
    assert f"| {BUSY} | another reindex" in OPERATIONS
    assert f"the last {KEPT_REPORTS} |" in OPERATIONS


@pytest.mark.parametrize("name", [CURRENT, SNAPSHOTS, QUARANTINE, CACHE, REPORTS, HISTORY, LOCK, OWNER])
def test_the_operations_page_names_every_file_of_an_index_folder(name: str) -> None:
    assert f"`{name}" in OPERATIONS


@pytest.mark.parametrize("code", ["counts", "chats", "findable", "rolled_back"])
def test_every_refusal_says_what_to_do(code: str) -> None:
    assert f"**`refused ({code})`**" in OPERATIONS
