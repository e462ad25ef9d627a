"""Triggers that point two ways: nearly the same words under replies of different scenarios that one order can get at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.embedder import Embedder
from knowledge.condition_domain import ConditionProver
from knowledge.normalise import match_form
from knowledge.records import ProvenReply
from knowledge.reply_checks import fit_at_once

NEARLY_THE_SAME = 0.95  # cosine of the shipped embedding; paraphrases of one need are mostly below it


@dataclass(frozen=True, slots=True)
class TriggerConflict:
    """Two triggers that say the same for two scenarios."""

    first: ProvenReply
    first_trigger: str
    second: ProvenReply
    second_trigger: str
    nearness: float


def trigger_conflicts(replies: Sequence[ProvenReply], embedder: Embedder, prover: ConditionProver) -> Iterator[TriggerConflict]:
    """Gives the nearest pair of triggers of every two such replies, in the order of the replies."""
    keys = [(reply, trigger) for reply in replies for trigger in reply.triggers]
    if not keys:
        return
    forms = [match_form(trigger) for _, trigger in keys]
    vectors = embedder.encode_query(forms)
    scenarios = np.array([reply.scenario for reply, _ in keys])
    best: dict[tuple[str, str], tuple[float, int, int]] = {}
    for row in range(len(keys)):
        near = vectors[row + 1 :] @ vectors[row]
        rows = np.flatnonzero((near >= NEARLY_THE_SAME) & (scenarios[row + 1 :] != scenarios[row])) + row + 1
        for other in rows.tolist():
            pair = (keys[row][0].id, keys[other][0].id)
            found = (1.0 if forms[row] == forms[other] else float(near[other - row - 1]), row, other)
            best[pair] = max(best.get(pair, found), found, key=lambda one: (one[0], -one[1], -one[2]))
    for nearness, row, other in best.values():
        (first, first_trigger), (second, second_trigger) = keys[row], keys[other]
        if fit_at_once(first, second, prover):
            yield TriggerConflict(first, first_trigger, second, second_trigger, nearness)
