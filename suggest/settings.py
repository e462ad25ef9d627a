"""How the service runs: one frozen object from `SUGGEST_*` variables, read once at the edge and passed down."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from suggest.errors import InvalidSettings

PREFIX = "SUGGEST_"


class Settings(BaseModel):
    """Every field is one environment variable, `SUGGEST_` before its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index_dir: Annotated[Path, Field(description="Folder of published indexes, one folder per shop")] = Path("var/indexes")
    model: Annotated[str, Field(description="Embedding model: a folder or hub id; empty for the bundled one")] = ""
    min_confidence: Annotated[float | None, Field(ge=0, le=1, description="Drafts below this are not shown; empty for the shipped threshold")] = None
    max_body_bytes: Annotated[int, Field(ge=1_000, le=10_000_000, description="Largest request body, in bytes")] = 512_000
    refresh_seconds: Annotated[float, Field(ge=0, le=3_600, description="Seconds between two looks for newly published snapshots; 0 for never")] = 2.0
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="Least level of log lines")] = "INFO"


def load_settings(environment: dict[str, str], **overrides: object) -> Settings:
    """Gives the settings of the environment; `overrides` (from the command line) win.

    Raises:
        InvalidSettings: an unknown `SUGGEST_*` name, or a value out of range.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in environment:
        if name.startswith(PREFIX) and name not in known:
            raise InvalidSettings(name, value=environment[name], expected=f"one of {', '.join(sorted(known))}")
    given: dict[str, Any] = {name: environment[PREFIX + name.upper()] for name in Settings.model_fields if environment.get(PREFIX + name.upper())}
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise InvalidSettings(name, value=str(first.get("input")), expected=first["msg"]) from error
