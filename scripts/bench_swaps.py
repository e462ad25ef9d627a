"""`python -m scripts.bench_swaps`: latency of POST /v1/suggestions while snapshots swap beside quiet times, and the service's memory after every swap."""

import dataclasses
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Annotated, Any

import httpx
import numpy as np
import typer

from indexes.publish import current_folder, point_to
from indexes.snapshot import MANIFEST, read_manifest
from scripts.progress import STDERR, progress
from scripts.service_process import RunningService, running_service

app = typer.Typer(add_completion=False)
_WARM_UP = 50


@app.command()
def bench_swaps(
    store: Annotated[str, typer.Option(help="The shop whose snapshot is swapped")] = "demo",
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live; it is copied, not written")] = Path("var/indexes"),
    chats: Annotated[Path, typer.Option(help="Labelled chats to send", exists=True, dir_okay=False)] = Path("knowledge/stores/demo/chats/test.jsonl"),
    swaps: Annotated[int, typer.Option(help="How many swaps", min=2, max=1_000)] = 30,
    per_second: Annotated[float, typer.Option(help="Requests a second, evenly spaced; 0 for one after another without pause", min=0)] = 20.0,
) -> None:
    """Publishes two copies of a snapshot in turn to a running service and prints what its callers and its memory feel of it."""
    bodies = [_body(json.loads(line), store) for line in chats.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        names = _two_copies(index_dir / store, Path(folder) / store)
        with running_service(Path(folder), settings={"SUGGEST_REFRESH_SECONDS": "0.2"}) as service:
            asking = _Asking(service.url, bodies, per_second)
            figures = _watch(service, asking, Path(folder) / store, names, store, swaps)
    typer.echo(json.dumps(figures, indent=1))


def _watch(service: RunningService, asking: "_Asking", store_dir: Path, names: list[str], store: str, swaps: int) -> dict[str, Any]:
    asking.start()
    asking.wait_for(_WARM_UP)
    memory = [service.resident_mb()]
    loads: list[tuple[float, float]] = []
    quiet_from = time.perf_counter()
    asking.wait_for(_WARM_UP + 300)
    quiet_to = time.perf_counter()
    with progress(quiet=False) as tell:
        for number in range(swaps):
            name = names[(number + 1) % 2]
            began = time.perf_counter()
            point_to(store_dir, name)
            _wait_until_live(service.url, store, name)
            loads.append((began, time.perf_counter()))
            time.sleep(0.5)
            memory.append(service.resident_mb())
            tell("swaps", number + 1, swaps)
    times = asking.stop()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quiet_ms": _percentiles([ms for at, ms in times if quiet_from <= at < quiet_to]),
        "while_swapping_ms": _percentiles([ms for at, ms in times if any(begin <= at < end for begin, end in loads)]),
        "live_after_s": round(float(np.median([end - begin for begin, end in loads])), 2),
        "failed_requests": asking.failed,
        "resident_mb": memory,
    }


class _Asking(Thread):
    """One caller, chat after chat, until told to stop; gives when each request began and how long it took."""

    def __init__(self, url: str, bodies: list[dict[str, Any]], per_second: float) -> None:
        super().__init__(daemon=True)
        self._url, self._bodies, self._pause = url, bodies, 1 / per_second if per_second else 0.0
        self._done, self.times, self.failed = Event(), list[tuple[float, float]](), 0

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._done.is_set():
                began = time.perf_counter()
                response = client.post("/v1/suggestions", json=self._bodies[len(self.times) % len(self._bodies)])
                self.times.append((began, (time.perf_counter() - began) * 1_000))
                self.failed += response.status_code != 200
                time.sleep(max(0.0, began + self._pause - time.perf_counter()))

    def wait_for(self, n: int) -> None:
        while len(self.times) < n and self.is_alive():
            time.sleep(0.05)

    def stop(self) -> list[tuple[float, float]]:
        self._done.set()
        self.join()
        return self.times


def _two_copies(source: Path, target: Path) -> list[str]:
    """Copies the live snapshot twice, under two ids, the first one live."""
    live = current_folder(source)
    manifest = read_manifest(live)
    names = [f"{manifest.snapshot_id}-{letter}" for letter in "ab"]
    for name in names:
        folder = target / "snapshots" / name
        shutil.copytree(live, folder)
        (folder / MANIFEST).write_text(json.dumps(dataclasses.asdict(dataclasses.replace(manifest, snapshot_id=name))), encoding="utf-8")
    point_to(target, names[0])
    return names


def _body(chat: dict[str, Any], store: str) -> dict[str, Any]:
    kept = ("now", "channel", "history", "message", "order", "customer", "agent")
    return {name: chat[name] for name in kept if name in chat} | {"store": store}


def _wait_until_live(url: str, store: str, snapshot_id: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if httpx.get(f"{url}/readyz", timeout=60).json()["shops"].get(store) == snapshot_id:
            return
        time.sleep(0.1)
    STDERR.print(f"{snapshot_id} was not live after 5 minutes", markup=False)
    raise typer.Exit(1)


def _percentiles(milliseconds: list[float]) -> dict[str, float]:
    return {"n": len(milliseconds)} | {f"p{q}": round(float(np.percentile(milliseconds, q)), 1) for q in (50, 95, 99)} | {"max": round(max(milliseconds), 1)}


if __name__ == "__main__":
    app()
