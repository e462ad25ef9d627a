"""What is likely of an order and its customer where nobody sent it: what the customer tells, else what is usual (`knowledge/conduct/likely.toml`).

A condition that holds only by a likely fact stays unknown, and its draft says what to check. What was told because an agent asked weighs more: what it
makes false is out of place (`suggest.eligibility`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, field_validator

from knowledge.conduct_tables import found, pattern, read_conduct
from knowledge.expressions import compiled
from knowledge.facts import FactTree
from knowledge.frozen import Record
from knowledge.normalise import match_form

Value = bool | int | str
Path = tuple[str, ...]

# Where a clause ends: a space parts clauses between Chinese characters alone.
_CLAUSE_END = re.compile(r"[,，。.!！?？;；\n]+|(?<=[㐀-鿿])\s+(?=[㐀-鿿])")
# «没有真正用过», «not even opened»: what stands right before the words and turns them round.
_NOT = re.compile(r"(?:没有?|未|从不|不|别)[^\s]{0,3}$|\b(?:not|never|\w+n'?t)(?: \w+){0,2} ?$")


class ToldValue(Record):
    """A value of a fact, and the words by which customers tell it, but for a clause with `unless` in it."""

    value: Value
    said: Annotated[str, Field(min_length=1)]
    unless: str = ""

    _check = field_validator("said", "unless")(compiled)

    def told_in(self, words: str) -> bool:
        """Whether a clause of the words, as they are matched, tells it and does not deny it."""
        return found(self.said, words) and any(self._tells(clause) for clause in _CLAUSE_END.split(words))

    def _tells(self, clause: str) -> bool:
        if found(self.unless, clause):
            return False
        return any(not _NOT.search(clause[: one.start()]) for one in pattern(self.said).finditer(clause))


class LikelyFact(Record):
    """A fact that is seldom sent: its values as they are told, the most telling first, what it usually is, and how agents ask for it (`asked`)."""

    fact: Annotated[str, Field(pattern=r"^(?:order|customer)(?:\.[a-z0-9_]+)+$")]
    usual: Value | None = None
    told: tuple[ToldValue, ...] = ()
    asked: str = ""

    _check = field_validator("asked")(compiled)

    @property
    def path(self) -> Path:
        """The names that lead to it."""
        return tuple(self.fact.split("."))

    def told_in(self, words: str) -> Value | None:
        """Gives what the words, as they are matched, tell of it."""
        return next((one.value for one in self.told if one.told_in(words)), None)


@lru_cache(maxsize=1)
def likely_rules() -> tuple[LikelyFact, ...]:
    """Gives the facts that are filled in for ranking."""
    return read_conduct("likely", LikelyFact)


@lru_cache(maxsize=1)
def likely_paths() -> frozenset[str]:
    """Gives the facts that may be filled in, by their dotted names."""
    return frozenset(rule.fact for rule in likely_rules())


def likely_facts(facts: Mapping[str, Any], said: Sequence[str]) -> tuple[FactTree | None, FactTree | None]:
    """Gives the facts with what was told of those that were not sent, and with what is usual too; None where nothing is added.

    Args:
        facts: as `compute_facts` gives them; they stay as they are.
        said: the customer's messages, in any order.
    """
    words = match_form("\n".join(said))
    told: dict[Path, Value] = {}
    usual: dict[Path, Value] = {}
    for rule in _not_sent(facts):
        value = rule.told_in(words)
        if value is not None:
            told[rule.path] = value
        elif rule.usual is not None:
            usual[rule.path] = rule.usual
    return _filled(facts, told) if told else None, _filled(facts, told | usual) if told or usual else None


def answered_facts(facts: Mapping[str, Any], asked: str, answer: str) -> FactTree | None:
    """Gives the facts with what the customer told because an agent asked for it; None where that is nothing.

    Args:
        facts: as `compute_facts` gives them; they stay as they are.
        asked: the agent's last turn.
        answer: what the customer wrote after it.
    """
    question, words = match_form(asked), match_form(answer)
    values = {rule.path: rule.told_in(words) for rule in _not_sent(facts) if found(rule.asked, question)}
    told = {path: value for path, value in values.items() if value is not None}
    return _filled(facts, told) if told else None


def _not_sent(facts: Mapping[str, Any]) -> Iterator[LikelyFact]:
    """The rules of facts that nobody sent, of what there is to speak of."""
    for rule in likely_rules():
        *above, name = rule.path
        node = _node(facts, above)
        if node is not None and name not in node:
            yield rule


def _filled(facts: Mapping[str, Any], values: Mapping[Path, Value]) -> FactTree:
    filled = dict(facts)
    for (*above, name), value in values.items():
        _copied(filled, above)[name] = value
    return filled


def _node(facts: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any] | None:
    """What the facts hold there; None where nothing is known of it: of no order nothing is usual. A customer there always is."""
    node: Any = facts
    for name in path:
        node = node.get(name)
        if not isinstance(node, dict) or not (node or name == "customer"):
            return None
    return node  # type: ignore[no-any-return]


def _copied(facts: FactTree, path: Sequence[str]) -> FactTree:
    """The node there, copied with all above it, so that what was passed stays as it is."""
    node = facts
    for name in path:
        node[name] = dict(node[name])
        node = node[name]
    return node
