"""What a console can do next, from the contact reason and the order's state. The rules are data: `knowledge/conduct/actions.toml`, then the shop's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.condition_set import ConditionSet
from knowledge.conditions import Outcome
from knowledge.conduct_rules import action_rules
from knowledge.records import OwnAction, Store
from suggest.contract import NextAction

_MOST = 3
_LIKELY = 0.5


class NextActions:
    """The actions of a shop, their conditions judged together."""

    def __init__(self, store: Store) -> None:
        shipped = [rule.own(english=store.language == "en") for rule in action_rules()]
        own = {action.code for action in store.actions.own}
        kept = [action for action in shipped if action.code not in own and action.code not in store.actions.leave_out]
        self._actions: tuple[OwnAction, ...] = (*store.actions.own, *kept)
        self._conditions = ConditionSet([action.when for action in self._actions])

    def fitting(self, scenarios: Sequence[str], facts: Mapping[str, Any]) -> list[NextAction]:
        """Gives at most three actions that the order makes possible: for the first contact reason in the rules' order, then for the next."""
        concerned = [action for name in dict.fromkeys(scenarios) for action in self._actions if name in action.scenarios]
        if not concerned:
            return []
        judged = self._conditions.judge(facts)
        possible = [one for one in concerned if judged.verdict(self._conditions.number[one.when]).outcome is Outcome.TRUE]
        return [NextAction(code=code, label=label) for code, label in list({one.code: one.label for one in possible}.items())[:_MOST]]


def reasons_to_act(first_draft: str | None, heard: Sequence[Mapping[str, float]]) -> list[str]:
    """Gives the contact reasons to act on: that of the first draft, then the likely one of each question."""
    likely = [max(sorted(one), key=lambda name: one[name]) for one in heard if one]
    sure = [name for name, one in zip(likely, (one for one in heard if one), strict=True) if one[name] >= _LIKELY]
    return [*([first_draft] if first_draft else []), *sure]
