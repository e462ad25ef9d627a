"""Tunes a copy of the need classifier's output layer on a shop's labelled messages, with the needs bank mixed in. Needs torch.

The n-gram half and the dense half stay as they are: the classifier goes on reading the bundled embedding, whatever the shop is searched with,
so tuning the embedding does not invalidate it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load, save_file

from indexes.classifier import DENSE_LENGTH, known_rows, ngram_codes
from indexes.embedder import Embedder
from indexes.table_tuning import one_thread

Layer = npt.NDArray[np.float32]  # [width + dimension + 1, n_labels], the bias last
Features = npt.NDArray[np.float32]  # [n_texts, width + dimension + 1], the last column 1


@dataclass(frozen=True, slots=True)
class LayerRecipe:
    """Everything that decides the tuned layer. Chosen by cross-validation on the demo shop's train and dev chats, 2026-11-22."""

    steps: int = 40
    learning_rate: float = 2e-3
    replay: float = 1.0  # weight of the needs bank's loss beside the shop's
    stay: float = 0.1  # weight of the squared distance to the start
    seed: int = 20_261_122


class LayerReader:
    """The stored classifier taken apart: its features of a text, and its output layer."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._card = (folder / "labels.json").read_bytes()
        self._weights = load((folder / "model.safetensors").read_bytes())
        self._embedder = embedder
        self._known: dict[str, npt.NDArray[np.float32]] = {}
        card = json.loads(self._card)
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.temperature = float(card["temperature"])

    @property
    def layer(self) -> Layer:
        """The output layer as it is stored."""
        return np.concatenate([self._weights["output"].astype(np.float32), self._weights["bias"].astype(np.float32)[None, :]])

    def features(self, texts: Sequence[str]) -> Features:
        """Gives what the output layer reads of each text, in order; `features @ layer` are the classifier's logits."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        dense = self._embedder.encode_query(fresh) * DENSE_LENGTH
        scale = self._weights["ngram_scale"].astype(np.float32)
        for text, vector in zip(fresh, dense, strict=True):
            found = known_rows(self._weights["codes"], ngram_codes(text))
            sums = self._weights["ngrams"][found].sum(axis=0, dtype=np.int32) / np.sqrt(max(1, len(found))) * scale
            self._known[text] = np.concatenate([sums, vector, [1]]).astype(np.float32)
        width = len(scale) + self._embedder.dimension + 1
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(-1, width)

    def write(self, layer: Layer, folder: Path) -> None:
        """Writes the classifier into a new folder with another output layer; everything else is as stored."""
        folder.mkdir()
        (folder / "labels.json").write_bytes(self._card)
        tensors = dict(self._weights) | {"output": layer[:-1].astype(np.float16), "bias": layer[-1].astype(np.float16)}
        save_file(tensors, str(folder / "model.safetensors"))


@one_thread()
def tune_layer(
    reader: LayerReader, messages: Sequence[tuple[str, frozenset[str]]], replay: Sequence[tuple[str, str]], recipe: LayerRecipe = LayerRecipe()
) -> Layer:
    """Gives a tuned copy of the output layer, in half precision's values. Same texts, same recipe, same layer.

    Args:
        reader: of the stored classifier.
        messages: (text, scenarios); the loss is −log of the summed probability of these scenarios' needs. Unknown scenarios fall out.
        replay: (need, text) of the needs bank.
        recipe: how.
    """
    scenario = [label.split("/")[0] for label in reader.labels]
    known = [(text, names) for text, names in messages if names.intersection(scenario)]
    number = {label: row for row, label in enumerate(reader.labels)}
    replay = [(need, text) for need, text in replay if need in number]
    if not known:
        return reader.layer
    torch.manual_seed(recipe.seed)
    wanted = torch.tensor([[name in names for name in scenario] for _, names in known])
    needs = torch.tensor([number[need] for need, _ in replay], dtype=torch.int64)
    heard, again = (torch.from_numpy(reader.features(texts)) for texts in ([text for text, _ in known], [text for _, text in replay]))
    start = torch.from_numpy(reader.layer)
    layer = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([layer], lr=recipe.learning_rate)
    for _ in range(recipe.steps):
        log_probabilities = torch.log_softmax(heard @ layer / reader.temperature, dim=1)
        loss = -log_probabilities.masked_fill(~wanted, -torch.inf).logsumexp(dim=1).mean() + recipe.stay * (layer - start).square().sum() / len(known)
        if len(needs):
            loss = loss + recipe.replay * torch.nn.functional.cross_entropy(again @ layer / reader.temperature, needs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    tuned: Layer = layer.detach().numpy().astype(np.float16).astype(np.float32)
    return tuned
