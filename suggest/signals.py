"""What the ranker sees of a candidate: how near it is to the question in words and in needs, how well it fits this order, and what is asked.

Each signal is one column. «from_best» figures are relative to the best candidate of the request, for absolute ones differ between shops.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.snapshot import Snapshot
from knowledge.conditions import ALWAYS, Verdict
from knowledge.records import ProvenReply
from suggest.eligibility import ALLOWED, LIKELY, RULED_OUT, Codes, Eligibility
from suggest.key_signals import KEY_SIGNALS, key_signals
from suggest.notable import WEIGHTS
from suggest.retrieval import Hits, ReplyHits
from suggest.signal_loops import (
    best_in_passing,
    fill_asked,
    fill_cited,
    fill_fit,
    fill_from_best,
    fill_from_best_within,
    fill_profiles,
    fill_tones,
)
from suggest.traits import ReplyTraits, family_probabilities, scenario_probabilities
from suggest.understanding import Understanding

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# The nearest `JUDGED` that the order allows, by a plain sum of channels, are looked at for how they fit the order, and the best `CONSIDERED` of them in
# full. On the three Chinese shops' chats the best reply is among those for 99.4, 100 and 99.3%; weights by logistic regression on the other shops, rounded.
JUDGED = 40
CONSIDERED = 24

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


# Columns of the signals; where neighbours stand, that of the first.
_KEY_COLUMNS = np.array([SIGNALS.index(name) for name in KEY_SIGNALS])
_PROFILES, _CITED, _FITTING, _TONED, _ASKED = (SIGNALS.index(name) for name in ("needs_profile", "cited_article", _FIT[0], _TONES[0], REQUEST_SIGNALS[0]))
_BELOW_BEST, _BELOW_BEST_OF = SIGNALS.index(f"{_FROM_BEST[0]}_from_best"), np.array([SIGNALS.index(name) for name in _FROM_BEST])
_BELOW_SCENARIO = SIGNALS.index(f"{_FROM_BEST_OF_SCENARIO[0]}_in_scenario")
_BELOW_SCENARIO_OF = np.array([SIGNALS.index(name) for name in _FROM_BEST_OF_SCENARIO])
_BEST_OF_REQUEST = np.array([SIGNALS.index(name) for name in ("trigger_mixed", "needs_profile", "lexical")])


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
    values = _values(question, near, hits, traits, eligibility, scenarios, codes, tier)
    rows = near.reply_rows.tolist()
    verdicts = [ALWAYS if code == ALLOWED else eligibility.of_gate(traits.gates.of_row(row)) for code, row in zip(codes.tolist(), rows, strict=True)]
    return SignalTable(tuple([snapshot.shop.replies[row] for row in rows]), tuple(verdicts), values)


def _considered(hits: Hits, eligibility: Eligibility, traits: ReplyTraits, scenarios: Matrix) -> tuple[Rows, Codes]:
    """The places in the pool that are judged in full, ascending, and what the order says of each.

    Of the nearest `JUDGED` that are not ruled out the best `CONSIDERED`, the likely and the specific before the unknown and the general.
    """
    pool = hits.pool
    codes = eligibility.outcomes(pool.reply_rows)
    allowed = np.flatnonzero(codes != RULED_OUT)
    rows = pool.reply_rows[allowed]
    if not len(allowed):
        return allowed, codes[allowed]
    best = best_in_passing(
        hits.in_passing(allowed), allowed, pool.reply_rows, pool.voted, traits.overlaps(rows, hits.question.mixed_roots), scenarios, traits.scenario,
        codes[allowed] < LIKELY, traits.specific, JUDGED, CONSIDERED,
    )  # fmt: skip
    return best, codes[best]


def _values(
    question: Understanding,
    near: ReplyHits,
    hits: Hits,
    traits: ReplyTraits,
    eligibility: Eligibility,
    scenarios: Matrix,
    codes: Codes,
    tier: str,
) -> Matrix:
    rows, facts = near.reply_rows, eligibility.circumstances.facts
    values = np.empty((len(rows), len(SIGNALS)), dtype=np.float32)
    values[:, _KEY_COLUMNS] = key_signals(question, near).T
    fill_profiles(values, _PROFILES, traits.root_profiles(rows), question.mixed_needs, question.mixed_roots)
    fill_cited(values, _CITED, traits.cites, rows, traits.cited_passages, hits.passages.dense)
    top, here = question.top_scenario, (bool(facts["order"]), bool(eligibility.circumstances.products), tier == "vip")
    fill_fit(
        values, _FITTING, rows, codes >= LIKELY, near.voted, _shares(question, scenarios, traits), traits.scenario,
        traits.number.get(top, -1), traits.plain, traits.specific, traits.looks_at, eligibility.notable, WEIGHTS, np.array(here, dtype=np.float32),
    )  # fmt: skip
    moods = np.array([question.emotions.get("calm", 0.0), question.emotions.get("anxious", 0.0), question.upset], dtype=np.float32)
    fill_tones(values, _TONED, rows, traits.tones, moods)
    fill_from_best(values, _BELOW_BEST, _BELOW_BEST_OF)
    fill_from_best_within(values, _BELOW_SCENARIO, _BELOW_SCENARIO_OF, rows, traits.scenario, len(traits.names))
    fill_asked(values, _ASKED, _asked(question, has_order=here[0]), question.mixed_needs, _BEST_OF_REQUEST)
    return values


def _shares(question: Understanding, scenarios: Matrix, traits: ReplyTraits) -> Matrix:
    """Probabilities of the shop's scenarios: as meant, by the message alone, with its history, and of their families, [4, n_scenarios]."""
    by_message, by_words = (scenario_probabilities(one, traits.names) for one in (question.scenarios_of_message, question.scenarios_heard))
    return np.array([scenarios, by_message, by_words, family_probabilities(question.scenarios, traits.families)[traits.family]])


def _asked(question: Understanding, *, has_order: bool) -> Matrix:
    """What is asked as far as the candidates and needs have no part in it, in the order of `REQUEST_SIGNALS`; those are left for `fill_asked`."""
    asked = {
        "message_length": min(len(question.text), 40) / 40,
        "lean_on_history": question.lean_on_history,
        "has_history": len(question.readings) > 1,
        "other": question.scenarios.get("chat.other", 0.0),
        "doubt": 1 - max(question.scenarios.values(), default=0.0),
        "upset": question.upset,
        "threat": question.threat,
        "has_order": has_order,
        "several_questions": bool(question.questions),
    }
    return np.array([asked.get(name, 0.0) for name in REQUEST_SIGNALS], dtype=np.float32)
