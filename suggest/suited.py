"""Which replies are out of place whatever their rank.

Those of another matter where somebody is in danger, of danger where nobody is, and those that take for granted what the customer never said (DESIGN D76).
Words are data (`knowledge/conduct/alarms.toml`, `presumed.toml`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from knowledge.conditions import Outcome, compile_condition
from knowledge.conduct_rules import Alarm, alarms, presumptions
from knowledge.facts import FactTree
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.records import ProvenReply, Store
from knowledge.templates import literal_words
from suggest.escalation import LIKELY, TRACE, says
from suggest.understanding import Understanding

_DANGER = "safety"
_AS_SURE = 0.97  # how sure the contact reason is where the words of an alarm stand in the message


def alarm_said(understanding: Understanding, store: Store) -> Alarm | None:
    """Gives the gravest alarm whose words stand in the message and which leaves the lead to certain replies; None where all may lead."""
    form = match_form(understanding.text)
    return next((alarm for alarm in alarms() if alarm.leads is not None and says(alarm, form, store)), None)


def as_danger(understanding: Understanding, alarm: Alarm | None) -> Understanding:
    """Gives what was heard with the alarm as proof of the contact reason: «血还在滴» beside a broken lamp is no question about lamps."""
    heard = understanding.scenarios.get(_DANGER, 0.0)
    if alarm is None or not alarm.is_danger or heard >= _AS_SURE:
        return understanding
    others = (1 - _AS_SURE) / max(1e-9, 1 - heard)
    scenarios = {name: probability * others for name, probability in understanding.scenarios.items()} | {_DANGER: _AS_SURE}
    return replace(understanding, scenarios=scenarios)


@dataclass(frozen=True, slots=True)
class Suited:
    """Judges replies for one request."""

    leads: tuple[str, ...] | None  # contact reasons that may come first; None for all
    danger: bool  # whether anything speaks for it
    told: str  # all that the customer said, as it is matched
    facts: FactTree
    leave: dict[int, bool] = field(default_factory=dict)  # for each presumption that was asked of, whether it may be made here

    @classmethod
    def of(cls, understanding: Understanding, alarm: Alarm | None, facts: FactTree, history: Sequence[Turn]) -> "Suited":
        """Gathers what decides."""
        told = "\n".join([*(match_form(turn.text) for turn in history if turn.role == "customer"), understanding.text])
        return cls(
            leads=None if alarm is None else alarm.leads,
            danger=alarm is not None or in_danger(understanding),
            told=told,
            facts=facts,
        )

    def aside(self) -> "Suited":
        """Gives the judge of what is asked beside the danger: it is answered below."""
        return replace(self, leads=None)

    def unfit(self, reply: ProvenReply, by_words: bool = True) -> bool:
        """Whether the reply is out of place, by its contact reason alone or by its own words too."""
        if self.leads is not None and reply.scenario not in self.leads:
            return True
        if not self.danger and reply.scenario == _DANGER:
            return True
        return by_words and not all(map(self._may_presume, _presumes(reply.source)))

    def _may_presume(self, number: int) -> bool:
        """Whether the customer gave leave to a presumption, or the order is none that it is about. Few are ever made: each is looked at when it is."""
        leave = self.leave.get(number)
        if leave is None:
            one = presumptions()[number]
            leave = self.leave[number] = one.granted(self.told) or not _holds(one.when, self.facts)
        return leave


def in_danger(understanding: Understanding) -> bool:
    """Whether somebody may be in danger though no word of an alarm was said: the model is sure, a hint stands beside its doubt, or they are troubled.

    A calm question («花生过敏能吃吗», «会不会烧起来») is about the thing: who asks it is not told to see a doctor.
    """
    form = match_form(understanding.text)
    grave = [alarm for alarm in alarms() if alarm.is_danger]
    doubted = any(alarm.doubts(form) for alarm in grave)
    heard = understanding.scenarios.get(_DANGER, 0.0)
    if heard >= LIKELY and not (doubted and understanding.upset < LIKELY):
        return True
    if heard >= TRACE and any(alarm.hints(form) for alarm in grave):
        return True
    return understanding.emotion != "calm" and (not doubted or any(alarm.suspects(form) for alarm in grave))


def _holds(when: str, facts: FactTree) -> bool:
    return not when or compile_condition(when).evaluate(facts).outcome is Outcome.TRUE


@lru_cache(maxsize=16_384)  # of the shops' own replies
def _presumes(source: str) -> frozenset[int]:
    words = literal_words(source)
    return frozenset(number for number, one in enumerate(presumptions()) if one.stands_in(words))
