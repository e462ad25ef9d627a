"""The shops that are being served: each with its pipeline over its published snapshot. Who finds and loads new ones is `suggest.watching`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from indexes.classifier import TextClassifier, load_classifier
from indexes.embedder import Embedder, load_embedder
from suggest.errors import StoreNotNamed, StoreUnavailable, UnknownStore
from suggest.history import HistoryGate
from suggest.meaning import MeaningModel
from suggest.moods import MoodModel
from suggest.pipeline import Suggester
from suggest.questions import QuestionSplitter
from suggest.ranking import Ranker
from suggest.understanding import MessageReader

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Models:
    """What is loaded once for all shops. A shop whose snapshot carries models of its own uses those (see `Suggester`)."""

    embedder: Embedder
    reader: MessageReader
    ranker: Ranker

    @classmethod
    def load(cls, model: str = "") -> "Models":
        """Loads the embedding model, the bundled classifiers, and what was learnt of chats.

        Raises:
            ModelUnavailable: a model is not on this machine.
            ValueError: what was learnt of chats was learnt with other classifiers.
        """
        needs = load_classifier("needs")
        return cls(load_embedder(model), _reader(needs, MeaningModel.load(), MoodModel.load()), Ranker.load())

    @classmethod
    def unfitted(cls, model: str = "") -> "Models":
        """Loads them without what was learnt of chats: what is meant is what is heard, and nothing is preferred. To learn from chats with.

        Raises:
            ModelUnavailable: a model is not on this machine.
        """
        needs = load_classifier("needs")
        return cls(load_embedder(model), _reader(needs, MeaningModel.as_heard(needs), MoodModel.as_heard()), Ranker.unfitted())


def _reader(needs: TextClassifier, meaning: MeaningModel, moods: MoodModel) -> MessageReader:
    return MessageReader(
        needs=needs,
        emotions=load_classifier("emotion"),
        threats=load_classifier("threat"),
        gate=HistoryGate.load(),
        splitter=QuestionSplitter.load(),
        meaning=meaning,
        moods=moods,
    )


@dataclass(frozen=True, slots=True)
class ServedShop:
    """A shop's pipeline and since when it serves."""

    suggester: Suggester
    loaded_at: datetime

    @property
    def snapshot_id(self) -> str:
        """Which snapshot it answers from."""
        return self.suggester.snapshot.manifest.snapshot_id


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A published snapshot that is not served, and why. What served before still does."""

    snapshot_id: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """All that is served at one moment. Never changed, only replaced: whoever holds it sees one state."""

    shops: Mapping[str, ServedShop] = field(default_factory=dict)
    failing: Mapping[str, LoadFailure] = field(default_factory=dict)

    @property
    def known(self) -> list[str]:
        """Every published shop, sorted, those that cannot be loaded too."""
        return sorted({*self.shops, *self.failing})


class LiveShops:
    """Every published shop of an index directory. Each is isolated: a request reaches exactly one.

    Readers take `serving` once and need no lock; a swap replaces that one reference, so requests in flight finish on the pipeline they began with.
    """

    def __init__(self, suggesters: Mapping[str, Suggester] | None = None) -> None:
        now = datetime.now(UTC)
        self.serving = Serving(shops={store: ServedShop(one, now) for store, one in (suggesters or {}).items()})
        self._writing = Lock()

    @property
    def ids(self) -> list[str]:
        """The served shops, sorted."""
        return sorted(self.serving.shops)

    def of(self, store: str | None) -> Suggester:
        """Gives the named shop's pipeline, or the only one's when none is named.

        A published shop that cannot be loaded counts: a request that names none must not reach another shop for its sake.

        Raises:
            UnknownStore: the shop is not published here, or none is.
            StoreNotNamed: several are published and none was named.
            StoreUnavailable: the shop is published and cannot be loaded.
        """
        serving = self.serving
        known = serving.known
        if store is None and len(known) > 1:
            raise StoreNotNamed(known)
        key = store if store is not None else next(iter(known), "")
        served = serving.shops.get(key)
        if served is not None:
            return served.suggester
        if key in serving.failing:
            raise StoreUnavailable(key, serving.failing[key].reason)
        raise UnknownStore(key, known)

    def swap(self, store: str, suggester: Suggester) -> None:
        """Serves the shop by this pipeline from now on, and forgets what failed before."""
        with self._writing:
            shops = {**self.serving.shops, store: ServedShop(suggester, datetime.now(UTC))}
            self.serving = Serving(shops, _without(self.serving.failing, store))

    def fail(self, store: str, snapshot_id: str, reason: str) -> bool:
        """Notes that a snapshot of the shop cannot be served; whether that is news."""
        with self._writing:
            before = self.serving.failing.get(store)
            if before is not None and (before.snapshot_id, before.reason) == (snapshot_id, reason):
                return False
            failing = {**self.serving.failing, store: LoadFailure(snapshot_id, reason, datetime.now(UTC))}
            self.serving = replace(self.serving, failing=failing)
        return True

    def recover(self, store: str) -> bool:
        """Notes that what the shop serves is what is published again; whether that is news."""
        with self._writing:
            was_failing = store in self.serving.failing
            self.serving = replace(self.serving, failing=_without(self.serving.failing, store))
        return was_failing

    def drop(self, store: str) -> None:
        """Stops serving the shop."""
        with self._writing:
            self.serving = Serving(_without(self.serving.shops, store), _without(self.serving.failing, store))


def _without(mapping: Mapping[str, V], key: str) -> dict[str, V]:
    return {name: value for name, value in mapping.items() if name != key}
