"""Runs a command of the project: as a process, or in this one where the process itself is not the point."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
_PLAIN = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "160"}


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished command left."""

    code: int
    stdout: str
    stderr: str


def run_command(module: str, *arguments: object) -> Done:
    """Runs `python -m module` without the caller's SUGGEST_ settings and without colours."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUGGEST_") and name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment | _PLAIN, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def call_command(app: typer.Typer, *arguments: object) -> Done:
    """Runs the same command in this process, which saves its seconds of imports; an error it does not handle is raised here."""
    result = CliRunner(env=_PLAIN).invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
