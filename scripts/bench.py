"""`python -m scripts.bench`: latency of POST /v1/suggestions on a real server process, from another process, beside an empty request."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import typer

from scripts.bench_sizes import measure_sizes, table
from scripts.progress import STDERR, progress

app = typer.Typer(add_completion=False)
_WARM_UP = 50


@app.command()
def bench(
    chats: Annotated[Path, typer.Option(help="Labelled chats to send", exists=True, dir_okay=False)] = Path("knowledge/stores/demo/chats/test.jsonl"),
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    requests: Annotated[int, typer.Option(help="How many requests to time", min=1, max=100_000)] = 1_000,
    report: Annotated[Path | None, typer.Option(help="Folder to write bench.json to")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report on standard output, as JSON")] = False,
    sizes: Annotated[str, typer.Option(help="Numbers of replies, such as 10000,100000: measures what a size costs instead")] = "",
) -> None:
    """Starts one worker, warms it, sends the chats one after another, and prints p50, p95 and p99 in milliseconds."""
    if sizes:
        _sizes(sizes, report, as_json)
        return
    bodies = [_body(json.loads(line)) for line in chats.read_text(encoding="utf-8").splitlines()]
    with _server(index_dir) as (url, process), httpx.Client(base_url=url, timeout=30) as client:
        for body in bodies[:_WARM_UP]:
            client.post("/v1/suggestions", json=body).raise_for_status()
        with progress(quiet=as_json) as tell:
            suggesting = _time(lambda i: client.post("/v1/suggestions", json=bodies[i % len(bodies)]), requests, tell)
        answering = _time(lambda _: client.get("/healthz"), min(requests, 500), lambda _stage, _done, _total: None)
        memory_mb = _resident_mb(process.pid)
    figures = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "n_requests": requests,
        "suggestions_ms": _percentiles(suggesting),
        "healthz_ms": _percentiles(answering),
        "ratio_p50": round(float(np.median(suggesting) / np.median(answering)), 1),
        "requests_per_s": round(1_000 / float(np.mean(suggesting)), 1),
        "server_memory_mb": memory_mb,
    }
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "bench.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(figures) if as_json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


def _sizes(sizes: str, report: Path | None, as_json: bool) -> None:
    """Measures generated shops of the sizes, in process; a step that fails is said and ends with 1."""
    if not all(one.strip().isdigit() for one in sizes.split(",")):
        raise typer.BadParameter(f"expected numbers of replies with commas between them, such as 10000,100000; got {sizes!r}", param_hint="--sizes")
    with progress(quiet=as_json) as tell:
        found = measure_sizes([int(one) for one in sizes.split(",")], tell)
    figures = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "sizes": found,
    }
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "bench_sizes.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(figures) if as_json else table(found))
    if any("failed" in one for one in found):
        raise typer.Exit(1)


def _body(chat: dict[str, Any]) -> dict[str, Any]:
    kept = ("store", "now", "channel", "history", "message", "order", "customer", "agent")
    return {name: chat[name] for name in kept if name in chat}


class _server:
    """One worker in its own process, stopped at the end."""

    def __init__(self, index_dir: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        command = [sys.executable, "-m", "scripts.serve", "--index-dir", str(index_dir), "--port", str(self._port)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def __enter__(self) -> tuple[str, "subprocess.Popen[bytes]"]:
        url = f"http://127.0.0.1:{self._port}"
        for _ in range(600):
            if self._process.poll() is not None:
                STDERR.print(f"the server stopped with exit code {self._process.returncode}; run `python -m scripts.reindex` first")
                raise typer.Exit(1)
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return url, self._process
            except httpx.TransportError:
                time.sleep(0.1)
        raise typer.Exit(1)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


def _time(call: Any, n: int, tell: Any) -> np.ndarray:
    milliseconds = np.empty(n)
    for i in range(n):
        started = time.perf_counter()
        call(i).raise_for_status()
        milliseconds[i] = (time.perf_counter() - started) * 1_000
        tell("requests", i + 1, n)
    return milliseconds


def _percentiles(milliseconds: np.ndarray) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 95, 99)}


def _resident_mb(pid: int) -> int | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1_024


if __name__ == "__main__":
    app()
