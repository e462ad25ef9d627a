"""What the ranker sees of a candidate: how near it is to the question in words and in needs, how well it fits this order, and what is asked.

Each signal is one column. «from_best» figures are relative to the best candidate of the request, for absolute ones differ between shops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled, compiled_freely
from indexes.snapshot import Snapshot
from knowledge.conditions import ALWAYS, Verdict
from knowledge.records import ProvenReply
from suggest.eligibility import ALLOWED, RULED_OUT, TO_CHECK, Codes, Eligibility
from suggest.key_signals import KEY_SIGNALS, key_signals
from suggest.notable import WEIGHTS, notable_in
from suggest.retrieval import Hits, ReplyHits
from suggest.traits import PLAIN_TRAITS, ReplyTraits, family_probabilities, scenario_probabilities
from suggest.understanding import Understanding

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# The nearest `JUDGED` that the order allows, by a plain sum of channels, are looked at for how they fit the order, and the best `CONSIDERED` of them in
# full. On the three Chinese shops' chats the best reply is among those for 99.4, 100 and 99.3%; weights by logistic regression on the other shops, rounded.
JUDGED = 40
CONSIDERED = 24
_IN_PASSING = np.array([1.0, 0.4, 0.6, 0.4, 0.5], dtype=np.float32)  # best trigger's cosine, its BM25, the scenario's probability, votes, needs
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


def _rows_of(names: Sequence[str]) -> slice:
    """Where neighbours among the signals stand."""
    first = SIGNALS.index(names[0])
    return slice(first, first + len(names))


_KEY_ROWS = [SIGNALS.index(name) for name in KEY_SIGNALS]
_PROFILE_ROWS = _rows_of(("needs_profile", "needs_peak", "needs_top"))
_CITED_ROW, _FIT_ROWS, _TONE_ROWS, _REQUEST_ROWS = SIGNALS.index("cited_article"), _rows_of(_FIT), _rows_of(_TONES), _rows_of(REQUEST_SIGNALS)
_FROM_BEST_ROWS, _FROM_BEST_OF = _rows_of([f"{name}_from_best" for name in _FROM_BEST]), [SIGNALS.index(name) for name in _FROM_BEST]
_IN_SCENARIO_ROWS = _rows_of([f"{name}_in_scenario" for name in _FROM_BEST_OF_SCENARIO])
_IN_SCENARIO_OF = [SIGNALS.index(name) for name in _FROM_BEST_OF_SCENARIO]
_BEST_TRIGGER, _BEST_NEEDS, _BEST_LEXICAL = (SIGNALS.index(name) for name in ("trigger_mixed", "needs_profile", "lexical"))


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Eligible replies and their signals, [n_eligible, n_signals], rows by reply id."""

    replies: tuple[ProvenReply, ...]
    verdicts: tuple[Verdict, ...]
    values: Matrix


def signal_table(question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, traits: ReplyTraits, *, tier: str = "") -> SignalTable:
    """Gives the signals of the nearest candidates whose dates, products and condition do not rule them out."""
    scenarios = scenario_probabilities(question.scenarios, traits.names)
    chosen, codes = _considered(hits, eligibility, traits, scenarios)
    if not len(chosen):
        return SignalTable((), (), np.empty((0, len(SIGNALS)), dtype=np.float32))
    near = hits.closely(chosen)
    values = _values(question, near, hits, traits, eligibility, scenarios, codes == ALLOWED, tier)
    rows = near.reply_rows.tolist()
    verdicts = [ALWAYS if code == ALLOWED else eligibility.of_gate(traits.gates.of_row(row)) for code, row in zip(codes.tolist(), rows, strict=True)]
    return SignalTable(tuple([snapshot.shop.replies[row] for row in rows]), tuple(verdicts), values)


def _considered(hits: Hits, eligibility: Eligibility, traits: ReplyTraits, scenarios: Matrix) -> tuple[Rows, Codes]:
    """The places in the pool that are judged in full, ascending, and whether each is allowed or to be checked.

    Of the nearest `JUDGED` that are not ruled out the best `CONSIDERED`, the known and the specific before the unknown and the general.
    """
    rows = hits.pool.reply_rows
    codes = eligibility.outcomes(rows)
    allowed = np.flatnonzero(codes != RULED_OUT)
    if not len(allowed):
        return allowed, codes[allowed]
    nearness = _nearness_in_passing(hits, allowed, traits, scenarios)
    judged = np.argsort(-nearness, kind="stable")[:JUDGED]
    places = allowed[judged]
    fit = nearness[judged] + np.where(codes[places] == TO_CHECK, -_UNKNOWN_SINKS, _SPECIFIC_RISES * traits.specific[rows[places]])
    best = np.sort(places[np.argsort(-fit, kind="stable")[:CONSIDERED]])
    return best, codes[best]


def _nearness_in_passing(hits: Hits, places: Rows, traits: ReplyTraits, scenarios: Matrix) -> Matrix:
    """How near some replies of the pool are by a plain sum of channels, [n_places]."""
    rows = hits.pool.reply_rows[places]
    trigger, lexical = hits.in_passing(places)
    overlap = traits.overlaps(rows, np.sqrt(hits.question.mixed_needs))
    return np.asarray(_IN_PASSING @ np.array([trigger, lexical, scenarios[traits.scenario[rows]], hits.pool.voted[places], overlap]), dtype=np.float32)


def _values(
    question: Understanding,
    near: ReplyHits,
    hits: Hits,
    traits: ReplyTraits,
    eligibility: Eligibility,
    scenarios: Matrix,
    known: npt.NDArray[np.bool_],
    tier: str,
) -> Matrix:
    rows = near.reply_rows
    values = np.empty((len(SIGNALS), len(rows)), dtype=np.float32)  # a row a signal; given away with a column a signal
    values[_KEY_ROWS] = key_signals(question, near)
    values[_PROFILE_ROWS] = _profiles(traits.root_profiles(rows), question.mixed_needs, np.sqrt(question.mixed_needs))
    values[_CITED_ROW] = _cited(traits.cites, rows, traits.cited_passages, hits.passages.dense)
    values[_FIT_ROWS] = _fit(question, near, traits, eligibility, scenarios, known, tier)
    values[_TONE_ROWS] = _tones(question, rows, traits)
    values[_FROM_BEST_ROWS] = values[_FROM_BEST_OF] - values[_FROM_BEST_OF].max(axis=1, keepdims=True)
    values[_IN_SCENARIO_ROWS] = _from_best_within(values[_IN_SCENARIO_OF], traits.scenario[rows], len(traits.names))
    values[_REQUEST_ROWS] = np.array(_request(question, values, eligibility), dtype=np.float32)[:, None]
    return np.ascontiguousarray(values.T)


@compiled_freely
def _profiles(roots: Matrix, needs: Matrix, roots_of_needs: Matrix) -> Matrix:
    """How a reply's mean needs, given by their square roots, meet the question's: their overlap, their inner product, the share of the likeliest need."""
    found = np.empty((3, len(roots)), dtype=np.float32)
    top = needs.argmax()
    for reply in range(len(roots)):
        overlap, product = np.float32(0.0), np.float32(0.0)
        for need in range(len(needs)):
            root = roots[reply, need]
            overlap += root * roots_of_needs[need]
            product += root * root * needs[need]
        found[0, reply], found[1, reply], found[2, reply] = overlap, product, roots[reply, top] * roots[reply, top]
    return found


def _fit(
    question: Understanding, near: ReplyHits, traits: ReplyTraits, eligibility: Eligibility, scenarios: Matrix, known: npt.NDArray[np.bool_], tier: str
) -> Matrix:
    """How the replies fit this order and what was heard, a row each in the order of `_FIT`."""
    rows = near.reply_rows
    scenario = traits.scenario[rows]
    plain = dict(zip(PLAIN_TRAITS, traits.plain[:, rows], strict=True))
    looks_at, notable = traits.looks_at[rows], notable_in(eligibility.circumstances.facts)
    top = question.top_scenario
    columns = {
        "scenario": scenarios[scenario],
        "scenario_message": scenario_probabilities(question.scenarios_of_message, traits.names)[scenario],
        "scenario_mixed": scenario_probabilities(question.scenarios_heard, traits.names)[scenario],
        "scenario_family": family_probabilities(question.scenarios, traits.families)[traits.family[scenario]],
        "in_top_scenario": scenario == (traits.names.index(top) if top in traits.names else -1),
        "unknown": ~known,
        "specific": traits.specific[rows] * known,
        "conditional": plain["conditional"],
        "about_case": plain["about_case"],
        "voted": near.voted,
        "asks_for_order": plain["asks_for_order"],
        "ignores_order": (1 - plain["conditional"]) * bool(eligibility.circumstances.facts["order"]),
        "own_product": plain["has_products"] * bool(eligibility.circumstances.products),
        "lead": plain["lead"],
        "tier": plain["tier"] * (tier == "vip"),
        "neutral": plain["neutral"],
        "covers_notable": looks_at @ (notable * WEIGHTS) * known,
        "ignores_notable": notable.sum() - looks_at @ notable,
        "looks_elsewhere": looks_at @ (1 - notable) * known,
    }
    return np.array([columns[name] for name in _FIT], dtype=np.float32)


def _tones(question: Understanding, rows: Rows, traits: ReplyTraits) -> Matrix:
    """How the reply's tone meets each mood, in the order of `_TONES`: a preference the weights decide, never a gate."""
    moods = np.array([question.emotions.get("calm", 0.0), question.emotions.get("anxious", 0.0), question.upset], dtype=np.float32)
    tones = traits.tones[:, rows]
    return np.asarray((tones[:, None, :] * moods[None, :, None]).reshape(len(_TONES), len(rows)), dtype=np.float32)


def _request(question: Understanding, values: Matrix, eligibility: Eligibility) -> list[float]:
    """What is asked, in the order of `REQUEST_SIGNALS`."""
    needs = question.mixed_needs
    asked = {
        "message_length": min(len(question.text), 40) / 40,
        "lean_on_history": question.lean_on_history,
        "has_history": float(len(question.readings) > 1),
        "other": question.scenarios.get("chat.other", 0.0),
        "doubt": 1 - max(question.scenarios.values(), default=0.0),
        "best_trigger": float(values[_BEST_TRIGGER].max()),
        "best_needs": float(values[_BEST_NEEDS].max()),
        "best_lexical": float(values[_BEST_LEXICAL].max()),
        "surest_need": float(needs.max()),
        "need_entropy": float(-(needs * np.log(needs + 1e-9)).sum()),
        "upset": question.upset,
        "threat": question.threat,
        "has_order": float(bool(eligibility.circumstances.facts["order"])),
        "several_questions": float(bool(question.questions)),
    }
    return [asked[name] for name in REQUEST_SIGNALS]


@compiled
def _from_best_within(values: Matrix, groups: Rows, n_groups: int) -> Matrix:
    """How far below the best of the same scenario, row by row; 0 for the best."""
    below = np.empty_like(values)
    for row in range(len(values)):
        best = np.full(n_groups, -np.inf, dtype=np.float32)
        for place in range(len(groups)):
            best[groups[place]] = max(best[groups[place]], values[row, place])
        below[row] = values[row] - best[groups]
    return below


@compiled
def _cited(cites: Rows, rows: Rows, spans: Rows, dense: Matrix) -> Matrix:
    """The nearest passage of the articles that each reply cites, cosine to the question; 0 where it cites none."""
    found = np.empty(len(rows), dtype=np.float32)
    for place, reply in enumerate(rows):
        nearest = np.float32(-np.inf)
        for article in cites[reply]:
            first, end = spans[article]
            nearest = max(nearest, dense[first:end].max() if first < end else np.float32(0.0))
        found[place] = nearest
    return found
