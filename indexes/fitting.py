"""Fits a `TextClassifier` on labelled texts, with torch. Run once when the bank changes; the service only reads the result."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from indexes.classifier import TextClassifier, hashed_ngrams, softmax
from indexes.embedder import Embedder

N_BUCKETS = 2**14


@dataclass(frozen=True, slots=True)
class FitReport:
    """What came out, on the texts kept out of training."""

    n_train: int
    n_held_out: int
    accuracy: float
    temperature: float


def fit_classifier(
    texts: Sequence[str], labels: Sequence[str], embedder: Embedder, out_dir: Path, *, n_buckets: int = N_BUCKETS, epochs: int = 60, seed: int = 20_261_121
) -> FitReport:
    """Fits, calibrates on a held-out tenth, and writes `labels.json` and `model.safetensors`.

    Args:
        texts: what customers wrote.
        labels: one label a text.
        embedder: gives the dense half of the features; must be the one used when reading.
        out_dir: made when absent.
        n_buckets: rows of the hashed n-gram table.
        epochs: passes over the texts.
        seed: same seed, same weights.
    """
    torch.manual_seed(seed)
    names = sorted(set(labels))
    target = torch.tensor([names.index(label) for label in labels])
    dense = torch.from_numpy(embedder.encode_query(texts))
    bags = [hashed_ngrams(text, n_buckets=n_buckets) for text in texts]
    order = np.random.default_rng(seed).permutation(len(texts))
    held_out, train = order[: len(order) // 10], order[len(order) // 10 :]
    model = _Linear(n_buckets, dense.shape[1], len(names))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.02)
    for epoch in range(epochs):
        shuffled = np.random.default_rng(seed + epoch).permutation(train)
        for start in range(0, len(shuffled), 512):
            rows = shuffled[start : start + 512]
            loss = torch.nn.functional.cross_entropy(model([bags[row] for row in rows], dense[rows]), target[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        logits = model([bags[row] for row in held_out], dense[held_out])
    temperature = _fit_temperature(logits, target[held_out])
    _write(model, names, temperature, out_dir)
    accuracy = float((logits.argmax(1) == target[held_out]).float().mean())
    return FitReport(n_train=len(train), n_held_out=len(held_out), accuracy=accuracy, temperature=temperature)


def refit_temperature(folder: Path, classifier: TextClassifier, texts: Sequence[str], groups: Sequence[str]) -> float:
    """Makes the probabilities of label groups (`group/label`) honest on other texts than the bank's, writes and gives the temperature."""
    names = sorted({label.split("/")[0] for label in classifier.labels})
    member = np.array([[label.split("/")[0] == name for name in names] for label in classifier.labels], dtype=np.float32)
    known = [row for row, group in enumerate(groups) if group in names]
    logits = classifier.logits([texts[row] for row in known])
    target = [names.index(groups[row]) for row in known]
    candidates = np.linspace(0.2, 2.0, 37)
    losses = [-np.log(np.maximum((softmax(logits / t) @ member)[np.arange(len(target)), target], 1e-6)).mean() for t in candidates]
    temperature = float(candidates[int(np.argmin(losses))])
    card = json.loads((folder / "labels.json").read_text(encoding="utf-8")) | {"temperature": round(temperature, 4)}
    (folder / "labels.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return temperature


class _Linear(torch.nn.Module):  # type: ignore[misc] # torch is an extra: its types may be absent
    def __init__(self, n_buckets: int, dimension: int, n_labels: int) -> None:
        super().__init__()
        self.ngrams = torch.nn.EmbeddingBag(n_buckets, n_labels, mode="sum")
        self.dense = torch.nn.Linear(dimension, n_labels)
        torch.nn.init.zeros_(self.ngrams.weight)

    def forward(self, bags: list[list[int]], dense: torch.Tensor) -> torch.Tensor:
        sizes = torch.tensor([len(bag) for bag in bags])
        offsets = torch.cumsum(sizes, 0) - sizes
        sums: torch.Tensor = self.ngrams(torch.tensor([bucket for bag in bags for bucket in bag]), offsets)
        result: torch.Tensor = sums / sizes.sqrt()[:, None] + self.dense(dense)
        return result


def _fit_temperature(logits: torch.Tensor, target: torch.Tensor) -> float:
    """One divisor of the logits that makes the held-out probabilities honest (Guo et al. 2017, arXiv:1706.04599)."""
    candidates = torch.linspace(0.2, 3.0, 57)
    losses = [float(torch.nn.functional.cross_entropy(logits / t, target)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _write(model: _Linear, names: list[str], temperature: float, out_dir: Path) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    ngrams = model.ngrams.weight.detach().numpy()
    scale = np.abs(ngrams).max(axis=0) / 127 + 1e-12  # one byte a weight: a quarter of the size, the same labels
    tensors = {
        "ngrams": np.round(ngrams / scale).astype(np.int8),
        "ngram_scale": scale.astype(np.float32),
        "dense": model.dense.weight.detach().numpy().T.astype(np.float16).copy(),
        "bias": model.dense.bias.detach().numpy().astype(np.float16),
    }
    save_file(tensors, str(out_dir / "model.safetensors"))
    card = {"labels": names, "temperature": round(temperature, 4)}
    (out_dir / "labels.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
