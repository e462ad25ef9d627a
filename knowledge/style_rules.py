"""The rules of style and law as data: `knowledge/style/<language>.toml`, read once, every mistake reported with file, rule and field."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from knowledge.errors import BadRow, InvalidKnowledge
from knowledge.expressions import compiled
from knowledge.frozen import Record
from knowledge.normalise import same_length_form
from knowledge.rows import bad_rows_of

FOLDER = Path(__file__).parent / "style"
DETECTORS = (
    "address", "too_long", "channel_link", "channel_emoji", "off_site_link", "phone", "id_card", "bank_card", "full_address", "over_authority",
)  # fmt: skip
_PATTERNS = ("followed_by", "not_followed_by", "preceded_by", "not_preceded_by", "unless")
Phrase = Annotated[str, Field(min_length=1)]


class StyleRule(Record):
    """Phrases that cost a customer's goodwill or break a law, the contexts in which they do not, and what to say instead."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    phrases: Annotated[tuple[Phrase, ...], Field(min_length=1)]
    exceptions: tuple[Phrase, ...] = ()
    followed_by: str = ""
    not_followed_by: str = ""
    preceded_by: str = ""
    not_preceded_by: str = ""
    unless: str = ""
    within: Literal["sentence", "draft"] = "sentence"
    questions: bool = False
    in_quotes: bool = False
    message: Annotated[str, Field(min_length=1)]
    suggestion: str = ""

    _check = field_validator(*_PATTERNS)(compiled)

    @model_validator(mode="after")
    def _exceptions_hold_a_phrase(self) -> "StyleRule":
        phrases = {same_length_form(one) for phrase in self.phrases for one in (phrase, phrase.replace("您", "你"))}
        idle = next((one for one in self.exceptions if not any(phrase in same_length_form(one) for phrase in phrases)), None)
        if idle is not None:
            raise ValueError(f"exceptions: expected words that hold one of the rule's phrases; {idle!r} holds none")
        return self


class ChannelRule(Record):
    """What fits a channel; no `max_chars` means the shop's own. A sentence in which `leave_out` is found has no place there."""

    max_chars: Annotated[int, Field(gt=0)] | None = None
    links: bool = True
    emoji: bool = True
    leave_out: str = ""

    _check = field_validator("leave_out")(compiled)


class Instead(Record):
    """An expression and the words to use for what it finds."""

    said: str
    instead: str

    _check = field_validator("said")(compiled)


class ApologyWording(Record):
    """One way to apologise: how it is heard, how others are turned into it, and how it is left out."""

    said: Annotated[str, Field(min_length=1)]
    swaps: tuple[tuple[str, str], ...] = ()
    leave_out: tuple[str, ...] = ()

    @field_validator("swaps", "leave_out")
    @classmethod
    def _all_compile(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        for one in values:
            compiled(one if isinstance(one, str) else one[0])
        return values

    _check = field_validator("said")(compiled)


class ApologyRules(Record):
    """The ways to apologise that can stand for each other, other words for keeping somebody waiting, and words that tell people how they feel."""

    wordings: tuple[ApologyWording, ...] = ()
    instead: tuple[Instead, ...] = ()
    feelings: str = ""

    _check = field_validator("feelings")(compiled)


class StyleBook(Record):
    """All rules of a language."""

    language: Literal["zh", "en"]
    channels: dict[str, ChannelRule]
    messages: dict[str, tuple[str, str]]
    rules: tuple[StyleRule, ...]
    apologies: ApologyRules = ApologyRules()

    @field_validator("messages")
    @classmethod
    def _for_every_detector(cls, messages: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        wanting, strangers = sorted(set(DETECTORS) - set(messages)), sorted(set(messages) - set(DETECTORS))
        if wanting or strangers:
            raise ValueError(f"expected a message and a suggestion for each of {', '.join(DETECTORS)}; wanting {wanting}, unknown {strangers}")
        return messages

    @model_validator(mode="after")
    def _no_phrase_twice(self) -> "StyleBook":
        seen: dict[tuple[str, str], int] = {}
        for number, rule in enumerate(self.rules, start=1):
            for phrase in rule.phrases:
                first = seen.setdefault((rule.code, same_length_form(phrase)), number)
                if first != number:
                    raise ValueError(f"rules: expected each phrase once; {phrase!r} of {rule.code} stands in rules {first} and {number}")
        return self


def read_style_book(path: Path) -> StyleBook:
    """Gives the rules of a file.

    Raises:
        InvalidKnowledge: with a row for every mistake: the file, the line where its rule starts, the rule with its field, and what was expected.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
        fields = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidKnowledge([BadRow(path.name, 1, "file", f"expected TOML in UTF-8; {error}")]) from error
    try:
        return StyleBook.model_validate(fields)
    except ValidationError as error:
        raise InvalidKnowledge(_bad_rows(error, path.name, source, fields)) from error


@lru_cache(maxsize=4)
def shipped_style_book(language: str) -> StyleBook:
    """Gives the rules that ship for a shop's language; `zh-CN` and `zh-TW` share theirs."""
    return read_style_book(FOLDER / ("en.toml" if language == "en" else "zh.toml"))


def _bad_rows(error: ValidationError, name: str, source: str, fields: Mapping[str, Any]) -> list[BadRow]:
    """Pydantic's path `rules.3.phrases.0` becomes «rule 4 (cold) phrases», with the line of that rule."""
    starts = [number for number, line in enumerate(source.splitlines(), start=1) if line.strip() == "[[rules]]"]
    rows = []
    for row in bad_rows_of(error, name, lambda _: 1, StyleBook):
        place = re.match(r"rules\.(\d+)\.?(.*)", row.field)
        if place is None:
            rows.append(row)
            continue
        index = int(place.group(1))
        rule = fields["rules"][index]
        code = rule.get("code", "") if isinstance(rule, Mapping) else ""
        rows.append(BadRow(name, starts[index] if index < len(starts) else 1, f"rule {index + 1} ({code}) {place.group(2)}".strip(), row.expected, row.got))
    return rows
