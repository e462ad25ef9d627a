"""A real service process while snapshots are published, damaged and rolled back beneath it."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from indexes.snapshot_folders import CURRENT, SNAPSHOTS
from scripts.reindex import app as reindex
from scripts.rollback import app as rollback
from scripts.service_process import RunningService, running_service
from suggest.live import Models
from tests.scripts.commands import call_command
from tests.suggest.numbered import QUESTIONS, edition, editions_in, publish_edition, words_of

N_THREADS, N_SNAPSHOTS = 16, 50
PATIENCE_S = 60


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not (met := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def ready(url: str) -> dict[str, Any]:
    return httpx.get(f"{url}/readyz", timeout=PATIENCE_S).json()


def ask(client: httpx.Client, n: int) -> dict[str, Any]:
    response = client.post("/v1/suggestions", json={"message": QUESTIONS[n % len(QUESTIONS)]})
    assert 200 == response.status_code, response.text
    return response.json()


def search(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/v1/search", params={"q": "退货 快递"})
    assert 200 == response.status_code, response.text
    return response.json()


def found_words(answer: dict[str, Any]) -> list[str]:
    return [one["passage"]["text"] if one["passage"] else one["reply"]["words"] for one in answer["results"]]


@pytest.fixture
def service(tmp_path: Path, models: Models) -> Iterator[RunningService]:
    """Serves edition 0 of the numbered shop, from `indexes/` below the test's folder; looks ten times a second."""
    publish_edition(0, tmp_path / "indexes" / "tiny", tmp_path, models)
    settings = {"SUGGEST_REFRESH_SECONDS": "0.1", "SUGGEST_MIN_CONFIDENCE": "0"}
    with running_service(tmp_path / "indexes", settings=settings, log=tmp_path / "log.jsonl") as running:
        yield running


def test_sixteen_threads_ask_while_fifty_snapshots_swap(service: RunningService, tmp_path: Path, models: Models) -> None:
    store_dir, done, answers = tmp_path / "indexes" / "tiny", Event(), list[tuple[str, set[int]]]()
    numbers = {ready(service.url)["shops"]["tiny"]: 0}

    def keep_asking(n: int) -> None:
        with httpx.Client(base_url=service.url, timeout=PATIENCE_S) as client:
            while not done.is_set():
                answer = search(client) if n % 4 == 0 else ask(client, n)
                texts = found_words(answer) if n % 4 == 0 else words_of(answer)
                answers.append((answer["snapshot_id"], editions_in(texts)))
                time.sleep(0.6)  # a saturated service would only make the test longer

    with ThreadPoolExecutor(N_THREADS) as threads:
        asking = [threads.submit(keep_asking, n) for n in range(N_THREADS)]
        try:
            for number in range(1, N_SNAPSHOTS + 1):
                published = publish_edition(number, store_dir, tmp_path, models)
                numbers[published] = number
                assert eventually(lambda published=published: ready(service.url)["shops"]["tiny"] == published)
        finally:
            done.set()
        for one in asking:
            one.result()  # raises what the thread raised

    seen = {snapshot_id for snapshot_id, _ in answers}
    assert [] == [(snapshot_id, editions) for snapshot_id, editions in answers if editions != {numbers[snapshot_id]}]
    assert len(seen) > N_SNAPSHOTS // 2
    assert f'huashu_snapshot_swaps_total{{shop="tiny"}} {N_SNAPSHOTS + 1}.0' in httpx.get(f"{service.url}/metrics").text


def test_reindex_bad_file_and_rollback_are_live_without_a_restart(service: RunningService, tmp_path: Path) -> None:
    index_dir = tmp_path / "indexes"
    edition(8, tmp_path / "shop")
    edition(9, tmp_path / "next")

    def serves(number: int) -> bool:
        with httpx.Client(base_url=service.url, timeout=PATIENCE_S) as client:
            return {number} == editions_in([*words_of(ask(client, 0)), *found_words(search(client))])

    assert serves(0)
    assert 0 == call_command(reindex, "--store-dir", tmp_path / "shop", "--index-dir", index_dir, "--json").code
    assert eventually(lambda: serves(8))

    shutil.copytree(
        live := index_dir / "tiny" / SNAPSHOTS / (index_dir / "tiny" / CURRENT).read_text().strip(), slipped := live.with_name("29991231T000000-bad")
    )
    (slipped / "key_vectors.faiss").write_bytes(b"not an index")
    (index_dir / "tiny" / CURRENT).write_text(slipped.name + "\n")
    assert eventually(lambda: "tiny" in ready(service.url)["failing"])
    said, metrics = ready(service.url), httpx.get(f"{service.url}/metrics").text
    assert ("ready", {"tiny": live.name}, slipped.name) == (said["status"], said["shops"], said["failing"]["tiny"]["snapshot_id"])
    assert "key_vectors.faiss is damaged" in said["detail"]
    assert 'huashu_snapshot_failing{shop="tiny"} 1.0' in metrics
    assert 'huashu_snapshot_load_failures_total{shop="tiny"} 1.0' in metrics
    assert 'huashu_snapshots_set_aside_total{shop="tiny"} 1.0' in metrics
    assert serves(8)

    assert 0 == call_command(reindex, "--store-dir", tmp_path / "next", "--index-dir", index_dir, "--json").code
    assert eventually(lambda: serves(9))
    assert {} == ready(service.url)["failing"]

    assert 0 == call_command(rollback, "--store", "tiny", "--index-dir", index_dir).code
    assert eventually(lambda: serves(8))
    logged = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    assert 1 == logged.count("snapshot.not_loaded")
    assert 4 == logged.count("snapshot.swapped")
