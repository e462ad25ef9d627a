"""Facts as a reply's template sees them: what was not sent is a visible blank, what was sent is words and never code."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from knowledge.fact_paths import fact_name
from knowledge.formats import FactWriter
from knowledge.normalise import clean

DELIMITERS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


@dataclass(slots=True)
class Rendering:
    """What one rendering needs at hand and collects."""

    writer: FactWriter
    language: str
    missing: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # what stands where the template had no words of its own


class Missing:
    """A fact that was not sent: prints as a blank, is false in a test, and passes through filters unchanged."""

    def __init__(self, path: str, rendering: Rendering) -> None:
        self._path, self._rendering = path, rendering

    def __getattr__(self, name: str) -> "Missing":
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._path}.{name}", self._rendering)

    def __getitem__(self, name: object) -> "Missing":
        return self if isinstance(name, int | slice) else Missing(f"{self._path}.{name}", self._rendering)

    def __str__(self) -> str:
        if self._path not in self._rendering.missing:
            self._rendering.missing.append(self._path)
        return f"〔{fact_name(self._path, language=self._rendering.language)}〕"

    def _self(self, *_: object) -> "Missing":
        return self

    def _false(self) -> bool:
        return False

    def _compared(self, _: object) -> bool:
        """A comparison decided by a fact that was not sent: false, and the fact is listed as missing."""
        str(self)
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _self
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __round__ = _self
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __contains__ = _compared
    __bool__ = _false
    __hash__ = object.__hash__

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


class Known:
    """A nest of facts whose absent names are blanks, not errors."""

    def __init__(self, facts: Mapping[str, Any], path: str, rendering: Rendering) -> None:
        self._facts, self._path, self._rendering = facts, path, rendering

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: Any) -> Any:
        path = f"{self._path}.{name}"
        if name not in self._facts:
            return Missing(path, self._rendering)
        return wrap(self._facts[name], path, self._rendering)

    def __contains__(self, name: object) -> bool:
        return name in self._facts

    def __iter__(self) -> Iterator[Any]:
        return iter([wrap(name, self._path, self._rendering) for name in self._facts])

    def __str__(self) -> str:
        raise TypeError(f"{self._path} holds several facts; expected one of them")


def wrap(value: Any, path: str, rendering: Rendering) -> Any:
    """Gives a fact as templates see it: nests whose absent names are blanks, lists of such, cleaned words; anything else as it is."""
    if isinstance(value, Mapping):
        return Known(value, path, rendering)
    if isinstance(value, list | tuple) and not value:
        return Missing(path, rendering)  # nothing to write either
    if isinstance(value, list | tuple):
        return [wrap(inner, path, rendering) for inner in value]
    if isinstance(value, str):
        return _without_code(clean(value))
    return value


def _without_code(words: str) -> str:
    """A fact is words, never template code; what is left may close up to code again, so until none is left."""
    while (fewer := DELIMITERS.sub("", words)) != words:
        words = fewer
    return words
