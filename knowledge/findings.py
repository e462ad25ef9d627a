"""What the writer's desk found in a shop's knowledge: how grave, where it stands, what is wrong and what to do, in the shop's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge.finding_words import FINDINGS

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file below the shop's folder, line from 1."""

    path: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing for the team lead to look at."""

    severity: Severity
    code: str
    place: Place
    subject: str  # the reply's or article's id, empty for the whole shop
    field: str
    problem: str
    advice: str

    @property
    def order(self) -> tuple[int, str, str, int, str, str, str]:
        """Sorts the gravest first, then by what is wrong and where."""
        return (SEVERITIES.index(self.severity), self.code, self.place.path, self.place.line, self.subject, self.field, self.problem)


class FindingWriter:
    """Writes findings in a shop's language, with the place of each record."""

    def __init__(self, *, language: str, replies: Mapping[str, Place], articles: Mapping[str, Place]) -> None:
        self.english = language == "en"
        self._replies, self._articles = replies, articles

    def of_reply(self, code: str, reply_id: str, field: str = "", **values: object) -> Finding:
        """Gives the finding about a reply."""
        return self._written(code, self._replies.get(reply_id, Place("replies.csv")), reply_id, field, values)

    def of_article(self, code: str, article_id: str, field: str = "", **values: object) -> Finding:
        """Gives the finding about an article."""
        return self._written(code, self._articles.get(article_id, Place("articles")), article_id, field, values)

    def of_shop(self, code: str, place: Place, field: str = "", **values: object) -> Finding:
        """Gives the finding about a file or the whole shop."""
        return self._written(code, place, "", field, values)

    def _written(self, code: str, place: Place, subject: str, field: str, values: Mapping[str, object]) -> Finding:
        severity, chinese, english = FINDINGS[code]
        problem, advice = english if self.english else chinese
        return Finding(severity, code, place, subject, field, problem.format(**values), advice.format(**values))
