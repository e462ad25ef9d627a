"""Trains the bundled static embedding: tokenizer from corpora, table by contrastive learning. Needs torch; the service does not.

The loss is multiple negatives ranking (Henderson et al. 2017, arXiv:1705.00652) at several Matryoshka widths
(Kusupati et al. 2022, arXiv:2205.13147), as sentence-transformers trains static models; the loop is our own so that a
whole run is tokenised once and the same seed gives the same weights.
"""

import dataclasses
import math
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jieba
import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from indexes.corpora import Corpus
from indexes.disturbance import Disturber

Table = npt.NDArray[np.float32]  # [n_pieces, dimension]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, so that the model card can state it whole."""

    vocabulary_size: int = 30_000
    dimension: int = 256
    widths: tuple[int, ...] = (256, 128, 64)
    batch_size: int = 1_024
    epochs: int = 1
    needs_epochs: int = 1  # passes over the needs bank alone, at the end: it is what shops are asked
    learning_rate: float = 0.01
    scale: float = 20.0  # inverse temperature of the softmax over the batch
    negatives: bool = False  # labelled and mined texts that look alike and mean something else
    misspelt: float = 0.15  # share of anchors written as people type on a phone
    dictionary_start: bool = True  # the table starts from a small English transformer's vectors of the pieces' translations
    rare_first: float = 0.0  # a of a / (a + p(piece)), the starting length of a piece's vector (Arora et al. 2017); 0: all alike
    left_out: tuple[str, ...] = ()  # corpora not trained on
    repeats: tuple[tuple[str, int], ...] = ()  # corpora passed over more than once an epoch
    averaged: int = 3  # runs from the same start over other orders of the pairs, whose tables are averaged (Wortsman et al. 2022, arXiv:2203.05482)
    seed: int = 20_261_122


def build_tokenizer(texts: Sequence[str], *, size: int) -> Tokenizer:
    """Gives a Unigram tokenizer whose pieces are the corpora's words, weighed by how often they come.

    Single characters of the corpora are all in, so that few messages hold an unknown piece; Latin words are whole or fall apart into letters.
    """
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word in jieba.cut(text) if word.strip())
        words.update(text.replace(" ", ""))
    # Emoji are left out: alone they say nothing about a need, and unknown pieces have no vector.
    single = {piece: count for piece, count in words.items() if len(piece) == 1 and unicodedata.category(piece) != "So"}
    longer = [(piece, count) for piece, count in words.most_common() if 1 < len(piece) <= 12 and not piece.isdigit()]
    kept = dict(sorted(single.items(), key=lambda item: (-item[1], item[0]))[: size // 4])
    kept |= dict(longer[: size - len(kept) - 2])
    total = sum(kept.values())
    pieces = [("<pad>", 0.0), ("<unk>", -20.0)] + [(piece, math.log(count / total)) for piece, count in kept.items()]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=1, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    words_and_numbers = Regex(r"[a-z]+|\d|[^a-z\d\s]+")  # digits one by one: a long code is many weak pieces
    tokenizer.pre_tokenizer = pre_tokenizers.Split(words_and_numbers, behavior="removed", invert=True)
    return tokenizer


StartingTable = Callable[[Tokenizer, int], Table]
OnStep = Callable[[int, int, float], None]  # step, of how many, loss


def train(corpora: Sequence[Corpus], recipe: Recipe, *, starting_table: StartingTable | None = None, on_step: OnStep | None = None) -> SentenceTransformer:
    """Gives the trained model.

    Args:
        corpora: what to learn from; the one named `needs` is also passed over alone at the end.
        recipe: how.
        starting_table: gives a table for a tokenizer and a dimension; asked only when the recipe wants it.
        on_step: hears (step, of how many, loss).
    """
    used = [corpus for corpus in corpora if corpus.name not in recipe.left_out]
    texts = [text for corpus in used for pair in corpus.pairs for text in (pair.anchor, pair.positive)]
    tokenizer = build_tokenizer(texts, size=recipe.vocabulary_size)
    start = starting_table(tokenizer, recipe.dimension) if recipe.dictionary_start and starting_table else _random_table(tokenizer.get_vocab_size(), recipe)
    if recipe.rare_first:
        start = start * _rare_first(tokenizer, texts, recipe.rare_first)
    start[0] = 0.0
    encoded = [encode_corpus(tokenizer, corpus, recipe) for corpus in used]
    weights = np.zeros_like(start, dtype=np.float64)
    for number in range(recipe.averaged):
        table = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(start.copy()), freeze=False, mode="mean")
        fit_table(table, encoded, dataclasses.replace(recipe, seed=recipe.seed + number), on_step=_counted(on_step, number, recipe.averaged))
        weights += table.weight.detach().numpy().astype(np.float64) / recipe.averaged
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights.astype(np.float32))], device="cpu")


def _counted(on_step: OnStep | None, number: int, n_runs: int) -> OnStep | None:
    """Steps counted over all runs."""
    return None if on_step is None else lambda step, of, loss: on_step(number * of + step, n_runs * of, loss)


def fit_table(table: torch.nn.EmbeddingBag, corpora: Sequence["EncodedCorpus"], recipe: Recipe, *, on_step: OnStep | None) -> None:
    """Trains the table in place: the recipe's passes over everything, then over the needs bank alone."""
    n_steps = sum(1 for _ in _batches(corpora, recipe))
    optimizer = torch.optim.Adam(table.parameters(), lr=recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.learning_rate, total_steps=n_steps + 1, pct_start=0.1)
    for step, (corpus, rows) in enumerate(_batches(corpora, recipe), start=1):
        loss = _matryoshka_loss(table, corpus, rows, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if on_step is not None:
            on_step(step, n_steps, float(loss.detach()))


def save(model: SentenceTransformer, out_dir: Path) -> None:
    """Writes a normal sentence-transformers folder, its table in half precision (half the size, same ranking)."""
    model.half()
    model.save(str(out_dir), safe_serialization=True, create_model_card=False)


def _random_table(n_pieces: int, recipe: Recipe) -> Table:
    generator = torch.Generator().manual_seed(recipe.seed)
    return np.asarray(torch.empty(n_pieces, recipe.dimension).normal_(0.0, 0.2, generator=generator).numpy(), dtype=np.float32)


def _rare_first(tokenizer: Tokenizer, texts: Sequence[str], a: float) -> Table:
    counts = np.ones(tokenizer.get_vocab_size(), dtype=np.float64)
    for encoding in tokenizer.encode_batch(list(dict.fromkeys(texts)), add_special_tokens=False):
        np.add.at(counts, encoding.ids, 1)
    return np.asarray(a / (a + counts / counts.sum()), dtype=np.float32)[:, None]


@dataclass(frozen=True, slots=True)
class EncodedCorpus:
    """A corpus as piece ids. Texts are numbered once; pairs are rows of numbers."""

    name: str
    ids: list[npt.NDArray[np.int64]]  # of each text; a text's misspelt copy stands at its number + n_texts
    pairs: npt.NDArray[np.int64]  # [n_pairs, 4]: anchor, positive, negative or -1, group
    n_texts: int


def encode_corpus(tokenizer: Tokenizer, corpus: Corpus, recipe: Recipe) -> EncodedCorpus:
    """Tokenises every text once. Texts without a piece, and their pairs, fall out."""
    texts = list(dict.fromkeys(text for pair in corpus.pairs for text in (pair.anchor, pair.positive, pair.negative)))
    number = {text: row for row, text in enumerate(texts)}
    copies: list[str] = []
    if recipe.misspelt:
        disturber, rng = Disturber(texts), random.Random(recipe.seed)
        copies = [disturber.misspell(text, rng) for text in texts]
    ids = [np.array(encoding.ids, dtype=np.int64) for encoding in tokenizer.encode_batch(texts + copies, add_special_tokens=False)]
    group = {name: row for row, name in enumerate(dict.fromkeys(pair.group or f"\t{pair.positive}" for pair in corpus.pairs))}
    rows = []
    for pair in corpus.pairs:
        anchor, positive = number[pair.anchor], number[pair.positive]
        negative = number[pair.negative] if pair.negative and recipe.negatives else -1
        if len(ids[anchor]) and len(ids[positive]):
            rows.append((anchor, positive, negative, group[pair.group or f"\t{pair.positive}"]))
    return EncodedCorpus(corpus.name, ids, np.array(rows, dtype=np.int64).reshape(-1, 4), len(texts))


def _batches(corpora: Sequence[EncodedCorpus], recipe: Recipe) -> Iterator[tuple[EncodedCorpus, npt.NDArray[np.int64]]]:
    rng = np.random.default_rng(recipe.seed)
    repeats = dict(recipe.repeats)
    for epoch in range(recipe.epochs + recipe.needs_epochs):
        chunks = []
        for corpus in corpora:
            if epoch >= recipe.epochs and corpus.name != "needs":
                continue
            for _ in range(repeats.get(corpus.name, 1)):
                rows = corpus.pairs[rng.permutation(len(corpus.pairs))]
                rows = _misspelt(rows, corpus, recipe, rng)
                chunks += [(corpus, rows[i : i + recipe.batch_size]) for i in range(0, len(rows), recipe.batch_size)]
        yield from (chunks[i] for i in rng.permutation(len(chunks)) if len(chunks[i][1]) > 1)


def _misspelt(rows: npt.NDArray[np.int64], corpus: EncodedCorpus, recipe: Recipe, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    if recipe.misspelt:
        changed = rng.random(len(rows)) < recipe.misspelt
        changed &= np.array([len(corpus.ids[anchor + corpus.n_texts]) > 0 for anchor in rows[:, 0]])
        rows[:, 0] += changed * corpus.n_texts
    return rows


def _bag(table: torch.nn.EmbeddingBag, rows: list[npt.NDArray[np.int64]]) -> torch.Tensor:
    offsets = np.cumsum([0, *[len(row) for row in rows[:-1]]])
    vectors: torch.Tensor = table(torch.from_numpy(np.concatenate(rows)), torch.from_numpy(offsets.astype(np.int64)))  # (n, dimension)
    return vectors


def _matryoshka_loss(table: torch.nn.EmbeddingBag, corpus: EncodedCorpus, rows: npt.NDArray[np.int64], recipe: Recipe) -> torch.Tensor:
    anchors = _bag(table, [corpus.ids[row] for row in rows[:, 0]])
    negative_rows = np.unique(rows[:, 2][rows[:, 2] >= 0])
    negative_rows = negative_rows[[len(corpus.ids[row]) > 0 for row in negative_rows]]
    candidates = _bag(table, [corpus.ids[row] for row in (*rows[:, 1], *negative_rows)])
    # Another row of the same group is not a negative; neither is a mined text that happens to be some row's positive or anchor.
    alike = rows[:, 3][:, None] == rows[:, 3][None, :]
    np.fill_diagonal(alike, False)
    own_texts = (rows[:, :1] % corpus.n_texts == negative_rows[None, :]) | (rows[:, 1:2] == negative_rows[None, :])
    masked = torch.from_numpy(np.concatenate([alike, own_texts], axis=1))
    n = len(rows)
    losses = []
    for width in recipe.widths:
        a = torch.nn.functional.normalize(anchors[:, :width], dim=1)
        c = torch.nn.functional.normalize(candidates[:, :width], dim=1)
        similarities = ((a @ c.T) * recipe.scale).masked_fill(masked, -1e4)  # (n, n + n_negatives), own positive on the diagonal
        own = torch.arange(n)
        losses.append(torch.nn.functional.cross_entropy(similarities, own) + torch.nn.functional.cross_entropy(similarities[:, :n].T, own))
    return torch.stack(losses).mean()
