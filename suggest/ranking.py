"""Third step: which candidates may be sent for this order, and how sure we are of each. One probability per candidate, on every path the same."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.snapshot import Snapshot
from knowledge.conditions import Outcome, Verdict, compile_condition
from knowledge.records import ProvenReply
from suggest.eligibility import Eligibility
from suggest.retrieval import Hits
from suggest.understanding import Understanding

BUNDLED_WEIGHTS = Path(__file__).parent / "models" / "ranker.json"
Matrix = npt.NDArray[np.float32]

SIGNALS = (
    "trigger", "trigger_in_context", "words", "lexical", "needs", "scenario", "cited_article",
    "trigger_from_best", "needs_from_best", "scenario_from_best", "words_from_best", "lexical_from_best",
    "unknown", "specific", "specific_from_best", "own_product", "lead", "tier",
    "upset_words_to_calm", "upset_words_to_anxious", "upset_words_to_upset", "calm_words_to_calm", "calm_words_to_anxious", "calm_words_to_upset",
    "lean_on_history", "in_top_scenario", "message_length", "doubt", "other", "best_trigger",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply that is not ruled out, with how sure we are that an expert would accept it."""

    reply: ProvenReply
    verdict: Verdict
    confidence: float
    signals: Matrix  # [n_signals], in the order of SIGNALS


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Eligible replies and their signals, [n_eligible, n_signals], rows by reply id."""

    replies: tuple[ProvenReply, ...]
    verdicts: tuple[Verdict, ...]
    values: Matrix


class Ranker:
    """Logistic regression over signals, stored as JSON; a second logistic map makes the probability honest (Platt 1999)."""

    def __init__(self, path: Path = BUNDLED_WEIGHTS) -> None:
        model = json.loads(path.read_text(encoding="utf-8"))
        self._mean = np.array([model["mean"][name] for name in SIGNALS], dtype=np.float32)
        self._weight = np.array([model["weight"][name] for name in SIGNALS], dtype=np.float32)
        self._bias = float(model["bias"])
        self._calibration = {language: (float(one["slope"]), float(one["intercept"])) for language, one in model["calibration"].items()}
        self.threshold = float(model["threshold"])
        self.auto_reply_threshold = float(model["auto_reply_threshold"])

    def log_odds(self, values: Matrix) -> npt.NDArray[np.float32]:
        """Gives the uncalibrated log-odds of each row of signals."""
        return np.asarray((values - self._mean) @ self._weight + self._bias, dtype=np.float32)

    def confidence(self, log_odds: npt.NDArray[np.float32], *, language: str) -> npt.NDArray[np.float32]:
        """Gives the calibrated probability for a shop's language; increasing in the log-odds, so it never reorders."""
        slope, intercept = self._calibration.get(language[:2], self._calibration["zh"])
        return np.asarray(1 / (1 + np.exp(-np.clip(slope * log_odds + intercept, -30, 30))), dtype=np.float32)

    def parts(self, row: Matrix) -> dict[str, float]:
        """Gives each signal's part in the log-odds of one candidate."""
        return {name: round(float(part), 4) for name, part in zip(SIGNALS, (row - self._mean) * self._weight, strict=True)}


def rank(question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, ranker: Ranker, *, tier: str = "") -> list[Candidate]:
    """Gives the eligible candidates, surest first, ties by reply id. A reply whose condition is false is never among them."""
    table = signal_table(question, hits, snapshot, eligibility, tier=tier)
    if not table.replies:
        return []
    log_odds = ranker.log_odds(table.values)
    confidence = ranker.confidence(log_odds, language=snapshot.shop.store.language)
    order = sorted(range(len(table.replies)), key=lambda row: (-log_odds[row], table.replies[row].id))
    return [Candidate(table.replies[row], table.verdicts[row], float(confidence[row]), table.values[row]) for row in order]


def signal_table(question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, *, tier: str = "") -> SignalTable:
    """Gives the signals of every candidate whose dates, products and condition do not rule it out."""
    replies = [snapshot.shop.replies[row] for row in hits.replies.reply_rows]
    verdicts = [eligibility.of_reply(reply) for reply in replies]
    kept = [row for row, verdict in enumerate(verdicts) if verdict.outcome is not Outcome.FALSE]
    chosen = [replies[row] for row in kept]
    chosen_verdicts = [verdicts[row] for row in kept]
    columns = _columns(question, hits, snapshot, eligibility, kept, chosen, chosen_verdicts, tier)
    values = np.stack([columns[name] for name in SIGNALS], axis=1) if chosen else np.empty((0, len(SIGNALS)), dtype=np.float32)
    return SignalTable(tuple(chosen), tuple(chosen_verdicts), values.astype(np.float32))


def _columns(
    question: Understanding,
    hits: Hits,
    snapshot: Snapshot,
    eligibility: Eligibility,
    kept: list[int],
    replies: list[ProvenReply],
    verdicts: list[Verdict],
    tier: str,
) -> dict[str, Matrix]:
    found = hits.replies
    near = {name: getattr(found, name)[kept] for name in ("trigger", "trigger_in_context", "words", "lexical", "needs")}
    scenario = _column(replies, lambda reply: question.scenarios.get(reply.scenario, 0.0))
    known = [verdict.outcome is Outcome.TRUE for verdict in verdicts]
    specific = np.array([min(_specificity(reply), 4) / 4 if true else 0.0 for reply, true in zip(replies, known, strict=True)], dtype=np.float32)
    top = _top_scenario(question)
    every = np.ones(len(replies), dtype=np.float32)
    return (
        near
        | _tones(replies, question)
        | {
            "scenario": scenario,
            "cited_article": _cited(replies, hits, snapshot),
            "trigger_from_best": _from_best(near["trigger_in_context"]),
            "needs_from_best": _from_best(near["needs"]),
            "scenario_from_best": _from_best(scenario),
            "words_from_best": _from_best(near["words"]),
            "lexical_from_best": _from_best(near["lexical"]),
            "unknown": np.array([not true for true in known], dtype=np.float32),
            "specific": specific,
            "specific_from_best": _from_best_within(specific, [reply.scenario for reply in replies]),
            "own_product": _column(replies, lambda reply: float(eligibility.product_named(reply))),
            "lead": _column(replies, lambda reply: float(reply.authority == "lead")),
            "tier": _column(replies, lambda reply: float(bool(tier) and tier == "vip" and "customer.tier" in reply.when)),
            "lean_on_history": every * question.lean_on_history,
            "in_top_scenario": _column(replies, lambda reply: float(reply.scenario == top)),
            "other": every * question.scenarios.get("chat.other", 0.0),
            "best_trigger": every * found.trigger_in_context.max(initial=0.0),
            "message_length": every * min(len(question.text), 40) / 40,
            "doubt": every * (1 - max(question.scenarios.values(), default=0.0)),
        }
    )


def _tones(replies: Sequence[ProvenReply], question: Understanding) -> dict[str, Matrix]:
    """How the reply's tone meets each mood: a preference the weights decide, never a gate."""
    moods = {"calm": question.emotions.get("calm", 0.0), "anxious": question.emotions.get("anxious", 0.0), "upset": question.upset}
    return {
        f"{tone}_words_to_{mood}": _column(replies, lambda reply, tone=tone, chance=chance: chance if reply.tone == tone else 0.0)  # type: ignore[misc]
        for tone in ("upset", "calm")
        for mood, chance in moods.items()
    }


def _column(replies: Sequence[ProvenReply], value: Callable[[ProvenReply], float]) -> Matrix:
    return np.array([value(reply) for reply in replies], dtype=np.float32)


def _from_best(values: Matrix) -> Matrix:
    """How far below the best candidate; 0 for the best. Ranks within a request where absolute figures differ between requests."""
    return np.asarray(values - values.max(initial=0.0), dtype=np.float32) if len(values) else values


def _from_best_within(values: Matrix, groups: list[str]) -> Matrix:
    """As `_from_best`, among the replies of the same scenario."""
    best: dict[str, float] = {}
    for group, value in zip(groups, values, strict=True):
        best[group] = max(best.get(group, 0.0), float(value))
    return np.array([value - best[group] for group, value in zip(groups, values, strict=True)], dtype=np.float32)


def _specificity(reply: ProvenReply) -> int:
    """How many facts of this order the condition holds to be so; a list of tests on one fact counts once."""
    return compile_condition(reply.when).specificity + (1 if reply.effective_from or reply.effective_to else 0)


def _top_scenario(question: Understanding) -> str:
    return max(sorted(question.scenarios), key=lambda name: question.scenarios[name], default="")


def _cited(replies: Sequence[ProvenReply], hits: Hits, snapshot: Snapshot) -> Matrix:
    """The nearest passage of the articles that each reply cites, cosine to the question."""
    dense = hits.passages.dense.tolist()
    best = {article: max((dense[row] for row in rows), default=0.0) for article, rows in snapshot.article_passages.items()}
    return _column(replies, lambda reply: max((best.get(article, 0.0) for article in reply.cites), default=0.0))
