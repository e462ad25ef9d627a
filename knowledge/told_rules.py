"""What customers tell, choose and decline, as data (`knowledge/conduct/told.toml`): no draft asks for it or offers it again."""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field, field_validator

from knowledge.conduct_tables import Pair, found, pattern, read_conduct
from knowledge.expressions import compiled
from knowledge.frozen import Record


class Told(Record):
    """Something that customers tell, and how a draft asks for it. A `fact` of the order that is known tells it too.

    `answers` tells it right after an agent asked, unless `not_yet`; `word` names it, a draft of the same matter has one of `about` in it; such an answer is
    followed by a next step, or by information where it `informs`. What is asked `aside` is not missed.
    `action` is the code of the console's action that asks for it. In a list of things asked for it stands as `among` finds it.
    """

    name: Pair | None = None
    said: str = ""
    fact: str = ""
    asks: Annotated[str, Field(min_length=1)]
    unless: str = ""
    among: str = ""
    answers: str = ""
    not_yet: str = ""
    word: str = ""
    about: str = ""
    informs: bool = False
    aside: bool = False
    action: str = ""

    _check = field_validator("said", "asks", "unless", "among", "answers", "not_yet", "word", "about")(compiled)

    def answered_by(self, said: str) -> bool:
        """Whether the words tell it, once it was asked for."""
        return found(self.answers, said) and not found(self.not_yet, said)

    def asked_in(self, step: str) -> "re.Match[str] | None":
        """Where a step of a draft, or an agent's sentence, asks for it."""
        return pattern(self.asks).search(step)

    def named_in(self, said: str) -> bool:
        """Whether the words name it, given or not."""
        return found(self.word, said)

    def concerns(self, words: str) -> bool:
        """Whether a draft with these words may be about the same matter."""
        return not self.about or found(self.about, words)

    def asks_more(self, step: str, asked: str) -> bool:
        """Whether the step asks for something else too, which was not asked for before."""
        return found(self.unless, step) and not found(self.unless, asked)


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
