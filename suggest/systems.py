"""One pipeline to be evaluated, from a short spec such as `min_confidence=0.5,ranker=new.json`: what to change of what is served."""

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from indexes.build import build_snapshot
from indexes.publish import SNAPSHOTS, current_folder
from indexes.snapshot import Snapshot, read_snapshot
from knowledge.shop import Shop
from suggest.errors import InvalidSettings
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.ranking import Ranker

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class SystemSpec:
    """What differs from what is served; empty and None change nothing."""

    snapshot: str = ""  # id of a published snapshot
    model: str = ""  # embedding model, folder or hub id
    ranker: str = ""  # weights, JSON
    min_confidence: float | None = None  # 0..1


def parse_spec(text: str) -> SystemSpec:
    """Reads `name=value` pairs separated by commas; `current` alone is what is served.

    Raises:
        InvalidSettings: a name is unknown or comes twice, or a value is not what it should be.
    """
    names = [field.name for field in fields(SystemSpec)]
    found: dict[str, str] = {}
    for piece in [] if text.strip() == CURRENT else text.split(","):
        name, is_pair, value = (part.strip() for part in piece.partition("="))
        if name not in names or not is_pair or not value or name in found:
            raise InvalidSettings(
                "compare", value=text, expected=f"a report's folder or evaluation.json, {CURRENT!r}, or name=value pairs of {', '.join(names)}, each once"
            )
        found[name] = value
    threshold = found.pop("min_confidence", None)
    return SystemSpec(**found, min_confidence=None if threshold is None else _share(threshold))


def load_system(spec: SystemSpec, *, shop: Shop, index_dir: Path, models: Models, now: datetime) -> Suggester:
    """Gives the pipeline that the spec describes.

    Args:
        spec: what differs.
        shop: indexed in memory where the spec names a model but no snapshot: a published index is only searched by what made it.
        index_dir: published indexes, a folder a shop.
        models: what is served; the spec's model and ranker take their places.
        now: goes into the id of an index made in memory.

    Raises:
        SnapshotError: there is no such snapshot, it is damaged, or another model made it.
        ModelUnavailable: the model is not on this machine.
        InvalidSettings: the ranker's file cannot be read.
    """
    if spec.model:
        models = Models.load(spec.model)
    ranker = _ranker(Path(spec.ranker)) if spec.ranker else models.ranker
    if spec.model and not spec.snapshot:
        snapshot = build_snapshot(shop, embedder=models.embedder, needs=models.reader.needs, now=now)
    else:
        snapshot = _published(index_dir / shop.store.id, spec.snapshot, models)
    return Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=ranker, min_confidence=spec.min_confidence)


def _published(store_dir: Path, snapshot_id: str, models: Models) -> Snapshot:
    folder = store_dir / SNAPSHOTS / snapshot_id if snapshot_id else current_folder(store_dir)
    embedder = models.embedder
    return read_snapshot(folder, model_id=embedder.model_id, dimension=embedder.dimension, needs_model_id=models.reader.needs.model_id)


def _ranker(path: Path) -> Ranker:
    try:
        return Ranker.load(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidSettings("ranker", value=str(path), expected="a file of weights as scripts.train_ranker writes it") from error


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InvalidSettings("min_confidence", value=text, expected="a number from 0 to 1")
    return value
