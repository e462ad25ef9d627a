"""Trains the bundled static embedding: tokenizer from corpora, table by contrastive learning. Needs torch; the service does not.

The loss is multiple negatives ranking (Henderson et al. 2017, arXiv:1705.00652) at several Matryoshka widths
(Kusupati et al. 2022, arXiv:2205.13147), as sentence-transformers trains static models; the loop is our own so that a
whole run is tokenised once and the same seed gives the same weights.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jieba
import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import StaticEmbedding
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from indexes.corpora import Corpus, TextPair

_LATIN = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, so that the model card can state it whole."""

    vocabulary_size: int = 30_000
    dimension: int = 256
    widths: tuple[int, ...] = (256, 128, 64)
    batch_size: int = 1_024
    epochs: int = 3
    needs_epochs: int = 2  # passes over the needs bank alone, at the end: it is what shops are asked
    learning_rate: float = 0.05
    scale: float = 20.0  # inverse temperature of the softmax over the batch
    seed: int = 20_261_121


def build_tokenizer(texts: Sequence[str], *, size: int) -> Tokenizer:
    """Gives a Unigram tokenizer whose pieces are the corpora's words, weighed by how often they come.

    Single characters of the corpora are all in, so that few messages hold an unknown piece; Latin words are whole or fall apart into letters.
    """
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word in jieba.cut(text) if word.strip())
        words.update(text.replace(" ", ""))
    single = {piece: count for piece, count in words.items() if len(piece) == 1}
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


def train(corpora: Sequence[Corpus], recipe: Recipe, *, on_step: Callable[[int, int, float], None] | None = None) -> SentenceTransformer:
    """Gives the trained model; `on_step` hears (step, of how many, loss)."""
    tokenizer = build_tokenizer([text for corpus in corpora for pair in corpus.pairs for text in (pair.anchor, pair.positive)], size=recipe.vocabulary_size)
    generator = torch.Generator().manual_seed(recipe.seed)
    table = torch.nn.EmbeddingBag(tokenizer.get_vocab_size(), recipe.dimension, mode="mean", padding_idx=0)
    with torch.no_grad():
        table.weight.normal_(0.0, 0.2, generator=generator)
        table.weight[0] = 0.0
    encoded = {corpus.name: _encode_pairs(tokenizer, corpus.pairs) for corpus in corpora}
    n_steps = sum(1 for _ in _batches(encoded, recipe))
    optimizer = torch.optim.Adam(table.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.learning_rate, total_steps=n_steps + 1, pct_start=0.1)
    for step, batch in enumerate(_batches(encoded, recipe), start=1):
        loss = _matryoshka_loss(table, batch, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if on_step is not None:
            on_step(step, n_steps, float(loss.detach()))
    weights = table.weight.detach().numpy().astype(np.float32)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu")


def save(model: SentenceTransformer, out_dir: Path) -> None:
    """Writes a normal sentence-transformers folder, its table in half precision (half the size, same ranking)."""
    model.half()
    model.save(str(out_dir), safe_serialization=True, create_model_card=False)


EncodedPair = tuple[list[int], list[int], str]


def _encode_pairs(tokenizer: Tokenizer, pairs: Sequence[TextPair]) -> list[EncodedPair]:
    anchors = tokenizer.encode_batch([pair.anchor for pair in pairs], add_special_tokens=False)
    positives = tokenizer.encode_batch([pair.positive for pair in pairs], add_special_tokens=False)
    return [(a.ids, p.ids, pair.group) for a, p, pair in zip(anchors, positives, pairs, strict=True) if a.ids and p.ids]


def _batches(encoded: dict[str, list[EncodedPair]], recipe: Recipe) -> Iterator[list[EncodedPair]]:
    rng = random.Random(recipe.seed)
    for epoch in range(recipe.epochs + recipe.needs_epochs):
        chunks = []
        for name in sorted(encoded) if epoch < recipe.epochs else ["needs"]:
            pairs = encoded.get(name, [])[:]
            rng.shuffle(pairs)
            chunks += [pairs[i : i + recipe.batch_size] for i in range(0, len(pairs), recipe.batch_size)]
        rng.shuffle(chunks)
        yield from (chunk for chunk in chunks if len(chunk) > 1)


def _bag(table: torch.nn.EmbeddingBag, rows: list[list[int]]) -> torch.Tensor:
    offsets = np.cumsum([0, *[len(row) for row in rows[:-1]]])
    flat = torch.tensor([piece for row in rows for piece in row], dtype=torch.long)
    vectors: torch.Tensor = table(flat, torch.from_numpy(offsets.astype(np.int64)))  # (n, dimension)
    return vectors


def _matryoshka_loss(table: torch.nn.EmbeddingBag, batch: list[EncodedPair], recipe: Recipe) -> torch.Tensor:
    anchors, positives = _bag(table, [a for a, _, _ in batch]), _bag(table, [p for _, p, _ in batch])
    alike = _alike(batch)
    losses = []
    for width in recipe.widths:
        a = torch.nn.functional.normalize(anchors[:, :width], dim=1)
        p = torch.nn.functional.normalize(positives[:, :width], dim=1)
        similarities = (a @ p.T) * recipe.scale  # (n, n), own positive on the diagonal
        similarities = similarities.masked_fill(alike, -1e4)
        own = torch.arange(len(batch))
        losses.append(torch.nn.functional.cross_entropy(similarities, own) + torch.nn.functional.cross_entropy(similarities.T, own))
    return torch.stack(losses).mean()


def _alike(batch: list[EncodedPair]) -> torch.Tensor:
    """True where another row has the very same positive or is of the same group: not a negative, so masked."""
    keys = [group or str(positive) for _, positive, group in batch]
    numbers = np.unique(np.array(keys), return_inverse=True)[1]
    same = numbers[:, None] == numbers[None, :]
    np.fill_diagonal(same, False)
    return torch.from_numpy(same)
