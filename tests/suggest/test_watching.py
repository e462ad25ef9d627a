"""What is served follows what is published, and never becomes worse by trying."""

import io
import json
import logging
import shutil
import threading
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexes import checksums
from indexes.quarantine import quarantined
from indexes.snapshot_folders import CURRENT, SNAPSHOTS, point_to, pointed_to
from knowledge.shop import load_shop
from suggest.contract import SuggestionRequest
from suggest.errors import StoreNotNamed, StoreUnavailable, UnknownStore
from suggest.live import LiveShops, Models
from suggest.logs import JsonLines
from suggest.metrics import Metrics
from suggest.operations import readiness
from suggest.pipeline import Suggester
from suggest.watching import IndexWatcher
from tests.suggest.numbered import QUESTIONS, editions_in, publish_edition, words_of


class Watched:
    """An index directory with the shop `tiny`, its watcher, and a clock that is moved by hand."""

    def __init__(self, folder: Path, models: Models) -> None:
        self.folder, self.index_dir, self.models = folder, folder / "indexes", models
        self.shops, self.seconds = LiveShops(), 0.0
        self.metrics = Metrics(lambda: self.shops.serving)
        self.watcher = IndexWatcher(self.index_dir, models, self.shops, self.metrics, min_confidence=0, clock=lambda: self.seconds)

    @property
    def tiny(self) -> Path:
        return self.index_dir / "tiny"

    def publish(self, number: int) -> str:
        return publish_edition(number, self.tiny, self.folder, self.models)

    def served(self, store: str = "tiny") -> str:
        return self.shops.serving.shops[store].snapshot_id

    def count(self, name: str) -> float:
        lines = [line for line in self.metrics.page().decode().splitlines() if line.startswith((name + "{", name + " "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


@pytest.fixture
def watched(tmp_path: Path, models: Models) -> Watched:
    return Watched(tmp_path, models)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("huashu.index")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield stream
    log.removeHandler(handler)
    log.setLevel(level)


def events(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


def editions(suggester: Suggester, question: str = QUESTIONS[0]) -> set[int]:
    answer = suggester.suggest(SuggestionRequest(message=question), now=datetime.now(UTC), request_id="r")
    return editions_in(words_of(answer.model_dump()))


def damage(folder: Path) -> None:
    path = folder / "replies.jsonl"
    path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)


def test_a_published_snapshot_is_served_at_the_next_look(watched: Watched) -> None:
    watched.publish(1)
    watched.watcher.look()
    second = watched.publish(2)
    before = editions(watched.shops.of("tiny"))
    watched.watcher.look()

    assert ({1}, {2}) == (before, editions(watched.shops.of("tiny")))
    assert second == watched.served()
    assert 2 == watched.count("huashu_snapshot_swaps_total")


def test_nothing_is_loaded_where_nothing_is_new(watched: Watched) -> None:
    watched.publish(1)
    for _ in range(5):
        watched.watcher.look()

    assert 1 == watched.count("huashu_snapshot_swaps_total")


def test_a_request_in_flight_finishes_on_the_old_and_then_the_old_is_released(watched: Watched) -> None:
    watched.publish(1)
    watched.watcher.look()
    in_flight = watched.shops.of("tiny")
    watched.publish(2)
    watched.watcher.look()

    assert {1} == editions(in_flight)

    gone = [weakref.ref(in_flight), weakref.ref(in_flight.snapshot.key_vectors), weakref.ref(in_flight.snapshot.key_reply_rows)]
    del in_flight
    assert [None, None, None] == [one() for one in gone]


def test_a_rollback_is_a_pointer_that_moves_back(watched: Watched) -> None:
    first, _ = watched.publish(1), watched.publish(2)
    watched.watcher.look()
    point_to(watched.tiny, first)
    watched.watcher.look()

    assert first == watched.served()
    assert {1} == editions(watched.shops.of("tiny"))


def test_a_damaged_snapshot_leaves_the_old_serving_and_is_told_of_once(watched: Watched, logged: io.StringIO) -> None:
    first = watched.publish(1)
    watched.watcher.look()
    second = watched.publish(2)
    damage(watched.tiny / SNAPSHOTS / second)
    for _ in range(5):
        watched.seconds += 100
        watched.watcher.look()
    said = readiness(watched.shops.serving)

    assert first == watched.served()
    assert ["snapshot.swapped", "snapshot.set_aside", "snapshot.not_loaded"] == events(logged)
    assert ("ready", {"tiny": first}) == (said.status, said.shops)
    assert second == said.failing["tiny"].snapshot_id
    assert "replies.jsonl is damaged" in said.detail
    assert f"{first} goes on being served" in said.detail
    assert (1, 1, 1) == tuple(map(watched.count, (
        "huashu_snapshot_load_failures_total", "huashu_snapshots_set_aside_total", "huashu_snapshot_failing"
    )))  # fmt: skip


def test_the_next_good_snapshot_ends_the_failure(watched: Watched) -> None:
    watched.publish(1)
    watched.watcher.look()
    damage(watched.tiny / SNAPSHOTS / watched.publish(2))
    watched.watcher.look()
    third = watched.publish(3)
    watched.watcher.look()

    assert third == watched.served()
    assert {} == readiness(watched.shops.serving).failing
    assert 0 == watched.count("huashu_snapshot_failing")


def test_a_pointer_moved_back_to_what_serves_ends_the_failure_without_loading(watched: Watched, logged: io.StringIO) -> None:
    first = watched.publish(1)
    watched.watcher.look()
    second = watched.publish(2)
    manifest = watched.tiny / SNAPSHOTS / second / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("zh-static@", "another@"), encoding="utf-8")
    watched.watcher.look()
    failing = readiness(watched.shops.serving).failing
    point_to(watched.tiny, first)
    watched.watcher.look()

    assert ["tiny"] == list(failing)
    assert {} == readiness(watched.shops.serving).failing
    assert "snapshot.recovered" == events(logged)[-1]
    assert 1 == watched.count("huashu_snapshot_swaps_total")


def test_at_start_the_last_whole_snapshot_serves_for_a_damaged_one(watched: Watched) -> None:
    first, second = watched.publish(1), watched.publish(2)
    damage(watched.tiny / SNAPSHOTS / second)
    watched.watcher.look()

    assert first == watched.served()
    assert second == readiness(watched.shops.serving).failing["tiny"].snapshot_id


def test_a_service_that_starts_anew_says_which_damaged_snapshot_it_serves_an_older_one_for(watched: Watched, models: Models) -> None:
    """Whoever is on call looks after the restart too, when the damaged one has long been set aside; the next good one ends it."""
    first, second = watched.publish(1), watched.publish(2)
    damage(watched.tiny / SNAPSHOTS / second)
    watched.watcher.look()
    watched.shops = LiveShops()
    watched.watcher = IndexWatcher(watched.index_dir, models, watched.shops, watched.metrics, clock=lambda: watched.seconds)
    for _ in range(3):
        watched.watcher.look()
    failing = readiness(watched.shops.serving).failing
    third = watched.publish(3)
    watched.watcher.look()

    assert second == failing["tiny"].snapshot_id
    assert "replies.jsonl is damaged" in failing["tiny"].reason
    assert third == watched.served() != first
    assert {} == readiness(watched.shops.serving).failing


def test_a_shop_that_cannot_be_loaded_at_all_leaves_the_others_serving(watched: Watched) -> None:
    good = publish_edition(1, watched.tiny, watched.folder, watched.models)
    shutil.copytree(watched.tiny, watched.index_dir / "other")  # one shop's knowledge under another's name
    watched.watcher.look()
    said = readiness(watched.shops.serving)

    assert ("degraded", {"tiny": good}, ["other"]) == (said.status, said.shops, list(said.failing))
    assert "the shop is not served" in said.detail
    with pytest.raises(StoreUnavailable, match="shop is 'tiny', expected 'other'"):
        watched.shops.of("other")
    with pytest.raises(StoreNotNamed):
        watched.shops.of(None)


def test_what_failed_is_tried_again_after_a_while(watched: Watched) -> None:
    """Nothing else could serve; somebody mends the folder without moving the pointer."""
    first = watched.publish(1)
    manifest = watched.tiny / SNAPSHOTS / first / "manifest.json"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole.replace('"contract_version": "1"', '"contract_version": "0"'), encoding="utf-8")
    watched.watcher.look()
    manifest.write_text(whole, encoding="utf-8")
    watched.seconds = 29
    watched.watcher.look()
    early = readiness(watched.shops.serving).status
    watched.seconds = 31
    watched.watcher.look()

    assert ("not_ready", first) == (early, watched.served())


def test_a_pointer_of_nonsense_keeps_the_old_and_is_told(watched: Watched) -> None:
    first = watched.publish(1)
    watched.watcher.look()
    (watched.tiny / CURRENT).write_bytes(b"\xff\x00../..\n")
    watched.watcher.look()

    assert first == watched.served()
    assert ["tiny"] == list(readiness(watched.shops.serving).failing)


def test_a_shop_that_appears_is_served_and_one_that_is_removed_is_not(watched: Watched, tmp_path: Path, models: Models) -> None:
    watched.publish(1)
    watched.watcher.look()
    other = Watched(tmp_path / "elsewhere", models)
    toml = other.folder / "edition-7" / "store.toml"
    publish_edition(7, other.tiny, other.folder, models)
    toml.write_text(toml.read_text(encoding="utf-8").replace('id = "tiny"', 'id = "second"'), encoding="utf-8")
    publish_edition(7, watched.index_dir / "second", other.folder, models, shop=load_shop(toml.parent))
    watched.watcher.look()
    both = watched.shops.ids
    shutil.rmtree(watched.index_dir / "second")
    watched.watcher.look()
    after_one_look = watched.shops.ids
    watched.watcher.look()

    assert (["second", "tiny"], ["second", "tiny"], ["tiny"]) == (both, after_one_look, watched.shops.ids)
    with pytest.raises(UnknownStore):
        watched.shops.of("second")
    assert b'huashu_snapshot_info{shop="second"' not in watched.metrics.page()


def test_when_the_whole_directory_vanishes_everything_goes_on_being_served(watched: Watched) -> None:
    first = watched.publish(1)
    watched.watcher.look()
    shutil.rmtree(watched.index_dir)
    for _ in range(3):
        watched.watcher.look()

    assert first == watched.served()


def test_the_thread_finds_what_is_published_and_stops(watched: Watched) -> None:
    watched.publish(1)
    watched.watcher.look()
    watched.watcher.start(0.02)
    second = watched.publish(2)
    for _ in range(500):
        if watched.served() == second:
            break
        time.sleep(0.02)
    watched.watcher.stop()
    third = watched.publish(3)

    assert second == watched.served() != third


def test_zero_seconds_never_look_again(watched: Watched) -> None:
    before = threading.active_count()
    watched.watcher.start(0)

    assert before == threading.active_count()


# Large tables


def flip(path: Path) -> None:
    with path.open("r+b") as file:
        content = bytearray(file.read())
        content[-1] ^= 1
        file.seek(0)
        file.write(content)


def test_a_large_table_is_checked_while_it_serves_and_the_last_good_one_takes_over(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checksums, "LARGE", 1)
    good, bad = watched.publish(1), watched.publish(2)
    flip(watched.tiny / "snapshots" / bad / "key_terms" / "data.csc.index.npy")

    watched.watcher.look()
    at_first = watched.served()
    for _ in range(20):
        watched.watcher.look()

    assert at_first == bad
    assert watched.served() == good
    assert [folder.name for folder in quarantined(watched.tiny)] == [f"{bad}-1"]
    assert pointed_to(watched.tiny) == good
    assert "data.csc.index.npy is damaged" in watched.shops.serving.failing["tiny"].reason


def test_a_whole_snapshot_is_not_loaded_again_for_being_checked(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checksums, "LARGE", 1)
    watched.publish(1)

    watched.watcher.look()
    served = watched.shops.of("tiny")
    for _ in range(20):
        watched.watcher.look()

    assert watched.shops.of("tiny") is served
    assert not watched.shops.serving.failing


def test_a_watcher_that_never_looks_again_checks_everything_first(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checksums, "LARGE", 1)
    good, bad = watched.publish(1), watched.publish(2)
    flip(watched.tiny / "snapshots" / bad / "key_terms" / "data.csc.index.npy")

    IndexWatcher(watched.index_dir, watched.models, watched.shops, watched.metrics, min_confidence=0, looks_again=False).look()

    assert watched.served() == good


def test_a_table_that_is_too_short_is_found_when_it_is_loaded(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checksums, "LARGE", 1)
    good, bad = watched.publish(1), watched.publish(2)
    path = watched.tiny / "snapshots" / bad / "key_terms" / "data.csc.index.npy"
    path.write_bytes(path.read_bytes()[:-8])

    watched.watcher.look()

    assert watched.served() == good
    assert [folder.name for folder in quarantined(watched.tiny)] == [f"{bad}-1"]
