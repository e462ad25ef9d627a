"""Public corpora turned into training pairs (text, text of the same meaning or its answer).

Reads files that are never part of the project; only weights learnt from them are. Knows file formats, not models.
"""

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from knowledge.needs_bank import LANGUAGES, NEEDS_BANK, read_phrasings
from knowledge.normalise import match_form, strip_console

_MASKS = re.compile(r"#e-s\[?\w*\]?|\[[^\]]{1,12}\]|!@@@!")
# Replies that say nothing about their question; as positives they teach that everything is alike.
_GENERIC_REPLY_CHARS = 9
_PASSAGE_CHARS = 160
_HELD_OUT_SHARE = 20  # one conversation in twenty is never trained on
_NEED_PARTNERS = 3


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two texts that belong together, in match form."""

    anchor: str
    positive: str
    group: str = ""  # texts of one group mean the same: never each other's negatives
    negative: str = ""  # looks like the anchor, means something else


@dataclass(frozen=True, slots=True)
class Corpus:
    """Pairs of one kind; a training batch never mixes kinds."""

    name: str
    pairs: tuple[TextPair, ...]


def load_corpora(data_dir: Path, *, needs_bank: Path = NEEDS_BANK) -> list[Corpus]:
    """Gives every corpus found under `data_dir`, and the needs bank, each deduplicated, in a fixed order.

    A pair in which either text is part of a benchmark is left out, whichever file it comes from: the corpora overlap.
    A missing file is skipped: the recipe runs on what is there, and the model card lists it.
    """
    kept_out = benchmark_texts(data_dir)
    readers = [
        ("question pairs", _paraphrases),
        ("needs", lambda _: _needs(needs_bank)),
        ("chats", _dialogues),
        ("passages", _passages),
        ("english intents", _english),
        ("translations", _translations),
    ]
    corpora = []
    for name, read in readers:
        pairs = tuple(dict.fromkeys(_without(pair, kept_out) for pair in read(data_dir) if _usable(pair, kept_out)))
        if pairs:
            corpora.append(Corpus(name=name, pairs=pairs))
    return corpora


def _usable(pair: TextPair, kept_out: set[str]) -> bool:
    return bool(pair.anchor and pair.positive and pair.anchor != pair.positive) and kept_out.isdisjoint((pair.anchor, pair.positive))


def _without(pair: TextPair, kept_out: set[str]) -> TextPair:
    return replace(pair, negative="") if pair.negative in kept_out else pair


def _pair(anchor: str, positive: str) -> TextPair:
    return TextPair(plain(anchor), plain(positive))


def plain(text: str) -> str:
    """Gives the text as it is trained on: match form without the corpora's masks."""
    return _MASKS.sub(" ", match_form(text)).strip()


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from (line.rstrip("\n") for line in lines)


def _paraphrases(data_dir: Path) -> Iterator[TextPair]:
    """Pairs of the same meaning; the anchor's pair of another meaning, where a corpus has one, as the negative."""
    folder = data_dir / "pairs"
    for name in ("lcqmc_train.tsv", "finance_qq_dev.tsv", "afqmc_train.txt", "atec_nlp_sim_train.csv", "bq_dev.csv", "oppo_xiaobu_dev.txt"):
        judged = [JudgedPair(plain(pair.one), plain(pair.other), pair.same) for pair in judged_pairs(folder / name)]
        negatives = {one: other for pair in judged if not pair.same for one, other in ((pair.one, pair.other), (pair.other, pair.one))}
        yield from (TextPair(pair.one, pair.other, negative=negatives.get(pair.one, "")) for pair in judged if pair.same)


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two questions as published, and whether people found that they mean the same."""

    one: str
    other: str
    same: bool


def judged_pairs(path: Path) -> list[JudgedPair]:
    """Gives the rows of a question-pair file in any of the corpora's forms: `a⇥b⇥1`, `no⇥a⇥b⇥1`, `a,b,1`; header rows are skipped."""
    rows = (line.split("\t") if "\t" in line else next(csv.reader([line]), []) for line in _lines(path))
    return [JudgedPair(cells[-3], cells[-2], cells[-1].strip() == "1") for cells in rows if len(cells) >= 3 and cells[-1].strip() in ("0", "1")]


PARAPHRASE_BENCHMARKS = ("lcqmc_dev.tsv", "finance_qq_test.tsv")
RESPONSE_BENCHMARK = "ecd_dev.txt"


def benchmark_texts(data_dir: Path) -> set[str]:
    """Gives every text of the benchmarks, in the form pairs have: none of them is trained on."""
    texts = {plain(text) for name in PARAPHRASE_BENCHMARKS for pair in judged_pairs(data_dir / "pairs" / name) for text in (pair.one, pair.other)}
    # A reply such as 「好的」 stands in every chat: only long turns tell that a chat is the same.
    turns = {plain(turn) for context, reply in response_selections(data_dir) for turn in (*context, reply)}
    return texts | {turn for turn in turns if len(turn) >= 2 * _GENERIC_REPLY_CHARS}


def response_selections(data_dir: Path) -> list[tuple[list[str], str]]:
    """Gives (turns so far, the agent's true reply) of the response benchmark, words joined again."""
    rows = [line.replace(" ", "").split("\t") for line in _lines(data_dir / "chats" / RESPONSE_BENCHMARK)]
    return [(row[1:-1], row[-1]) for row in rows if row[0] == "1" and len(row) > 2]


def needs_lines(bank: Path = NEEDS_BANK) -> list[tuple[str, str]]:
    """Gives (need, text) for every phrasing of the needs bank that may be trained on, every language."""
    heard = [phrasing for language in LANGUAGES for phrasing in read_phrasings(language, bank) if not phrasing.held_out]
    return [(phrasing.need, strip_console(phrasing.text)) for phrasing in heard]


def _needs(bank: Path) -> Iterator[TextPair]:
    return _within_groups(needs_lines(bank), partners=_NEED_PARTNERS)


def _within_groups(lines: list[tuple[str, str]], *, partners: int, seed: int = 7) -> Iterator[TextPair]:
    """Pairs each text with a few others of its group."""
    groups: dict[str, list[str]] = {}
    for group, text in lines:
        groups.setdefault(group, []).append(plain(text))
    rng = random.Random(seed)
    for group, texts in groups.items():
        for text in texts:
            for other in rng.sample(texts, k=min(partners, len(texts))):
                yield TextPair(text, other, group)


def _dialogues(data_dir: Path) -> Iterator[TextPair]:
    folder = data_dir / "chats"
    for number, line in enumerate(_lines(folder / "ecd_train_10k.txt")):
        if number % _HELD_OUT_SHARE:
            turns = line.split("\t")[1:]
            yield from _informative(pair for pair in pairwise(turns))
    enc, dec = folder / "jddc_train.enc", folder / "jddc_train.dec"
    for number, (earlier, reply) in enumerate(zip(_lines(enc), _lines(dec), strict=False)):
        if number % _HELD_OUT_SHARE:
            utterances = [u for u in re.split("[,，]", earlier) if u.strip()]
            yield from _informative([(" ".join(utterances[-3:]), reply)])


def _informative(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Iterator[TextPair]:
    for asked, said in pairs:
        pair = _pair(asked, said)
        if len(pair.positive) >= _GENERIC_REPLY_CHARS and len(pair.anchor) >= 4:
            yield pair


def _passages(data_dir: Path) -> Iterator[TextPair]:
    folder = data_dir / "passages"
    for name in ("DRCD_dev.json", "DRCD_test.json", "cmrc2018_dev.json", "cmrc2018_trial.json"):
        path = folder / name
        if path.exists():
            for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
                for paragraph in article["paragraphs"]:
                    for question in paragraph["qas"]:
                        yield _pair(question["question"], _around_answer(paragraph["context"], question))


def _around_answer(context: str, question: dict[str, list[dict[str, int]]]) -> str:
    """The stretch of the passage that holds the answer: a static model blurs a whole page."""
    answers = question.get("answers") or [{}]
    start = max(0, int(answers[0].get("answer_start", 0)) - _PASSAGE_CHARS // 2)
    return context[start : start + _PASSAGE_CHARS]


def _english(data_dir: Path) -> Iterator[TextPair]:
    rows = csv.DictReader(_lines(data_dir / "english" / "bitext_intents_train.csv"))
    return _within_groups([(row["intent"], row["utterance"]) for row in rows], partners=4)


def _translations(data_dir: Path) -> Iterator[TextPair]:
    for line in _lines(data_dir / "crosslingual" / "tatoeba_cmn_eng.txt"):
        cells = line.split("\t")
        if len(cells) >= 2:
            yield _pair(cells[1], cells[0])
