"""Small files with figures worked out by hand; encoders that know everything, or nothing."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexes.benchmarks import (
    NeedSearch,
    Ranked,
    Selected,
    dense_search,
    lexical_search,
    nearest_need,
    paraphrase_groups,
    paraphrases,
    response_selection,
    tfidf_encoder,
)
from indexes.corpora import JudgedPair
from indexes.embedder import unit

# ---- paraphrases

PAIRS = "甲一\t甲二\t1\n甲二\t甲三\t1\n乙一\t乙二\t1\n丙一\t丁一\t0\n"
FOUND = {  # what the search of these tests finds for each sentence; the sentence itself never counts
    "甲一": ["甲一", "丁一", "甲三", "甲二"],  # second
    "甲二": ["甲二", "甲一", "丁一", "丙一"],  # first
    "甲三": ["丙一", "丁一", "乙一", "甲一"],  # fourth
    "乙一": ["乙一", "丙一", "丁一", "甲一"],  # not found
    "乙二": ["乙一", "乙二", "丙一", "丁一"],  # first
}


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text(content, encoding="utf-8")
    return path


def test_paraphrases_are_ranked_as_by_hand(tmp_path: Path):
    def search(asking: Sequence[str], searched: Sequence[str], n: int) -> np.ndarray:
        assert list(asking) == ["乙一", "乙二", "甲一", "甲三", "甲二"]  # 丙一 and 丁一 have none and do not ask
        return np.array([[searched.index(text) for text in FOUND[one]] for one in asking])

    found = paraphrases(written(tmp_path, PAIRS), search)

    assert found == Ranked(n_queries=5, n_texts=7, mrr_at_10=pytest.approx((1 / 2 + 1 + 1 / 4 + 0 + 1) / 5), recall_at_1=2 / 5, recall_at_10=4 / 5)


@pytest.mark.parametrize(("strangers", "recall"), [(9, 1.0), (10, 0.5)])
def test_only_the_first_ten_others_count(tmp_path: Path, strangers: int, recall: float):
    """The sentence itself comes first and is passed over; then strangers; then the paraphrase. The other sentence finds it at once."""
    others = "".join(f"生人{number}\t路人{number}\t0\n" for number in range(10))

    def search(asking: Sequence[str], searched: Sequence[str], n: int) -> np.ndarray:
        own, other = searched.index("甲一"), searched.index("甲二")
        far = [own, *[row for row, text in enumerate(searched) if text.startswith("生人")][:strangers], other]
        near = [other, own, *range(len(searched))]
        return np.array([{"甲一": far, "甲二": near}[one][:n] for one in asking])

    assert paraphrases(written(tmp_path, "甲一\t甲二\t1\n" + others), search).recall_at_10 == recall


def test_sentences_are_searched_in_match_form(tmp_path: Path):
    seen: list[str] = []

    def search(asking: Sequence[str], searched: Sequence[str], n: int) -> np.ndarray:
        seen.extend(searched)
        return np.array([[0, 1]] * len(asking))

    paraphrases(written(tmp_path, "怎麼退貨\tＨＯＷ\t1\n"), search)

    assert seen == ["怎么退货", "how"]


@pytest.mark.parametrize("seed", range(40))
def test_groups_are_the_connected_sentences(seed: int):
    """Brute force: whoever is reached over pairs of the same meaning is of the group."""
    rng = random.Random(seed)
    pairs = [JudgedPair(str(rng.randrange(20)), str(rng.randrange(20)), rng.random() < 0.6) for _ in range(18)]
    groups = paraphrase_groups(pairs)

    assert set(groups) == {text for pair in pairs for text in (pair.one, pair.other)}
    for text in groups:
        reached = {text}
        for _ in pairs:
            reached |= {one for pair in pairs if pair.same for one in (pair.one, pair.other) if reached & {pair.one, pair.other}}
        assert {other for other in groups if groups[other] == groups[text]} == reached
        assert groups[text] == min(reached)


def test_pairs_of_another_meaning_join_nothing():
    groups = paraphrase_groups([JudgedPair("a", "b", True), JudgedPair("b", "c", False), JudgedPair("c", "d", True)])

    assert groups == {"a": "a", "b": "a", "c": "c", "d": "c"}


def test_dense_search_equals_brute_force():
    vectors = unit(np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32))
    table = {str(row): vector for row, vector in enumerate(vectors)}
    asking, searched = list(table)[:10], list(table)[10:]

    rows = dense_search(lambda texts: np.stack([table[text] for text in texts]))(asking, searched, 5)

    similarities = vectors[:10] @ vectors[10:].T
    assert rows.tolist() == np.argsort(-similarities, axis=1)[:, :5].tolist()


def test_search_gives_no_more_than_there_is():
    vectors = np.eye(3, dtype=np.float32)

    assert dense_search(lambda texts: vectors[: len(texts)])(["a"], ["a", "b", "c"], 11).shape == (1, 3)


def test_lexical_search_finds_shared_words_first_and_orders_ties_by_row():
    rows = lexical_search(["发票抬头"], ["快递", "抬头", "发票抬头", "退货"], 4)

    assert rows.tolist() == [[2, 1, 0, 3]]


# ---- choosing the reply

N_CHATS = 12


def chat(number: int, *, reply: str = "", label: str = "1") -> str:
    turns = ["在 吗", f"第 {number} 个 问 题", "稍 等", f"再 问 {number}"]
    return "\t".join([label, *turns, reply or f"第 {number} 个 答 案"]) + "\n"


def chats(tmp_path: Path, content: str) -> Path:
    (tmp_path / "chats").mkdir()
    (tmp_path / "chats" / "ecd_dev.txt").write_text(content, encoding="utf-8")
    return tmp_path


def knowing(texts: Sequence[str]) -> np.ndarray:
    """Each chat has a direction; its question and its answer point there."""
    numbers = [int("".join(char for char in text if char.isdigit()) or N_CHATS) for text in texts]
    return np.eye(N_CHATS + 1, dtype=np.float32)[numbers]


def blind(texts: Sequence[str]) -> np.ndarray:
    return np.ones((len(texts), 1), dtype=np.float32)


def test_who_knows_every_answer_is_always_right(tmp_path: Path):
    data = chats(tmp_path, "".join(chat(number) + chat(number, reply="别 的 话", label="0") for number in range(N_CHATS)))

    assert response_selection(data, knowing) == Selected(N_CHATS, 1.0, 1.0)


def test_who_sees_nothing_is_never_right(tmp_path: Path):
    data = chats(tmp_path, "".join(chat(number) for number in range(N_CHATS)))

    assert response_selection(data, blind) == Selected(N_CHATS, 0.0, 0.0)


def test_who_takes_the_alike_for_the_right_is_wrong_only_among_the_alike(tmp_path: Path):
    """Sixty replies; the encoder likes one of them, which shares its words with chat 3 alone, as much as chat 3's own."""
    twin = "再 问 3"  # the very words of the last turn: BM25 finds it first
    data = chats(tmp_path, "".join(chat(number) for number in range(3, 60)) + chat(99, reply=twin))

    def encode(texts: Sequence[str]) -> np.ndarray:
        numbers = [3 if text == "再问3" else int("".join(char for char in text if char.isdigit())[:2]) for text in texts]
        return np.eye(100, dtype=np.float32)[numbers]

    # chat 99's own answer points to 3, so it is wrong in both; chat 3 ties with the twin wherever the twin is drawn
    found = response_selection(data, encode)

    assert found.n_chats == 58
    assert found.among_alike == pytest.approx(56 / 58)
    assert found.among_random >= found.among_alike


def test_an_equal_reply_of_another_chat_is_no_distractor(tmp_path: Path):
    data = chats(tmp_path, "".join(chat(number) for number in range(11)) + chat(11, reply="第 0 个 答 案"))

    def encode(texts: Sequence[str]) -> np.ndarray:
        return knowing([text.replace("11", "0") for text in texts])

    assert response_selection(data, encode) == Selected(12, 1.0, 1.0)


def test_the_last_turns_ask(tmp_path: Path):
    data = chats(tmp_path, "".join(chat(number) for number in range(N_CHATS)))
    asked: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        asked.append(texts)
        return blind(texts)

    response_selection(data, encode)
    response_selection(data, encode, n_turns=3)

    assert asked[0][4] == "稍等 再问4"
    assert asked[2][4] == "第4个问题 稍等 再问4"


# ---- the plainest rival, and the nearest need


def test_tfidf_vectors_are_of_length_one_and_weigh_rare_words_more():
    encode = tfidf_encoder(["快递到哪了", "快递几天到", "快递丢了", "发票抬头"] * 5)

    asked, parcel, invoice, nothing = encode(["快递发票", "快递", "发票", ""])

    assert np.linalg.norm([asked, parcel, invoice], axis=1) == pytest.approx([1, 1, 1], abs=1e-6)
    assert asked @ invoice > asked @ parcel > 0
    assert encode(["发票"])[0] @ invoice == pytest.approx(1, abs=1e-6)
    assert np.isfinite(nothing).all()


def test_nearest_need_counts_needs_and_scenarios():
    east, north, up = np.eye(3, dtype=np.float32)
    table = {"东": east, "北": north, "上": up, "偏东": unit(np.array([[0.9, 0.1, 0]], dtype=np.float32))[0], "偏北": north, "偏上": up, "更上": up}
    heard = [("invoice/title", "东"), ("invoice/again", "北"), ("refund.status/when", "上")]
    asked = [("invoice/title", "偏东"), ("invoice/title", "偏北"), ("refund.status/when", "偏上"), ("invoice/again", "更上")]

    found = nearest_need(lambda texts: np.stack([table[text] for text in texts]), heard, asked)

    assert found == NeedSearch(need_at_1=2 / 4, scenario_at_1=3 / 4)
