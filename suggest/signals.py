"""What the ranker sees of a candidate: how near it is to the question in words and in needs, how well it fits this order, and what is asked.

Each signal is one column. «from_best» figures are relative to the best candidate of the request, for absolute ones differ between shops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.snapshot import Snapshot
from knowledge.conditions import Outcome, Verdict, compile_condition
from knowledge.records import ProvenReply
from suggest.eligibility import Eligibility, gate_of
from suggest.retrieval import Hits, ReplyHits
from suggest.understanding import Understanding

Matrix = npt.NDArray[np.float32]

# The best this many that the order allows are judged in full, by a plain sum of three channels: on the demo's train chats the best reply is among
# them for 98.7% of chats (96.0% by the nearest trigger alone).
CONSIDERED = 48
_LEXICAL_SHARE = 0.5
_SPECIFIC = 5  # facts in a condition beyond which more say no more

_FROM_BEST = (
    "trigger", "trigger_mixed", "trigger_mean", "words_mixed", "needs_mixed", "needs_profile", "needs_peak", "scenario",
    "lexical", "lexical_in_context", "cited_article", "voted", "trigger_clause", "trigger_with_turns", "needs_clause", "specific",
)  # fmt: skip
_FROM_BEST_OF_SCENARIO = ("trigger_mixed", "needs_profile", "specific")
_MOODS = ("calm", "anxious", "upset")
_NEARNESS = (
    "trigger", "trigger_mixed", "trigger_mean", "trigger_with_customer", "trigger_with_agent", "trigger_with_turns", "trigger_clause",
    "words", "words_mixed", "needs", "needs_mixed", "needs_mean", "needs_with_turns", "needs_words", "needs_clause", "needs_profile", "needs_peak",
    "needs_top", "lexical", "lexical_words", "lexical_in_context", "said_before", "cited_article",
)  # fmt: skip
_FIT = (
    "scenario", "scenario_message", "scenario_mixed", "scenario_family", "in_top_scenario", "unknown", "specific", "conditional", "about_case",
    "voted", "asks_for_order", "ignores_order", "own_product", "lead", "tier", "neutral",
)  # fmt: skip
_TONES = tuple(f"{tone}_words_to_{mood}" for tone in ("upset", "calm") for mood in _MOODS)
REQUEST_SIGNALS = (
    "message_length", "lean_on_history", "has_history", "other", "doubt", "best_trigger", "best_needs", "best_lexical", "surest_need", "need_entropy",
    "upset", "threat", "has_order", "several_questions",
)  # fmt: skip
SIGNALS = (
    *_NEARNESS, *_FIT, *_TONES, *(f"{name}_from_best" for name in _FROM_BEST), *(f"{name}_in_scenario" for name in _FROM_BEST_OF_SCENARIO), *REQUEST_SIGNALS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Eligible replies and their signals, [n_eligible, n_signals], rows by reply id."""

    replies: tuple[ProvenReply, ...]
    verdicts: tuple[Verdict, ...]
    values: Matrix


class ReplyTraits:
    """What never changes about a shop's replies, as columns over `shop.replies`."""

    def __init__(self, replies: Sequence[ProvenReply]) -> None:
        self.scenarios = [reply.scenario for reply in replies]
        self.names = sorted(set(self.scenarios))
        self.scenario = np.array([self.names.index(name) for name in self.scenarios], dtype=np.int64)
        gates = {gate: number for number, gate in enumerate(dict.fromkeys(map(gate_of, replies)))}
        self.gates = [gates[gate_of(reply)] for reply in replies]  # replies of one number are allowed together
        self.specific = np.array([min(_specificity(reply), _SPECIFIC) / _SPECIFIC for reply in replies], dtype=np.float32)
        self.tone = {tone: np.array([reply.tone == tone for reply in replies], dtype=np.float32) for tone in ("upset", "calm", "")}
        self.conditional = np.array([bool(reply.when) for reply in replies], dtype=np.float32)
        self.about_case = np.array(["order.case" in reply.when for reply in replies], dtype=np.float32)
        self.asks_for_order = np.array(["!has(order.status)" in reply.when for reply in replies], dtype=np.float32)
        self.has_products = np.array([bool(reply.products) for reply in replies], dtype=np.float32)
        self.lead = np.array([reply.authority == "lead" for reply in replies], dtype=np.float32)
        self.tier = np.array(["customer.tier" in reply.when for reply in replies], dtype=np.float32)
        articles = sorted({article for reply in replies for article in reply.cites})
        number = {article: row for row, article in enumerate(articles)}
        self.articles = articles
        self.cited = [tuple(number[article] for article in reply.cites) for reply in replies]


def signal_table(question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, traits: ReplyTraits, *, tier: str = "") -> SignalTable:
    """Gives the signals of the nearest candidates whose dates, products and condition do not rule them out."""
    order = _by_nearness(question, hits.replies, traits)
    chosen: list[int] = []
    verdicts: dict[int, Verdict] = {}
    by_gate: dict[int, Verdict] = {}
    for position, row in zip(order.tolist(), hits.replies.reply_rows[order].tolist(), strict=True):
        gate = traits.gates[row]
        verdict = by_gate.get(gate)
        if verdict is None:
            verdict = by_gate[gate] = eligibility.of_reply(snapshot.shop.replies[row])
        if verdict.outcome is not Outcome.FALSE:
            chosen.append(position)
            verdicts[position] = verdict
            if len(chosen) == CONSIDERED:
                break
    chosen.sort()
    if not chosen:
        return SignalTable((), (), np.empty((0, len(SIGNALS)), dtype=np.float32))
    near = hits.replies.of(np.array(chosen))
    kept = [verdicts[position] for position in chosen]
    values = _values(question, near, hits, snapshot, traits, kept, eligibility, tier)
    return SignalTable(tuple(snapshot.shop.replies[row] for row in near.reply_rows), tuple(kept), values)


def _by_nearness(question: Understanding, near: ReplyHits, traits: ReplyTraits) -> npt.NDArray[np.int64]:
    mixed = near.cosines[:, : len(question.readings)] @ question.shares
    probability = _probabilities(question.scenarios, traits.names)[traits.scenario[near.reply_rows]]
    nearness = near.best_trigger(mixed) + probability + _LEXICAL_SHARE * near.best_trigger(near.lexical) + near.voted
    return np.argsort(-nearness, kind="stable")


def _values(
    question: Understanding, near: ReplyHits, hits: Hits, snapshot: Snapshot, traits: ReplyTraits, verdicts: list[Verdict], eligibility: Eligibility, tier: str
) -> Matrix:
    rows = near.reply_rows
    columns = _nearness(question, near) | {"cited_article": _cited(rows, hits, snapshot, traits)}
    columns |= _fit(question, near, traits, verdicts, eligibility, tier) | _tones(question, rows, traits)
    columns |= {f"{name}_from_best": columns[name] - columns[name].max() for name in _FROM_BEST}
    columns |= {f"{name}_in_scenario": _from_best_within(columns[name], traits.scenario[rows], len(traits.names)) for name in _FROM_BEST_OF_SCENARIO}
    one = np.ones(len(rows), dtype=np.float32)
    columns |= {name: one * value for name, value in _request(question, columns, eligibility).items()}
    return np.stack([columns[name] for name in SIGNALS], axis=1).astype(np.float32)


def _nearness(question: Understanding, near: ReplyHits) -> dict[str, Matrix]:
    n_readings, n_clauses = len(question.readings), len(question.clauses)
    cosines = near.cosines
    # Bhattacharyya coefficients of need distributions: each key's with each reading and clause.
    overlaps = near.key_needs @ np.sqrt(np.stack([one.needs for one in (*question.readings, *question.clauses)])).T
    mixed = cosines[:, :n_readings] @ question.shares
    mixed_needs = question.mixed_needs
    needs = near.key_needs @ np.sqrt(mixed_needs)
    clauses = slice(n_readings, n_readings + n_clauses)
    profile = _profile(near)
    with_turns = [min(number, n_readings - 1) for number in (1, 2, 3)]  # the message alone where there is no history
    return {
        "trigger": near.best_trigger(cosines[:, 0]),
        "trigger_mixed": near.best_trigger(mixed),
        "trigger_mean": near.mean_trigger(mixed),
        "trigger_with_customer": near.best_trigger(cosines[:, with_turns[0]]),
        "trigger_with_agent": near.best_trigger(cosines[:, with_turns[1]]),
        "trigger_with_turns": near.best_trigger(cosines[:, with_turns[2]]),
        "trigger_clause": near.best_trigger(cosines[:, clauses].max(axis=1) if n_clauses else cosines[:, 0]),
        "words": near.own_words(cosines[:, 0]),
        "words_mixed": near.own_words(mixed),
        "needs": near.best_trigger(overlaps[:, 0]),
        "needs_mixed": near.best_trigger(needs),
        "needs_mean": near.mean_trigger(needs),
        "needs_with_turns": near.best_trigger(overlaps[:, with_turns[2]]),
        "needs_words": near.own_words(needs),
        "needs_clause": near.best_trigger(overlaps[:, clauses].max(axis=1) if n_clauses else overlaps[:, 0]),
        "needs_profile": np.sqrt(profile) @ np.sqrt(mixed_needs),
        "needs_peak": profile @ mixed_needs,
        "needs_top": profile[:, int(mixed_needs.argmax())],
        "lexical": near.best_trigger(near.lexical),
        "lexical_words": near.own_words(near.lexical),
        "lexical_in_context": near.best_trigger(near.lexical_in_context),
        "said_before": near.own_words(cosines[:, -1]) if question.said_last else np.zeros(len(near.starts), dtype=np.float32),
    }


def _profile(near: ReplyHits) -> Matrix:
    """Each reply's needs: the mean distribution of its triggers, [n_replies, n_needs]."""
    weights = near.is_trigger.astype(np.float32)
    sums = np.add.reduceat(near.key_needs**2 * weights[:, None], near.starts, axis=0)
    return np.asarray(sums / np.maximum(np.add.reduceat(weights, near.starts), 1)[:, None], dtype=np.float32)


def _fit(question: Understanding, near: ReplyHits, traits: ReplyTraits, verdicts: list[Verdict], eligibility: Eligibility, tier: str) -> dict[str, Matrix]:
    rows = near.reply_rows
    scenario = traits.scenario[rows]
    known = np.array([verdict.outcome is Outcome.TRUE for verdict in verdicts], dtype=np.float32)
    heard = _probabilities(question.scenarios, traits.names)
    families = _probabilities(_families(question.scenarios), [name.split(".")[0] for name in traits.names])
    top = max(sorted(question.scenarios), key=lambda name: question.scenarios[name], default="")
    has_order = float(bool(eligibility.circumstances.facts["order"]))
    return {
        "scenario": heard[scenario],
        "scenario_message": _probabilities(question.scenarios_of_message, traits.names)[scenario],
        "scenario_mixed": _probabilities(question.scenarios_heard, traits.names)[scenario],
        "scenario_family": families[scenario],
        "in_top_scenario": np.array([name == top for name in traits.names], dtype=np.float32)[scenario],
        "unknown": 1 - known,
        "specific": traits.specific[rows] * known,
        "conditional": traits.conditional[rows],
        "about_case": traits.about_case[rows],
        "asks_for_order": traits.asks_for_order[rows],
        "ignores_order": (1 - traits.conditional[rows]) * has_order,
        "own_product": traits.has_products[rows] * float(bool(eligibility.circumstances.products)),
        "lead": traits.lead[rows],
        "voted": near.voted,
        "tier": traits.tier[rows] * float(tier == "vip"),
        "neutral": traits.tone[""][rows],
    }


def _tones(question: Understanding, rows: npt.NDArray[np.int64], traits: ReplyTraits) -> dict[str, Matrix]:
    """How the reply's tone meets each mood: a preference the weights decide, never a gate."""
    moods = {"calm": question.emotions.get("calm", 0.0), "anxious": question.emotions.get("anxious", 0.0), "upset": question.upset}
    return {f"{tone}_words_to_{mood}": traits.tone[tone][rows] * np.float32(moods[mood]) for tone in ("upset", "calm") for mood in _MOODS}


def _request(question: Understanding, columns: dict[str, Matrix], eligibility: Eligibility) -> dict[str, float]:
    needs = question.mixed_needs
    return {
        "message_length": min(len(question.text), 40) / 40,
        "lean_on_history": question.lean_on_history,
        "has_history": float(len(question.readings) > 1),
        "other": question.scenarios.get("chat.other", 0.0),
        "doubt": 1 - max(question.scenarios.values(), default=0.0),
        "best_trigger": float(columns["trigger_mixed"].max()),
        "best_needs": float(columns["needs_profile"].max()),
        "best_lexical": float(columns["lexical"].max()),
        "surest_need": float(needs.max()),
        "need_entropy": float(-(needs * np.log(needs + 1e-9)).sum()),
        "upset": question.upset,
        "threat": question.threat,
        "has_order": float(bool(eligibility.circumstances.facts["order"])),
        "several_questions": float(bool(question.questions)),
    }


def _probabilities(scenarios: dict[str, float], names: Sequence[str]) -> Matrix:
    return np.array([scenarios.get(name, 0.0) for name in names], dtype=np.float32)


def _families(scenarios: dict[str, float]) -> dict[str, float]:
    """Probability of each family of scenarios: `logistics` of `logistics.delay` and its sisters."""
    found: dict[str, float] = {}
    for name, probability in scenarios.items():
        family = name.split(".")[0]
        found[family] = found.get(family, 0.0) + probability
    return found


def _from_best_within(values: Matrix, groups: npt.NDArray[np.int64], n_groups: int) -> Matrix:
    """How far below the best of the same scenario; 0 for the best."""
    best = np.full(n_groups, -np.inf, dtype=np.float32)
    np.maximum.at(best, groups, values)
    return np.asarray(values - best[groups], dtype=np.float32)


def _specificity(reply: ProvenReply) -> int:
    """How many facts of this order the condition holds to be so; a list of tests on one fact counts once."""
    return compile_condition(reply.when).specificity + (1 if reply.effective_from or reply.effective_to else 0)


def _cited(rows: npt.NDArray[np.int64], hits: Hits, snapshot: Snapshot, traits: ReplyTraits) -> Matrix:
    """The nearest passage of the articles that each reply cites, cosine to the question; 0 where it cites none."""
    dense = hits.passages.dense
    wanted = sorted({number for row in rows.tolist() for number in traits.cited[row]})
    best = {number: max((float(dense[row]) for row in snapshot.article_passages.get(traits.articles[number], ())), default=0.0) for number in wanted}
    return np.array([max((best[number] for number in traits.cited[row]), default=0.0) for row in rows.tolist()], dtype=np.float32)
