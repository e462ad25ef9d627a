"""JSON log lines: an event name and facts. Customer text, order facts and drafts never reach them: ids, counts and lengths only."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_encoded = json.JSONEncoder(ensure_ascii=False, default=str).encode  # made once: `json.dumps` would make one a line


class JsonLines(logging.Formatter):
    """One JSON object a line; facts come from `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Gives the line."""
        facts: dict[str, Any] = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = {"at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"), "level": record.levelname, "event": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__  # its message may quote the customer
        return _encoded(line | facts)


def configure_logging(level: str) -> None:
    """Sends everything to standard error as JSON lines; uvicorn's access lines, which hold queries, are dropped."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
