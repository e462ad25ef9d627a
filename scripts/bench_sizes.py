"""What a size costs: a generated shop of each size built, published, loaded, asked, changed by one percent and built again, each in a process of its own."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from indexes.build import build_snapshot
from indexes.classifier import load_classifier
from indexes.publish import CURRENT, current_folder, load_current, load_last_good, publish
from indexes.vector_cache import CACHE, VectorCache
from knowledge.chats import LabelledChat, read_chats
from knowledge.needs_bank import read_phrasings
from knowledge.shop import Shop, load_shop
from scripts import bench_beside
from scripts.generated_shop import generated_shop, with_changes
from suggest.live import Models
from suggest.pipeline import Suggester, request_of
from suggest.retrieval import retrieve
from suggest.understanding import Understanding

BASE = Path("knowledge/stores/demo")
CHANGED = 0.01
STEPS = ("build", "change", "serve", *([bench_beside.TXTAI] if bench_beside.is_installed() else []))
_WARM_UP = 100
Seconds = tuple[float, float]  # by the clock, of the processor
_NOW = datetime(2026, 11, 22, tzinfo=UTC)


def measure_sizes(sizes: list[int], tell: Any) -> list[dict[str, Any]]:
    """Gives the figures of each size. Every step runs in a process of its own, so that memory is its own."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="huashu-size-") as folder:
            figures: dict[str, Any] = {"replies": size}
            for number, step in enumerate(STEPS):
                command = [sys.executable, "-m", "scripts.bench_sizes", step, str(size), folder]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    figures["failed"] = f"{step}: exit code {done.returncode}: {(done.stderr.splitlines() or [''])[-1][:200]}"
                    break
                figures |= json.loads(done.stdout.splitlines()[-1])
                tell(f"{size} replies", number + 1, len(STEPS))
            found.append(figures)
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Gives the figures as a Markdown table, a row a size."""
    names = list(dict.fromkeys(name for figures in found for name in figures))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(str(figures.get(name, "")) for name in names) + " |" for figures in found]
    return "\n".join(lines)


def _step(step: str, size: int, folder: Path) -> dict[str, Any]:
    return {"build": _build, "change": _change, "serve": _serve, bench_beside.TXTAI: _txtai}[step](size, folder)


def _build(size: int, folder: Path) -> dict[str, Any]:
    figures = _published(_shop(size), folder)
    snapshot = current_folder(folder)
    return {
        "keys": figures["keys"],
        "full_build_s": figures["seconds"],
        "full_build_cpu_s": figures["cpu_seconds"],
        "build_peak_mb": _peak_mb(),
        "snapshot_mb": round(sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file()) / 1e6),
        "vectors_kept_mb": round(sum(path.stat().st_size for path in (folder / CACHE).glob("*")) / 1e6),
        "recall_at_50": figures["recall"],
    }


def _change(size: int, folder: Path) -> dict[str, Any]:
    figures = _published(with_changes(_shop(size), read_phrasings("zh"), share=CHANGED, seed=1), folder)
    cpu = figures["cpu_seconds"]
    return {"change_1pct_s": figures["seconds"], "change_1pct_cpu_s": cpu, "change_peak_mb": _peak_mb(), "embedded": figures["embedded"]}


def _published(shop: Shop, folder: Path) -> dict[str, Any]:
    """Builds and publishes as a reindex does once it has read the files; seconds from the shop in memory to the pointer moved."""
    models, needs = Models.load(), load_classifier("needs")
    started, worked = time.perf_counter(), time.process_time()
    cache = VectorCache(folder / CACHE)
    live = load_current(folder, embedder=models.embedder) if (folder / CURRENT).exists() else None
    snapshot = build_snapshot(shop, embedder=models.embedder, needs=needs, now=_NOW, cache=cache, live=live)
    cache.keep()
    publish(snapshot, folder, embedder=models.embedder)
    cache.forget_unused()
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
        "keys": len(snapshot.keys),
        "recall": snapshot.manifest.recall or 1.0,
        "embedded": cache.counts["embedding"]["computed"],
    }


def _serve(size: int, folder: Path) -> dict[str, Any]:
    models = Models.load()
    started, worked = time.perf_counter(), time.process_time()
    snapshot = load_last_good(folder, embedder=models.embedder, later=True).snapshot  # as a service does that looks again
    read = time.perf_counter() - started
    suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)
    ready, ready_cpu = time.perf_counter() - started, time.process_time() - worked
    chats, _ = read_chats(BASE / "chats" / "test.jsonl", root=BASE)
    for chat in chats[:_WARM_UP]:
        _answer(suggester, chat)
    answers = _percentiles("answer", [_answer(suggester, chat) for chat in chats * 2])
    questions = [suggester.retrieved(chat)[0][0][0] for chat in chats]
    return {
        "read_s": round(read, 1),
        "load_s": round(ready, 1),
        "load_cpu_s": round(ready_cpu, 1),
        **_percentiles("query", [_query(suggester, question) for question in questions * 2]),
        **answers,
        "serve_peak_mb": _peak_mb(),
    }


def _txtai(_size: int, folder: Path) -> dict[str, Any]:
    models = Models.load()
    keys = load_last_good(folder, embedder=models.embedder, later=True).snapshot.keys
    chats, _ = read_chats(BASE / "chats" / "test.jsonl", root=BASE)
    return bench_beside.searching_ms([key.text for key in keys], [chat.message for chat in chats], models.embedder)


def _percentiles(name: str, seconds: list[Seconds]) -> dict[str, float]:
    """Milliseconds by the clock, and of the processor alone: on a machine that others use too the first say little about the program."""
    times = np.array(seconds) * 1_000  # [n_asked, 2]
    columns = (("ms", times[:, 0]), ("cpu_ms", times[:, 1]))
    return {f"{name}_p{q}_{unit}": round(float(np.percentile(column, q)), 1) for unit, column in columns for q in (50, 95, 99)}


def _query(suggester: Suggester, question: Understanding) -> Seconds:
    """Of finding what may answer a message that was understood: both channels, over replies and over passages."""
    started, worked = time.perf_counter(), time.thread_time()
    retrieve(question, suggester.snapshot, suggester.embedder)
    return time.perf_counter() - started, time.thread_time() - worked


def _answer(suggester: Suggester, chat: LabelledChat) -> Seconds:
    """Of the whole way from a request to its drafts."""
    started, worked = time.perf_counter(), time.thread_time()
    suggester.suggest(request_of(chat), now=chat.now, request_id=chat.id)
    return time.perf_counter() - started, time.thread_time() - worked


def _shop(size: int) -> Shop:
    """In memory: writing and reading the files of the largest takes longer than all the rest."""
    return generated_shop(load_shop(BASE), read_phrasings("zh"), n_replies=size, store_id="large")


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(json.dumps(_step(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
