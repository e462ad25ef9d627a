"""Labelled chats: what customers wrote, with what an expert would send. For evaluation and training, never for serving."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from knowledge.errors import BadRow
from knowledge.order_context import Agent, Customer, Facts, Order, Turn
from knowledge.rows import bad_rows_of, read_rows

Grade = Annotated[int, Field(ge=1, le=2)]
BEST = 2


class Labels(Facts):
    """What an expert says of a chat; 2 = would send or cite, 1 = acceptable, unlisted = not acceptable."""

    answerable: bool = True
    scenarios: tuple[str, ...] = ()
    emotion: Literal["calm", "anxious", "upset", "angry"] | None = None
    replies: dict[str, Grade] = Field(default_factory=dict)
    articles: dict[str, Grade] = Field(default_factory=dict)
    must_include: tuple[str, ...] = ()
    must_not_include: tuple[str, ...] = ()
    clarify: bool = False
    escalate: bool = False
    threatens: bool = False
    questions: tuple[dict[str, Grade], ...] = ()
    tags: tuple[str, ...] = ()


class LabelledChat(Facts):
    """One message in its conversation and order, with its labels."""

    id: str
    store: str
    now: AwareDatetime
    channel: str = "im"
    history: tuple[Turn, ...] = ()
    message: str
    order: Order | None = None
    customer: Customer | None = None
    agent: Agent | None = None
    labels: Labels

    @property
    def contrast_group(self) -> str | None:
        """The group of chats that differ in their order alone, from the tag `contrast/<group>`."""
        return next((tag.removeprefix("contrast/") for tag in self.labels.tags if tag.startswith("contrast/")), None)

    @property
    def conversation(self) -> str:
        """What is drawn and left out together: chats that differ in their order alone are one."""
        return self.contrast_group or self.id

    @property
    def asked_at(self) -> datetime:
        """The moment of the message."""
        return self.now


def read_chats(path: Path, *, root: Path) -> tuple[list[LabelledChat], list[BadRow]]:
    """Gives the chats of a JSONL file and every row to mend; a second use of an id is one."""
    rows, bad = read_rows(path, root=root)
    chats: list[LabelledChat] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            chat = LabelledChat.model_validate(row.cells)
        except ValidationError as error:
            bad += bad_rows_of(error, row.path, lambda _, line=row.line: line, LabelledChat)  # type: ignore[misc]
            continue
        if chat.id in seen:
            bad.append(BadRow(row.path, row.line, "id", f"expected an id of its own; line {seen[chat.id]} has it too", chat.id))
            continue
        seen[chat.id] = row.line
        chats.append(chat)
    return chats, bad
