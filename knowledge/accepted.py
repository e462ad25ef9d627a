"""Accepted suggestions: messages whose draft a person sent, a JSON line each. For adapting the models, never for serving."""

from pathlib import Path

from pydantic import Field, ValidationError

from knowledge.errors import BadRow
from knowledge.order_context import Facts
from knowledge.rows import bad_rows_of, read_rows


class AcceptedSuggestion(Facts):
    """What a customer wrote, and the reply that was sent for it."""

    message: str = Field(min_length=1)
    reply_id: str = Field(min_length=1)


def read_accepted(path: Path) -> tuple[list[AcceptedSuggestion], list[BadRow]]:
    """Gives the accepted suggestions of a JSONL file in order, and every row to mend."""
    rows, bad = read_rows(path, root=path.parent)
    found: list[AcceptedSuggestion] = []
    for row in rows:
        try:
            found.append(AcceptedSuggestion.model_validate(row.cells))
        except ValidationError as error:
            bad += bad_rows_of(error, row.path, lambda _, line=row.line: line, AcceptedSuggestion)  # type: ignore[misc]
    return found, bad
