"""The shape of the house, read from its source: who may import whom, and what is nowhere."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("knowledge", "indexes", "suggest", "scripts")  # each may import those before it
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
# library → the rooms that may import it
OWNERS = {
    "faiss": {"indexes"},
    "bm25s": {"indexes"},
    "tokenizers": {"indexes"},
    "torch": {"indexes"},
    "sentence_transformers": {"indexes"},
    "jieba": {"indexes"},
    "lightgbm": {"suggest"},
    "scipy": {"suggest"},
    "pypinyin": {"indexes"},
    "pandas": {"knowledge"},
    "cel": {"knowledge"},
    "ahocorasick_rs": {"knowledge"},
    "stdnum": {"knowledge"},
    "opencc": {"knowledge"},
    "holidays": {"knowledge"},
    "jinja2": {"knowledge", "suggest"},  # the shop's templates in a sandbox; our own page of the evaluation
    "fastapi": {"suggest", "scripts"},
    "prometheus_client": {"suggest"},
    "uvicorn": {"suggest", "scripts"},
    "typer": {"scripts"},
    "rich": {"scripts"},
}
EXECUTABLE_FORMATS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
SHAPELESS_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc", "service", "process"}
HEAVY = {"torch", "sentence_transformers", "sklearn", "lightgbm", "transformers", "jieba", "pypinyin"}

each_source = pytest.mark.parametrize("path", SOURCES, ids=NAMES)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Gives the first name of every import, wherever in the file it stands, with its line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level or (node.module or "").split(".")[0], node.lineno)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_the_four_rooms_are_read():
    assert {room_of(path) for path in SOURCES} == set(ROOMS)
    assert len(SOURCES) > 40


def test_an_import_is_seen_wherever_it_stands(tmp_path: Path):
    path = tmp_path / "one.py"
    path.write_text("import a.b\nfrom c.d import e\ndef f():\n    import g, h\nfrom . import i\n", encoding="utf-8")

    assert sorted(imported(path)) == [(".", 5), ("a", 1), ("c", 2), ("g", 4), ("h", 4)]


@each_source
def test_imports_go_one_way_and_are_absolute(path: Path):
    later = set(ROOMS[ROOMS.index(room_of(path)) + 1 :]) | {"tests", "."}

    assert [(name, line) for name, line in imported(path) if name in later] == []


@each_source
def test_libraries_are_imported_only_in_their_rooms(path: Path):
    strangers = [(name, line) for name, line in imported(path) if room_of(path) not in OWNERS.get(name, ROOMS)]

    assert strangers == []


@each_source
def test_nothing_asserts_swallows_everything_or_unpickles(path: Path):
    """`assert` is gone under -O, a bare `except` hides Ctrl-C, a pickle runs what is in the file."""
    nodes = list(ast.walk(tree_of(path)))

    assert [node.lineno for node in nodes if isinstance(node, ast.Assert)] == []
    assert [node.lineno for node in nodes if isinstance(node, ast.ExceptHandler) and node.type is None] == []
    assert [(name, line) for name, line in imported(path) if name in EXECUTABLE_FORMATS] == []


@each_source
def test_nothing_allows_pickle_or_runs_text(path: Path):
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    keywords = [(keyword.arg, ast.unparse(keyword.value), call.lineno) for call in calls for keyword in call.keywords]

    assert [found for found in keywords if found[0] == "allow_pickle" and found[1] != "False"] == []
    assert [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec")] == []


@each_source
def test_a_file_is_named_after_what_it_holds(path: Path):
    assert path.stem not in SHAPELESS_NAMES


@each_source
def test_a_module_says_what_it_is(path: Path):
    assert ast.get_docstring(tree_of(path))


@each_source
def test_only_commands_print(path: Path):
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    printed = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]

    assert room_of(path) == "scripts" or printed == []


@each_source
def test_a_file_can_be_read_in_one_sitting(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@each_source
def test_every_function_says_what_it_gives(path: Path):
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert [f"{function.name}:{function.lineno}" for function in functions if function.returns is None] == []


def test_serving_and_indexing_import_nothing_heavy():
    modules = "suggest.api, scripts.serve, scripts.reindex, scripts.rollback"
    source = f"import json, sys, {modules}; print(json.dumps([name for name in sys.modules if '.' not in name]))"

    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    loaded = set(json.loads(done.stdout))
    assert "faiss" in loaded
    assert HEAVY & loaded == set()
