"""What all records are made of."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen, and refuses fields it does not know: a mistyped column is an error, not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
