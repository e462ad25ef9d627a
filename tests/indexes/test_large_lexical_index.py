"""BM25 of a large shop against the small shop's, which is the library's own."""

from pathlib import Path

import numpy as np
import pytest

from indexes import large_lexical_index
from indexes.large_lexical_index import LargeLexicalIndex
from indexes.lexical_index import K1, LENGTH, LexicalIndex, lexical_terms

QUESTIONS = ["退货运费", "快递 abc", "退", "没有的词", "", "发票发票抬头"]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = np.random.default_rng(4)
    return ["".join(rng.choice(list("退货运费快递发票抬头什么时候到 abc12"), rng.integers(0, 14))) for _ in range(400)]


@pytest.fixture(scope="module")
def large(texts: list[str]) -> LargeLexicalIndex:
    return LargeLexicalIndex.build(texts)


@pytest.mark.parametrize("question", QUESTIONS)
def test_scores_are_those_of_a_small_shop(large: LargeLexicalIndex, texts: list[str], question: str):
    small = LexicalIndex.build(texts)
    rows = np.array([399, 3, 3, 120])

    np.testing.assert_allclose(large.scores(question), small.scores(question), rtol=1e-5)
    np.testing.assert_allclose(large.scores_of(question, rows), small.scores(question)[rows], rtol=1e-5)


@pytest.mark.parametrize("question", QUESTIONS)
def test_where_nothing_is_cut_the_hits_are_those_of_a_small_shop(large: LargeLexicalIndex, texts: list[str], question: str):
    wanted = LexicalIndex.build(texts).search(question, n_rows=400)

    hits = large.search(question, n_rows=400)

    np.testing.assert_allclose(hits.similarities, wanted.similarities, rtol=1e-5)


def test_a_term_leads_to_its_best_rows_and_to_no_more():
    texts = ["退货" if number % 7 else "退货了我想要问一下怎么办才好呢" for number in range(100)]

    index = LargeLexicalIndex.build(texts, n_champions=10)

    hits = index.search("退货", n_rows=50)
    assert hits.rows.tolist() == [number for number in range(100) if number % 7][:10]  # the short ones weigh more; of equals the first


def test_only_rows_that_may_be_found_are_found_and_all_can_be_scored(texts: list[str]):
    is_found = np.arange(len(texts)) % 2 == 0

    index = LargeLexicalIndex.build(texts, is_found)

    assert set(index.search("退货", n_rows=400).rows % 2) == {0}
    np.testing.assert_allclose(index.scores("退货"), LexicalIndex.build(texts).scores("退货"), rtol=1e-5)


def test_the_rarest_terms_lead(monkeypatch: pytest.MonkeyPatch):
    texts = ["我的快递"] * 50 + ["我的发票"]
    index = LargeLexicalIndex.build(texts)
    monkeypatch.setattr(large_lexical_index, "POSTINGS", 3)  # 发, 票 and 发票 have one row each; 我 has 51

    assert index.search("我的发票", n_rows=5).rows.tolist() == [50]


@pytest.mark.parametrize(("question", "n_rows"), [("退货运费", 1), ("退", 3), ("快递 abc", 7), ("什么时候到", 20)])
def test_the_rows_scored_in_full_are_those_with_the_largest_sums_of_rarity_ties_by_row(texts: list[str], question: str, n_rows: int):
    index, told = LargeLexicalIndex.build(texts), set(lexical_terms(question))
    found = [set(lexical_terms(text)) & told for text in texts]
    frequency = {term: sum(term in one for one in found) for term in told}
    rarity = {term: np.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in frequency.items()}
    lengths = np.array([len(lexical_terms(text)) for text in texts])
    weights = K1 * ((1 - LENGTH) + LENGTH * lengths / lengths.mean())
    worth = np.array([sum(rarity[term] for term in one) for one in found]) / (1 + weights)
    by_worth = sorted(np.flatnonzero(worth > 0).tolist(), key=lambda row: (-round(float(worth[row]), 5), row))

    assert index.promising(question, n_rows=n_rows).tolist() == sorted(by_worth[: large_lexical_index._PROMISING * n_rows])


def test_what_is_written_is_mapped_and_says_the_same(large: LargeLexicalIndex, tmp_path: Path):
    large.write(tmp_path / "terms")

    read = LargeLexicalIndex.read(tmp_path / "terms")

    assert LargeLexicalIndex.stands_at(tmp_path / "terms")
    assert len(read) == len(large)
    for question in QUESTIONS:
        assert read.scores(question).tolist() == large.scores(question).tolist()
        assert read.search(question, n_rows=20).rows.tolist() == large.search(question, n_rows=20).rows.tolist()


@pytest.mark.parametrize("texts", [[], ["", "😀"]], ids=["no texts", "texts without words"])
def test_an_index_without_terms_has_no_hits(tmp_path: Path, texts: list[str]):
    index = LargeLexicalIndex.build(texts)
    index.write(tmp_path / "terms")

    for one in (index, LargeLexicalIndex.read(tmp_path / "terms")):
        assert one.scores("退货").tolist() == [0.0] * len(texts)
        assert one.search("退货", n_rows=5).rows.tolist() == []
