"""Tunes a copy of a static embedding's table on a shop's pairs, with the needs bank mixed in. Needs torch.

The loss is multiple negatives ranking (Henderson et al. 2017, arXiv:1705.00652), as in `training`; only pieces that occur in the pairs move.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from indexes.embedder import Vectors, unit
from knowledge.normalise import match_form

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TableRecipe:
    """Everything that decides the tuned table. Chosen by cross-validation on the demo shop's train and dev chats, 2026-11-22."""

    epochs: int = 2
    min_steps: int = 60  # a small shop is passed over more often: six steps teach nothing
    batch_size: int = 512
    learning_rate: float = 4e-2
    scale: float = 20.0  # inverse temperature of the softmax over the batch
    seed: int = 20_261_122


@dataclass(frozen=True, slots=True)
class GroupedPairs:
    """Pairs of one kind; a batch never mixes kinds. Texts that share a group are never each other's negatives."""

    pairs: Sequence[tuple[str, str]]
    groups: dict[str, frozenset[str]]


class PieceReader:
    """Texts as the ids of an embedding's pieces, each text read once. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._known: dict[str, Ids] = {}

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Gives each text's piece ids, in order; empty where a text has none."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        for text, encoding in zip(fresh, self._tokenizer.encode_batch([match_form(text) for text in fresh], add_special_tokens=False), strict=True):
            self._known[text] = np.array(encoding.ids, dtype=np.int64)
        return [self._known[text] for text in texts]

    def vectors(self, table: Vectors, texts: Sequence[str]) -> Vectors:
        """Gives the texts' unit vectors under a table: those that an embedder with this table would give."""
        rows = self.ids(texts)
        found = np.zeros((len(rows), table.shape[1]), dtype=np.float32)
        filled = [row for row, ids in enumerate(rows) if len(ids)]
        if filled:
            flat, starts = _flat([rows[row] for row in filled])
            found[filled] = torch.nn.functional.embedding_bag(flat, torch.from_numpy(table), starts, mode="mean").numpy()
        return unit(found)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums are taken in one order however many cores there are: the same weights everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@one_thread()
def tune_table(table: Vectors, reader: PieceReader, kinds: Sequence[GroupedPairs], recipe: TableRecipe) -> Vectors:
    """Gives a tuned copy of the table, in half precision's values. Same pairs, same recipe, same table.

    Args:
        table: float32[n_pieces, dimension].
        reader: of the table's tokenizer.
        kinds: what to learn from: the shop's pairs and the replayed ones.
        recipe: how.
    """
    torch.manual_seed(recipe.seed)
    encoded = [_Encoded.of(kind, reader) for kind in kinds if kind.pairs]
    used = np.unique(np.concatenate([ids for one in encoded for ids in one.ids] or [np.empty(0, dtype=np.int64)]))
    if not len(used):
        return table.copy()
    encoded = [replace(one, ids=[np.searchsorted(used, ids) for ids in one.ids]) for one in encoded]
    bag = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(table[used]), freeze=False, mode="mean")
    batches = list(_batches(encoded, recipe))
    optimizer = torch.optim.Adam(bag.parameters(), lr=recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.learning_rate, total_steps=len(batches) + 1, pct_start=0.1)
    for one, rows in batches:
        loss = _loss(bag, one, rows, recipe.scale)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    tuned = table.copy()
    tuned[used] = bag.weight.detach().numpy()
    return tuned.astype(np.float16).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Encoded:
    ids: list[Ids]  # of each text
    groups: list[frozenset[str]]  # of each text
    pairs: Ids  # [n_pairs, 2], rows of texts

    @classmethod
    def of(cls, kind: GroupedPairs, reader: PieceReader) -> "_Encoded":
        """Texts without a piece, and their pairs, fall out."""
        texts = list(dict.fromkeys(text for pair in kind.pairs for text in pair))
        ids = reader.ids(texts)
        number = {text: row for row, text in enumerate(texts) if len(ids[row])}
        rows = [(number[one], number[other]) for one, other in kind.pairs if one in number and other in number]
        return cls(ids, [kind.groups[text] for text in texts], np.array(rows, dtype=np.int64).reshape(-1, 2))


def _batches(encoded: Sequence[_Encoded], recipe: TableRecipe) -> Iterator[tuple[_Encoded, Ids]]:
    rng = np.random.default_rng(recipe.seed)
    a_pass = sum(math.ceil(len(one.pairs) / recipe.batch_size) for one in encoded)
    for _ in range(max(recipe.epochs, math.ceil(recipe.min_steps / a_pass))):
        chunks = []
        for one in encoded:
            rows = one.pairs[rng.permutation(len(one.pairs))]
            chunks += [(one, rows[start : start + recipe.batch_size]) for start in range(0, len(rows), recipe.batch_size)]
        yield from (chunks[number] for number in rng.permutation(len(chunks)) if len(chunks[number][1]) > 1)


def _loss(bag: torch.nn.EmbeddingBag, one: _Encoded, rows: Ids, scale: float) -> torch.Tensor:
    anchors, positives = (_embed(bag, [one.ids[row] for row in column]) for column in rows.T)
    alike = _share_group(*([one.groups[row] for row in column] for column in rows.T)).fill_diagonal_(False)
    similarities = ((anchors @ positives.T) * scale).masked_fill(alike, -1e4)  # (n, n), own positive on the diagonal
    own = torch.arange(len(rows))
    loss: torch.Tensor = torch.nn.functional.cross_entropy(similarities, own) + torch.nn.functional.cross_entropy(similarities.T, own)
    return loss


def _flat(ids: Sequence[Ids]) -> tuple[torch.Tensor, torch.Tensor]:
    """Gives the ids one after another, and where each text's begin."""
    return torch.from_numpy(np.concatenate(ids)), torch.from_numpy(np.cumsum([0, *[len(row) for row in ids[:-1]]], dtype=np.int64))


def _embed(bag: torch.nn.EmbeddingBag, ids: Sequence[Ids]) -> torch.Tensor:
    vectors: torch.Tensor = torch.nn.functional.normalize(bag(*_flat(ids)), dim=1)  # (n, dimension)
    return vectors


def _share_group(ones: Sequence[frozenset[str]], others: Sequence[frozenset[str]]) -> torch.Tensor:
    """Gives bool[n_ones, n_others]: whether the two share a group."""
    number = {name: column for column, name in enumerate(sorted(frozenset().union(*ones, *others)))}

    def members(groups: Sequence[frozenset[str]]) -> torch.Tensor:
        table = torch.zeros(len(groups), len(number))
        table[[row for row, names in enumerate(groups) for _ in names], [number[name] for names in groups for name in names]] = 1
        return table

    return members(ones) @ members(others).T > 0
