"""What the ranker sees of a candidate: how near it is to the question in words and in needs, how well it fits this order, and what is asked.

Each signal is one column. «from_best» figures are relative to the best candidate of the request, for absolute ones differ between shops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.snapshot import Snapshot
from knowledge.conditions import Outcome, Verdict
from knowledge.records import ProvenReply
from suggest.eligibility import RULED_OUT, TO_CHECK, Eligibility
from suggest.notable import WEIGHTS, notable_in
from suggest.retrieval import Hits, ReplyHits, ReplyPool
from suggest.traits import ReplyTraits, scenario_probabilities
from suggest.understanding import Understanding

Matrix = npt.NDArray[np.float32]

# The nearest `JUDGED` that the order allows, by a plain sum of channels, are looked at for how they fit the order, and the best `CONSIDERED` of them in
# full. On the three Chinese shops' chats the best reply is among those for 99.4, 100 and 99.3%; weights by logistic regression on the other shops, rounded.
JUDGED = 40
CONSIDERED = 24
_IN_PASSING = (1.0, 0.4, 0.6, 0.4, 0.5)  # best trigger's cosine, its BM25, the scenario's probability, votes, needs
_UNKNOWN_SINKS, _SPECIFIC_RISES = 0.35, 0.25

_FROM_BEST = (
    "trigger", "trigger_mixed", "trigger_mean", "words_mixed", "needs_mixed", "needs_profile", "needs_peak", "scenario",
    "lexical", "lexical_in_context", "cited_article", "voted", "trigger_clause", "trigger_with_turns", "needs_clause", "specific",
    "covers_notable",
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
    "voted", "asks_for_order", "ignores_order", "own_product", "lead", "tier", "neutral", "covers_notable", "ignores_notable", "looks_elsewhere",
)  # fmt: skip
_TONES = tuple(f"{tone}_words_to_{mood}" for tone in ("upset", "calm") for mood in _MOODS)
REQUEST_SIGNALS = (
    "message_length", "lean_on_history", "has_history", "other", "doubt", "best_trigger", "best_needs", "best_lexical", "surest_need", "need_entropy",
    "upset", "threat", "has_order", "several_questions",
)  # fmt: skip
SIGNALS = (
    *_NEARNESS, *_FIT, *_TONES, *(f"{name}_from_best" for name in _FROM_BEST), *(f"{name}_in_scenario" for name in _FROM_BEST_OF_SCENARIO), *REQUEST_SIGNALS,
)  # fmt: skip
# The best trigger's value of each channel, in the order in which `_nearness` works them out; then the replies' own words and the triggers' means.
_BY_TRIGGER = (
    "trigger", "trigger_mixed", "trigger_with_customer", "trigger_with_agent", "trigger_with_turns", "trigger_clause", "needs", "needs_mixed",
    "needs_with_turns", "needs_clause", "lexical", "lexical_in_context",
)  # fmt: skip
_OWN_WORDS, _MEANS = [0, 1, 7, 10, 12], [1, 7]


def _rows_of(names: Sequence[str]) -> slice:
    """Where neighbours among the signals stand."""
    first = SIGNALS.index(names[0])
    return slice(first, first + len(names))


_TONE_ROWS, _REQUEST_ROWS = _rows_of(_TONES), _rows_of(REQUEST_SIGNALS)
_FROM_BEST_ROWS, _FROM_BEST_OF = _rows_of([f"{name}_from_best" for name in _FROM_BEST]), [SIGNALS.index(name) for name in _FROM_BEST]
_IN_SCENARIO_ROWS = _rows_of([f"{name}_in_scenario" for name in _FROM_BEST_OF_SCENARIO])
_IN_SCENARIO_OF = [SIGNALS.index(name) for name in _FROM_BEST_OF_SCENARIO]


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Eligible replies and their signals, [n_eligible, n_signals], rows by reply id."""

    replies: tuple[ProvenReply, ...]
    verdicts: tuple[Verdict, ...]
    values: Matrix


def signal_table(question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, traits: ReplyTraits, *, tier: str = "") -> SignalTable:
    """Gives the signals of the nearest candidates whose dates, products and condition do not rule them out."""
    chosen, verdicts = _considered(_nearness_in_passing(question, hits.pool, traits), hits.pool, eligibility, traits)
    if not chosen:
        return SignalTable((), (), np.empty((0, len(SIGNALS)), dtype=np.float32))
    near = hits.closely(np.array(chosen))
    values = _values(question, near, hits, traits, verdicts, eligibility, tier)
    return SignalTable(tuple(snapshot.shop.replies[row] for row in near.reply_rows.tolist()), tuple(verdicts), values)


def _nearness_in_passing(question: Understanding, pool: ReplyPool, traits: ReplyTraits) -> Matrix:
    """How near each reply of the pool is by a plain sum of channels, [n_replies]."""
    if not len(pool.reply_rows):
        return np.empty(0, dtype=np.float32)
    rows = pool.reply_rows
    probability = scenario_probabilities(question.scenarios, traits.names)[traits.scenario[rows]]
    channels = [*pool.best_triggers().T, probability, pool.voted, traits.root_profiles(rows) @ np.sqrt(question.mixed_needs)]
    return np.asarray(np.array(_IN_PASSING, dtype=np.float32) @ np.array(channels), dtype=np.float32)


def _considered(nearness: Matrix, pool: ReplyPool, eligibility: Eligibility, traits: ReplyTraits) -> tuple[list[int], list[Verdict]]:
    """The places in the pool that are judged in full, ascending, and their verdicts.

    Of the nearest `JUDGED` that are not ruled out the best `CONSIDERED`, the known and the specific before the unknown and the general.
    """
    outcomes = eligibility.outcomes[traits.gates.of_replies[pool.reply_rows]]
    allowed = np.flatnonzero(outcomes != RULED_OUT)
    places = allowed[np.argsort(-nearness[allowed], kind="stable")[:JUDGED]]
    fit = nearness[places] + np.where(outcomes[places] == TO_CHECK, -_UNKNOWN_SINKS, _SPECIFIC_RISES * traits.specific[pool.reply_rows[places]])
    best = np.sort(places[np.argsort(-fit, kind="stable")[:CONSIDERED]])
    gates = traits.gates.of_replies[pool.reply_rows[best]].tolist()
    return best.tolist(), [eligibility.of_gate(traits.gates.each[gate]) for gate in gates]


def _values(question: Understanding, near: ReplyHits, hits: Hits, traits: ReplyTraits, verdicts: list[Verdict], eligibility: Eligibility, tier: str) -> Matrix:
    rows = near.reply_rows
    columns = _nearness(question, near, traits) | {"cited_article": _cited(rows, hits, traits)}
    columns |= _fit(question, near, traits, verdicts, eligibility, tier)
    values = np.empty((len(SIGNALS), len(rows)), dtype=np.float32)  # a row a signal; given away with a column a signal
    for place, name in enumerate((*_NEARNESS, *_FIT)):
        values[place] = columns[name]
    values[_TONE_ROWS] = _tones(question, rows, traits)
    values[_FROM_BEST_ROWS] = values[_FROM_BEST_OF] - values[_FROM_BEST_OF].max(axis=1, keepdims=True)
    values[_IN_SCENARIO_ROWS] = _from_best_within(values[_IN_SCENARIO_OF], traits.scenario[rows], len(traits.names))
    values[_REQUEST_ROWS] = np.array(_request(question, columns, eligibility), dtype=np.float32)[:, None]
    return np.ascontiguousarray(values.T)


def _nearness(question: Understanding, near: ReplyHits, traits: ReplyTraits) -> dict[str, Matrix]:
    n_readings, n_clauses = len(question.readings), len(question.clauses)
    mixed_needs = question.mixed_needs
    heard = np.array([one.needs for one in (*question.readings, *question.clauses)] + [mixed_needs])
    # Bhattacharyya coefficients of need distributions: each key's with each reading and clause, then with all readings together.
    overlaps = near.key_needs @ np.sqrt(heard).T
    mixed = near.cosines[:, :n_readings] @ question.shares
    clauses = slice(n_readings, n_readings + n_clauses)
    with_turns = [min(number, n_readings - 1) for number in (1, 2, 3)]  # the message alone where there is no history
    clause, clause_needs = (values[:, clauses].max(axis=1) if n_clauses else values[:, 0] for values in (near.cosines, overlaps))
    said_last = near.cosines[:, -1] if question.said_last else np.zeros(len(near.is_trigger), dtype=np.float32)
    by_key = np.array(
        [
            near.cosines[:, 0], mixed, *(near.cosines[:, number] for number in with_turns), clause, overlaps[:, 0], overlaps[:, -1],
            overlaps[:, with_turns[2]], clause_needs, near.lexical, near.lexical_in_context, said_last,
        ]
    ).T  # fmt: skip
    columns = dict(zip(_BY_TRIGGER, near.best_trigger(by_key[:, : len(_BY_TRIGGER)]).T, strict=True))
    columns |= dict(zip(("words", "words_mixed", "needs_words", "lexical_words", "said_before"), near.own_words(by_key[:, _OWN_WORDS]).T, strict=True))
    columns |= dict(zip(("trigger_mean", "needs_mean"), near.mean_trigger(by_key[:, _MEANS]).T, strict=True))
    roots = traits.root_profiles(near.reply_rows)
    profile = roots * roots
    return columns | {
        "needs_profile": roots @ np.sqrt(mixed_needs),
        "needs_peak": profile @ mixed_needs,
        "needs_top": profile[:, int(mixed_needs.argmax())],
    }


def _fit(question: Understanding, near: ReplyHits, traits: ReplyTraits, verdicts: list[Verdict], eligibility: Eligibility, tier: str) -> dict[str, Matrix]:
    rows = near.reply_rows
    scenario = traits.scenario[rows]
    known = np.array([verdict.outcome is Outcome.TRUE for verdict in verdicts], dtype=np.float32)
    families = scenario_probabilities(_families(question.scenarios), traits.families)
    top = max(sorted(question.scenarios), key=lambda name: question.scenarios[name], default="")
    conditional, looks_at = traits.conditional[rows], traits.looks_at[rows]
    notable = notable_in(eligibility.circumstances.facts)
    return {
        "scenario": scenario_probabilities(question.scenarios, traits.names)[scenario],
        "scenario_message": scenario_probabilities(question.scenarios_of_message, traits.names)[scenario],
        "scenario_mixed": scenario_probabilities(question.scenarios_heard, traits.names)[scenario],
        "scenario_family": families[traits.family[scenario]],
        "in_top_scenario": scenario_probabilities({top: 1.0}, traits.names)[scenario],
        "unknown": 1 - known,
        "specific": traits.specific[rows] * known,
        "conditional": conditional,
        "about_case": traits.about_case[rows],
        "asks_for_order": traits.asks_for_order[rows],
        "ignores_order": (1 - conditional) * float(bool(eligibility.circumstances.facts["order"])),
        "own_product": traits.has_products[rows] * float(bool(eligibility.circumstances.products)),
        "lead": traits.lead[rows],
        "voted": near.voted,
        "tier": traits.tier[rows] * float(tier == "vip"),
        "neutral": traits.neutral[rows],
        "covers_notable": looks_at @ (notable * WEIGHTS) * known,
        "ignores_notable": notable.sum() - looks_at @ notable,
        "looks_elsewhere": looks_at @ (1 - notable) * known,
    }


def _tones(question: Understanding, rows: npt.NDArray[np.int64], traits: ReplyTraits) -> Matrix:
    """How the reply's tone meets each mood, in the order of `_TONES`: a preference the weights decide, never a gate."""
    moods = np.array([question.emotions.get("calm", 0.0), question.emotions.get("anxious", 0.0), question.upset], dtype=np.float32)
    tones = traits.tones[:, rows]
    return np.asarray((tones[:, None, :] * moods[None, :, None]).reshape(len(_TONES), len(rows)), dtype=np.float32)


def _request(question: Understanding, columns: dict[str, Matrix], eligibility: Eligibility) -> list[float]:
    """What is asked, in the order of `REQUEST_SIGNALS`."""
    needs = question.mixed_needs
    values = {
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
    return [values[name] for name in REQUEST_SIGNALS]


def _families(scenarios: dict[str, float]) -> dict[str, float]:
    """Probability of each family of scenarios: `logistics` of `logistics.delay` and its sisters."""
    found: dict[str, float] = {}
    for name, probability in scenarios.items():
        family = name.split(".")[0]
        found[family] = found.get(family, 0.0) + probability
    return found


def _from_best_within(values: Matrix, groups: npt.NDArray[np.int64], n_groups: int) -> Matrix:
    """How far below the best of the same scenario, row by row; 0 for the best."""
    best = np.full((len(values), n_groups), -np.inf, dtype=np.float32)
    for row, one in zip(best, values, strict=True):
        np.maximum.at(row, groups, one)
    return np.asarray(values - best[:, groups], dtype=np.float32)


def _cited(rows: npt.NDArray[np.int64], hits: Hits, traits: ReplyTraits) -> Matrix:
    """The nearest passage of the articles that each reply cites, cosine to the question; 0 where it cites none."""
    cites = traits.cites[rows]
    dense = hits.passages.dense
    nearest = np.zeros(len(traits.articles) + 1, dtype=np.float32)
    for article in set(cites.ravel().tolist()) - {len(traits.articles)}:
        passages = traits.cited_passages[article]
        nearest[article] = dense[passages[0] : passages[-1] + 1].max() if passages else 0.0
    return np.asarray(nearest[cites].max(axis=1), dtype=np.float32)
