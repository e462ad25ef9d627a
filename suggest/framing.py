"""Which of the shop's openings, closings and words of empathy go with a draft: by customer, holiday, promotion and mood, the first that fits."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from knowledge.condition_set import ConditionSet, Judged
from knowledge.conditions import Outcome
from knowledge.facts import FactTree
from knowledge.frame_checks import ANY
from knowledge.holiday_dates import holiday_on
from knowledge.normalise import match_form
from knowledge.records import Promotion, Store
from knowledge.style_records import Frame
from suggest.composition import PUBLIC_CHANNELS

ON_THEIR_OWN = ("chat.", "complaint.", "safety")  # such replies greet by themselves, or must not be dressed up or joined
_NOT_WORD = re.compile(r"[^\w%]+")
_CLAUSE_END = re.compile(r"[,，。；;!！?？\n]")
_AMOUNT = re.compile(r"(?<![双\d])\d+(?:\.\d+)?")  # the 11 of 双11 is no amount
_LATIN = re.compile(r"[a-z]")
_SHORT_WORD = (2, 5)  # characters of a Chinese and of an English word
_LEAST_SHARED = 4  # characters of a name in a row that tell it, or half of it where that is more


class Framing:
    """Finds frames for one request."""

    def __init__(self, store: Store, facts: FactTree, *, day: date, emotion: str, channel: str) -> None:
        self._store, self._facts, self._day, self._emotion, self._channel = store, facts, day, emotion, channel
        self._found: dict[tuple[int, str], list[tuple[Frame, Mapping[str, Any]]]] = {}  # by the frames' identity: most drafts are of one contact reason

    def fitting(self, frames: Sequence[Frame], scenario: str) -> list[tuple[Frame, Mapping[str, Any]]]:
        """Gives the frames that fit, in the shop's order, each with the facts it may name: those of the request and its own promotion."""
        found = self._found.get((id(frames), scenario))
        if found is None:
            found = self._found[id(frames), scenario] = [(frame, self._told(frame)) for frame in frames if self._fits(frame, scenario)]
        return found

    def _fits(self, frame: Frame, scenario: str) -> bool:
        """Cheapest questions first: most frames fall at one of the first three."""
        if self._emotion not in frame.emotions or self._channel not in frame.channels or not self._suits(frame, scenario):
            return False
        if frame.promotions and self._promotion(frame) is None:
            return False
        if frame.holidays and not any(name == ANY or name in self._holiday for name in frame.holidays if self._holiday):
            return False
        return not frame.when or self._judged.verdict(self._conditions.number[frame.when]).outcome is Outcome.TRUE

    def _suits(self, frame: Frame, scenario: str) -> bool:
        """Thanks for a review go before a complaint and a compliment alike; danger is never dressed up."""
        written_for_public = not frame.scenarios and PUBLIC_CHANNELS.issuperset(frame.channels)
        return suits(frame, scenario) or (written_for_public and scenario != "safety")

    @cached_property
    def _holiday(self) -> str:
        return holiday_on(self._day, country=self._store.country, language=self._store.language)

    @cached_property
    def _conditions(self) -> ConditionSet:
        style = self._store.style
        return _condition_set(tuple(frame.when for frame in (*style.openings, *style.closings, *style.empathy)))

    @cached_property
    def _judged(self) -> Judged:
        return self._conditions.judge(self._facts)

    def _promotion(self, frame: Frame) -> Promotion | None:
        running = (one for one in self._store.calendar if one.runs(self._day))
        return next((one for one in running if ANY in frame.promotions or one.name in frame.promotions), None)

    def _told(self, frame: Frame) -> Mapping[str, Any]:
        promotion = self._promotion(frame) if frame.promotions else None
        return self._facts if promotion is None else {**self._facts, "promotion": {"name": promotion.name, "ends": promotion.end}}


def speaks_of(text: str, promotion: str, *, ends: str = "") -> bool:
    """Whether a text tells of a promotion already: by its name or half of it, by all its amounts, or by the beginning of its name and its last day.

    Args:
        text: the reply's own.
        promotion: the name, such as 「冬日手作季满199减40」.
        ends: its last day as it would be written; empty where it would not.
    """
    said, name = _told(text), _told(promotion)
    width = min(len(name), max(_LEAST_SHARED, (len(name) + 1) // 2))
    if _shares(said, name, width):
        return True
    amounts = set(_AMOUNT.findall(match_form(promotion)))
    if len(amounts) > 1 and any(amounts <= set(_AMOUNT.findall(clause)) for clause in _CLAUSE_END.split(match_form(text))):
        return True
    day, word = _told(ends), _SHORT_WORD[_LATIN.search(name) is not None]
    return len(day) >= _LEAST_SHARED and day in said and _shares(said, name, word)


def _told(text: str) -> str:
    return _NOT_WORD.sub("", match_form(text))


def _shares(said: str, name: str, width: int) -> bool:
    """Whether so many characters of the name stand in the text in a row."""
    return any(name[start : start + width] in said for start in range(len(name) - width + 1))


@lru_cache(maxsize=256)
def _condition_set(conditions: tuple[str, ...]) -> ConditionSet:
    """One a shop: it remembers what equal facts came to."""
    return ConditionSet(conditions)


def suits(frame: Frame, scenario: str) -> bool:
    """Whether the frame is for the scenario; one that names none is for all but chat, complaints and danger."""
    if not frame.scenarios:
        return not scenario.startswith(ON_THEIR_OWN)
    return any(scenario == name or scenario.startswith(f"{name}.") for name in frame.scenarios)
