"""BM25 over short texts, by bm25s. Chinese is read as single characters and pairs, everything else as words.

Characters and pairs match jieba's words within half a point on LCQMC (`shared` pilot: .866 against .868 MRR@10), need no dictionary and cost a tenth.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.vector_index import RowHits
from knowledge.normalise import match_form

_PIECES = re.compile(r"[a-z]+|\d+|[㐀-鿿]+")
K1, LENGTH = 1.2, 0.5  # BM25: short texts differ in length for no reason
REMEMBERED = 1_024  # texts whose terms are at hand: a draft is compared with the others, with its passages and with their sentences
Scores = npt.NDArray[np.float32]


@lru_cache(maxsize=REMEMBERED)
def lexical_terms(text: str) -> tuple[str, ...]:
    """Gives the terms of a text, repeats included: 「退货 abc」 → 退, 货, 退货, abc."""
    terms: list[str] = []
    for piece in _PIECES.findall(match_form(text)):
        if piece[0] < "㐀":
            terms.append(piece)
        else:
            terms += list(piece)
            terms += [piece[i : i + 2] for i in range(len(piece) - 1)]
    return tuple(terms)


class LexicalIndex:
    """BM25 scores of rows of text (Lucene's variant)."""

    def __init__(self, bm25: bm25s.BM25 | None, n_rows: int) -> None:
        self._bm25 = bm25
        self._n_rows = n_rows
        self._known = lru_cache(maxsize=REMEMBERED)(self._numbers_of)  # a message's terms are wanted three times
        self._by_row = _by_row(bm25.scores, n_rows) if bm25 is not None else None

    @classmethod
    def build(cls, texts: Sequence[str]) -> "LexicalIndex":
        """Indexes the texts in order."""
        terms = [list(lexical_terms(text)) for text in texts]
        if not any(terms):
            return cls(None, len(texts))
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=LENGTH)
        bm25.index(terms, show_progress=False)
        return cls(bm25, len(texts))

    @classmethod
    def read(cls, folder: Path) -> "LexicalIndex":
        """Reads what `write` wrote."""
        n_rows = int((folder / "rows.txt").read_text(encoding="ascii"))
        has_terms = (folder / "params.index.json").exists()
        return cls(bm25s.BM25.load(str(folder), load_corpus=False, allow_pickle=False) if has_terms else None, n_rows)

    def write(self, folder: Path) -> None:
        """Writes NumPy arrays and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.txt").write_text(str(self._n_rows), encoding="ascii")
        if self._bm25 is not None:
            self._bm25.save(str(folder), allow_pickle=False)

    def __len__(self) -> int:
        return self._n_rows

    def scores(self, text: str) -> Scores:
        """Gives the BM25 score of every row, float32[n_rows], zero where no term is shared."""
        known = self._known(text)
        if self._bm25 is None or not len(known):
            return np.zeros(self._n_rows, dtype=np.float32)
        stored = self._bm25.scores
        return _sums_of_terms(known, stored["indptr"], stored["indices"], stored["data"], self._n_rows)

    def scores_of(self, text: str, rows: npt.NDArray[np.int64]) -> Scores:
        """Gives the BM25 score of some of the rows, in their order: as `scores` does, at the cost of those rows alone."""
        known = self._known(text)
        if self._bm25 is None or self._by_row is None or not len(known):
            return np.zeros(len(rows), dtype=np.float32)
        starts, terms, weights = self._by_row
        return _sums_of_rows(known, rows, starts, terms, weights, len(self._bm25.scores["indptr"]))

    def _numbers_of(self, text: str) -> npt.NDArray[np.int64]:
        """Numbers of the text's terms that some row has, each once, ascending."""
        vocabulary = {} if self._bm25 is None else self._bm25.vocab_dict
        return np.array(sorted({*map(vocabulary.get, lexical_terms(text))} - {None}), dtype=np.int64)

    def search(self, text: str, *, n_rows: int) -> RowHits:
        """Gives up to `n_rows` rows that share a term, best first, ties by row."""
        scores = self.scores(text)
        n_found = min(n_rows, int((scores > 0).sum()))
        if n_found == 0:
            return RowHits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        last = np.partition(scores, -n_found)[-n_found]
        rows = np.flatnonzero(scores >= last)  # every row tied with the last, so that the cut is by row too
        order = np.lexsort((rows, -scores[rows]))[:n_found]
        return RowHits(rows[order], scores[rows][order])


@compiled
def _sums_of_terms(known: npt.NDArray[np.int64], starts: npt.NDArray[Any], rows: npt.NDArray[Any], weights: Scores, n_rows: int) -> Scores:
    """What each row's weights of the known terms come to, the weights standing term by term, [n_rows]."""
    sums = np.zeros(n_rows, dtype=np.float64)
    for term in known:
        for place in range(starts[term], starts[term + 1]):
            sums[rows[place]] += weights[place]
    return sums.astype(np.float32)


@compiled
def _sums_of_rows(
    known: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], terms: npt.NDArray[np.int32], weights: Scores, n_terms: int
) -> Scores:
    """The same for some rows, the weights standing row by row, [len(rows)]."""
    asked = np.zeros(n_terms, dtype=np.bool_)
    asked[known] = True
    sums = np.empty(len(rows), dtype=np.float32)
    for number, row in enumerate(rows):
        total = 0.0
        for place in range(starts[row], starts[row + 1]):
            if asked[terms[place]]:
                total += weights[place]
        sums[number] = total
    return sums


def _by_row(scores: Mapping[str, Any], n_rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Scores]:
    """The same weights row by row: where each row's begin, [n_rows + 1], the terms and their weights."""
    rows = scores["indices"]
    order = np.argsort(rows, kind="stable")
    terms = np.repeat(np.arange(len(scores["indptr"]) - 1, dtype=np.int32), np.diff(scores["indptr"]))
    return np.searchsorted(rows[order], np.arange(n_rows + 1)).astype(np.int64), terms[order], np.asarray(scores["data"], dtype=np.float32)[order]
