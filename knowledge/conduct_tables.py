"""The tables of what an agent does (`knowledge/conduct/*.toml`): read, checked row by row, and searched for words."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from knowledge.conditions import compile_condition
from knowledge.errors import BadRow, InvalidCondition, InvalidKnowledge
from knowledge.frozen import Record
from knowledge.rows import bad_rows_of

FOLDER = Path(__file__).parent / "conduct"
Pair = tuple[str, str]  # Chinese, English
R = TypeVar("R", bound=Record)


def checked_condition(source: str) -> str:
    """Gives the condition as it is.

    Raises:
        ValueError: it does not compile.
    """
    try:
        compile_condition(source)
    except InvalidCondition as error:
        raise ValueError(error.reason) from error
    return source


def found(source: str, form: str) -> bool:
    """Whether the words of an expression stand in what was said, as it is matched; those of an empty one stand nowhere."""
    return bool(source) and pattern(source).search(form) is not None


@lru_cache(maxsize=1_024)
def pattern(source: str) -> re.Pattern[str]:
    """Gives the compiled expression."""
    return re.compile(source)


def read_conduct(name: str, model: type[R], *, table: str = "") -> tuple[R, ...]:
    """Gives the records of `[[<table>]]` in `<name>.toml`; the table is called as the file where it is not named.

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
