"""A large shop's replies as lines of JSON in their files, read when they are asked for: a million take no time to load and no memory."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from indexes.mapping import mapped
from knowledge.records import ProvenReply

DIGEST_BYTES = 16
_REMEMBERED = 4_096  # replies that were read and are at hand: the same ones are drafted again and again
Digests = npt.NDArray[np.uint8]  # [n_replies, DIGEST_BYTES]
_LINES, _ENDS = "replies.jsonl", "reply_ends.npy"


class ReplyLines:
    """Records one after the other, each a line of JSON; where each ends."""

    def __init__(self, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self._text, self._ends = text, ends

    @classmethod
    def of(cls, replies: Sequence[ProvenReply]) -> "ReplyLines":
        """Writes the records down."""
        lines = [line_of(reply) + b"\n" for reply in replies]
        return cls(np.frombuffer(b"".join(lines), dtype=np.uint8), np.cumsum([len(line) for line in lines], dtype=np.int64))

    @classmethod
    def read(cls, folder: Path) -> "ReplyLines":
        """Maps what `write` wrote."""
        path = folder / _LINES
        text = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray) if path.stat().st_size else np.empty(0, dtype=np.uint8)
        return cls(text, mapped(folder / _ENDS))

    def write(self, folder: Path) -> None:
        """Writes JSON lines, and NumPy's format for where they end."""
        self._text.tofile(folder / _LINES)
        np.save(folder / _ENDS, self._ends, allow_pickle=False)

    def __len__(self) -> int:
        return len(self._ends)

    def __add__(self, others: "ReplyLines") -> "ReplyLines":
        return ReplyLines(np.concatenate([self._text, others._text]), np.concatenate([self._ends, others._ends + len(self._text)]))

    def line(self, slot: int) -> bytes:
        """Gives one record as it is written."""
        return self._text[int(self._ends[slot - 1]) if slot else 0 : int(self._ends[slot])].tobytes()

    def taken(self, slots: npt.NDArray[np.int64]) -> "ReplyLines":
        """Gives some of the records, in the order asked for."""
        lines = [self.line(slot) for slot in slots.tolist()]
        return ReplyLines(np.frombuffer(b"".join(lines), dtype=np.uint8), np.cumsum([len(line) for line in lines], dtype=np.int64))


class StoredReplies(Sequence[ProvenReply]):
    """The replies of a shop in the order of their ids, each read when it is asked for.

    Args:
        lines: all that are stored.
        slots: [n_replies], where each reply of the shop stands among them.
        digests: of the replies' lines.
        ids: of the replies.
    """

    def __init__(self, lines: Sequence[ReplyLines], slots: npt.NDArray[np.int32], digests: Digests, ids: npt.NDArray[np.bytes_]) -> None:
        self._lines, self._slots, self.digests, self.ids = lines, slots, digests, ids
        self._at_hand: dict[int, ProvenReply] = {}

    def __len__(self) -> int:
        return len(self._slots)

    @overload
    def __getitem__(self, row: int) -> ProvenReply: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[ProvenReply]: ...

    def __getitem__(self, row: int | slice) -> ProvenReply | Sequence[ProvenReply]:
        if isinstance(row, slice):
            return tuple(self[one] for one in range(*row.indices(len(self))))
        reply = self._at_hand.get(row)
        if reply is None:
            reply = self._read(int(self._slots[row]))
            if len(self._at_hand) >= _REMEMBERED:
                self._at_hand.clear()
            self._at_hand[row] = reply
        return reply

    def __iter__(self) -> Iterator[ProvenReply]:
        return (self._read(slot) for slot in self._slots.tolist())

    def _read(self, slot: int) -> ProvenReply:
        for lines in self._lines:
            if slot < len(lines):
                return ProvenReply.model_validate_json(lines.line(slot))
            slot -= len(lines)
        raise IndexError(slot)


class ApprovedReplies(tuple[ProvenReply, ...]):
    """Replies that enter an index, in the order of their ids."""

    @cached_property
    def digests(self) -> Digests:
        """A digest of each record: worked out once for all who compare."""
        return _digests(self)


def line_of(reply: ProvenReply) -> bytes:
    """Gives the record as JSON."""
    return reply.model_dump_json(by_alias=True, exclude_defaults=True).encode()


def ids_of(replies: Sequence[ProvenReply]) -> list[str]:
    """Gives the replies' ids, without reading stored ones."""
    return [one.decode() for one in replies.ids.tolist()] if isinstance(replies, StoredReplies) else [reply.id for reply in replies]


def digests_of(replies: Sequence[ProvenReply]) -> Digests:
    """Gives a digest of each record, [n_replies, DIGEST_BYTES]; those of stored ones are known already."""
    return replies.digests if isinstance(replies, StoredReplies | ApprovedReplies) else _digests(replies)


def _digests(replies: Sequence[ProvenReply]) -> Digests:
    written = TypeAdapter(ProvenReply).serializer.to_json  # half the time of the record's own method
    every = b"".join(blake2b(written(reply), digest_size=DIGEST_BYTES).digest() for reply in replies)
    return np.frombuffer(every, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
