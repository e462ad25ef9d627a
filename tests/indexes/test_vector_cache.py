import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexes.embedder import Vectors
from indexes.vector_cache import BLOCK, CachedEmbedder, VectorCache
from tests.fakes import DIMENSION, FakeEmbedder

TEXTS = ["退货", "发票抬头", "几天到", "退货"]


class CountingEmbedder(FakeEmbedder):
    """Remembers what it was asked."""

    def __init__(self, model_id: str = "fake-16") -> None:
        super().__init__(model_id)
        self.asked: list[str] = []

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().encode_document(texts)


def embed(folder: Path | None, texts: Sequence[str], model_id: str = "fake-16", *, save: bool = True) -> tuple[Vectors, list[str], VectorCache]:
    """What a run gives for the texts, what it had to compute, and its cache."""
    embedder, cache = CountingEmbedder(model_id), VectorCache(folder)
    vectors = CachedEmbedder(embedder, cache).encode_document(texts)
    if save:
        cache.save()
    return vectors, embedder.asked, cache


def test_the_same_text_twice_has_two_rows_and_is_computed_once(tmp_path: Path):
    vectors, asked, cache = embed(tmp_path, TEXTS)

    assert asked == TEXTS[:3]
    np.testing.assert_array_equal(vectors, FakeEmbedder().encode_document(TEXTS))
    assert cache.counts == {"embedding": {"texts": 4, "computed": 3}}


def test_the_next_run_computes_only_new_text_and_gives_the_same_bytes(tmp_path: Path):
    embed(tmp_path, TEXTS)
    new = ["几天到", "改地址", "退货", "改地址"]

    vectors, asked, _ = embed(tmp_path, new)

    assert asked == ["改地址"]
    assert vectors.tobytes() == FakeEmbedder().encode_document(new).tobytes()


def test_another_model_has_other_vectors(tmp_path: Path):
    embed(tmp_path, TEXTS)

    _, asked, _ = embed(tmp_path, TEXTS, "fake-17")

    assert asked == TEXTS[:3]
    assert len(list(tmp_path.iterdir())) == 1  # the old model's are forgotten


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "other"])
def test_a_damaged_file_is_noticed_and_its_texts_are_computed_again(tmp_path: Path, harm: str):
    embed(tmp_path, TEXTS)
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    harmed = {"flip": content[:-1] + bytes([content[-1] ^ 1]), "cut": content[:-7], "empty": b"", "other": b"no array"}[harm]
    path.write_bytes(harmed)

    vectors, asked, cache = embed(tmp_path, TEXTS)

    assert (asked, cache.damaged) == (TEXTS[:3], [path.name])
    assert vectors.tobytes() == FakeEmbedder().encode_document(TEXTS).tobytes()
    assert embed(tmp_path, TEXTS)[1] == []


def test_it_holds_about_what_the_last_run_used(tmp_path: Path):
    """Each night a tenth of the texts changes."""
    for night in range(30):
        embed(tmp_path, [f"句子{number}" for number in range(10 * night, 10 * night + 100)])

    n_rows = sum(len(np.load(path, allow_pickle=False)) for path in tmp_path.iterdir())
    assert 100 <= n_rows <= 150
    assert len(list(tmp_path.iterdir())) <= 9


def test_what_a_killed_run_left_is_removed(tmp_path: Path):
    embed(tmp_path, TEXTS)
    (tmp_path / ".embedding.new").write_bytes(b"half")

    embed(tmp_path, TEXTS)

    assert not (tmp_path / ".embedding.new").exists()


def test_blocks_are_whole_and_progress_ends_at_all(tmp_path: Path):
    sizes: list[int] = []
    heard: list[tuple[int, int]] = []

    def compute(texts: Sequence[str]) -> Vectors:
        sizes.append(len(texts))
        return np.zeros((len(texts), 2), dtype=np.float32)

    texts = [str(number) for number in range(BLOCK + 5)]
    for _ in range(2):
        cache = VectorCache(tmp_path)
        cache.vectors(texts, kind="needs", made_by="m", width=2, compute=compute, tell=lambda done, total: heard.append((done, total)))
        cache.save()

    assert sizes == [BLOCK, 5]
    assert heard == [(BLOCK, BLOCK + 5), (BLOCK + 5, BLOCK + 5), (BLOCK + 5, BLOCK + 5)]


def test_without_a_folder_nothing_is_kept_and_without_reuse_all_is_new(tmp_path: Path):
    assert embed(None, TEXTS)[1] == TEXTS[:3]
    embed(tmp_path, TEXTS)
    cache, embedder = VectorCache(tmp_path, reuse=False), CountingEmbedder()

    CachedEmbedder(embedder, cache).encode_document(TEXTS)
    cache.save()

    assert embedder.asked == TEXTS[:3]
    assert embed(tmp_path, TEXTS)[1] == []


def test_no_texts_have_no_vectors(tmp_path: Path):
    vectors, asked, _ = embed(tmp_path, [])

    assert (vectors.shape, asked) == ((0, DIMENSION), [])


def test_a_query_is_the_models_own(tmp_path: Path):
    cached = CachedEmbedder(FakeEmbedder(), VectorCache(tmp_path))

    np.testing.assert_array_equal(cached.encode_query(["退货"]), FakeEmbedder().encode_query(["退货"]))
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a listing is all that is wanted
