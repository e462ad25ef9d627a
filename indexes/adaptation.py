"""A shop's own models: copies of the bundled embedding and need classifier, tuned on what the shop knows, within a bound on what they may forget.

Needs torch. The path: `shop_pairs` → `table_tuning` and `needs_tuning` → the bound here → `adapted.write_adapted`.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from indexes.adapted import EMBEDDING, NEEDS
from indexes.benchmarks import nearest_need
from indexes.classifier import MODELS, TextClassifier
from indexes.corpora import needs_lines
from indexes.embedder import BUNDLED_MODEL, StaticEmbedder, Vectors
from indexes.errors import AdaptationRefused
from indexes.needs_tuning import Layer, LayerReader, LayerRecipe, tune_layer
from indexes.shop_pairs import MAX_PAIRS, Lessons, scenario_messages, shop_pairs
from indexes.table_tuning import GroupedPairs, PieceReader, TableRecipe, tune_table
from knowledge.needs_bank import LANGUAGES, NEEDS_BANK, read_phrasings
from knowledge.normalise import strip_console

MAX_LOSS = 0.01  # of general ability: one point of held-out phrasings
MIN_LABELLED = 50  # chats below which the classifier stays as it is
STEPS = (1.0, 0.5, 0.25)  # shares of the way from the old weights to the tuned ones that are tried, in this order
_MAX_MESSAGES = 4_000
_MAX_REPLAY_LINES = 4_000
_MAX_ASKED = 2_000
SEED = 20_261_122
_TABLE_RECIPE, _LAYER_RECIPE = TableRecipe(), LayerRecipe()

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GeneralAbility:
    """Share of held-out writers' phrasings understood, before and after, and how far towards the tuned weights one could go."""

    before: float
    after: float
    step: float
    n: int

    @property
    def loss(self) -> float:
        """What was lost; negative where it gained."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Adaptation:
    """Tuned weights with what they were tuned on and what they may have forgotten; the ability is None where a model stayed as it is."""

    table: Vectors
    layer: Layer
    counts: dict[str, int]
    general: dict[str, GeneralAbility | None]
    notes: tuple[str, ...]


class Adapter:
    """The models that are tuned and the bank that keeps them general; texts are read once, however many shops or folds are tuned.

    Args:
        models: folder of the models to start from: `zh-static/` and `needs/`.
        bank: the needs bank; what its held-out writers say measures general ability and is never trained on.
        table_recipe: how the embedding is tuned.
        layer_recipe: how the classifier is tuned.
    """

    def __init__(
        self, models: Path = MODELS, *, bank: Path = NEEDS_BANK, table_recipe: TableRecipe = _TABLE_RECIPE, layer_recipe: LayerRecipe = _LAYER_RECIPE
    ) -> None:
        self.embedding_folder = models / BUNDLED_MODEL.name
        self.embedder = StaticEmbedder(self.embedding_folder)
        self.pieces = PieceReader(self.embedding_folder)
        self.layers = LayerReader(models / NEEDS, self.embedder)
        self.base = {EMBEDDING: self.embedder.model_id, NEEDS: TextClassifier(models / NEEDS, self.embedder).model_id}
        self.table: Vectors = load_file(str(self.embedding_folder / "model.safetensors"))["embedding.weight"].astype(np.float32)
        self._recipes = table_recipe, layer_recipe
        self._heard = needs_lines(bank)
        held_out = [(one.need, strip_console(one.text)) for language in LANGUAGES for one in read_phrasings(language, bank) if one.held_out]
        self._asked = _sample(held_out, _MAX_ASKED)
        self._ability_before: dict[str, float] = {}

    def adapt(self, lessons: Lessons) -> Adaptation:
        """Gives the models tuned on these lessons. Same lessons, same weights.

        Raises:
            AdaptationRefused: general ability falls by more than `MAX_LOSS` even at the smallest step.
        """
        table, table_ability, counts = self._tuned_table(lessons)
        layer, layer_ability, notes = self.layers.layer, None, []
        messages = _sample(scenario_messages(lessons.chats), _MAX_MESSAGES)
        if len(messages) >= MIN_LABELLED:
            tuned = tune_layer(self.layers, messages, _sample(self._heard, _MAX_REPLAY_LINES), self._recipes[1])
            layer, layer_ability = self._bounded(NEEDS, self.layers.layer, tuned, self.understood)
        else:
            notes.append(f"the need classifier stays as it is: {len(messages)} labelled chats stand alone, {MIN_LABELLED} are needed")
        return Adaptation(table, layer, counts | {"messages": len(messages)}, {EMBEDDING: table_ability, NEEDS: layer_ability}, tuple(notes))

    def _tuned_table(self, lessons: Lessons) -> tuple[Vectors, GeneralAbility, dict[str, int]]:
        shop = shop_pairs(lessons, seed=SEED)
        own = GroupedPairs(shop.pairs, shop.replies)
        tuned = tune_table(self.table, self.pieces, [own, self._replayed(min(len(shop.pairs), MAX_PAIRS))], self._recipes[0])
        table, ability = self._bounded(EMBEDDING, self.table, tuned, self.found)
        return table, ability, shop.counts | {"used": len(shop.pairs)}

    def _replayed(self, n_pairs: int) -> GroupedPairs:
        """Pairs of phrasings of one need, as many as the shop's, so that the table keeps what it knew."""
        rng = random.Random(SEED)
        texts_of: dict[str, list[str]] = {}
        needs_of: dict[str, set[str]] = {}
        for need, text in self._heard:
            texts_of.setdefault(need, []).append(text)
            needs_of.setdefault(text, set()).add(need)
        chosen = rng.sample(self._heard, k=min(n_pairs, len(self._heard)))
        pairs = [(text, rng.choice(texts_of[need])) for need, text in chosen]
        return GroupedPairs([pair for pair in pairs if pair[0] != pair[1]], {text: frozenset(needs) for text, needs in needs_of.items()})

    def found(self, table: Vectors) -> float:
        """Share of the held-out phrasings whose nearest phrasing among those heard is of the same need."""
        return nearest_need(lambda texts: self.pieces.vectors(table, texts), self._heard, self._asked).need_at_1

    def understood(self, layer: Layer) -> float:
        """Share of the held-out phrasings whose likeliest need is right."""
        likeliest = (self.layers.features([text for _, text in self._asked]) @ layer).argmax(axis=1)
        return float(np.mean([self.layers.labels[label] == need for label, (need, _) in zip(likeliest, self._asked, strict=True)]))

    def _bounded(self, name: str, old: Weights, tuned: Weights, ability: Callable[[Weights], float]) -> tuple[Weights, GeneralAbility]:
        """Gives the weights as far towards the tuned ones as the bound allows."""
        if name not in self._ability_before:
            self._ability_before[name] = ability(old)
        before = self._ability_before[name]
        after = before
        for step in STEPS:
            weights = (old + step * (tuned - old)).astype(np.float16).astype(np.float32)
            after = ability(weights)
            if before - after <= MAX_LOSS:
                return weights, GeneralAbility(before, after, step, len(self._asked))
        raise AdaptationRefused(name, before=before, after=after, bound=MAX_LOSS)

    def write(self, adaptation: Adaptation, folder: Path) -> None:
        """Fills a new folder with `embedding/`, a normal sentence-transformers folder, and `needs/`."""
        (folder / EMBEDDING).mkdir()
        for name in ("modules.json", "config_sentence_transformers.json", "tokenizer.json"):
            shutil.copyfile(self.embedding_folder / name, folder / EMBEDDING / name)
        save_file({"embedding.weight": adaptation.table.astype(np.float16)}, str(folder / EMBEDDING / "model.safetensors"))
        self.layers.write(adaptation.layer, folder / NEEDS)


def _sample(rows: Sequence[Any], most: int) -> list[Any]:
    return random.Random(SEED).sample(rows, k=most) if len(rows) > most else list(rows)
