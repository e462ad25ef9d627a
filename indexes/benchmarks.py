"""How good an embedding is, on public corpora it was not trained on and on the needs bank. No shop is involved.

Every measure takes a function from texts to unit vectors, or to BM25 scores, so that all rivals stand in one table.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from indexes.classifier import ngram_codes
from indexes.corpora import PARAPHRASE_BENCHMARKS, JudgedPair, judged_pairs, plain, response_selections
from indexes.lexical_index import LexicalIndex
from knowledge.needs_bank import read_phrasings
from knowledge.normalise import strip_console

_CUTOFF = 10
_CANDIDATES = 10
_KEYWORDS = 5

# (texts that ask, texts that are searched, how many) → rows of the best, best first: [n_asking, n]
Search = Callable[[Sequence[str], Sequence[str], int], npt.NDArray[np.int64]]
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where the first right text stood, over all queries."""

    n_queries: int
    n_texts: int
    mrr_at_10: float
    recall_at_1: float
    recall_at_10: float


def dense_search(encode: Encode) -> Search:
    """Gives exact search by inner product."""

    def search(asking: Sequence[str], searched: Sequence[str], n: int) -> npt.NDArray[np.int64]:
        vectors = encode(searched)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        rows: npt.NDArray[np.int64] = index.search(encode(asking), min(n, len(searched)))[1]
        return rows

    return search


def lexical_search(asking: Sequence[str], searched: Sequence[str], n: int) -> npt.NDArray[np.int64]:
    """Gives BM25 search, as the product does it."""
    index = LexicalIndex.build(searched)
    return np.stack([np.argsort(-index.scores(text), kind="stable")[:n] for text in asking])


def paraphrases(path: Path, search: Search) -> Ranked:
    """Finds a question's paraphrases among all sentences of the file.

    Paraphrase is taken as transitive: of the pairs (a, b) and (b, c), c answers a too. Every sentence that has a paraphrase asks once.
    """
    pairs = judged_pairs(path)
    groups = paraphrase_groups(pairs)
    sentences = sorted(groups)
    members = Counter(groups.values())
    asking = [sentence for sentence in sentences if members[groups[sentence]] > 1]
    found = search([plain(text) for text in asking], [plain(text) for text in sentences], _CUTOFF + 1)
    ranks = []
    for text, rows in zip(asking, found, strict=True):
        others = [sentences[row] for row in rows if sentences[row] != text][:_CUTOFF]
        ranks.append(next((rank for rank, other in enumerate(others, start=1) if groups[other] == groups[text]), 0))
    return _ranked(ranks, n_texts=len(sentences))


def paraphrase_groups(pairs: Sequence[JudgedPair]) -> dict[str, str]:
    """Gives sentence → the first sentence of its group."""
    first: dict[str, str] = {}

    def root(text: str) -> str:
        while first.setdefault(text, text) != text:
            text = first[text]
        return text

    for pair in pairs:
        one, other = sorted((root(pair.one), root(pair.other)))
        if pair.same:
            first[other] = one
    return {text: root(text) for text in list(first)}


def _ranked(ranks: Sequence[int], *, n_texts: int) -> Ranked:
    """From the rank of the first right text of each query, 0 where none is among the first ten."""
    found = np.array(ranks)
    reciprocal = np.where(found > 0, 1 / np.maximum(found, 1), 0.0)
    return Ranked(len(found), n_texts, float(reciprocal.mean()), float((found == 1).mean()), float((found > 0).mean()))


@dataclass(frozen=True, slots=True)
class Selected:
    """Share of chats in which the agent's true reply came first of ten."""

    n_chats: int
    among_random: float  # nine replies of other chats
    among_alike: float  # nine replies of this file that BM25 finds for the last turn and the chat's keywords


def response_selection(data_dir: Path, encode: Encode, *, n_turns: int = 2, seed: int = 7) -> Selected:
    """Chooses the agent's next turn among ten, from the last turns of the chat. Replies equal to the true one are no distractors."""
    chats = response_selections(data_dir)
    replies = sorted({reply for _, reply in chats})
    row = {reply: number for number, reply in enumerate(replies)}
    asked = encode([plain(" ".join(context[-n_turns:])) for context, _ in chats])
    answers = encode([plain(reply) for reply in replies])
    alike = _alike_replies(chats, replies)
    rng = np.random.default_rng(seed)
    hits = np.zeros((len(chats), 2), dtype=np.bool_)
    for number, (_, reply) in enumerate(chats):
        own = row[reply]
        drawn = [other for other in rng.choice(len(replies), size=_CANDIDATES, replace=False) if other != own][: _CANDIDATES - 1]
        near = [other for other in alike[number] if other != own][: _CANDIDATES - 1]
        score = answers @ asked[number]
        hits[number] = [score[own] > score[drawn].max(), score[own] > score[near].max()]
    return Selected(len(chats), float(hits[:, 0].mean()), float(hits[:, 1].mean()))


def _alike_replies(chats: Sequence[tuple[list[str], str]], replies: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    index = LexicalIndex.build(replies)
    documents = Counter(pair for reply in replies for pair in {reply[i : i + 2] for i in range(len(reply) - 1)})
    found = []
    for context, _ in chats:
        said = Counter(turn[i : i + 2] for turn in context for i in range(len(turn) - 1))
        weight = {pair: count * math.log(len(replies) / (1 + documents[pair])) for pair, count in said.items()}
        keywords = sorted(weight, key=lambda pair: (-weight[pair], pair))[:_KEYWORDS]
        scores = index.scores(" ".join([context[-1], *keywords]))
        found.append(np.argsort(-scores, kind="stable")[: _CANDIDATES + 1])
    return found


def tfidf_encoder(corpus: Sequence[str], *, n_buckets: int = 2**15) -> Encode:
    """Gives hashed TF-IDF vectors of characters and pairs: the plainest rival."""
    counts = np.ones(n_buckets, dtype=np.float32)
    for text in corpus:
        counts[_buckets(text, n_buckets)] += 1
    weights = np.log(len(corpus) / counts)

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), n_buckets), dtype=np.float32)
        for number, text in enumerate(texts):
            buckets = _buckets(text, n_buckets)
            vectors[number, buckets] = weights[buckets]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)

    return encode


def _buckets(text: str, n_buckets: int) -> list[int]:
    return sorted({code % n_buckets for code in ngram_codes(text)})


@dataclass(frozen=True, slots=True)
class NeedSearch:
    """Whether the nearest phrasing of the writers heard is of the same need."""

    need_at_1: float
    scenario_at_1: float


def nearest_need(encode: Encode, heard: Sequence[tuple[str, str]], asked: Sequence[tuple[str, str]]) -> NeedSearch:
    """Looks up each asked (need, text) among the heard ones by the nearest vector."""
    rows = dense_search(encode)([text for _, text in asked], [text for _, text in heard], 1)[:, 0]
    got = [heard[row][0] for row in rows]
    scenario = [one.split("/")[0] == need.split("/")[0] for one, (need, _) in zip(got, asked, strict=True)]
    return NeedSearch(float(np.mean([one == need for one, (need, _) in zip(got, asked, strict=True)])), float(np.mean(scenario)))


def embedding_figures(data_dir: Path, encode: Encode) -> dict[str, dict[str, float]]:
    """Gives every quality figure of one model, rounded to four digits."""
    heard: list[tuple[str, str]] = []
    asked: list[tuple[str, str]] = []
    for phrasing in read_phrasings("zh"):
        (asked if phrasing.held_out else heard).append((phrasing.need, strip_console(phrasing.text)))
    return paraphrase_figures(data_dir, dense_search(encode)) | {
        "response": _figures(response_selection(data_dir, encode)),
        "nearest need, held-out writers": _figures(nearest_need(encode, heard, asked)),
    }


def paraphrase_figures(data_dir: Path, search: Search) -> dict[str, dict[str, float]]:
    """Gives the paraphrase figures by file, rounded to four digits."""
    return {name: _figures(paraphrases(data_dir / "pairs" / name, search)) for name in PARAPHRASE_BENCHMARKS}


def _figures(found: Ranked | Selected | NeedSearch) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(found).items()}
