"""What can be wrong with what a shop knows.

KnowledgeError
├── InvalidKnowledge        every bad row of a shop's files at once
├── KnowledgeChanging       a shop's files are being written while they are read
├── InvalidCondition        a `when` that does not compile or names an unknown fact
├── InvalidTemplate         a part or text that does not compile or names an unknown fact
└── InvalidLabel            a labelled chat that cannot be read or contradicts the shop

Each has a word slug: the same in the log, the HTTP body and the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class KnowledgeError(Exception):
    """Something the shop's staff wrote cannot be used."""

    slug = "knowledge_error"


@dataclass(frozen=True, slots=True, order=True)
class BadRow:
    """One thing to mend: where it stands, what was expected and what came."""

    path: str
    line: int
    field: str
    expected: str
    got: str = ""

    def __str__(self) -> str:
        """Gives one line for a terminal: `file:line field: expected …, got …`."""
        came = f", got {self.got!r}" if self.got else ""
        return f"{self.path}:{self.line} {self.field}: {self.expected}{came}"


class InvalidKnowledge(KnowledgeError):
    """A shop's files hold bad rows; nothing is published until they are mended."""

    slug = "invalid_knowledge"

    def __init__(self, bad_rows: Sequence[BadRow]) -> None:
        self.bad_rows = tuple(sorted(bad_rows))
        lines = "\n".join(f"  {row}" for row in self.bad_rows)
        super().__init__(f"{len(self.bad_rows)} bad rows; mend them and run again:\n{lines}")


class KnowledgeChanging(KnowledgeError):
    """A shop's files changed each time they were read; half of an edit must not be published."""

    slug = "knowledge_changing"

    def __init__(self, folder: Path, paths: Sequence[str]) -> None:
        self.folder, self.paths = folder, tuple(paths)
        shown = ", ".join(self.paths[:5])
        super().__init__(f"files under {folder} are being changed while they are read ({shown}); run it again when they are saved or synced")


class InvalidCondition(KnowledgeError):
    """A condition cannot be compiled."""

    slug = "invalid_condition"

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"the condition {source!r} {reason}")


class InvalidTemplate(KnowledgeError):
    """A reply's part cannot be compiled."""

    slug = "invalid_template"

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"the template {source!r} {reason}")


class InvalidLabel(KnowledgeError):
    """A labelled chat cannot be used."""

    slug = "invalid_label"

    def __init__(self, path: Path | str, line: int, reason: str) -> None:
        self.path, self.line, self.reason = str(path), line, reason
        super().__init__(f"{path}:{line} {reason}")
