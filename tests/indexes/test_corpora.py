"""A data folder of a few lines a file: what is trained on, and above all what never is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexes.corpora import Corpus, JudgedPair, TextPair, benchmark_texts, judged_pairs, load_corpora, needs_lines, plain, response_selections

ASKED, PARAPHRASE = "怎么修改收货地址呢", "收货地址如何修改"  # of the first paraphrase benchmark
UNLIKE = "花呗怎么还款最划算"  # of the second, judged of another meaning
TURN, REPLY = "我昨天下午在你们店里买的那双运动鞋发货了吗", "亲亲您的这双运动鞋预计今天下午就会发出哦"  # of the response benchmark
BENCHMARK = (ASKED, PARAPHRASE, UNLIKE, "借呗怎么提前还款呢", TURN, REPLY)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def spaced(text: str) -> str:
    return " ".join(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Benchmarks, and nothing to train on yet."""
    write(tmp_path / "pairs" / "lcqmc_dev.tsv", f"{ASKED}\t{PARAPHRASE}\t1\n")
    write(tmp_path / "pairs" / "finance_qq_test.tsv", f"1\t{UNLIKE}\t{BENCHMARK[3]}\t0\n")
    write(
        tmp_path / "chats" / "ecd_dev.txt", f"1\t{spaced('在吗')}\t{spaced(TURN)}\t{spaced('好的')}\n1\t{spaced('在吗')}\t{spaced('稍等')}\t{spaced(REPLY)}\n"
    )
    return tmp_path


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    folder = tmp_path / "bank"
    rows = [("a/b", "这单能开票吗", "s"), ("a/b", "想要张发票", "a1"), ("a/b", "票据发我一下", "t3"), ("a/b", ASKED, "s"), ("a/b", "你好，开票找谁", "u1")]
    write(folder / "needs.jsonl", "".join(json.dumps({"need": n, "text": t, "writer": w}) + "\n" for n, t, w in rows))
    write(folder / "needs_en.jsonl", json.dumps({"need": "a/en", "text": "Hello, invoice please, thanks", "writer": "s"}) + "\n")
    return folder


def texts_of(corpora: list[Corpus]) -> Iterator[str]:
    for corpus in corpora:
        for pair in corpus.pairs:
            yield from (pair.anchor, pair.positive, pair.negative)


def of(corpora: list[Corpus], name: str) -> list[TextPair]:
    return [pair for corpus in corpora if corpus.name == name for pair in corpus.pairs]


# ---- what is never trained on

FREE = "运费险怎么赔付到账"  # of no benchmark


FILES = {
    "pairs/lcqmc_train.tsv": "{one}\t{other}\t1\n",
    "pairs/finance_qq_dev.tsv": "1\t{one}\t{other}\t1\n",
    "pairs/afqmc_train.txt": "{one}\t{other}\t1\n",
    "pairs/atec_nlp_sim_train.csv": "1\t{one}\t{other}\t1\n",
    "pairs/bq_dev.csv": "{one},{other},1\n",
    "pairs/oppo_xiaobu_dev.txt": "{one}\t{other}\t1\n",
    "chats/ecd_train_10k.txt": "1\t无关的一行聊天记录\t另外无关的一行聊天记录\n1\t{one}\t{other}\n",
    "crosslingual/tatoeba_cmn_eng.txt": "{other}\t{one}\tCC-BY\n",
    "english/bitext_intents_train.csv": "intent,utterance\nx,{one}\nx,{other}\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("benchmark", BENCHMARK)
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_a_pair_that_touches_a_benchmark_is_left_out_whichever_file_and_side_it_stands_in(data: Path, bank: Path, name: str, benchmark: str, first: bool):
    one, other = (benchmark, FREE) if first else (FREE, benchmark)
    write(
        data / name,
        FILES[name].format(one=one, other=other) + FILES[name].format(one="退货要几天能办完", other="多长时间可以退完货").removeprefix("intent,utterance\n"),
    )

    corpora = load_corpora(data, needs_bank=bank)

    assert plain(benchmark) not in set(texts_of(corpora))
    assert "多长时间可以退完货" in set(texts_of(corpora))


@pytest.mark.parametrize(
    "written", ["怎麼修改收貨地址呢", "怎么修改收货地址呢 ", "怎么修改[微笑]收货地址呢".replace("[微笑]", "\u200b"), "＃E-s01怎么修改收货地址呢"]
)
def test_a_benchmark_text_is_known_in_any_writing(data: Path, bank: Path, written: str):
    write(data / "pairs" / "lcqmc_train.tsv", f"{written}\t{FREE}\t1\n")

    assert of(load_corpora(data, needs_bank=bank), "question pairs") == []


def test_a_benchmark_text_is_no_negative_either(data: Path, bank: Path):
    write(data / "pairs" / "lcqmc_train.tsv", f"{FREE}\t运费险怎么赔\t1\n{FREE}\t{UNLIKE}\t0\n")

    assert of(load_corpora(data, needs_bank=bank), "question pairs") == [TextPair(FREE, "运费险怎么赔")]


def test_phrasings_that_are_benchmark_texts_are_left_out(data: Path, bank: Path):
    assert ASKED in [text for _, text in needs_lines(bank)]
    assert plain(ASKED) not in set(texts_of(load_corpora(data, needs_bank=bank)))


def test_short_replies_of_the_response_benchmark_are_everyones(data: Path):
    texts = benchmark_texts(data)

    assert {plain(text) for text in BENCHMARK} == texts


def test_benchmark_texts_of_an_empty_folder_are_none(tmp_path: Path):
    assert benchmark_texts(tmp_path) == set()


# ---- what is


def test_a_pair_of_another_meaning_becomes_the_negative_of_both_its_sides(data: Path, bank: Path):
    write(data / "pairs" / "lcqmc_train.tsv", "甲句话\t甲句子\t1\n甲句话\t丙句话\t0\n丁句话\t丙句话\t1\n戊句话\t己句话\t1\n")

    assert of(load_corpora(data, needs_bank=bank), "question pairs") == [
        TextPair("甲句话", "甲句子", negative="丙句话"),
        TextPair("丁句话", "丙句话"),
        TextPair("戊句话", "己句话"),
    ]


def test_pairs_come_once_and_never_with_themselves(data: Path, bank: Path):
    write(data / "pairs" / "lcqmc_train.tsv", "甲句话\t甲句子\t1\n甲句話\t甲句子\t1\n乙句话\t乙句話\t1\n\t丙句话\t1\n")

    assert of(load_corpora(data, needs_bank=bank), "question pairs") == [TextPair("甲句话", "甲句子")]


def test_turns_are_paired_with_the_next_and_empty_words_are_left_out(data: Path, bank: Path):
    write(data / "chats" / "ecd_train_10k.txt", "1\t第一行从来不训练\t所以这里没有它的对\n1\t发票抬头可以修改吗\t可以的请把新抬头发给我\t好的\n")

    assert of(load_corpora(data, needs_bank=bank), "chats") == [TextPair("发票抬头可以修改吗", "可以的请把新抬头发给我")]


def test_missing_files_are_skipped_and_the_needs_remain(tmp_path: Path, bank: Path):
    assert [corpus.name for corpus in load_corpora(tmp_path / "nothing", needs_bank=bank)] == ["needs"]


def test_phrasings_are_paired_within_their_need_and_carry_it(data: Path, bank: Path):
    pairs = of(load_corpora(data, needs_bank=bank), "needs")

    assert {pair.group for pair in pairs} == {"a/b"}
    assert {text for pair in pairs for text in (pair.anchor, pair.positive)} == {"这单能开票吗", "想要张发票"}


# ---- the needs bank


def test_held_out_writers_are_in_no_line_that_is_trained_on(bank: Path):
    assert needs_lines(bank) == [("a/b", "这单能开票吗"), ("a/b", "想要张发票"), ("a/b", ASKED), ("a/en", "invoice please")]


# ---- the files' forms


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        pytest.param("甲\t乙\t1\n丙\t丁\t0\n", [JudgedPair("甲", "乙", True), JudgedPair("丙", "丁", False)], id="two texts and a label"),
        pytest.param("7\t甲\t乙\t1\n", [JudgedPair("甲", "乙", True)], id="number first"),
        pytest.param("甲,乙,1\n", [JudgedPair("甲", "乙", True)], id="commas"),
        pytest.param('"甲,又",乙,0\n', [JudgedPair("甲,又", "乙", False)], id="commas in quotes"),
        pytest.param("甲，又\t乙, 又\t1\n", [JudgedPair("甲，又", "乙, 又", True)], id="commas between tabs"),
        pytest.param("text_a\ttext_b\tlabel\n甲\t乙\t1 \n", [JudgedPair("甲", "乙", True)], id="header row and a space"),
        pytest.param("甲\t1\n\n甲\t乙\t2\n", [], id="rows that are no judged pair"),
    ],
)
def test_judged_pairs_are_read_in_every_published_form(tmp_path: Path, content: str, pairs: list[JudgedPair]):
    write(tmp_path / "p.tsv", content)

    assert judged_pairs(tmp_path / "p.tsv") == pairs


def test_response_selections_are_the_true_replies_with_their_words_joined(tmp_path: Path):
    write(tmp_path / "chats" / "ecd_dev.txt", "1\t你 好\t发 货 吗\t今 天 发\n0\t你 好\t发 货 吗\t不 客 气\n1\t孤 句\n")

    assert response_selections(tmp_path) == [(["你好", "发货吗"], "今天发")]
