"""The signals of candidates counted in compiled loops: one pass over the replies instead of sixty small matrix operations.

Each loop fills neighbouring columns in the order in which `signals` names them.
"""

import math

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled, compiled_freely

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# How near a reply is in passing: best trigger's cosine, its BM25, the scenario's probability, votes, needs; see `signals` for where the weights are from.
_TRIGGER, _LEXICAL, _SCENARIO, _VOTED, _NEEDS = (np.float32(weight) for weight in (1.0, 0.4, 0.6, 0.4, 0.5))
_UNKNOWN_SINKS, _SPECIFIC_RISES = np.float32(0.35), np.float32(0.25)
# Rows of the plain traits, in the order of `traits.PLAIN_TRAITS`.
_NEUTRAL, _CONDITIONAL, _ABOUT_CASE, _ASKS_FOR_ORDER, _HAS_PRODUCTS, _LEAD, _TIER = range(7)


_BEST_ASKED = 5  # where `best_trigger` stands among `signals.REQUEST_SIGNALS`; the two other best, the surest need and the entropy follow


@compiled
def best_in_passing(
    near: Matrix, places: Rows, rows: Rows, voted: Matrix, overlap: Matrix, scenarios: Matrix, scenario_of: Rows, to_check: Flags, specific: Matrix,
    judged: int, considered: int,
) -> Rows:  # fmt: skip
    """Gives the best of some places, ascending: of the nearest `judged` by a plain sum, the `considered` best, the known and specific before the others.

    Args:
        near: [2, n_places], cosine and BM25 of the best trigger.
        places: of the pool, [n_places].
        rows: of the pool's replies.
        voted: of the pool.
        overlap: of needs, [n_places].
        scenarios: probabilities by number.
        scenario_of: each reply's scenario.
        to_check: whether each gate's outcome is unknown and not likely to hold, [n_places].
        specific: of each reply, 0 to 1.
        judged: how many are looked at for how they fit the order.
        considered: how many are given.
    """
    nearness = np.empty(len(places), dtype=np.float32)
    for number, place in enumerate(places):
        scenario = scenarios[scenario_of[rows[place]]]
        nearness[number] = _TRIGGER * near[0, number] + _LEXICAL * near[1, number] + _SCENARIO * scenario + _VOTED * voted[place] + _NEEDS * overlap[number]
    nearest = np.argsort(-nearness, kind="mergesort")[:judged]
    fit = np.empty(len(nearest), dtype=np.float32)
    for number, one in enumerate(nearest):
        fit[number] = nearness[one] + (-_UNKNOWN_SINKS if to_check[one] else _SPECIFIC_RISES * specific[rows[places[one]]])
    return np.sort(places[nearest[np.argsort(-fit, kind="mergesort")[:considered]]])


@compiled_freely
def fill_profiles(values: Matrix, first: int, roots: Matrix, needs: Matrix, roots_of_needs: Matrix) -> None:
    """How a reply's mean needs, given by their square roots, meet the question's: their overlap, their inner product, the share of the likeliest need."""
    top = needs.argmax()
    for reply in range(len(roots)):
        overlap, product = np.float32(0.0), np.float32(0.0)
        for need in range(len(needs)):
            root = roots[reply, need]
            overlap += root * roots_of_needs[need]
            product += root * root * needs[need]
        values[reply, first], values[reply, first + 1], values[reply, first + 2] = overlap, product, roots[reply, top] * roots[reply, top]


@compiled
def fill_fit(
    values: Matrix, first: int, rows: Rows, known: Flags, voted: Matrix, shares: Matrix, scenario_of: Rows, top_scenario: int, plain: Matrix,
    specific: Matrix, looks_at: Matrix, notable: Matrix, weights: Matrix, circumstances: Matrix,
) -> None:  # fmt: skip
    """How the replies fit this order and what was heard.

    Args:
        values: [n_replies, n_signals], filled from column `first` on.
        first: the column.
        rows: of the replies.
        known: whether each reply's gate holds, for certain or likely.
        voted: the loudest vote for each.
        shares: probabilities of each scenario: as meant, by the message, with its history, and of its family; [4, n_scenarios].
        scenario_of: each reply's scenario.
        top_scenario: the likeliest, -1 where the shop has none of it.
        plain: traits of all replies, [n_traits, n_replies].
        specific: of all replies.
        looks_at: what notable facts each reply looks at, [n_replies, n_notable].
        notable: what there is about this order.
        weights: of the notable facts.
        circumstances: 1 where there is an order, where products are known, where the customer is of the first tier.
    """
    has_order, has_products, first_tier = circumstances
    for reply, row in enumerate(rows):
        fit, scenario = values[reply, first:], scenario_of[row]
        held = np.float32(known[reply])
        covered, ignored, elsewhere = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for one in range(len(notable)):
            looks = looks_at[row, one]
            covered += looks * notable[one] * weights[one]
            ignored += notable[one] - looks * notable[one]
            elsewhere += looks * (1 - notable[one])
        fit[0], fit[1], fit[2], fit[3] = shares[0, scenario], shares[1, scenario], shares[2, scenario], shares[3, scenario]
        fit[4], fit[5], fit[6] = np.float32(scenario == top_scenario), 1 - held, specific[row] * held
        fit[7], fit[8], fit[9], fit[10] = plain[_CONDITIONAL, row], plain[_ABOUT_CASE, row], voted[reply], plain[_ASKS_FOR_ORDER, row]
        fit[11], fit[12] = (1 - plain[_CONDITIONAL, row]) * has_order, plain[_HAS_PRODUCTS, row] * has_products
        fit[13], fit[14], fit[15] = plain[_LEAD, row], plain[_TIER, row] * first_tier, plain[_NEUTRAL, row]
        fit[16], fit[17], fit[18] = covered * held, ignored, elsewhere * held


@compiled
def fill_tones(values: Matrix, first: int, rows: Rows, tones: Matrix, moods: Matrix) -> None:
    """How the reply's tone meets each mood: a preference the weights decide, never a gate."""
    for reply, row in enumerate(rows):
        for tone in range(len(tones)):
            for mood in range(len(moods)):
                values[reply, first + tone * len(moods) + mood] = tones[tone, row] * moods[mood]


@compiled
def fill_cited(values: Matrix, column: int, cites: Rows, rows: Rows, spans: Rows, dense: Matrix) -> None:
    """The nearest passage of the articles that each reply cites, cosine to the question; 0 where it cites none."""
    for reply, row in enumerate(rows):
        nearest = np.float32(-np.inf)
        for article in cites[row]:
            first, end = spans[article]
            nearest = max(nearest, dense[first:end].max() if first < end else np.float32(0.0))
        values[reply, column] = nearest


@compiled
def fill_from_best(values: Matrix, first: int, of: Rows) -> None:
    """How far below the best of the request, by some of the signals."""
    for place, signal in enumerate(of):
        best = values[:, signal].max()
        for reply in range(len(values)):
            values[reply, first + place] = values[reply, signal] - best


@compiled
def fill_from_best_within(values: Matrix, first: int, of: Rows, rows: Rows, groups: Rows, n_groups: int) -> None:
    """How far below the best of the same group; 0 for the best."""
    best = np.empty(n_groups, dtype=np.float32)
    for place, signal in enumerate(of):
        best[:] = -np.inf
        for reply, row in enumerate(rows):
            best[groups[row]] = max(best[groups[row]], values[reply, signal])
        for reply, row in enumerate(rows):
            values[reply, first + place] = values[reply, signal] - best[groups[row]]


@compiled
def fill_asked(values: Matrix, first: int, asked: Matrix, needs: Matrix, best_of: Rows) -> None:
    """What is asked, the same for all: `asked`, in it the best of some signals among the candidates, then how sure the needs are and their entropy."""
    for place, signal in enumerate(best_of):
        asked[_BEST_ASKED + place] = values[:, signal].max()
    entropy = 0.0
    for need in needs:
        entropy -= need * math.log(need + np.float32(1e-9))
    asked[_BEST_ASKED + len(best_of)], asked[_BEST_ASKED + len(best_of) + 1] = needs.max(), entropy
    for reply in range(len(values)):
        values[reply, first : first + len(asked)] = asked
