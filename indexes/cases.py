"""What a shop's own chats taught: messages that were answered, and the replies an expert or an agent found right for them.

Only vectors, reply ids and conversation names are kept, no words of a customer.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.embedder import Embedder, Vectors
from indexes.vector_index import Rows, VectorIndex
from knowledge.accepted import AcceptedSuggestion
from knowledge.chats import BEST, LabelledChat
from knowledge.conversation import readings

_ACCEPTABLE_SHARE = 0.6  # of an acceptable reply's vote beside the best one's


@dataclass(frozen=True, slots=True)
class Case:
    """One answered message: the texts it is compared by, and each right reply with the weight of its vote, in (0, 1]."""

    conversation: str
    text: str
    votes: dict[str, float]


@dataclass(frozen=True, slots=True)
class CaseIndex:
    """Cases as vectors. Vote `i` is of case `vote_cases[i]` for reply row `vote_replies[i]`; votes stand by reply row."""

    vectors: VectorIndex
    conversations: tuple[str, ...]
    vote_cases: npt.NDArray[np.int64]
    vote_replies: npt.NDArray[np.int64]
    vote_weights: npt.NDArray[np.float32]

    @classmethod
    def build(cls, cases: Sequence[Case], reply_ids: Sequence[str], embedder: Embedder) -> "CaseIndex":
        """Indexes the cases; votes for replies that the shop no longer has are dropped."""
        row_of = {reply_id: row for row, reply_id in enumerate(reply_ids)}
        votes = [
            (number, row_of[reply_id], weight) for number, case in enumerate(cases) for reply_id, weight in sorted(case.votes.items()) if reply_id in row_of
        ]
        votes.sort(key=lambda vote: (vote[1], vote[0]))
        vectors = embedder.encode_document([case.text for case in cases]) if cases else np.empty((0, embedder.dimension), dtype=np.float32)
        columns = list(zip(*votes, strict=True)) or [(), (), ()]
        return cls(
            VectorIndex.build(vectors), tuple(case.conversation for case in cases), np.array(columns[0], dtype=np.int64),
            np.array(columns[1], dtype=np.int64), np.array(columns[2], dtype=np.float32),
        )  # fmt: skip

    @classmethod
    def read(cls, folder: Path) -> "CaseIndex":
        """Reads what `write` wrote."""
        card = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
        replies = np.array(card["vote_replies"], dtype=np.int64)
        order = np.argsort(replies, kind="stable")  # as `build` has them; older snapshots have them by case
        return cls(
            VectorIndex.read(folder / "cases.faiss"),
            tuple(card["conversations"]),
            np.array(card["vote_cases"], dtype=np.int64)[order],
            replies[order],
            np.array(card["vote_weights"], dtype=np.float32)[order],
        )

    def write(self, folder: Path) -> None:
        """Writes FAISS's format and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        self.vectors.write(folder / "cases.faiss")
        card = {"conversations": self.conversations} | {name: getattr(self, name).tolist() for name in ("vote_cases", "vote_replies", "vote_weights")}
        (folder / "cases.json").write_text(json.dumps(card, ensure_ascii=False) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        return len(self.conversations)

    def votes(self, vectors: Vectors, n_replies: int, *, left_out: Collection[str] = ()) -> npt.NDArray[np.float32]:
        """Gives the loudest vote for each reply, float32[n_replies]: the nearest case's cosine times its vote's weight, 0 where nobody voted.

        Args:
            vectors: of the question, [1, dimension].
            n_replies: of the shop.
            left_out: conversations that have no vote, such as the one that is being judged.
        """
        loudest = np.zeros(n_replies, dtype=np.float32)
        rows, votes = self.votes_for(vectors, left_out=left_out)
        loudest[rows] = votes
        return loudest

    def votes_for(self, vectors: Vectors, *, left_out: Collection[str] = ()) -> tuple[Rows, npt.NDArray[np.float32]]:
        """Gives the replies that anybody voted for, ascending rows, and the loudest vote for each: `votes` without the zeros of a large shop."""
        if not len(self.vote_cases):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        near = (self.vectors.matrix @ vectors[0]).astype(np.float32)
        if left_out:
            near[[number for number, name in enumerate(self.conversations) if name in left_out]] = 0.0
        return _loudest(near, self.vote_cases, self.vote_replies, self.vote_weights)


@compiled
def _loudest(
    near: npt.NDArray[np.float32], cases: npt.NDArray[np.int64], replies: npt.NDArray[np.int64], weights: npt.NDArray[np.float32]
) -> tuple[Rows, npt.NDArray[np.float32]]:
    """Each reply of the votes, which stand reply by reply, and the loudest vote for it, at least 0."""
    rows, loudest = np.empty(len(replies), dtype=np.int64), np.empty(len(replies), dtype=np.float32)
    last = -1
    for vote in range(len(replies)):
        if last < 0 or rows[last] != replies[vote]:
            last += 1
            rows[last], loudest[last] = replies[vote], 0.0
        loudest[last] = max(loudest[last], near[cases[vote]] * weights[vote])
    return rows[: last + 1], loudest[: last + 1]


def cases_of(chats: Iterable[LabelledChat], accepted: Iterable[AcceptedSuggestion] = ()) -> list[Case]:
    """Gives the cases of labelled chats of one question, and of suggestions that agents sent."""
    found = [
        Case(
            chat.conversation,
            readings(chat.message, chat.history)[-1],
            {reply_id: 1.0 if grade == BEST else _ACCEPTABLE_SHARE for reply_id, grade in chat.labels.replies.items()},
        )
        for chat in chats
        if chat.labels.answerable and chat.labels.replies and not chat.labels.questions
    ]
    return found + [Case(f"accepted/{number}", readings(one.message, ())[-1], {one.reply_id: 1.0}) for number, one in enumerate(accepted)]
