"""Progress for commands: a bar on a terminal, a plain line now and then elsewhere, nothing with --json."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from indexes.build import Progress as Tell

STDERR = Console(stderr=True, soft_wrap=True)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Tell]:
    """Gives a function (stage, done, of how many)."""
    if quiet:
        yield lambda _stage, _done, _total: None
    elif sys.stderr.isatty():
        with Progress(TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=STDERR) as bars:
            tasks: dict[str, int] = {}

            def tell(stage: str, done: int, total: int) -> None:
                task = tasks.setdefault(stage, -1)
                if task == -1:
                    task = tasks[stage] = int(bars.add_task(stage, total=total))
                bars.update(task, completed=done)  # type: ignore[arg-type]

            yield tell
    else:
        said: set[str] = set()

        def line(stage: str, done: int, total: int) -> None:
            if done == total and stage not in said:
                said.add(stage)
                STDERR.print(f"{stage}: {total}")

        yield line
