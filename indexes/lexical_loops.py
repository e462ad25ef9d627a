"""The loops of a large shop's BM25: sums over rows, sums over the rows that terms lead to, and the largest of those."""

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.lexical_index import Scores
from indexes.vector_index import Rows

_BINS = 1_024  # few enough to stay in the processor's nearest memory, enough that one holds but a few of thousands


@compiled
def sums_of_rows(
    known: Rows,
    rows: Rows,
    starts: npt.NDArray[np.int64],
    terms: npt.NDArray[np.int32],
    counts: npt.NDArray[np.uint8],
    rarity: Scores,
    weight_of_length: Scores,
    asked: Scores,
) -> Scores:
    """What each row's known terms come to, [len(rows)]. `asked` is all zero before and after."""
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
    for term in known:
        asked[term] = 0
    return sums


@compiled
def worth_of_champions(
    terms: Rows, starts: npt.NDArray[np.int64], champions: npt.NDArray[np.int32], rarity: Scores, weight_of_length: Scores, sums: Scores
) -> tuple[Rows, Scores]:
    """The rows that the terms lead to, as they are met, and the sum of the terms' rarity for each by its length. `sums` is all zero before and after."""
    n_most = 0
    for term in terms:
        n_most += starts[term + 1] - starts[term]
    rows = np.empty(n_most, dtype=np.int64)
    n_rows = 0
    for term in terms:
        rare = rarity[term]
        for place in range(starts[term], starts[term + 1]):
            row = champions[place]
            if sums[row] == 0:
                rows[n_rows] = row
                n_rows += 1
            sums[row] += rare
    worth = np.empty(n_rows, dtype=np.float32)
    for number in range(n_rows):
        row = rows[number]
        worth[number] = sums[row] / (1 + weight_of_length[row])
        sums[row] = 0
    return rows[:n_rows], worth


@compiled
def largest(rows: Rows, worth: Scores, n_rows: int) -> Rows:
    """The `n_rows` rows of the largest worth, ties by row, in no order. Counted into `_BINS` first: only those of the last bin are compared with each other."""
    most = worth.max()
    counts = np.zeros(_BINS, dtype=np.int64)
    bins = np.empty(len(rows), dtype=np.int16)
    step = np.float32((_BINS - 1) / most)
    for number in range(len(rows)):
        bins[number] = np.int16(worth[number] * step)
        counts[bins[number]] += 1
    last, above = _BINS - 1, 0
    while above + counts[last] < n_rows:
        above += counts[last]
        last -= 1
    found = np.empty(n_rows, dtype=np.int64)
    doubtful = np.empty(counts[last], dtype=np.int64)
    n_found, n_doubtful = 0, 0
    for number in range(len(rows)):
        if bins[number] > last:
            found[n_found] = rows[number]
            n_found += 1
        elif bins[number] == last:
            doubtful[n_doubtful] = number
            n_doubtful += 1
    by_row = doubtful[np.argsort(rows[doubtful], kind="mergesort")]
    best = by_row[np.argsort(-worth[by_row], kind="mergesort")]
    found[n_found:] = rows[best[: n_rows - n_found]]
    return found
