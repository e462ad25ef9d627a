"""The command that serves: with several workers as with one."""

import time
from pathlib import Path

import httpx

from scripts.serve import app
from scripts.service_process import running_service
from suggest.live import Models
from tests.scripts.commands import call_command
from tests.suggest.numbered import publish_edition

PATIENCE_S = 60


def test_two_workers_count_together_and_both_find_the_new_snapshot(tmp_path: Path, models: Models) -> None:
    index_dir = tmp_path / "indexes"
    publish_edition(1, index_dir / "tiny", tmp_path, models)
    with running_service(index_dir, settings={"SUGGEST_REFRESH_SECONDS": "0.1"}, log=tmp_path / "log", workers=2) as service:
        for _ in range(30):
            httpx.get(f"{service.url}/healthz", timeout=PATIENCE_S)  # a connection each: either worker may take it
        counted = httpx.get(f"{service.url}/metrics", timeout=PATIENCE_S).text
        second = publish_edition(2, index_dir / "tiny", tmp_path, models)
        deadline = time.monotonic() + PATIENCE_S
        while (tmp_path / "log").read_text(encoding="utf-8").count(f'"snapshot.swapped", "shop": "tiny", "snapshot_id": "{second}"') < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    assert 'huashu_requests_total{route="/healthz",status="200"} 30.0' in counted
    assert 1 == counted.count("huashu_snapshot_info{")


def test_a_wrong_setting_is_a_wrong_use() -> None:
    done = call_command(app, "--workers", 0)

    assert 2 == done.code
    assert "--workers" in done.stderr
