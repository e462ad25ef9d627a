"""`python -m scripts.bench`: latency of POST /v1/suggestions on a real server process, from another process, beside an empty request."""

import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from knowledge.chats import read_chats
from scripts.bench_sizes import measure_sizes, table
from scripts.progress import progress
from scripts.service_process import running_service
from suggest.api import ready_to_answer
from suggest.live import LiveShops, Models
from suggest.metrics import Metrics
from suggest.pipeline import request_of
from suggest.watching import IndexWatcher

app = typer.Typer(add_completion=False)
_WARM_UP = 50
_AT_ONCE = 4


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
    bodies = [json.dumps(_body(json.loads(line)), ensure_ascii=False).encode() for line in chats.read_text(encoding="utf-8").splitlines()]
    with running_service(index_dir) as service:
        port = int(service.url.rsplit(":", 1)[1])
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            for body in bodies[:_WARM_UP]:
                _ask(connection, body)
            with progress(quiet=as_json) as tell:
                suggesting = _time(lambda i: _ask(connection, bodies[i % len(bodies)]), requests, tell)
            answering = _time(lambda _: _get(connection, "/healthz"), min(requests, 500), lambda _stage, _done, _total: None)
        per_second = _requests_per_s(port, bodies, requests)
        memory_mb = service.resident_mb()
    figures = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "n_requests": requests,
        "suggestions_ms": _percentiles(suggesting),
        "healthz_ms": _percentiles(answering),
        "ratio_p50": round(float(np.median(suggesting) / np.median(answering)), 1),
        "in_process_ms": _in_process(index_dir, chats, min(requests, 500)),
        "requests_per_s": per_second,
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


def _ask(connection: HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/v1/suggestions", body, {"content-type": "application/json"})
    _answered(connection)


def _get(connection: HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    _answered(connection)


def _answered(connection: HTTPConnection) -> None:
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"expected 200, got {answer.status}: {content[:500]!r}")


def _requests_per_s(port: int, bodies: list[bytes], n: int) -> float:
    """Requests answered a second when `_AT_ONCE` callers ask one after another, each on its own connection."""

    def ask(first: int) -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for i in range(first, n, _AT_ONCE):
                _ask(connection, bodies[i % len(bodies)])

    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as callers:
        list(callers.map(ask, range(_AT_ONCE)))
    return round(n / (time.perf_counter() - started), 1)


def _in_process(index_dir: Path, chats: Path, n: int) -> dict[str, float]:
    """The same messages through the same pipeline without a server; the first shop of the index that the chats are of."""
    shops, models = LiveShops(), Models.load()
    IndexWatcher(index_dir, models, shops, Metrics(lambda: shops.serving)).look()
    labelled, _ = read_chats(chats, root=chats.parent)
    asked = [(request_of(chat), chat.now) for chat in labelled]
    ready_to_answer()  # as the server does

    def suggest(i: int) -> None:
        request, now = asked[i % len(asked)]
        shops.of(request.store).suggest(request, now=now, request_id="bench")

    for i in range(_WARM_UP):
        suggest(i)
    return _percentiles(_time(suggest, n, lambda _stage, _done, _total: None))


def _time(call: Any, n: int, tell: Any) -> np.ndarray:
    milliseconds = np.empty(n)
    for i in range(n):
        started = time.perf_counter()
        call(i)
        milliseconds[i] = (time.perf_counter() - started) * 1_000
        tell("requests", i + 1, n)
    return milliseconds


def _percentiles(milliseconds: np.ndarray) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 95, 99)}


if __name__ == "__main__":
    app()
