"""BM25 over more texts than can be looked at with every message: the same scores as `LexicalIndex` gives, in files that are memory-mapped.

Texts stand row by row, so that the score of some rows costs those rows alone. What may be near is found through each term's best rows: a term in a tenth of all
texts says little, and its list would grow with the shop. The longest part of a list that is ever read is `CHAMPIONS`; of a message, `POSTINGS`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from indexes.lexical_index import K1, LENGTH, REMEMBERED, Scores, lexical_terms
from indexes.lexical_loops import largest, sums_of_rows, worth_of_champions
from indexes.mapping import mapped
from indexes.spans import joined
from indexes.vector_index import RowHits, Rows

CHAMPIONS = 20_000
POSTINGS = 40_000
_LEADING = 128  # terms of a message that lead to rows, at most
_PROMISING = 4  # rows scored in full for each that is wanted: the terms that did not lead count too
_TEXTS = 50_000  # read at once
_ARRAYS = ("starts", "terms", "counts", "lengths", "is_found", "found", "champion_starts", "champions")
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 judges rarity and length by: how many rows there are, their mean length in terms, and in how many of them each term is, [n_terms]."""

    n_rows: int
    mean_length: float
    found: npt.NDArray[np.int64]


class Counted(NamedTuple):
    """Texts as terms by number, row after row."""

    vocabulary: dict[str, int]
    terms: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint8]
    per_row: Rows
    lengths: npt.NDArray[np.int32]
    is_found: npt.NDArray[np.bool_]  # whether terms lead to the row


class LargeLexicalIndex:
    """Lucene's BM25 as `LexicalIndex` has it."""

    def __init__(self, vocabulary: dict[str, int], arrays: Arrays, statistics: Statistics | None = None) -> None:
        self._vocabulary = vocabulary
        self._arrays = arrays
        self._starts = arrays["starts"]  # [n_rows + 1], where each row's terms begin
        self._terms = arrays["terms"]  # int32, ascending within a row
        self._counts = arrays["counts"]  # uint8, how often the row has the term
        self._champion_starts = arrays["champion_starts"]  # [n_terms + 1]
        self._champions = arrays["champions"]  # int32, the term's best rows, ascending
        lengths = np.asarray(arrays["lengths"], dtype=np.float32)  # [n_rows], in terms
        self._n_rows = len(lengths)
        counted = statistics or self.statistics
        found = np.asarray(counted.found[: len(vocabulary)], dtype=np.float64)  # [n_terms], in how many rows
        self._rarity = np.log(1 + (counted.n_rows - found + 0.5) / (found + 0.5)).astype(np.float32)
        self._weight_of_length = (K1 * ((1 - LENGTH) + LENGTH * lengths / np.float32(counted.mean_length or 1.0))).astype(np.float32)
        self._known = lru_cache(maxsize=REMEMBERED)(self._numbers_of)  # a message's terms are wanted three times
        # All zero between calls. Compiled loops keep the interpreter's lock: nobody else meets them half written.
        self._sums, self._asked = np.zeros(self._n_rows, dtype=np.float32), np.zeros(len(vocabulary), dtype=np.float32)

    @classmethod
    def build(cls, texts: Sequence[str], is_found: npt.NDArray[np.bool_] | None = None, *, n_champions: int = CHAMPIONS) -> "LargeLexicalIndex":
        """Indexes the texts in order.

        Args:
            texts: any.
            is_found: [n_texts], which of them `search` finds; all when None. Long texts that only confirm what others find make every message dearer.
            n_champions: rows that a term leads to, at most.
        """
        return cls._of_counted(_counted_texts(texts, np.ones(len(texts), dtype=np.bool_) if is_found is None else is_found, {}), n_champions)

    @property
    def statistics(self) -> "Statistics":
        """What rarity and length are judged by where nothing else is told: these rows alone."""
        lengths = self._arrays["lengths"]
        return Statistics(len(lengths), float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0, self._arrays["found"])

    def weighed_by(self, statistics: "Statistics") -> "LargeLexicalIndex":
        """Gives the same rows, judged as part of a larger whole."""
        return LargeLexicalIndex(self._vocabulary, self._arrays, statistics)

    def extended(self, kept: "LargeLexicalIndex | None", texts: Sequence[str], is_found: npt.NDArray[np.bool_]) -> "LargeLexicalIndex":
        """Gives an index by this one's numbers of terms of what `kept` holds, if anything, and of more texts behind it.

        Args:
            kept: made by an earlier call.
            texts: any.
            is_found: [n_texts], which of them `search` finds.
        """
        fresh = _counted_texts(texts, is_found, dict(self._vocabulary if kept is None else kept._vocabulary))
        if kept is None:
            return self._of_counted(fresh, CHAMPIONS)
        return self._of_counted(_joined(kept._counted(), fresh), CHAMPIONS)

    def statistics_with(self, recent: "LargeLexicalIndex", stands: npt.NDArray[np.bool_]) -> "Statistics":
        """Gives the statistics of those rows of this index and a later one that stand, [n_rows of both]."""
        n_terms, own = len(recent._vocabulary), stands[: len(self)]
        gone, later = np.flatnonzero(~own), np.flatnonzero(stands[len(self) :])
        found = np.zeros(n_terms, dtype=np.int64)
        found[: len(self._vocabulary)] = self._arrays["found"]
        found -= np.bincount(self._terms[joined(self._starts[gone], self._starts[gone + 1] - self._starts[gone])], minlength=n_terms)
        found += np.bincount(recent._terms[joined(recent._starts[later], recent._starts[later + 1] - recent._starts[later])], minlength=n_terms)
        lengths = np.concatenate([self._arrays["lengths"], recent._arrays["lengths"]])[stands]
        return Statistics(int(stands.sum()), float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0, found)

    def taken(self, recent: "LargeLexicalIndex | None", slots: Rows) -> "LargeLexicalIndex":
        """Gives an index of some rows of this one and a later one, in the order of `slots`, terms by the same numbers."""
        whole = self._counted() if recent is None else _joined(self._counted(), recent._counted())
        starts = np.concatenate([[0], np.cumsum(whole.per_row)])
        places = joined(starts[slots], whole.per_row[slots])
        counted = Counted(whole.vocabulary, whole.terms[places], whole.counts[places], whole.per_row[slots], whole.lengths[slots], whole.is_found[slots])
        return self._of_counted(counted, CHAMPIONS)

    def _counted(self) -> "Counted":
        return Counted(self._vocabulary, self._terms, self._counts, np.diff(self._starts), self._arrays["lengths"], self._arrays["is_found"])

    @classmethod
    def _of_counted(cls, counted: "Counted", n_champions: int) -> "LargeLexicalIndex":
        vocabulary, terms, counts, per_row, lengths, is_found = counted
        found = np.bincount(terms, minlength=len(vocabulary))
        arrays: Arrays = {
            "starts": np.concatenate([[0], np.cumsum(per_row)]).astype(np.int64), "terms": terms, "counts": counts,
            "lengths": lengths, "is_found": is_found, "found": found.astype(np.int64),
            "champion_starts": np.zeros(len(vocabulary) + 1, dtype=np.int64), "champions": np.empty(0, dtype=np.int32),
        }  # fmt: skip
        arrays["champion_starts"], arrays["champions"] = cls(vocabulary, arrays)._best_rows_of_terms(n_champions, is_found)
        return cls(vocabulary, arrays)

    @classmethod
    def read(cls, folder: Path) -> "LargeLexicalIndex":
        """Maps what `write` wrote."""
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        return cls({word: number for number, word in enumerate(words)}, {name: mapped(folder / f"{name}.npy") for name in _ARRAYS})

    @staticmethod
    def stands_at(folder: Path) -> bool:
        """Whether `write` wrote there, and not the small index."""
        return (folder / "vocabulary.json").exists()

    def write(self, folder: Path) -> None:
        """Writes NumPy arrays and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vocabulary.json").write_text(json.dumps(list(self._vocabulary), ensure_ascii=False) + "\n", encoding="utf-8")
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", self._arrays[name], allow_pickle=False)

    def __len__(self) -> int:
        return self._n_rows

    def scores(self, text: str) -> Scores:
        """Gives the BM25 score of every row, float32[n_rows]. It reads the whole index: for measuring, not for messages."""
        return self.scores_of(text, np.arange(self._n_rows))

    def scores_of(self, text: str, rows: Rows) -> Scores:
        """Gives the BM25 score of some of the rows, in their order, at the cost of those rows alone."""
        known = self._known(text)
        if not len(known) or not len(rows):
            return np.zeros(len(rows), dtype=np.float32)
        return sums_of_rows(known, rows, self._starts, self._terms, self._counts, self._rarity, self._weight_of_length, self._asked)

    def search(self, text: str, *, n_rows: int) -> RowHits:
        """Gives up to `n_rows` rows that share a term and may be found, best first, ties by row, of those that the terms' best rows lead to.

        The rarest terms lead, until `POSTINGS` rows were read; the score of a row is of all its terms.
        """
        rows = self.promising(text, n_rows=n_rows)
        scores = self.scores_of(text, rows)
        best = np.argsort(-scores, kind="stable")[:n_rows]  # rows ascend: ties by row
        return RowHits(rows[best], scores[best])

    def promising(self, text: str, *, n_rows: int) -> Rows:
        """Gives the rows that `search` scores in full, ascending."""
        known = self._known(text)
        lengths = self._champion_starts[known + 1] - self._champion_starts[known]
        order = np.argsort(lengths, kind="stable")
        leading = known[order[: max(1, int(np.searchsorted(np.cumsum(lengths[order]), POSTINGS, side="right")))]][:_LEADING]
        if not len(leading) or n_rows < 1:
            return np.empty(0, dtype=np.int64)
        return self._promising(leading, _PROMISING * n_rows)

    def _promising(self, terms: Rows, n_rows: int) -> Rows:
        """Rows with the largest sums over the leading terms, ascending; ties by row."""
        rows, worth = worth_of_champions(terms, self._champion_starts, self._champions, self._rarity, self._weight_of_length, self._sums)
        if len(rows) <= n_rows:
            return np.sort(rows)
        return np.sort(largest(rows, worth, n_rows))

    def _numbers_of(self, text: str) -> Rows:
        """Numbers of the text's terms that some row has, each once, ascending."""
        vocabulary = self._vocabulary
        return np.array(sorted({vocabulary[term] for term in lexical_terms(text) if term in vocabulary}), dtype=np.int64)

    def _best_rows_of_terms(self, most: int, is_found: npt.NDArray[np.bool_]) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Where each term's rows begin, and the rows: all that may be found, or the `most` with the largest weight, ascending."""
        rows = np.repeat(np.arange(self._n_rows, dtype=np.int32), np.diff(self._starts))
        places = np.flatnonzero(is_found[rows])
        places = places[np.argsort(self._terms[places], kind="stable")]  # by term, then by row
        rows = rows[places]
        lengths = np.bincount(self._terms[places], minlength=len(self._vocabulary))
        starts = np.concatenate([[0], np.cumsum(lengths)])
        kept = np.ones(len(rows), dtype=np.bool_)
        for term in np.flatnonzero(lengths > most).tolist():
            span = slice(starts[term], starts[term + 1])
            counts = self._counts[places[span]].astype(np.float32)
            weights = counts / (counts + self._weight_of_length[rows[span]])
            kept[starts[term] + np.argsort(-weights, kind="stable")[most:]] = False
        return np.concatenate([[0], np.cumsum(np.minimum(lengths, most))]).astype(np.int64), rows[kept]


def _counted_texts(texts: Sequence[str], is_found: npt.NDArray[np.bool_], vocabulary: dict[str, int]) -> Counted:
    """The texts' terms by number, new ones numbered behind those of the vocabulary, which is extended."""
    pieces = [_counted(texts[start : start + _TEXTS], vocabulary) for start in range(0, max(1, len(texts)), _TEXTS)]
    terms, counts, per_row, lengths = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Counted(vocabulary, terms, counts, per_row, lengths, is_found)


def _joined(one: Counted, other: Counted) -> Counted:
    """The rows of both; the second's vocabulary begins with the first's."""
    names = ("terms", "counts", "per_row", "lengths", "is_found")
    return Counted(other.vocabulary, *(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))


def _counted(texts: Sequence[str], vocabulary: dict[str, int]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], Rows, npt.NDArray[np.int32]]:
    """The texts' terms by number, new ones numbered as they come: terms and counts row by row, how many terms each row has, and each row's length."""
    numbered = [[vocabulary.setdefault(term, len(vocabulary)) for term in lexical_terms(text)] for text in texts]
    lengths = np.array([len(one) for one in numbered], dtype=np.int64)
    every = np.fromiter(chain.from_iterable(numbered), dtype=np.int64, count=int(lengths.sum()))
    width = max(1, len(vocabulary))
    pairs, counts = np.unique(np.repeat(np.arange(len(texts)), lengths) * width + every, return_counts=True)
    per_row = np.bincount(pairs // width, minlength=len(texts))
    return (pairs % width).astype(np.int32), np.minimum(counts, 255).astype(np.uint8), per_row.astype(np.int64), lengths.astype(np.int32)
