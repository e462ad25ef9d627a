"""What an agent does beside answering, as data: when to hand over, what a console may do next, when to write unasked (`knowledge/conduct/*.toml`)."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, field_validator

from knowledge.conditions import compile_condition
from knowledge.errors import BadRow, InvalidCondition, InvalidKnowledge
from knowledge.expressions import compiled
from knowledge.frozen import Record
from knowledge.records import EscalationReason, EscalationTarget, OwnAction
from knowledge.rows import bad_rows_of

FOLDER = Path(__file__).parent / "conduct"
Pair = tuple[str, str]  # Chinese, English
R = TypeVar("R", bound=Record)


def _condition(source: str) -> str:
    try:
        compile_condition(source)
    except InvalidCondition as error:
        raise ValueError(error.reason) from error
    return source


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
    message: Pair
    holding: Pair

    _check = field_validator("zh", "zh_hint", "zh_unless", "en", "en_hint", "en_unless")(compiled)

    @property
    def is_danger(self) -> bool:
        """Whether people are in danger: only a reply that speaks to that may come first."""
        return self.leads == ("safety",)

    def says(self, form: str) -> bool:
        """Whether the matched form of a message says it, in either language."""
        zh = _found(self.zh, form) and not _found(self.zh_unless, form)
        return zh or (_found(self.en, form) and not _found(self.en_unless, form))

    def hints(self, form: str) -> bool:
        """Whether it says something that counts only together with another sign."""
        return any(_found(said, form) and not _found(unless, form) for said, unless in ((self.zh_hint, self.zh_unless), (self.en_hint, self.en_unless)))

    def suspects(self, form: str) -> bool:
        """Whether a word of a hint stands in it at all, even in a question."""
        return _found(self.zh_hint, form) or _found(self.en_hint, form)

    def doubts(self, form: str) -> bool:
        """Whether it asks about the thing rather than telling of it."""
        return _found(self.zh_unless, form) or _found(self.en_unless, form)


def _found(source: str, form: str) -> bool:
    return bool(source) and _pattern(source).search(form) is not None


@lru_cache(maxsize=1_024)
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)


class ActionRule(Record):
    """Something a console can do, for these contact reasons while the condition holds."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    label: Pair
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    when: str = ""

    _check = field_validator("when")(_condition)

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

    _check = field_validator("when")(_condition)


class Use(Record):
    """Who or what something is for: how customers say it, how a product's own data does, and how it warns against it."""

    name: Pair
    said: Annotated[str, Field(min_length=1)]
    product: Annotated[str, Field(min_length=1)]
    unfit: str = ""
    occasion: bool = False
    person: bool = False

    _check = field_validator("said", "product", "unfit")(compiled)


class Told(Record):
    """Something that customers tell, and how a draft asks for it. A `fact` of the order that is known tells it too.

    `answers` tells it right after an agent asked, unless `not_yet`; `word` names it, a draft of the same matter has one of `about` in it; such an answer is
    followed by a next step, or by information where it `informs`. What is asked `aside` is not missed.
    """

    name: Pair | None = None
    said: str = ""
    fact: str = ""
    asks: Annotated[str, Field(min_length=1)]
    unless: str = ""
    answers: str = ""
    not_yet: str = ""
    word: str = ""
    about: str = ""
    informs: bool = False
    aside: bool = False

    _check = field_validator("said", "asks", "unless", "answers", "not_yet", "word", "about")(compiled)

    def answered_by(self, said: str) -> bool:
        """Whether the words tell it, once it was asked for."""
        return _found(self.answers, said) and not _found(self.not_yet, said)

    def asked_in(self, step: str) -> "re.Match[str] | None":
        """Where a step of a draft, or an agent's sentence, asks for it."""
        return _pattern(self.asks).search(step)

    def named_in(self, said: str) -> bool:
        """Whether the words name it, given or not."""
        return _found(self.word, said)

    def concerns(self, words: str) -> bool:
        """Whether a draft with these words may be about the same matter."""
        return not self.about or _found(self.about, words)

    def asks_more(self, step: str, asked: str) -> bool:
        """Whether the step asks for something else too, which was not asked for before."""
        return _found(self.unless, step) and not _found(self.unless, asked)


class Option(Record):
    """A way out that agents offer, as replies and customers name it."""

    name: Pair
    said: Annotated[str, Field(min_length=1)]

    _check = field_validator("said")(compiled)


class Choosing(Record):
    """How a choice is put (`between`) and asked for again, and how it is made: by a clause that is no `question` and names one alternative not `denied`.

    `both` leaves it open. `places` are the alternatives' places in the sentence, first to last, and `last` the last of them.
    """

    between: Annotated[str, Field(min_length=1)]
    again: Annotated[str, Field(min_length=1)]
    question: Annotated[str, Field(min_length=1)]
    denied: Annotated[str, Field(min_length=1)]
    both: Annotated[str, Field(min_length=1)]
    places: tuple[str, ...]
    last: Annotated[str, Field(min_length=1)]

    _check = field_validator("between", "again", "question", "denied", "both", "last")(compiled)
    _check_places = field_validator("places")(lambda places: tuple(map(compiled, places)))


class Declined(Record):
    """Something that customers say they do not want, and how a draft offers it."""

    said: Annotated[str, Field(min_length=1)]
    offers: Annotated[str, Field(min_length=1)]

    _check = field_validator("said", "offers")(compiled)


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
    _check_when = field_validator("when")(_condition)

    def stands_in(self, words: str) -> bool:
        """Whether a reply's own words take it for granted."""
        return _found(self.reply, words)

    def granted(self, said: str) -> bool:
        """Whether the customer's words, as they are matched, give leave to it."""
        return (not self.said or _found(self.said, said)) and not _found(self.unless, said)


class Wording(Record):
    """A notion with the words it is told by, in either language."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    zh: str = ""
    en: str = ""

    _check = field_validator("zh", "en")(compiled)

    def stands_in(self, form: str) -> bool:
        """Whether the words stand in a text as it is matched."""
        return _found(self.zh, form) or _found(self.en, form)

    def without(self, form: str) -> str:
        """Gives the text without the words."""
        for source in filter(None, (self.zh, self.en)):
            form = _pattern(source).sub(" ", form)
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
def told_things() -> tuple[Told, ...]:
    """Gives what need not be asked for again."""
    return read_conduct("told", Told)


@lru_cache(maxsize=1)
def options() -> tuple[Option, ...]:
    """Gives the ways out that agents offer."""
    return read_conduct("told", Option, table="option")


@lru_cache(maxsize=1)
def choosing() -> Choosing:
    """Gives how a choice is put and made."""
    return read_conduct("told", Choosing, table="choosing")[0]


@lru_cache(maxsize=1)
def declined_things() -> tuple[Declined, ...]:
    """Gives what need not be offered once it was declined."""
    return read_conduct("told", Declined, table="declined")


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


def read_conduct(name: str, model: type[R], *, table: str = "") -> tuple[R, ...]:
    """The records of `[[<table>]]` in `<name>.toml`; the table is called as the file where it is not named.

    Raises:
        InvalidKnowledge: with a row for every mistake.
    """
    path = FOLDER / f"{name}.toml"
    rows: list[Mapping[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))[table or name]
    found: list[R] = []
    bad: list[BadRow] = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            bad += bad_rows_of(error, path.name, lambda _, number=number: number, model)  # type: ignore[misc]
    if bad:
        raise InvalidKnowledge(bad)
    return tuple(found)
