"""Fits the ranker's weights on labelled chats with scikit-learn. The service only reads the result."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from knowledge.chats import BEST, LabelledChat
from suggest.pipeline import Suggester
from suggest.ranking import SIGNALS, SignalTable

# Of an acceptable, not best, reply: how much of it counts as «would be sent». Orders the best before the acceptable.
_ACCEPTABLE_SHARE = 0.35
_REGULARISATION = 0.3
_SHOWN_PRECISION = 0.82  # the threshold is the least confidence from which this share of first drafts is acceptable
_AUTO_PRECISION = 0.95


@dataclass(frozen=True, slots=True)
class Example:
    """One question of a chat: its signal table and the grades of the replies in it."""

    chat_id: str
    language: str
    table: SignalTable
    grades: npt.NDArray[np.int64]


def examples(chats: Sequence[LabelledChat], suggester: Suggester, *, on_chat: Callable[[], None] | None = None) -> list[Example]:
    """Gives an example for each chat that has an eligible candidate, answerable or not."""
    found = []
    for chat in chats:
        table = suggester.signals(chat)
        if table.replies:
            grades = np.array([chat.labels.replies.get(reply.id, 0) for reply in table.replies])
            found.append(Example(chat.id, suggester.snapshot.shop.store.language[:2], table, grades))
        if on_chat is not None:
            on_chat()
    return found


def fit_ranker(train: Sequence[Example], calibrate: Sequence[Example], out: Path, *, provenance: str) -> dict[str, float]:
    """Fits weights on `train`, the calibration and both thresholds on `calibrate`, and writes JSON; gives the key figures."""
    values = np.concatenate([example.table.values for example in train])
    grades = np.concatenate([example.grades for example in train])
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    scaled = (values - mean) / spread
    # Each row counts as sent with its share and as not sent with the rest; chats weigh alike however many candidates they have.
    share = np.where(grades == BEST, 1.0, np.where(grades == 1, _ACCEPTABLE_SHARE, 0.0))
    weight = np.concatenate([np.full(len(example.grades), 1 / np.sqrt(len(example.grades))) for example in train])
    model = LogisticRegression(C=_REGULARISATION, max_iter=2_000)
    model.fit(np.concatenate([scaled, scaled]), np.repeat([1, 0], len(scaled)), sample_weight=np.concatenate([weight * share, weight * (1 - share)]))
    weights, bias = model.coef_[0] / spread, float(model.intercept_[0])
    firsts = [_first(example, mean, weights, bias) for example in calibrate]
    odds, accepted = np.array([f[0] for f in firsts]), np.array([f[1] for f in firsts])
    languages = np.array([example.language for example in calibrate])
    maps = _platt(odds, accepted, languages)
    confidence = np.array([1 / (1 + np.exp(-(maps[name][0] * odd + maps[name][1]))) for name, odd in zip(languages, odds, strict=True)])
    figures = {
        "threshold": _least_confidence(confidence, accepted, _SHOWN_PRECISION, default=0.3),
        "auto_reply_threshold": _least_confidence(confidence, accepted, _AUTO_PRECISION, default=0.97),
    }
    written = {
        "provenance": provenance,
        "mean": _named(mean),
        "weight": _named(weights),
        "bias": round(bias, 6),
        "calibration": {name: {"slope": round(slope, 6), "intercept": round(intercept, 6)} for name, (slope, intercept) in maps.items()},
        **{name: round(value, 4) for name, value in figures.items()},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return figures


def _platt(odds: npt.NDArray[np.float64], accepted: npt.NDArray[np.bool_], languages: npt.NDArray[np.str_]) -> dict[str, tuple[float, float]]:
    """Slope and intercept by language that make the log-odds honest (Platt 1999).

    One slope for all, because a language with few chats would get one of its own by chance; an intercept each, because its models are weaker.
    """
    names = sorted({str(name) for name in languages})
    columns = np.stack([odds, *((languages == name).astype(float) for name in names)], axis=1)
    fitted = LogisticRegression(C=10.0, fit_intercept=False).fit(columns, accepted)
    slope, *intercepts = (float(value) for value in fitted.coef_[0])
    return {name: (slope, intercept) for name, intercept in zip(names, intercepts, strict=True)}


def _first(example: Example, mean: npt.NDArray[np.float32], weights: npt.NDArray[np.float64], bias: float) -> tuple[float, bool]:
    odds = (example.table.values - mean) @ weights + bias
    best = int(np.argmax(odds))
    return float(odds[best]), bool(example.grades[best] > 0)


def _least_confidence(confidence: npt.NDArray[np.float64], accepted: npt.NDArray[np.bool_], precision: float, *, default: float) -> float:
    """The lowest confidence such that the first drafts at or above it are acceptable this often; `default` when none is."""
    order = np.argsort(-confidence)
    reached = np.cumsum(accepted[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(reached >= precision)
    return float(confidence[order][enough[-1]]) if len(enough) else default


def _named(values: npt.NDArray[np.floating]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in zip(SIGNALS, values, strict=True)}
