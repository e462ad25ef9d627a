"""The terms of a shop's passages, for picking the words to quote."""

from collections.abc import Sequence
from typing import overload

from indexes.lexical_index import lexical_terms
from knowledge.records import Passage


class PassageWords(Sequence[frozenset[str]]):
    """Each passage's lexical terms, found when they are asked for and kept: a large shop has thousands of passages, and most are never quoted."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._found: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._passages)

    @overload
    def __getitem__(self, row: int) -> frozenset[str]: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[frozenset[str]]: ...

    def __getitem__(self, row: int | slice) -> frozenset[str] | Sequence[frozenset[str]]:
        if isinstance(row, slice):
            return tuple(self[one] for one in range(*row.indices(len(self))))
        words = self._found.get(row)
        if words is None:
            words = self._found[row] = frozenset(lexical_terms(self._passages[row].text))
        return words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
