"""What an agent does beside answering, as data: when to hand over, what a console may do next, when to write unasked (`knowledge/conduct/*.toml`)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import Field, field_validator

from knowledge.conduct_tables import Pair, checked_condition, found, pattern, read_conduct
from knowledge.expressions import compiled
from knowledge.frozen import Record
from knowledge.records import EscalationReason, EscalationTarget, OwnAction


class Alarm(Record):
    """A reason to hand over: the words it is heard by, who takes over, what the agent is told and what soothes until then."""

    reason: EscalationReason
    to: EscalationTarget
    leads: tuple[str, ...] | None = None
    zh: str = ""
    zh_hint: str = ""
    zh_unless: str = ""
    en: str = ""
    en_hint: str = ""
    en_unless: str = ""
    promised: str = ""
    message: Pair
    holding: Pair

    _check = field_validator("zh", "zh_hint", "zh_unless", "en", "en_hint", "en_unless", "promised")(compiled)

    @property
    def is_danger(self) -> bool:
        """Whether people are in danger: only a reply that speaks to that may come first."""
        return self.leads == ("safety",)

    def says(self, form: str) -> bool:
        """Whether the matched form of a message says it, in either language."""
        zh = found(self.zh, form) and not found(self.zh_unless, form)
        return zh or (found(self.en, form) and not found(self.en_unless, form))

    def hints(self, form: str) -> bool:
        """Whether it says something that counts only together with another sign."""
        return any(found(said, form) and not found(unless, form) for said, unless in ((self.zh_hint, self.zh_unless), (self.en_hint, self.en_unless)))

    def suspects(self, form: str) -> bool:
        """Whether a word of a hint stands in it at all, even in a question."""
        return found(self.zh_hint, form) or found(self.en_hint, form)

    def doubts(self, form: str) -> bool:
        """Whether it asks about the thing rather than telling of it."""
        return found(self.zh_unless, form) or found(self.en_unless, form)


class ActionRule(Record):
    """Something a console can do, for these contact reasons while the condition holds."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    label: Pair
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    when: str = ""

    _check = field_validator("when")(checked_condition)

    def own(self, *, english: bool) -> OwnAction:
        """Gives it as a shop would have written it."""
        return OwnAction(code=self.code, label=self.label[english], scenarios=self.scenarios, when=self.when)


class OrderEvent(Record):
    """A state of an order of which the customer should hear before asking, and the contact reasons whose replies tell of it."""

    event: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    told: Pair
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    when: Annotated[str, Field(min_length=1)]
    about: Annotated[tuple[str, ...], Field(min_length=1)]  # a reply tells of it whose condition looks at one of these facts

    _check = field_validator("when")(checked_condition)


class Use(Record):
    """Who or what something is for: how customers say it, how a product's own data does, and how it warns against it."""

    name: Pair
    said: Annotated[str, Field(min_length=1)]
    product: Annotated[str, Field(min_length=1)]
    unfit: str = ""
    occasion: bool = False
    person: bool = False

    _check = field_validator("said", "product", "unfit")(compiled)


class Presumed(Record):
    """Something that replies take for granted, by their own words, and by which words of the customer they may or may not.

    A reply with `reply` in it is in place only where the customer said `said` (empty: whatever they said) and nothing of `unless`; `when` says of which
    orders this holds.
    """

    reply: Annotated[str, Field(min_length=1)]
    said: str = ""
    unless: str = ""
    when: str = ""

    _check = field_validator("reply", "said", "unless")(compiled)
    _check_when = field_validator("when")(checked_condition)

    def stands_in(self, words: str) -> bool:
        """Whether a reply's own words take it for granted."""
        return found(self.reply, words)

    def granted(self, said: str) -> bool:
        """Whether the customer's words, as they are matched, give leave to it."""
        return (not self.said or found(self.said, said)) and not found(self.unless, said)


class Wording(Record):
    """A notion with the words it is told by, in either language."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    zh: str = ""
    en: str = ""

    _check = field_validator("zh", "en")(compiled)

    def stands_in(self, form: str) -> bool:
        """Whether the words stand in a text as it is matched."""
        return found(self.zh, form) or found(self.en, form)

    def without(self, form: str) -> str:
        """Gives the text without the words."""
        for source in filter(None, (self.zh, self.en)):
            form = pattern(source).sub(" ", form)
        return form


@lru_cache(maxsize=1)
def alarms() -> tuple[Alarm, ...]:
    """Gives the reasons to hand over, gravest first."""
    return read_conduct("alarms", Alarm)


@lru_cache(maxsize=1)
def action_rules() -> tuple[ActionRule, ...]:
    """Gives the actions that ship, the most fitting first for each contact reason."""
    return read_conduct("actions", ActionRule)


@lru_cache(maxsize=1)
def uses() -> tuple[Use, ...]:
    """Gives the uses that ship."""
    return read_conduct("uses", Use)


@lru_cache(maxsize=1)
def presumptions() -> tuple[Presumed, ...]:
    """Gives what replies must not take for granted."""
    return read_conduct("presumed", Presumed)


@lru_cache(maxsize=1)
def promise_wordings() -> Mapping[str, Wording]:
    """Gives, by name, what tells a promised time from one that says what has happened."""
    return {one.name: one for one in read_conduct("promises", Wording)}


@lru_cache(maxsize=1)
def unread_wordings() -> Mapping[str, Wording]:
    """Gives, by name, what keeps a draft from going out unread."""
    return {one.name: one for one in read_conduct("unread", Wording)}


@lru_cache(maxsize=1)
def order_events() -> tuple[OrderEvent, ...]:
    """Gives the events that ship, the most pressing first."""
    return read_conduct("events", OrderEvent)
