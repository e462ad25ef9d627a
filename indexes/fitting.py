"""Fits a `TextClassifier` on labelled texts, with torch. Run once when the bank changes; the service only reads the result."""

import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file

from indexes.classifier import DENSE_LENGTH, TextClassifier, known_rows, label_groups, ngram_codes, softmax
from indexes.disturbance import Disturber
from indexes.embedder import Embedder


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Everything that decides the weights. Chosen on writers `b` and `u` of the needs bank, 2026-11-22; see the model card."""

    width: int = 256  # of an n-gram's vector
    min_count: int = 3  # n-grams in fewer texts are left out
    epochs: int = 14
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    forgotten: float = 0.4  # share of n-grams left out of a text each time, so that no single one decides
    dropout: float = 0.3
    blinded: float = 0.5  # share of texts whose static vector is left out each time: the embedding has seen the bank, so it flatters
    smoothing: float = 0.05
    batch_size: int = 256
    group_share: float = 0.5  # weight of the loss over label groups (`group/label`) beside that over labels; 0 where labels have no groups
    misspelt: float = 0.3  # misspelt copies added, as a share of the texts
    members: int = 4  # fits that are averaged, each with its own start, misspelt copies and held-out texts (D92)
    seed: int = 20_261_122


@dataclass(frozen=True, slots=True)
class FitReport:
    """What came out, on the texts kept out of training: the mean of the members."""

    n_train: int
    n_held_out: int
    accuracy: float
    temperature: float


_HELD_OUT = 0.05
_STANDARD = FitRecipe()


def fit_classifier(
    texts: Sequence[str], labels: Sequence[str], embedder: Embedder, out_dir: Path, *, held_out: Sequence[bool] = (), recipe: FitRecipe = _STANDARD
) -> FitReport:
    """Fits, calibrates on held-out texts, and writes `labels.json` and `model.safetensors`.

    Args:
        texts: what customers wrote.
        labels: one label a text.
        embedder: gives the dense half of the features; must be the one used when reading.
        out_dir: made when absent.
        held_out: which texts only calibrate and measure; a random twentieth when empty.
        recipe: how to train; same recipe, same weights.

    Raises:
        ValueError: nothing is held out, or everything is.
    """
    names = sorted(set(labels))
    members = [_member(texts, labels, names, embedder, held_out, replace(recipe, seed=recipe.seed + number)) for number in range(recipe.members)]
    reports = [report for _, report in members]
    report = FitReport(*(type(value)(np.mean([getattr(one, name) for one in reports])) for name, value in asdict(reports[0]).items()))
    _write(_averaged([fitted for fitted, _ in members], [one.temperature for one in reports]), names, report.temperature, out_dir)
    return report


def refit_temperature(folder: Path, classifier: TextClassifier, texts: Sequence[str], groups: Sequence[str]) -> float:
    """Makes the probabilities of label groups (`group/label`) honest on other texts than the bank's, writes and gives the temperature."""
    names, member = label_groups(classifier.labels)
    known = [row for row, group in enumerate(groups) if group in names]
    logits = classifier.logits([texts[row] for row in known])
    target = [names.index(groups[row]) for row in known]
    candidates = np.linspace(0.2, 2.0, 37)
    losses = [-np.log(np.maximum((softmax(logits / t) @ member)[np.arange(len(target)), target], 1e-6)).mean() for t in candidates]
    temperature = float(candidates[int(np.argmin(losses))])
    card = json.loads((folder / "labels.json").read_text(encoding="utf-8")) | {"temperature": round(temperature, 4)}
    (folder / "labels.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return temperature


def _with_misspelt(
    texts: Sequence[str], labels: Sequence[str], kept_out: npt.NDArray[np.bool_], recipe: FitRecipe
) -> tuple[list[str], list[str], npt.NDArray[np.bool_]]:
    """Adds copies written as people type on a phone; only of texts that are trained on."""
    disturber, rng = Disturber(texts), random.Random(recipe.seed)
    chosen = [row for row in range(len(texts)) if not kept_out[row] and rng.random() < recipe.misspelt]
    copies = [(disturber.misspell(texts[row], rng), labels[row]) for row in chosen]
    copies = [(copy, label) for (copy, label), row in zip(copies, chosen, strict=True) if copy != texts[row]]
    every = [*zip(texts, labels, strict=True), *copies]
    return [text for text, _ in every], [label for _, label in every], np.concatenate([kept_out, np.zeros(len(copies), dtype=np.bool_)])


@dataclass(frozen=True, slots=True)
class _Features:
    codes: npt.NDArray[np.uint32]  # of the n-grams that count, ascending
    bags: list[npt.NDArray[np.int64]]  # each text's rows of `codes`
    dense: npt.NDArray[np.float32]  # [n_texts, dimension]

    @classmethod
    def build(cls, texts: Sequence[str], embedder: Embedder, train: npt.NDArray[np.int64], *, min_count: int) -> "_Features":
        codes = [ngram_codes(text) for text in texts]
        counts = Counter(code for row in train for code in codes[row])
        table = np.array(sorted(code for code, count in counts.items() if count >= min_count), dtype=np.uint32)
        return cls(table, [known_rows(table, row) for row in codes], embedder.encode_query(texts) * DENSE_LENGTH)

    def batch(self, rows: npt.NDArray[np.int64], *, forgotten: float = 0.0, rng: np.random.Generator | None = None) -> tuple[torch.Tensor, ...]:
        """Gives n-gram rows, where each text's begin, their weights (0: forgotten), each text's divisor, and the static vectors."""
        bags = [self.bags[row] if len(self.bags[row]) else np.zeros(1, dtype=np.int64) for row in rows]
        flat = np.concatenate(bags)
        starts = np.cumsum([0, *[len(bag) for bag in bags[:-1]]])
        weights = np.ones(len(flat), dtype=np.float32) if rng is None else (rng.random(len(flat)) >= forgotten).astype(np.float32)
        weights[starts] *= np.array([len(self.bags[row]) > 0 for row in rows])
        divisors = np.sqrt(np.maximum(np.add.reduceat(weights, starts), 1)).astype(np.float32)
        return tuple(torch.from_numpy(part) for part in (flat, starts.astype(np.int64), weights, divisors, self.dense[rows]))


class _Model(torch.nn.Module):  # type: ignore[misc] # torch is an extra: its types may be absent
    def __init__(self, n_ngrams: int, width: int, dimension: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.ngrams = torch.nn.EmbeddingBag(max(1, n_ngrams), width, mode="sum", sparse=True)
        self.output = torch.nn.Linear(width + dimension, n_labels)
        self.dropout = torch.nn.Dropout(dropout)
        torch.nn.init.normal_(self.ngrams.weight, 0, 0.05)

    def forward(self, flat: torch.Tensor, starts: torch.Tensor, weights: torch.Tensor, divisors: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        sums = self.ngrams(flat, starts, per_sample_weights=weights) / divisors[:, None]
        result: torch.Tensor = self.output(self.dropout(torch.cat([sums, dense], dim=1)))
        return result


@dataclass(frozen=True, slots=True)
class _Linear:
    """What each n-gram and each number of the static vector adds to a text's scores."""

    codes: npt.NDArray[np.uint32]  # of the n-grams that count, ascending
    ngrams: npt.NDArray[np.float32]  # [n_ngrams, n_labels]
    dense: npt.NDArray[np.float32]  # [dimension, n_labels]
    bias: npt.NDArray[np.float32]  # [n_labels]


def _member(
    texts: Sequence[str], labels: Sequence[str], names: list[str], embedder: Embedder, held_out: Sequence[bool], recipe: FitRecipe
) -> tuple[_Linear, FitReport]:
    """One fit, its two layers multiplied out, for nothing stands between them."""
    kept_out = np.array(held_out, dtype=np.bool_) if len(held_out) else np.random.default_rng(recipe.seed).random(len(texts)) < _HELD_OUT
    if not kept_out.any() or kept_out.all():
        raise ValueError(f"expected texts to train on and texts held out to calibrate on; of {len(texts)}, {int(kept_out.sum())} are held out")
    torch.manual_seed(recipe.seed)
    texts, labels, kept_out = _with_misspelt(texts, labels, kept_out, recipe)
    target, (_, membership) = np.array([names.index(label) for label in labels]), label_groups(names)
    train, measured = np.flatnonzero(~kept_out), np.flatnonzero(kept_out)
    features = _Features.build(texts, embedder, train, min_count=recipe.min_count)
    model = _Model(len(features.codes), recipe.width, embedder.dimension, len(names), recipe.dropout)
    _train(model, features, target, membership, train, recipe)
    with torch.no_grad():
        logits = model(*features.batch(measured)).numpy()
    accuracy = float((logits.argmax(1) == target[measured]).mean())
    report = FitReport(len(train), len(measured), accuracy, _fit_temperature(logits, target[measured]))
    output, ngrams = model.output.weight.detach().numpy().T, model.ngrams.weight.detach().numpy()[: len(features.codes)]
    return _Linear(features.codes, ngrams @ output[: recipe.width], output[recipe.width :], model.output.bias.detach().numpy()), report


def _averaged(members: Sequence[_Linear], temperatures: Sequence[float]) -> _Linear:
    """The mean of the members' scores, as if all were as sure as they should be: what each made of its own chances falls out."""
    codes = np.unique(np.concatenate([one.codes for one in members]))
    temperature = float(np.mean(temperatures))
    ngrams = np.zeros((len(codes), len(members[0].bias)), dtype=np.float32)
    dense, bias = np.zeros_like(members[0].dense), np.zeros_like(members[0].bias)
    for one, own in zip(members, temperatures, strict=True):
        weight = temperature / own / len(members)
        ngrams[np.searchsorted(codes, one.codes)] += one.ngrams * weight
        dense, bias = dense + one.dense * weight, bias + one.bias * weight
    return _Linear(codes, ngrams, dense, bias)


def _train(
    model: _Model, features: _Features, target: npt.NDArray[np.int64], membership: npt.NDArray[np.float32], train: npt.NDArray[np.int64], recipe: FitRecipe
) -> None:
    rng = np.random.default_rng(recipe.seed)
    member, group = torch.from_numpy(membership), membership.argmax(axis=1)
    n_steps = recipe.epochs * math.ceil(len(train) / recipe.batch_size)
    # A batch holds a tenth of the n-grams: only their rows are touched.
    optimizers = [
        torch.optim.SparseAdam(list(model.ngrams.parameters()), lr=recipe.learning_rate),
        torch.optim.AdamW(model.output.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay),
    ]
    schedules = [torch.optim.lr_scheduler.OneCycleLR(one, max_lr=recipe.learning_rate, total_steps=n_steps + 1, pct_start=0.1) for one in optimizers]
    for _ in range(recipe.epochs):
        order = rng.permutation(train)
        for start in range(0, len(order), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            *ngrams, dense = features.batch(rows, forgotten=recipe.forgotten, rng=rng)
            seen = torch.from_numpy((rng.random(len(rows)) >= recipe.blinded).astype(np.float32))
            scores = model(*ngrams, dense * seen[:, None])
            loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(target[rows]), label_smoothing=recipe.smoothing)
            if recipe.group_share and member.shape[1] < member.shape[0]:
                by_group = torch.softmax(scores, dim=1) @ member
                loss = loss + recipe.group_share * torch.nn.functional.nll_loss(torch.log(by_group + 1e-9), torch.from_numpy(group[target[rows]]))
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for step in (*optimizers, *schedules):
                step.step()
    model.eval()


def _fit_temperature(logits: npt.NDArray[np.float32], target: npt.NDArray[np.int64]) -> float:
    """One divisor of the logits that makes the held-out probabilities honest (Guo et al. 2017, arXiv:1706.04599)."""
    candidates = np.linspace(0.2, 3.0, 57)
    losses = [-np.log(np.maximum(softmax(logits / t)[np.arange(len(target)), target], 1e-9)).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _write(fitted: _Linear, names: list[str], temperature: float, out_dir: Path) -> None:
    """Writes it as `TextClassifier` reads it; the n-grams' own scores pass the output layer as they are."""
    out_dir.mkdir(parents=True, exist_ok=True)
    scale = np.abs(fitted.ngrams).max(axis=0, initial=0.0) / 127 + 1e-12  # one byte a weight: a quarter of the size, the same labels
    tensors = {
        "codes": fitted.codes,
        "ngrams": np.round(fitted.ngrams / scale).astype(np.int8),
        "ngram_scale": scale.astype(np.float32),
        "output": np.concatenate([np.eye(len(names)), fitted.dense]).astype(np.float16),
        "bias": fitted.bias.astype(np.float16),
    }
    save_file(tensors, str(out_dir / "model.safetensors"))
    card = {"labels": names, "temperature": round(temperature, 4)}
    (out_dir / "labels.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
