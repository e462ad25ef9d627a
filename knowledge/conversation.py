"""A message with what was said before it: the texts it is read as."""

from collections.abc import Sequence

from knowledge.normalise import strip_console
from knowledge.order_context import Turn

_RECENT_TURNS = 4


def readings(message: str, history: Sequence[Turn]) -> list[str]:
    """Gives the message alone; then, where there is history, with the customer's last turn, the agent's last turn, and the last four turns."""
    words = strip_console(message)
    if not history:
        return [words]
    last = [[turn for turn in history if turn.role == role][-1:] for role in ("customer", "agent")]
    return [words, *(" ".join([*(strip_console(turn.text) for turn in turns), words]) for turns in (*last, history[-_RECENT_TURNS:]))]
