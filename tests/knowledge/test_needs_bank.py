import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import BadRow, InvalidKnowledge
from knowledge.needs_bank import (
    MAX_SAME_OPENING,
    MIN_DISTINCT_PAIRS,
    MIN_PHRASINGS,
    NEAR_DUPLICATE,
    NEEDS_BANK,
    Need,
    Phrasing,
    check_bank,
    diversity,
    read_followups,
    read_needs,
    read_phrasings,
)
from knowledge.normalise import match_form
from knowledge.order_context import Turn

DEFINITIONS = (
    "need,definition,border\ninvoice/title,抬头写错了,要重开→invoice/again\ninvoice/again,要重开发票,只改抬头→invoice/title\ninvoice/en,an invoice,-\n"
)


def varied(n: int, *, seed: int = 0, length: int = 10) -> list[str]:
    """Texts of random characters: no two alike."""
    rng = random.Random(seed)
    return ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(length)) for _ in range(n)]


def lines(need: str, texts: list[str], writer: str = "s") -> list[dict[str, Any]]:
    return [{"need": need, "text": text, "writer": writer} for text in texts]


CLEAN_ZH = lines("invoice/title", varied(80, seed=1)) + lines("invoice/again", varied(80, seed=2))
CLEAN_EN = lines("invoice/en", [f"invoice {number}" for number in range(20)])


def write_bank(folder: Path, *, definitions: str = DEFINITIONS, zh: Any = CLEAN_ZH, en: Any = CLEAN_EN, followups: Any = (), outside: Any = ()) -> Path:
    """Writes a whole bank; rows are dicts, or strings for lines as they stand."""
    folder.mkdir(exist_ok=True)
    (folder / "definitions.csv").write_text(definitions, encoding="utf-8")
    for name, rows in (("needs.jsonl", zh), ("needs_en.jsonl", en), ("followups.jsonl", followups), ("outside.jsonl", outside)):
        written = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / name).write_text("".join(f"{row}\n" for row in written), encoding="utf-8")
    return folder


# ---- reading


def test_needs_are_read_by_id_in_the_files_order(tmp_path):
    bank = write_bank(tmp_path / "bank")

    assert ["invoice/title", "invoice/again", "invoice/en"] == list(read_needs(bank))
    assert Need("invoice/title", "抬头写错了", "要重开→invoice/again") == read_needs(bank)["invoice/title"]
    assert "invoice" == read_needs(bank)["invoice/title"].scenario


def test_phrasings_are_read_in_the_files_order_by_language(tmp_path):
    bank = write_bank(tmp_path / "bank", zh=lines("a/b", ["一", "二\u2028三"]), en=lines("a/en", ["one"], writer="t1"))

    assert [Phrasing("a/b", "一", "s"), Phrasing("a/b", "二\u2028三", "s")] == read_phrasings("zh", bank)
    assert [Phrasing("a/en", "one", "t1")] == read_phrasings("en", bank)


def test_followups_carry_what_was_said_before(tmp_path):
    bank = write_bank(tmp_path / "bank", followups=[{"need": "a/b", "text": "那呢", "writer": "fa", "history": ["几天到", "三天"]}])

    assert [Phrasing("a/b", "那呢", "fa", ("几天到", "三天"))] == read_followups(bank)


def test_bad_lines_are_told_all_at_once_with_file_and_line(tmp_path):
    good = {"need": "a/b", "text": "一", "writer": "s"}
    bank = write_bank(tmp_path / "bank", zh=[good, "{", "", {"need": "a/b", "writer": "s"}, good, "[1]", "3", "null"])

    with pytest.raises(InvalidKnowledge) as told:
        read_phrasings("zh", bank)

    assert [("needs.jsonl", 2), ("needs.jsonl", 4), ("needs.jsonl", 6), ("needs.jsonl", 7), ("needs.jsonl", 8)] == [
        (row.path, row.line) for row in told.value.bad_rows
    ]
    assert "JSONDecodeError: {" == told.value.bad_rows[0].got
    assert told.value.bad_rows[1].got.startswith("KeyError: ")


@pytest.mark.parametrize(
    ("history", "speakers"),
    [((), []), (("a",), ["agent"]), (("c", "a"), ["customer", "agent"]), (("a", "c", "a"), ["agent", "customer", "agent"])],
)
def test_speakers_of_the_history_alternate_and_the_agent_spoke_last(history, speakers):
    turns = Phrasing("a/b", "那呢", "fa", history).turns

    assert [Turn(role=role, text=text) for role, text in zip(speakers, history, strict=True)] == list(turns)


@pytest.mark.parametrize(("writer", "held_out"), [("t", True), ("t1", True), ("u6", True), ("s", False), ("a1", False), ("fa", False), ("d2", False)])
def test_writers_t_and_u_are_held_out(writer, held_out):
    assert held_out is Phrasing("a/b", "一", writer).held_out


# ---- diversity


def test_distinct_pairs_are_counted_over_all_phrasings():
    """怎么 么退 退货 / 怎么 么换 换货: five of six are distinct."""
    assert pytest.approx(5 / 6) == diversity(["怎么退货", "怎么换货"]).distinct_pairs


def test_openings_are_counted_among_the_longer_phrasings():
    found = diversity(["我想要退货可以吗", "我想要换货可以吗", "衣服大了能不能换", "我想要", "我想退"])

    assert pytest.approx(2 / 3) == found.same_opening
    assert 5 == found.n_phrasings


def test_of_nothing_everything_is_zero():
    for texts in ([], ["？", "！"]):
        found = diversity(texts)
        assert (len(texts), 0, 0, ()) == (found.n_phrasings, found.distinct_pairs, found.same_opening, found.near_duplicates)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        pytest.param("请问我的快递什么时候送到呢", "请问我的快递什么时候送到呀", True, id="one character"),
        pytest.param("发货了吗？", "发货了吗", True, id="punctuation"),
        pytest.param("Where is it", "where is it", True, id="case"),
        pytest.param("一二三四五", "一二三四五六", True, id="four of five pairs: just enough"),
        pytest.param("一二三四", "一二三四五", False, id="three of four pairs"),
        pytest.param("怎么退货", "怎么换货", False, id="another word"),
        pytest.param("退", "货", False, id="without a pair"),
    ],
)
def test_near_duplicates_share_four_fifths_of_their_pairs(one, other, alike):
    assert (((one, other),) if alike else ()) == diversity([one, other]).near_duplicates


def pairs_of(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


@pytest.mark.parametrize("seed", range(30))
def test_near_duplicates_equal_brute_force(seed):
    rng = random.Random(seed)
    texts = ["".join(rng.choice("退货款") for _ in range(rng.randrange(1, 12))) for _ in range(25)]
    sets = [pairs_of(text) for text in texts]

    expected = [
        (texts[i], texts[j])
        for i in range(len(texts))
        for j in range(i + 1, len(texts))
        if sets[i] | sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= NEAR_DUPLICATE
    ]

    assert expected == list(diversity(texts).near_duplicates)


GOODS = "外套 水杯 电视 冰箱 球鞋 耳机 台灯 窗帘 床垫 雨伞 背包 餐椅 饭锅 手表 毛巾 书柜".split()
SAID_BY_MANY = """收了三天还没开票给我 公司报销急着要专票 抬头少打了一个字能改不 邮箱里找不到你们发的链接 税号填成旧的咋整 能不能把两单合在一张票上
财务说这张没盖章不收 换货之后原来那张作废吗 想要纸质的麻烦寄到单位 为什么金额比我付的少 个人买的也可以要凭证吧 下载下来是空白页""".split()


def test_a_frame_with_words_swapped_shows_in_all_three():
    found = diversity([f"我昨天在你们店里买的{goods}到现在都还没有收到发票请问什么时候可以给我开出来呢" for goods in GOODS])

    assert found.distinct_pairs < MIN_DISTINCT_PAIRS
    assert 1 == found.same_opening > MAX_SAME_OPENING
    assert len(found.near_duplicates) > len(GOODS)


def test_what_many_people_say_shows_in_none():
    found = diversity(SAID_BY_MANY)

    assert found.distinct_pairs > 0.9
    assert found.same_opening <= MAX_SAME_OPENING
    assert () == found.near_duplicates


# ---- checking a bank


def test_a_clean_bank_has_nothing_to_mend(tmp_path):
    assert [] == check_bank(write_bank(tmp_path / "bank"))


FIRST, SECOND = CLEAN_ZH[0]["text"], CLEAN_ZH[80]["text"]
ALMOST = CLEAN_ZH[0]["text"][:-1] + "㐀"
FRAME = [f"请问一下{one}" for one in varied(80, seed=3, length=12)]
NOISE = "need,definition,border\nchat.other/noise,乱按,-\ninvoice/en,an invoice,-\n"
FAULTS: dict[str, tuple[dict[str, Any], list[BadRow]]] = {
    "unknown scenario": (
        {"definitions": DEFINITIONS + "weather/rain,下雨,-\n"},
        [
            BadRow("definitions.csv", 5, "need", "a contract scenario, a definition and a border", "weather/rain"),
            BadRow("definitions.csv", 5, "need", "phrasings", "weather/rain"),
        ],
    ),
    "no definition": (
        {"definitions": DEFINITIONS.replace("抬头写错了", "")},
        [BadRow("definitions.csv", 2, "need", "a contract scenario, a definition and a border", "invoice/title")],
    ),
    "no border": (
        {"definitions": DEFINITIONS.replace("只改抬头→invoice/title", "")},
        [BadRow("definitions.csv", 3, "need", "a contract scenario, a definition and a border", "invoice/again")],
    ),
    "a border with nobody": (
        {"definitions": DEFINITIONS.replace("→invoice/again", "→invoice/nowhere")},
        [BadRow("definitions.csv", 2, "border", "needs of this file", "invoice/nowhere")],
    ),
    "a need that nobody says": (
        {"definitions": DEFINITIONS + "invoice/paper,要纸质的,-\n"},
        [BadRow("definitions.csv", 5, "need", "phrasings", "invoice/paper")],
    ),
    "a need said outside the phrasings": (
        {"definitions": DEFINITIONS + "chat.other/outside,与店无关,-\n", "outside": lines("chat.other/outside", ["鸡兔同笼怎么算"])},
        [],
    ),
    "an undefined need in a short turn": (
        {"followups": [{"need": "invoice/nowhere", "text": "那呢", "writer": "fa", "history": ["好的"]}]},
        [BadRow("followups.jsonl", 1, "need", "a need of definitions.csv", "invoice/nowhere")],
    ),
    "an undefined need outside": (
        {"outside": lines("chat.other/nowhere", ["今天星期几"])},
        [BadRow("outside.jsonl", 1, "need", "a need of definitions.csv", "chat.other/nowhere")],
    ),
    "undefined need": (
        {"en": [*CLEAN_EN, *lines("invoice/nowhere", [f"no {number}" for number in range(20)])]},
        [BadRow("needs_en.jsonl", line, "need", "a need of definitions.csv", "invoice/nowhere") for line in range(21, 41)],
    ),
    "one text under two needs": (
        {"zh": [*CLEAN_ZH, *lines("invoice/again", [FIRST])]},
        [BadRow("needs.jsonl", 161, "text", "a text of its own; line 1 has it under invoice/title", FIRST)],
    ),
    "one text twice under a need": (
        {"zh": [*CLEAN_ZH, *lines("invoice/again", [SECOND])]},
        [
            BadRow("needs.jsonl", 161, "text", "a text of its own; line 81 has it under invoice/again", SECOND),
            BadRow("needs.jsonl", 0, "invoice/again", "two different ways to say it", f"{SECOND} / {SECOND}"),
        ],
    ),
    "one thing said twice": (
        {"zh": [*CLEAN_ZH, *lines("invoice/title", [ALMOST])]},
        [BadRow("needs.jsonl", 0, "invoice/title", "two different ways to say it", f"{FIRST} / {ALMOST}")],
    ),
    "too few Chinese": ({"zh": CLEAN_ZH[:-1]}, [BadRow("needs.jsonl", 0, "invoice/again", "at least 80 phrasings", "79")]),
    "too few English": ({"en": CLEAN_EN[:-1]}, [BadRow("needs_en.jsonl", 0, "invoice/en", "at least 20 phrasings", "19")]),
    "one opening": (
        {"zh": CLEAN_ZH[:80] + lines("invoice/again", FRAME)},
        [BadRow("needs.jsonl", 0, "invoice/again", "at most 0.12 of phrasings opening alike", "1.00")],
    ),
    "one opening of what is alike by nature": ({"definitions": NOISE, "zh": lines("chat.other/noise", FRAME)}, []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told(tmp_path, fault):
    changed, expected = FAULTS[fault]

    assert expected == check_bank(write_bank(tmp_path / "bank", **changed))


def test_few_distinct_pairs_are_told(tmp_path):
    rng = random.Random(5)
    words = varied(40, seed=6, length=4)
    same_words = ["".join(rng.sample(words, k=3)) for _ in range(80)]

    bad = check_bank(write_bank(tmp_path / "bank", zh=CLEAN_ZH[:80] + lines("invoice/again", same_words)))

    assert ("needs.jsonl", "invoice/again", "at least 0.44 of character pairs distinct") in [(row.path, row.field, row.expected) for row in bad]


def test_all_faults_are_told_together(tmp_path):
    bad = check_bank(write_bank(tmp_path / "bank", definitions=DEFINITIONS.replace("an invoice", ""), zh=CLEAN_ZH[:-1], en=CLEAN_EN[:-1]))

    assert ["definitions.csv", "needs.jsonl", "needs_en.jsonl"] == [row.path for row in bad]


# ---- the bank that ships


@pytest.fixture(scope="module")
def needs() -> dict[str, Need]:
    return read_needs()


@pytest.fixture(scope="module")
def phrasings() -> dict[str, list[Phrasing]]:
    return {language: read_phrasings(language) for language in ("zh", "en")}


def test_the_shipped_bank_is_clean():
    assert [] == check_bank()


def test_the_shipped_bank_is_large_enough(phrasings):
    chinese = Counter(phrasing.need for phrasing in phrasings["zh"])

    assert len(phrasings["zh"]) >= 24_000
    assert 250 <= len(chinese) <= 300
    assert min(chinese.values()) >= MIN_PHRASINGS["zh"]
    assert len(phrasings["en"]) >= 2_500


@pytest.mark.parametrize("language", ["zh", "en"])
def test_enough_of_the_shipped_bank_is_held_out_to_tell_a_hundredth(phrasings, language):
    """With 1,600 lines a share of .9 is known to within .0075 (one standard error)."""
    held_out = sum(phrasing.held_out for phrasing in phrasings[language])

    assert held_out >= 1_600
    assert 0.1 <= held_out / len(phrasings[language]) <= 0.22


def test_every_need_of_the_shipped_bank_is_held_out_in_part(phrasings):
    for language in ("zh", "en"):
        told, heard = ({phrasing.need for phrasing in phrasings[language] if phrasing.held_out is held_out} for held_out in (True, False))
        assert told == heard


def test_every_need_has_a_meaning_a_border_and_phrasings(needs):
    files = [NEEDS_BANK / name for name in ("needs.jsonl", "needs_en.jsonl", "outside.jsonl")]
    phrased = {json.loads(line)["need"] for path in files for line in path.read_text(encoding="utf-8").splitlines()}

    assert phrased == set(needs)
    assert all(need.definition.strip() and need.border.strip() for need in needs.values())


def test_borders_name_needs_that_exist_and_never_the_need_itself(needs):
    named = {need.id: re.findall(r"→\s*([a-z_.]+/[a-z_0-9]+)", need.border) for need in needs.values()}

    assert all(named.values())
    assert set().union(*named.values()) <= set(needs)
    assert [] == [need for need, others in named.items() if need in others]


def test_no_text_of_the_held_out_writers_is_one_that_was_heard(phrasings):
    for language in ("zh", "en"):
        heard = {match_form(phrasing.text) for phrasing in phrasings[language] if not phrasing.held_out}
        assert [] == [phrasing.text for phrasing in phrasings[language] if phrasing.held_out and match_form(phrasing.text) in heard]


def test_followups_are_of_known_needs_and_lean_on_history(needs):
    followups = read_followups()

    assert {phrasing.need for phrasing in followups} <= set(needs)
    assert all(phrasing.history and phrasing.text.strip() for phrasing in followups)
    heard = {(phrasing.history, phrasing.text) for phrasing in followups if not phrasing.held_out}
    assert [] == [phrasing for phrasing in followups if phrasing.held_out and (phrasing.history, phrasing.text) in heard]
