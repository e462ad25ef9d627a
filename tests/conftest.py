"""Fixtures shared by all rooms: the shipped shops, the shipped models, a real server process."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexes.build import build_snapshot
from indexes.classifier import TextClassifier, load_classifier
from indexes.embedder import Embedder
from indexes.publish import publish
from indexes.snapshot import Snapshot
from knowledge.shop import Shop, load_shop
from scripts.service_process import running_service
from suggest.live import Models
from suggest.pipeline import Suggester
from tests.fakes import MORNING, FakeEmbedder, SnapshotBuilder, fake_needs, write_shop

ROOT = Path(__file__).parent.parent
STORES = ROOT / "knowledge" / "stores"
BUILT_AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo_shop() -> Shop:
    return load_shop(STORES / "demo")


@pytest.fixture(scope="session")
def english_shop() -> Shop:
    return load_shop(STORES / "demo_en")


@pytest.fixture(scope="session")
def fresh_shop() -> Shop:
    return load_shop(STORES / "fresh")


@pytest.fixture(scope="session")
def home_shop() -> Shop:
    return load_shop(STORES / "home")


@pytest.fixture(scope="session")
def models() -> Models:
    return Models.load()


@pytest.fixture(scope="session")
def embedder(models: Models) -> Embedder:
    return models.embedder


@pytest.fixture(scope="session")
def needs() -> TextClassifier:
    return load_classifier("needs")


def suggester_of(snapshot: Snapshot, models: Models) -> Suggester:
    return Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)


@pytest.fixture(scope="session")
def demo_snapshot(demo_shop: Shop, embedder: Embedder, needs: TextClassifier) -> Snapshot:
    return build_snapshot(demo_shop, embedder=embedder, needs=needs, now=BUILT_AT)


@pytest.fixture(scope="session")
def english_snapshot(english_shop: Shop, embedder: Embedder, needs: TextClassifier) -> Snapshot:
    return build_snapshot(english_shop, embedder=embedder, needs=needs, now=BUILT_AT)


@pytest.fixture(scope="session")
def demo_suggester(demo_snapshot: Snapshot, models: Models) -> Suggester:
    return suggester_of(demo_snapshot, models)


@pytest.fixture(scope="session")
def english_suggester(english_snapshot: Snapshot, models: Models) -> Suggester:
    return suggester_of(english_snapshot, models)


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory, demo_snapshot: Snapshot, english_snapshot: Snapshot, embedder: Embedder) -> Path:
    """Both demo shops, published."""
    folder = tmp_path_factory.mktemp("indexes")
    for snapshot in (demo_snapshot, english_snapshot):
        publish(snapshot, folder / snapshot.manifest.store_id, embedder=embedder)
    return folder


@pytest.fixture(scope="session")
def tiny_needs(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    return fake_needs(tmp_path_factory.mktemp("classifiers") / "needs")


@pytest.fixture(scope="session")
def tiny_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return load_shop(write_shop(tmp_path_factory.mktemp("shops") / "tiny"))


@pytest.fixture(scope="session")
def build(tiny_shop: Shop, tiny_needs: TextClassifier) -> SnapshotBuilder:
    """Builds a snapshot with the fake embedder: of the tiny shop and in the morning unless told."""

    def build_one(shop: Shop = tiny_shop, *, now: datetime = MORNING) -> Snapshot:
        return build_snapshot(shop, embedder=FakeEmbedder(), needs=tiny_needs, now=now)

    return build_one


@pytest.fixture(scope="session")
def tiny_snapshot(build: SnapshotBuilder) -> Snapshot:
    return build()


@pytest.fixture(scope="session")
def live_server(index_dir: Path) -> Iterator[str]:
    """The real service in its own process; gives its base URL."""
    with running_service(index_dir) as service:
        yield service.url
