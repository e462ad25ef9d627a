"""What a console can do next, from the contact reason and the order's state. The rules are data: `knowledge/conduct/actions.toml`, then the shop's own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from knowledge.condition_set import ConditionSet
from knowledge.conditions import Outcome
from knowledge.conduct_rules import action_rules
from knowledge.records import OwnAction, Store
from suggest.contract import NextAction
from suggest.understanding import likeliest

_MOST = 3
_LIKELY = 0.5


class NextActions:
    """The actions of a shop; the conditions of those for one contact reason are judged together."""

    def __init__(self, store: Store) -> None:
        shipped = [rule.own(english=store.language == "en") for rule in action_rules()]
        own = {action.code for action in store.actions.own}
        kept = [action for action in shipped if action.code not in own and action.code not in store.actions.leave_out]
        actions: tuple[OwnAction, ...] = (*store.actions.own, *kept)
        named = dict.fromkeys(name for action in actions for name in action.scenarios)
        self._by_scenario = {name: [action for action in actions if name in action.scenarios] for name in named}
        self._conditions = {name: ConditionSet([action.when for action in own]) for name, own in self._by_scenario.items()}

    def fitting(self, scenarios: Sequence[str], facts: Mapping[str, Any], *, needless: Collection[str] = ()) -> list[NextAction]:
        """Gives at most three actions that the order makes possible: for the first contact reason in the rules' order, then for the next; no `needless` one."""
        possible: dict[str, str] = {}
        for name in dict.fromkeys(scenarios):
            if name in self._by_scenario and len(possible) < _MOST:
                judged, number = self._conditions[name].judge(facts), self._conditions[name].number
                possible |= {
                    one.code: one.label
                    for one in self._by_scenario[name]
                    if judged.verdict(number[one.when]).outcome is Outcome.TRUE and one.code not in needless
                }
        return [NextAction(code=code, label=label) for code, label in list(possible.items())[:_MOST]]


def reasons_to_act(first_draft: str | None, heard: Sequence[Mapping[str, float]]) -> list[str]:
    """Gives the contact reasons to act on: that of the first draft, then the likely one of each question."""
    likely = [likeliest(one) for one in heard if one]
    sure = [name for name, one in zip(likely, (one for one in heard if one), strict=True) if one[name] >= _LIKELY]
    return [*([first_draft] if first_draft else []), *sure]
