"""BM25 over more texts than can be looked at with every message: the same scores as `LexicalIndex` gives, in files that are memory-mapped.

Texts stand row by row, so that the score of some rows costs those rows alone. What may be near is found through each term's best rows: a term in a tenth of all
texts says little, and its list would grow with the shop. The longest part of a list that is ever read is `CHAMPIONS`; of a message, `POSTINGS`.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.lexical_index import K1, LENGTH, REMEMBERED, Scores, lexical_terms
from indexes.mapping import mapped
from indexes.vector_index import RowHits, Rows

CHAMPIONS = 20_000
POSTINGS = 40_000
_LEADING = 128  # terms of a message that lead to rows, at most
_PROMISING = 4  # rows scored in full for each that is wanted: the terms that did not lead count too
_TEXTS = 50_000  # read at once
_ARRAYS = ("starts", "terms", "counts", "lengths", "found", "champion_starts", "champions")
Arrays = dict[str, npt.NDArray[Any]]


class LargeLexicalIndex:
    """Lucene's BM25 as `LexicalIndex` has it."""

    def __init__(self, vocabulary: dict[str, int], arrays: Arrays) -> None:
        self._vocabulary = vocabulary
        self._arrays = arrays
        self._starts = arrays["starts"]  # [n_rows + 1], where each row's terms begin
        self._terms = arrays["terms"]  # int32, ascending within a row
        self._counts = arrays["counts"]  # uint8, how often the row has the term
        self._champion_starts = arrays["champion_starts"]  # [n_terms + 1]
        self._champions = arrays["champions"]  # int32, the term's best rows, ascending
        lengths = np.asarray(arrays["lengths"], dtype=np.float32)  # [n_rows], in terms
        self._n_rows = len(lengths)
        found = np.asarray(arrays["found"], dtype=np.float64)  # [n_terms], in how many rows
        self._rarity = np.log(1 + (self._n_rows - found + 0.5) / (found + 0.5)).astype(np.float32)
        mean = float(lengths.mean(dtype=np.float64)) if self._n_rows else 0.0
        self._weight_of_length = (K1 * ((1 - LENGTH) + LENGTH * lengths / np.float32(mean or 1.0))).astype(np.float32)
        self._known = lru_cache(maxsize=REMEMBERED)(self._numbers_of)  # a message's terms are wanted three times
        self._scratch = np.zeros(self._n_rows, dtype=np.float32)  # compiled loops keep the interpreter's lock: nobody else meets it half written

    @classmethod
    def build(cls, texts: Sequence[str], is_found: npt.NDArray[np.bool_] | None = None, *, n_champions: int = CHAMPIONS) -> "LargeLexicalIndex":
        """Indexes the texts in order.

        Args:
            texts: any.
            is_found: [n_texts], which of them `search` finds; all when None. Long texts that only confirm what others find make every message dearer.
            n_champions: rows that a term leads to, at most.
        """
        vocabulary: dict[str, int] = {}
        pieces = [_counted(texts[start : start + _TEXTS], vocabulary) for start in range(0, max(1, len(texts)), _TEXTS)]
        terms, counts, per_row, lengths = (np.concatenate(column) for column in zip(*pieces, strict=True))
        found = np.bincount(terms, minlength=len(vocabulary))
        arrays: Arrays = {
            "starts": np.concatenate([[0], np.cumsum(per_row)]).astype(np.int64), "terms": terms, "counts": counts,
            "lengths": lengths, "found": found.astype(np.int64),
            "champion_starts": np.zeros(len(vocabulary) + 1, dtype=np.int64), "champions": np.empty(0, dtype=np.int32),
        }  # fmt: skip
        arrays["champion_starts"], arrays["champions"] = cls(vocabulary, arrays)._best_rows_of_terms(
            n_champions, np.ones(len(texts), dtype=np.bool_) if is_found is None else is_found
        )
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
        return _sums_of_rows(known, rows, self._starts, self._terms, self._counts, self._rarity, self._weight_of_length)

    def search(self, text: str, *, n_rows: int) -> RowHits:
        """Gives up to `n_rows` rows that share a term and may be found, best first, ties by row, of those that the terms' best rows lead to.

        The rarest terms lead, until `POSTINGS` rows were read; the score of a row is of all its terms.
        """
        known = self._known(text)
        lengths = self._champion_starts[known + 1] - self._champion_starts[known]
        order = np.argsort(lengths, kind="stable")
        leading = known[order[: max(1, int(np.searchsorted(np.cumsum(lengths[order]), POSTINGS, side="right")))]][:_LEADING]
        if not len(leading) or n_rows < 1:
            return RowHits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        rows = self._promising(leading, _PROMISING * n_rows)
        scores = self.scores_of(text, rows)
        best = np.argsort(-scores, kind="stable")[:n_rows]  # rows ascend: ties by row
        return RowHits(rows[best], scores[best])

    def _promising(self, terms: Rows, n_rows: int) -> Rows:
        """Rows with the largest sums over the leading terms, ascending; ties by row."""
        rows, sums = _sums_of_champions(terms, self._champion_starts, self._champions, self._rarity, self._scratch)
        if len(rows) <= n_rows:
            return np.sort(rows)
        worth = sums / (1 + self._weight_of_length[rows])
        last = np.partition(worth, -n_rows)[-n_rows]
        better, as_good = rows[worth > last], np.sort(rows[worth == last])
        return np.sort(np.concatenate([better, as_good[: n_rows - len(better)]]))

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


@compiled
def _sums_of_rows(
    known: Rows,
    rows: Rows,
    starts: npt.NDArray[np.int64],
    terms: npt.NDArray[np.int32],
    counts: npt.NDArray[np.uint8],
    rarity: Scores,
    weight_of_length: Scores,
) -> Scores:
    """What each row's known terms come to, [len(rows)]."""
    asked = np.zeros(len(rarity), dtype=np.float32)
    for term in known:
        asked[term] = rarity[term]
    sums = np.empty(len(rows), dtype=np.float32)
    for number, row in enumerate(rows):
        total = 0.0
        for place in range(starts[row], starts[row + 1]):
            rare = asked[terms[place]]
            if rare > 0:  # of dozens of terms a row has, few were said
                count = np.float32(counts[place])
                total += rare * (count / (count + weight_of_length[row]))
        sums[number] = total
    return sums


@compiled
def _sums_of_champions(terms: Rows, starts: npt.NDArray[np.int64], champions: npt.NDArray[np.int32], rarity: Scores, sums: Scores) -> tuple[Rows, Scores]:
    """The rows that the terms lead to, as they are met, and the sum of the terms' rarity for each. `sums` is all zero before and after."""
    n_most = 0
    for term in terms:
        n_most += starts[term + 1] - starts[term]
    rows = np.empty(n_most, dtype=np.int64)
    n_rows = 0
    for term in terms:
        for place in range(starts[term], starts[term + 1]):
            row = champions[place]
            if sums[row] == 0:
                rows[n_rows] = row
                n_rows += 1
            sums[row] += rarity[term]
    found = rows[:n_rows].copy()
    of_found = sums[found]
    sums[found] = 0
    return found, of_found


def _counted(texts: Sequence[str], vocabulary: dict[str, int]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], Rows, npt.NDArray[np.int32]]:
    """The texts' terms by number, new ones numbered as they come: terms and counts row by row, how many terms each row has, and each row's length."""
    numbered = [[vocabulary.setdefault(term, len(vocabulary)) for term in lexical_terms(text)] for text in texts]
    lengths = np.array([len(one) for one in numbered], dtype=np.int64)
    every = np.fromiter(chain.from_iterable(numbered), dtype=np.int64, count=int(lengths.sum()))
    width = max(1, len(vocabulary))
    pairs, counts = np.unique(np.repeat(np.arange(len(texts)), lengths) * width + every, return_counts=True)
    per_row = np.bincount(pairs // width, minlength=len(texts))
    return (pairs % width).astype(np.int32), np.minimum(counts, 255).astype(np.uint8), per_row.astype(np.int64), lengths.astype(np.int32)
