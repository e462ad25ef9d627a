"""How long each stage of a request took. Decides nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimings:
    """Milliseconds by stage, added up over the questions of a message."""

    def __init__(self) -> None:
        self._ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds what is done inside to the stage."""
        started = time.perf_counter()
        yield
        self._ms[name] = self._ms.get(name, 0.0) + (time.perf_counter() - started) * 1_000

    def rounded(self) -> dict[str, float]:
        """Gives the milliseconds of each stage and their sum."""
        return {name: round(ms, 3) for name, ms in self._ms.items()} | {"total": round(sum(self._ms.values()), 3)}
