"""The texts under which replies are found: each reply's triggers, then its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from knowledge.records import ProvenReply
from knowledge.templates import literal_words


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """A text under which a reply is found: one of its triggers, or its own words."""

    reply_row: int
    is_trigger: bool
    text: str


def reply_keys(replies: Sequence[ProvenReply]) -> tuple[ReplyKey, ...]:
    """Gives the keys of every reply in order: its triggers, then its own words."""
    return tuple(key for row, reply in enumerate(replies) for key in keys_of(row, reply))


class ReplyKeys(Sequence[ReplyKey]):
    """The keys that `reply_keys` gives, each made when it is asked for: messages need their number, hardly ever their words."""

    def __init__(self, replies: Sequence[ProvenReply], reply_rows: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> None:
        self._replies, self._reply_rows, self._starts = replies, reply_rows, starts

    def __len__(self) -> int:
        return len(self._reply_rows)

    @overload
    def __getitem__(self, row: int) -> ReplyKey: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[ReplyKey]: ...

    def __getitem__(self, row: int | slice) -> ReplyKey | Sequence[ReplyKey]:
        if isinstance(row, slice):
            return tuple(self[one] for one in range(*row.indices(len(self))))
        reply_row = int(self._reply_rows[row])
        return keys_of(reply_row, self._replies[reply_row])[row % len(self) - int(self._starts[reply_row])]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def keys_of(row: int, reply: ProvenReply) -> list[ReplyKey]:
    """Gives the keys of one reply: its triggers, then its own words."""
    words = " ".join(literal_words(source) for source in reply.templates().values())
    return [*(ReplyKey(row, True, trigger) for trigger in reply.triggers), ReplyKey(row, False, words)]
