"""A shop's own models on disk: the bundled ones, tuned on the shop. Reading needs no torch; tuning is in `adaptation`.

`embedding/` is a normal sentence-transformers folder, `needs/` a classifier's, `adaptation.json` says what they were made from.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from indexes.classifier import MODELS, TextClassifier
from indexes.embedder import BUNDLED_MODEL, StaticEmbedder
from indexes.errors import AdaptationUnusable, ModelUnavailable

EMBEDDING, NEEDS, CARD = "embedding", "needs", "adaptation.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class AdaptedModels:
    """The two models of a shop, where they lie, and the ids of the models they were tuned from (`embedding`, `needs`)."""

    folder: Path
    embedder: StaticEmbedder
    needs: TextClassifier
    base: dict[str, str]

    @property
    def ids(self) -> dict[str, str]:
        """The two models' own ids."""
        return {EMBEDDING: self.embedder.model_id, NEEDS: self.needs.model_id}


@lru_cache(maxsize=4)
def _embedder(folder: Path) -> StaticEmbedder:
    """The classifiers' embedding, shared by all shops: it is never written."""
    return StaticEmbedder(folder)


def read_models(folder: Path, *, base: dict[str, str], reads: Path = BUNDLED_MODEL) -> AdaptedModels:
    """Gives the two models of a folder. The classifier reads the embedding in `reads`, the bundled one: it was tuned on it.

    Raises:
        ModelUnavailable: a file is missing or damaged.
    """
    try:
        needs = TextClassifier(folder / NEEDS, _embedder(reads))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelUnavailable(str(folder / NEEDS), str(error)) from error
    return AdaptedModels(folder, StaticEmbedder(folder / EMBEDDING), needs, base)


def find_adapted(folder: Path, *, base: dict[str, str], reads: Path = BUNDLED_MODEL) -> AdaptedModels | None:
    """Gives a shop's own models, or None when the shop was never adapted.

    Args:
        folder: the shop's folder of adapted models.
        base: the present models' ids (`embedding`, `needs`).
        reads: the embedding that classifiers read.

    Raises:
        AdaptationUnusable: they were tuned from other models than the present ones, or are damaged.
    """
    if not folder.exists():
        return None
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        tuned_from, made = dict(card["base"]), dict(card["models"])
        for name, present in base.items():
            if tuned_from.get(name) != present:
                raise AdaptationUnusable(folder, f"tuned from the {name} model {tuned_from.get(name)!r}, the present one is {present!r}")
        models = read_models(folder, base=tuned_from, reads=reads)
    except (OSError, ValueError, KeyError, TypeError, ModelUnavailable) as error:
        raise AdaptationUnusable(folder, f"damaged: {error}") from error
    if models.ids != made:
        raise AdaptationUnusable(folder, f"damaged: expected the models {made}, got {models.ids}")
    return models


def write_adapted(folder: Path, write_models: Callable[[Path], None], card: dict[str, Any], *, reads: Path = BUNDLED_MODEL) -> AdaptedModels:
    """Writes a shop's models beside, reads them back, and puts them in the place of the old ones; gives them. A crash leaves the old ones.

    Args:
        folder: the shop's folder; `.staging-` and `.replaced-` folders beside it are this function's.
        write_models: fills a new folder with `embedding/` and `needs/`.
        card: what `adaptation.json` says; `base` must be in it, the models' own ids are added.
        reads: the embedding that classifiers read.
    """
    staging, replaced = (folder.with_name(f".{kind}-{folder.name}") for kind in ("staging", "replaced"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    restore(folder)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        write_models(staging)
        models = read_models(staging, base=card["base"], reads=reads)
        whole = {"format_version": FORMAT_VERSION, **card, "models": models.ids}
        (staging / CARD).write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(replaced)
        staging.rename(folder)
    except BaseException:
        restore(folder)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)
    return AdaptedModels(folder, models.embedder, models.needs, models.base)


def restore(folder: Path) -> None:
    """Puts back the models that a crash left renamed, if no new ones took their place."""
    replaced = folder.with_name(f".replaced-{folder.name}")
    if replaced.exists() and not folder.exists():
        replaced.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)


def bundled_ids() -> dict[str, str]:
    """Gives the ids of the bundled models (`embedding`, `needs`)."""
    embedder = _embedder(BUNDLED_MODEL)
    return {EMBEDDING: embedder.model_id, NEEDS: TextClassifier(MODELS / NEEDS, embedder).model_id}
