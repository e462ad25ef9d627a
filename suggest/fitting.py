"""Fits the ranker on labelled chats: trees by LightGBM's LambdaRank, a linear part by scikit-learn, then a confidence on chats that neither has seen.

The service only reads the result, with NumPy.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from knowledge.chats import BEST, LabelledChat
from suggest.pipeline import Suggester
from suggest.ranking import CARD, CONFIDENCE_SIGNALS, TREES, Confidence, Ranker, best_first, confidence_features, threshold_for
from suggest.signals import SIGNALS, Matrix, SignalTable
from suggest.trees import Arrays, TreeEnsemble, arrays_of
from suggest.unread import may_go_unread

# Chosen leave-one-shop-out over the three Chinese shops, 2026-11-22; figures in DESIGN.md.
_TREES: dict[str, Any] = {
    "objective": "lambdarank", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 40, "feature_fraction": 0.5, "bagging_fraction": 0.8,
    "bagging_freq": 1, "lambda_l2": 5.0, "label_gain": [0, 1, 3], "lambdarank_truncation_level": 5,
    "seed": 20_261_122, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
_ROUNDS = 300
_LINEAR_SHARE = 0.25  # of the linear part's log-odds beside the trees' score: steadier where a new shop looks like none seen
_REGULARISATION = 0.1
_ACCEPTABLE_SHARE = 0.35  # of an acceptable, not best, reply: how much of it counts as «would be sent»
_CONFIDENCE_REGULARISATION = 0.1
_FEWEST_SHOPS = 3  # from there on the confidence is learnt shop by shop
FOLDS = 5
_CURVE_POINTS = 200
_STEPS = 10_000  # confidences of the curve are told to four decimals
_FALL_RANKS = 5
# What keeps a first draft from going out unread whatever its words, by signals: mood, threat, several questions, an open condition.
_TROUBLES = [SIGNALS.index(name) for name in ("upset", "threat", "several_questions", "unknown")]
_TROUBLED = 0.5
_VOTES = [number for number, name in enumerate(SIGNALS) if name.startswith("voted")]


@dataclass(frozen=True, slots=True)
class Example:
    """One chat: the signals of its candidates and the grades that an expert gave them."""

    conversation: str
    english: bool
    answerable: bool
    table: SignalTable
    grades: npt.NDArray[np.int64]
    unread: npt.NDArray[np.bool_]  # [n_candidates], whether the reply's words leave it open that a machine sends it

    @property
    def shop(self) -> str:
        """The shop's id."""
        return self.conversation.partition("/")[0]

    def without_votes(self) -> "Example":
        """Gives the chat as a shop that has no chats of its own would see it."""
        values = self.table.values.copy()
        values[:, _VOTES] = 0.0
        return replace(self, table=SignalTable(self.table.replies, self.table.verdicts, values))


@dataclass(frozen=True, slots=True)
class Order:
    """What orders candidates: trees, and weights of a linear part."""

    trees: Arrays
    linear: npt.NDArray[np.float32]  # [n_signals]

    def scores(self, values: Matrix) -> npt.NDArray[np.float32]:
        """As `Ranker.scores`."""
        return np.asarray(TreeEnsemble(self.trees).scores(values) + values @ self.linear, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted ranker, and the chats' confidences by rankers that had not seen them."""

    order: Order
    confidence: Confidence
    usual: Matrix  # [n_signals]
    sure: npt.NDArray[np.float64]  # [n_chats]
    accepted: npt.NDArray[np.bool_]  # [n_chats]
    plain: npt.NDArray[np.bool_]  # [n_chats], those whose first draft might go out unread: calm, one question, everything known, words that a machine may send

    def write(self, folder: Path, *, provenance: str) -> Ranker:
        """Writes the ranker's two files and reads them back."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({**self.order.trees, "linear": self.order.linear}, folder / TREES)
        card = {
            "provenance": provenance,
            "signals": SIGNALS,
            "confidence_signals": CONFIDENCE_SIGNALS,
            "confidence": self.confidence.as_card(),
            "usual": {name: round(float(value), 6) for name, value in zip(SIGNALS, self.usual, strict=True)},
            "precision": precision_curve(self.sure, self.accepted),
            "precision_of_plain": precision_curve(self.sure[self.plain], self.accepted[self.plain]),
        }
        (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return Ranker.load(folder)


def examples(chats: Sequence[LabelledChat], suggester: Suggester, *, on_chat: Callable[[], None] | None = None) -> list[Example]:
    """Gives an example for each chat that has an eligible candidate, answerable or not."""
    found = []
    shop = suggester.snapshot.shop
    english = shop.store.language == "en"
    own: dict[str, bool] = {}
    for chat in chats:
        table = suggester.signals(chat)
        if table.replies:
            grades = np.array([chat.labels.replies.get(reply.id, 0) for reply in table.replies], dtype=np.int64)
            name = f"{shop.store.id}/{chat.conversation}"
            own |= {reply.id: may_go_unread(reply, shop.store) for reply in table.replies if reply.id not in own}
            unread = np.array([own[reply.id] for reply in table.replies], dtype=np.bool_)
            found.append(Example(name, english, chat.labels.answerable, table, grades, unread))
        if on_chat is not None:
            on_chat()
    return found


def fit(chats: Sequence[Example]) -> Fitted:
    """Fits on the chats as their shop sees them and as one without chats of its own would.

    The confidence is learnt of each shop's chats as a ranker of the other shops orders them, where there are shops enough: that is how sure one may be in a
    shop never seen. Of fewer shops by folds over conversations.
    """
    both = [view for example in chats for view in (example, example.without_votes())]
    order = fit_order(both)
    part_of = _part_of(chats)
    features, lower, accepted, plain = [], [], [], []
    for part in sorted({part_of(example) for example in chats}):
        away = fit_order([example for example in both if part_of(example) != part])
        for example in (one for one in chats if part_of(one) == part):
            scores = away.scores(example.table.values)
            rows = best_first(example.table, scores)
            features.append(confidence_features(example.table, rows, scores, english=example.english))
            accepted.append(bool(example.grades[rows[0]] > 0))
            plain.append(bool(example.unread[rows[0]] and (example.table.values[rows[0], _TROUBLES] < _TROUBLED).all()))
            lower.append([(float(scores[rows[0]] - scores[row]), bool(example.grades[row] > 0)) for row in rows[1:_FALL_RANKS]])
    seen, right = np.array(features), np.array(accepted)
    confidence = _fit_confidence(seen, right, lower)
    sure = 1 / (1 + np.exp(-confidence.of_first(seen)))
    usual = np.concatenate([example.table.values for example in chats]).mean(axis=0).astype(np.float32)
    return Fitted(order, confidence, usual, sure, right, np.array(plain))


def _part_of(chats: Sequence[Example]) -> Callable[[Example], str]:
    """What is held out together when the confidence is learnt: a shop, or a fold of conversations."""
    if len({example.shop for example in chats}) >= _FEWEST_SHOPS:
        return lambda example: example.shop
    return lambda example: str(fold_of(example.conversation))


def fit_order(chats: Sequence[Example]) -> Order:
    """Fits what orders candidates; chats without a right reply teach no order."""
    useful = [example for example in chats if (example.grades > 0).any()]
    values = np.concatenate([example.table.values for example in useful])
    grades = np.concatenate([example.grades for example in useful])
    sizes = [len(example.grades) for example in useful]
    booster = lightgbm.train(_TREES, lightgbm.Dataset(values, grades, group=sizes), _ROUNDS)
    return Order(arrays_of(booster.dump_model()), (_LINEAR_SHARE * _linear(values, grades, sizes)).astype(np.float32))


def precision_curve(sure: npt.NDArray[np.float64], accepted: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Gives (confidence, precision of first drafts from there on), confidence falling, at most `_CURVE_POINTS` of them.

    The precision is the lesser of the share that was accepted and the mean confidence, which is what the confidence itself promises: the share alone
    moves by chance, and a threshold with it. Confidences and precisions are rounded down, so that a threshold lets the drafts pass that made it; of
    equal confidences the last counts. Of no chats there is no curve.
    """
    if not len(sure):
        return []
    floors = np.floor(sure * _STEPS) / _STEPS
    order = np.argsort(-floors, kind="stable")
    ranks = np.arange(1, len(order) + 1)
    reached = np.floor(np.minimum(np.cumsum(accepted[order]), np.cumsum(sure[order])) / ranks * _STEPS) / _STEPS
    last = np.flatnonzero(np.append(np.diff(floors[order]) != 0, True))
    kept = last[np.unique(np.linspace(0, len(last) - 1, min(_CURVE_POINTS, len(last))).astype(int))]
    return [(float(floors[order][row]), float(reached[row])) for row in kept]


def figures(fitted: Fitted) -> dict[str, float]:
    """Gives the key figures on chats that were held out in turn."""
    curve = precision_curve(fitted.sure, fitted.accepted)
    return {
        "accepted": round(float(fitted.accepted.mean()), 4),
        "threshold_90": threshold_for(curve, 0.9),
        "unread_95": threshold_for(precision_curve(fitted.sure[fitted.plain], fitted.accepted[fitted.plain]), 0.95),
    }


def fold_of(conversation: str) -> int:
    """Gives the fold of a conversation, 0 … `FOLDS` - 1; the same on every machine."""
    return int(hashlib.sha256(conversation.encode()).hexdigest(), 16) % FOLDS


def _linear(values: Matrix, grades: npt.NDArray[np.int64], sizes: Sequence[int]) -> npt.NDArray[np.float64]:
    """Weights of a logistic regression; a row counts as sent with its share and as not sent with the rest, and chats weigh alike."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    scaled = (values - mean) / spread
    share = np.where(grades == BEST, 1.0, np.where(grades == 1, _ACCEPTABLE_SHARE, 0.0))
    weight = np.concatenate([np.full(size, 1 / np.sqrt(size)) for size in sizes])
    model = LogisticRegression(C=_REGULARISATION, max_iter=2_000)
    model.fit(np.concatenate([scaled, scaled]), np.repeat([1, 0], len(scaled)), sample_weight=np.concatenate([weight * share, weight * (1 - share)]))
    return np.asarray(model.coef_[0] / spread, dtype=np.float64)


def _fit_confidence(features: npt.NDArray[np.float64], accepted: npt.NDArray[np.bool_], lower: Sequence[Sequence[tuple[float, bool]]]) -> Confidence:
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=_CONFIDENCE_REGULARISATION, max_iter=5_000).fit((features - mean) / spread, accepted)
    confidence = Confidence(mean, model.coef_[0] / spread, float(model.intercept_[0]), fall=0.0)
    firsts = confidence.of_first(features)
    behind = np.array([(first, gap, taken) for first, rest in zip(firsts, lower, strict=True) for gap, taken in rest])
    return Confidence(mean, confidence.weight, confidence.bias, fall=_fit_fall(behind))


def _fit_fall(behind: npt.NDArray[np.float64]) -> float:
    """The fall per unit of score that makes the lower drafts' confidence likeliest; a fine grid, for it is one number."""
    first, gap, taken = behind.T
    tried = np.linspace(0.1, 4.0, 196)
    log_odds = first[None] - tried[:, None] * gap[None]
    loss = np.logaddexp(0, log_odds).sum(axis=1) - (log_odds * taken[None]).sum(axis=1)
    return round(float(tried[int(loss.argmin())]), 4)
