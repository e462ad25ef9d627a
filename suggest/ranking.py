"""Third step: which candidates may be sent for this order, in what order, and how sure we are of each. One confidence per draft, on every path the same."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from indexes.compiled import compiled
from indexes.snapshot import Snapshot
from knowledge.conditions import Verdict
from knowledge.records import ProvenReply
from suggest.eligibility import Eligibility
from suggest.likeness import twins
from suggest.retrieval import Hits
from suggest.signals import SIGNALS, Matrix, SignalTable, signal_table
from suggest.traits import ReplyTraits
from suggest.trees import TreeEnsemble, arrays_of
from suggest.understanding import Understanding

BUNDLED_RANKER = Path(__file__).parent / "models" / "ranker"
CARD, TREES = "ranker.json", "ranker.safetensors"
Scores = npt.NDArray[np.float32]
Point = tuple[float, float]  # confidence, and the precision of first drafts from there on

_HEAD = 10
_LOOKED_AT = 20  # candidates whose own words are read before they are offered; none further down is ever shown
# How far the best stands from the rest says more of how sure we may be than the score itself, which means little between requests.
_STANDING = ("score", "over_second", "over_third", "over_head", "spread", "share", "entropy", "agreement")
_ABOUT_FIRST = (
    "trigger_mixed", "needs_profile", "needs_peak", "scenario", "scenario_message", "lexical", "cited_article", "unknown", "specific",
    "own_product", "asks_for_order", "voted", "message_length", "lean_on_history", "other", "doubt", "best_trigger", "best_needs", "best_lexical",
    "surest_need", "need_entropy", "has_order", "several_questions", "covers_notable", "conditional", "calm_words_to_calm", "upset",
    "needs_peak_from_best", "lexical_in_context",
)  # fmt: skip
CONFIDENCE_SIGNALS = (*_STANDING, *_ABOUT_FIRST, "english")
_COLUMNS = np.array([SIGNALS.index(name) for name in _ABOUT_FIRST])


class Candidate(NamedTuple):
    """A reply that is not ruled out, with how sure we are that an expert would accept it."""

    reply: ProvenReply
    verdict: Verdict
    confidence: float
    signals: Matrix  # [n_signals], in the order of SIGNALS


@dataclass(frozen=True, slots=True)
class Confidence:
    """Turns scores into the probability that an expert would accept: logistic in how the first candidate stands, falling with each score below it."""

    mean: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    bias: float
    fall: float  # log-odds lost for each unit of score below the first

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> "Confidence":
        """Reads what `as_card` gave."""
        return cls(np.array(card["mean"]), np.array(card["weight"]), float(card["bias"]), float(card["fall"]))

    def as_card(self) -> dict[str, Any]:
        """Gives plain numbers, six decimals."""
        rounded = {name: [round(float(one), 6) for one in getattr(self, name)] for name in ("mean", "weight")}
        return rounded | {"bias": round(self.bias, 6), "fall": round(self.fall, 6)}

    def of_first(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Gives the log-odds that the first candidate would be accepted, for rows of `confidence_features`."""
        return np.asarray((features - self.mean) @ self.weight + self.bias, dtype=np.float64)

    def of_all(self, features: npt.NDArray[np.float64], descending: Scores) -> npt.NDArray[np.float64]:
        """Gives the probability of every candidate of a request, in [0, 1], never rising along the descending scores."""
        return _falling(float((features - self.mean) @ self.weight) + self.bias, self.fall, descending)


@compiled
def _falling(first: float, fall: float, descending: Scores) -> npt.NDArray[np.float64]:
    """Probabilities of log-odds that fall from the first one's with the scores, float64[len(descending)]."""
    found = np.empty(len(descending), dtype=np.float64)
    for place in range(len(descending)):
        below = np.float64(descending[0]) - np.float64(descending[place])
        found[place] = 1 / (1 + math.exp(-min(30.0, max(-30.0, first - fall * below))))
    return found


class Ranker:
    """Boosted trees and a linear part that order the candidates of a request (LambdaRank, Burges 2010), and a confidence in the first choice."""

    def __init__(
        self, arrays: Mapping[str, npt.NDArray[Any]], confidence: Confidence, usual: Matrix, precision: Sequence[Point], of_plain: Sequence[Point]
    ) -> None:
        """Takes what `load` reads: arrays of trees and `linear`, the usual value of each signal, and two curves of `threshold_for`."""
        self._trees, self._linear = TreeEnsemble(arrays), arrays["linear"].astype(np.float32)
        self._confidence, self._usual, self._precision, self._of_plain = confidence, usual, tuple(precision), tuple(of_plain)

    @classmethod
    def load(cls, folder: Path = BUNDLED_RANKER) -> "Ranker":
        """Reads a fitted ranker.

        Raises:
            ValueError: it was fitted on other signals than this version reads.
        """
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if tuple(card["signals"]) != SIGNALS or tuple(card["confidence_signals"]) != CONFIDENCE_SIGNALS:
            raise ValueError(f"{folder} was fitted on other signals than this version reads; run scripts.train_ranker")
        usual = np.array([card["usual"][name] for name in SIGNALS], dtype=np.float32)
        curves = [[(float(confidence), float(reached)) for confidence, reached in card[name]] for name in ("precision", "precision_of_plain")]
        return cls(load_file(folder / TREES), Confidence.of_card(card["confidence"]), usual, *curves)

    @classmethod
    def unfitted(cls) -> "Ranker":
        """Gives a ranker that prefers nothing and offers nothing, for gathering the signals that a ranker is fitted on."""
        arrays = arrays_of({"tree_info": []}) | {"linear": np.zeros(len(SIGNALS), dtype=np.float32)}
        nothing = np.zeros(len(CONFIDENCE_SIGNALS))
        return cls(arrays, Confidence(nothing, nothing, bias=-30.0, fall=0.0), np.zeros(len(SIGNALS), dtype=np.float32), [], [])

    def scores(self, values: Matrix) -> Scores:
        """Gives how much each row of signals is preferred; only differences within a request mean something."""
        return np.asarray(self._trees.scores(values) + values @ self._linear, dtype=np.float32)

    def confidence(self, table: SignalTable, order: Sequence[int], scores: Scores, *, english: bool) -> npt.NDArray[np.float64]:
        """Gives the probability of each candidate in the given order, best first."""
        first = confidence_features(table, order, scores, english=english)
        return self._confidence.of_all(first, scores[list(order)])

    def threshold(self, precision: float) -> float:
        """Gives the least confidence from which this share of first drafts was accepted on the calibration chats; 1 when none reaches it."""
        return threshold_for(self._precision, precision)

    def unread_threshold(self, precision: float) -> float:
        """Gives the same for drafts that might go out unread: calm, of one question, with everything known."""
        return threshold_for(self._of_plain, precision)

    def parts(self, row: Matrix) -> dict[str, float]:
        """Gives each signal's part in the score of one candidate: what the score would lose were that signal as it usually is."""
        usual = np.repeat(row[None], len(SIGNALS), axis=0)
        np.fill_diagonal(usual, self._usual)
        parts = float(self.scores(row[None])[0]) - self.scores(usual)
        return {name: round(float(part), 4) for name, part in zip(SIGNALS, parts, strict=True)}


def threshold_for(curve: Sequence[Point], precision: float) -> float:
    """Gives the least confidence of the curve (confidence, precision from there on) with at least this precision; 1 when none has."""
    return min((confidence for confidence, reached in curve if reached >= precision), default=1.0)


def rank(
    question: Understanding,
    hits: Hits,
    snapshot: Snapshot,
    eligibility: Eligibility,
    ranker: Ranker,
    traits: ReplyTraits,
    *,
    tier: str = "",
    unfit: Callable[[ProvenReply, bool], bool] | None = None,
) -> list[Candidate]:
    """Gives the eligible candidates, surest first, ties by reply id. A reply whose condition is false, or which is unfit here, is never among them."""
    table = signal_table(question, hits, snapshot, eligibility, traits, tier=tier)
    scores = ranker.scores(table.values) if table.replies else np.empty(0, dtype=np.float32)
    order = best_first(table, scores)
    if unfit is not None:
        order = [row for place, row in enumerate(order) if not unfit(table.replies[row], place < _LOOKED_AT)]
    if not order:
        return []
    confidence = ranker.confidence(table, order, scores, english=snapshot.shop.store.language == "en")
    return [Candidate(table.replies[row], table.verdicts[row], sure, table.values[row]) for row, sure in zip(order, confidence.tolist(), strict=True)]


def best_first(table: SignalTable, scores: Scores) -> list[int]:
    """Gives the rows by falling score, ties by reply id."""
    falling = zip((-scores).tolist(), [reply.id for reply in table.replies], range(len(table.replies)), strict=True)
    return [row for _, _, row in sorted(falling)]


def confidence_features(table: SignalTable, order: Sequence[int], scores: Scores, *, english: bool) -> npt.NDArray[np.float64]:
    """Gives what the confidence in the first candidate is judged by, [len(CONFIDENCE_SIGNALS)].

    The other way to say the same, calm or upset, is no rival: that it comes close says nothing against the first.
    """
    first = table.replies[order[0]]
    scenario = first.scenario
    twin = twins(one for row in order if (one := table.replies[row]).scenario == first.scenario).get(first.id)
    order = [row for row in order if table.replies[row].id != twin]
    agreement = sum([table.replies[row].scenario == scenario for row in order[:5]]) / len(order[:5])
    return _features(scores[order], agreement, table.values[order[0]], _COLUMNS, english)


@compiled
def _standing(descending: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How the first stands among the falling scores: the first of `_STANDING`, all but the last."""
    first, n = descending[0], len(descending)
    second, third = descending[1] if n > 1 else first - 3.0, descending[2] if n > 2 else first - 3.0  # as if distant ones followed, where there are fewer
    odds = np.exp(descending - first)
    shares = odds / odds.sum()
    head = descending[:_HEAD]
    entropy = -(shares * np.log(shares + 1e-9)).sum()
    return np.array([first, first - second, first - third, first - head.mean(), head.std(), shares[0], entropy])


@compiled
def _features(scores: Scores, agreement: float, signals: Matrix, columns: npt.NDArray[np.int64], english: bool) -> npt.NDArray[np.float64]:
    found = np.empty(len(_STANDING) + len(columns) + 1)
    found[: len(_STANDING) - 1] = _standing(scores.astype(np.float64))
    found[len(_STANDING) - 1], found[-1] = agreement, english
    for place, column in enumerate(columns):
        found[len(_STANDING) + place] = signals[column]
    return found
