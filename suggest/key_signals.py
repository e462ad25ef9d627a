"""How near a reply is by its keys: every trigger and the reply's own words are compared with the question, the best of them count.

One loop over the keys of the replies that are looked at closely, compiled: as matrix operations the same took thirty small ones.
"""

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from suggest.retrieval import ReplyHits
from suggest.understanding import Understanding

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# The best trigger's value of each channel, then the replies' own words and the triggers' means, in the order in which `_of_keys` works them out.
_BY_TRIGGER = (
    "trigger", "trigger_mixed", "trigger_with_customer", "trigger_with_agent", "trigger_with_turns", "trigger_clause", "needs", "needs_mixed",
    "needs_with_turns", "needs_clause", "lexical", "lexical_in_context",
)  # fmt: skip
_BY_OWN_WORDS = ("words", "words_mixed", "needs_words", "lexical_words", "said_before")
_BY_MEAN = ("trigger_mean", "needs_mean")
KEY_SIGNALS = (*_BY_TRIGGER, *_BY_OWN_WORDS, *_BY_MEAN)
_N_BEST, _N_CHANNELS = len(_BY_TRIGGER), len(_BY_TRIGGER) + 1
_OWN_WORDS, _MEANS = np.array([0, 1, 7, 10, 12]), np.array([1, 7])  # their channels


def key_signals(question: Understanding, near: ReplyHits) -> Values:
    """Gives the signals of `KEY_SIGNALS`, float32[n_signals, n_replies]; 0 where nothing is positive."""
    needs = np.array([one.needs for one in (*question.readings, *question.clauses)] + [question.mixed_needs])
    # Bhattacharyya coefficients of need distributions: each key's with each reading and clause, then with all readings together.
    overlaps = near.overlaps(np.sqrt(needs))
    return _of_keys(
        near.cosines, overlaps, question.shares, near.lexical, near.lexical_in_context, len(question.clauses), bool(question.said_last),
        near.is_trigger, near.starts,
    )  # fmt: skip


@compiled
def _of_keys(
    cosines: Values,
    overlaps: Values,
    shares: Values,
    lexical: Values,
    in_context: Values,
    n_clauses: int,
    said_something: bool,
    is_trigger: npt.NDArray[np.bool_],
    starts: Rows,
) -> Values:
    found = np.zeros((_N_BEST + len(_OWN_WORDS) + len(_MEANS), len(starts)), dtype=np.float32)
    heard = np.zeros(_N_CHANNELS, dtype=np.float32)
    n_readings = len(shares)
    second, third, fourth = min(1, n_readings - 1), min(2, n_readings - 1), min(3, n_readings - 1)  # the message alone where there is no history
    for reply in range(len(starts)):
        end = starts[reply + 1] if reply + 1 < len(starts) else len(is_trigger)
        for key in range(starts[reply], end):
            near, needs = cosines[key], overlaps[key]
            mixed = np.float32(0.0)
            for reading in range(n_readings):
                mixed += near[reading] * shares[reading]
            clause, clause_needs = (near[0], needs[0]) if n_clauses == 0 else (near[n_readings], needs[n_readings])
            for other in range(n_readings + 1, n_readings + n_clauses):
                clause, clause_needs = max(clause, near[other]), max(clause_needs, needs[other])
            heard[0], heard[1], heard[2], heard[3], heard[4], heard[5] = near[0], mixed, near[second], near[third], near[fourth], clause
            heard[6], heard[7], heard[8], heard[9] = needs[0], needs[-1], needs[fourth], clause_needs
            heard[10], heard[11], heard[12] = lexical[key], in_context[key], near[-1] if said_something else np.float32(0.0)
            if is_trigger[key]:
                for channel in range(_N_BEST):
                    found[channel, reply] = max(found[channel, reply], heard[channel])
                for place, channel in enumerate(_MEANS):
                    found[_N_BEST + len(_OWN_WORDS) + place, reply] += heard[channel]
        for place, channel in enumerate(_OWN_WORDS):  # a reply's last key
            found[_N_BEST + place, reply] = max(heard[channel], np.float32(0.0))
        found[_N_BEST + len(_OWN_WORDS) :, reply] /= max(end - 1 - starts[reply], 1)
    return found
