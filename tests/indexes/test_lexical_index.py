from math import log
from pathlib import Path

import numpy as np
import pytest

from indexes.lexical_index import LexicalIndex, lexical_terms

K1, B = 1.2, 0.5


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("退货 abc", ["退", "货", "退货", "abc"]),
        ("退", ["退"]),
        ("退货运费", ["退", "货", "运", "费", "退货", "货运", "运费"]),
        ("iPhone15手机", ["iphone", "15", "手", "机", "手机"]),
        ("退 货", ["退", "货"]),
        ("退貨", ["退", "货", "退货"]),
        ("ＡＢＣ，１２", ["abc", "12"]),
        ("好好", ["好", "好", "好好"]),
        ("😀！？", []),
        ("", []),
    ],
)
def test_terms_are_chinese_characters_and_pairs_and_other_words(text: str, terms: list[str]):
    assert list(lexical_terms(text)) == terms


def test_scores_are_lucenes_bm25():
    """Robertson's weights as Lucene writes them: idf · tf / (tf + k1 · (1 - b + b · length / mean length)), no (k1 + 1) above."""
    index = LexicalIndex.build(["red coat", "red red blue coat", "blue shoe small size xl"])
    mean_length = (2 + 4 + 5) / 3
    idf_red = log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # in 2 of 3 texts
    idf_size = log(1 + (3 - 1 + 0.5) / (1 + 0.5))  # in 1 of 3

    scores = index.scores("red size")

    assert scores.tolist() == pytest.approx(
        [
            idf_red * 1 / (1 + K1 * (1 - B + B * 2 / mean_length)),
            idf_red * 2 / (2 + K1 * (1 - B + B * 4 / mean_length)),
            idf_size * 1 / (1 + K1 * (1 - B + B * 5 / mean_length)),
        ],
        rel=1e-6,
    )


def test_chinese_scores_sum_over_characters_and_pairs():
    index = LexicalIndex.build(["退货", "换货", "发票"])  # three terms each, so length over mean length is 1
    idf_once = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    idf_twice = log(1 + (3 - 2 + 0.5) / (2 + 0.5))

    scores = index.scores("退货")

    expected = [(idf_once + idf_twice + idf_once) / (1 + K1), idf_twice / (1 + K1), 0.0]  # 退, 货, 退货
    assert scores.tolist() == pytest.approx(expected, rel=1e-6)


def test_a_word_said_twice_in_the_query_counts_once():
    index = LexicalIndex.build(["退货", "发票"])

    assert index.scores("退货退货").tolist() == index.scores("退货").tolist()


def test_traditional_and_full_width_writing_find_the_same():
    index = LexicalIndex.build(["发票抬头", "XL尺码"])

    assert index.search("發票抬頭", n_rows=1).rows.tolist() == [0]
    assert index.search("ＸＬ", n_rows=1).rows.tolist() == [1]


@pytest.mark.parametrize("query", ["保修", "zebra", "😀", ""])
def test_a_query_that_shares_no_term_has_no_hits(query: str):
    index = LexicalIndex.build(["退货", "发票"])

    hits = index.search(query, n_rows=5)

    assert index.scores(query).tolist() == [0.0, 0.0]
    assert (hits.rows.tolist(), hits.similarities.tolist()) == ([], [])


def test_only_rows_that_share_a_term_are_hits():
    index = LexicalIndex.build(["退货", "发票", "退款"])

    assert index.search("退货", n_rows=5).rows.tolist() == [0, 2]


def test_empty_texts_keep_their_rows_and_are_never_hits():
    index = LexicalIndex.build(["", "退货", "😀", "退货"])

    assert len(index) == 4
    assert index.search("退货", n_rows=5).rows.tolist() == [1, 3]


@pytest.mark.parametrize("texts", [[], ["", "😀"]], ids=["no texts", "texts without words"])
def test_an_index_without_terms_has_no_hits(tmp_path: Path, texts: list[str]):
    index = LexicalIndex.build(texts)
    index.write(tmp_path)

    for one in (index, LexicalIndex.read(tmp_path)):
        assert len(one) == len(texts)
        assert one.scores("退货").tolist() == [0.0] * len(texts)
        assert one.search("退货", n_rows=5).rows.tolist() == []


@pytest.mark.parametrize("seed", range(20))
def test_ties_are_ordered_and_cut_by_row(seed: int):
    rng = np.random.default_rng(seed)
    texts = [str(text) for text in rng.choice(["退货", "换货", "货", "发票"], size=200)]
    index = LexicalIndex.build(texts)
    scores = index.scores("退货")
    n_rows = int(rng.integers(1, 200))

    hits = index.search("退货", n_rows=n_rows)

    order = [int(row) for row in np.lexsort((np.arange(200), -scores)) if scores[row] > 0][:n_rows]
    assert hits.rows.tolist() == order
    assert hits.similarities.tolist() == scores[order].tolist()


def test_what_is_written_is_read_back(tmp_path: Path):
    index = LexicalIndex.build(["快递三天没动了", "发票抬头写错了", "怎么退货", "where is my parcel"])
    index.write(tmp_path / "terms")

    read = LexicalIndex.read(tmp_path / "terms")

    assert len(read) == len(index)
    for query in ("快递没动", "发票", "退货怎么退", "parcel", "无关"):
        assert read.scores(query).tolist() == index.scores(query).tolist()


def test_scores_of_some_rows_are_those_of_all():
    rng = np.random.default_rng(11)
    texts = ["".join(rng.choice(list("退货运费快递 abc"), rng.integers(0, 9))) for _ in range(80)]
    index = LexicalIndex.build(texts)
    for question in ("退货", "快递 abc 运费", "没有", ""):
        rows = rng.integers(0, 80, 20)

        np.testing.assert_allclose(index.scores(question)[rows], index.scores_of(question, rows), rtol=1e-6)


def test_scores_equal_the_librarys_own():
    texts = ["退货运费谁出", "什么时候发货", "发货发货", "x"]
    index = LexicalIndex.build(texts)

    terms = [term for term in dict.fromkeys(lexical_terms("什么发货")) if term in index._bm25.vocab_dict]

    np.testing.assert_allclose(index._bm25.get_scores(terms), index.scores("什么发货"), rtol=1e-6)
