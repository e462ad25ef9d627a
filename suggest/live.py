"""The shops that are being served: each with its pipeline over its published snapshot."""

from dataclasses import dataclass
from pathlib import Path

from indexes.classifier import load_classifier
from indexes.embedder import Embedder, load_embedder
from indexes.publish import load_current, store_dirs
from suggest.errors import StoreNotNamed, UnknownStore
from suggest.history import HistoryGate
from suggest.order_state import OrderStatePrior
from suggest.pipeline import Suggester
from suggest.ranking import Ranker
from suggest.understanding import MessageReader


@dataclass(frozen=True, slots=True)
class Models:
    """What is loaded once for all shops. A shop whose snapshot carries models of its own uses those (see `Suggester`)."""

    embedder: Embedder
    reader: MessageReader
    ranker: Ranker

    @classmethod
    def load(cls, model: str = "", *, ranker: Ranker | None = None) -> "Models":
        """Loads the embedding model and the bundled classifiers, and the bundled ranker where none is given.

        Raises:
            ModelUnavailable: a model is not on this machine.
        """
        reader = MessageReader(
            needs=load_classifier("needs"),
            emotions=load_classifier("emotion"),
            threats=load_classifier("threat"),
            prior=OrderStatePrior.load(),
            gate=HistoryGate.load(),
        )
        return cls(embedder=load_embedder(model), reader=reader, ranker=ranker or Ranker.load())


class LiveShops:
    """Every published shop of an index directory. Each is isolated: a request reaches exactly one."""

    def __init__(self, suggesters: dict[str, Suggester]) -> None:
        self._suggesters = suggesters

    @classmethod
    def load(cls, index_dir: Path, models: Models, *, min_confidence: float | None = None) -> "LiveShops":
        """Loads every shop that has a published snapshot.

        Raises:
            SnapshotError: one is damaged or made by another model.
        """
        suggesters = {}
        for folder in store_dirs(index_dir):
            snapshot = load_current(folder, embedder=models.embedder, needs_model_id=models.reader.needs.model_id)
            suggesters[snapshot.manifest.store_id] = Suggester(
                snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker, min_confidence=min_confidence
            )
        return cls(suggesters)

    @property
    def ids(self) -> list[str]:
        """The served shops, sorted."""
        return sorted(self._suggesters)

    def of(self, store: str | None) -> Suggester:
        """Gives the named shop's pipeline, or the only one's when none is named.

        Raises:
            UnknownStore: the shop is not served here, or none is.
            StoreNotNamed: several are served and none was named.
        """
        if store is None and len(self._suggesters) > 1:
            raise StoreNotNamed(self.ids)
        key = store if store is not None else next(iter(self._suggesters), "")
        if key not in self._suggesters:
            raise UnknownStore(key, self.ids)
        return self._suggesters[key]
