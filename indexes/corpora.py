"""Public corpora turned into training pairs (text, text of the same meaning or its answer).

Reads files that are never part of the project; only weights learnt from them are. Knows file formats, not models.
"""

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from knowledge.normalise import match_form

_MASKS = re.compile(r"#e-s\[?\w*\]?|\[[^\]]{1,12}\]|!@@@!")
# Replies that say nothing about their question; as positives they teach that everything is alike.
_GENERIC_REPLY_CHARS = 9
_PASSAGE_CHARS = 160
_HELD_OUT_SHARE = 20  # one conversation in twenty is never trained on


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two texts that belong together, in match form."""

    anchor: str
    positive: str
    group: str = ""  # texts of one group mean the same: never each other's negatives


@dataclass(frozen=True, slots=True)
class Corpus:
    """Pairs of one kind; a training batch never mixes kinds."""

    name: str
    pairs: tuple[TextPair, ...]


NEEDS_BANK = Path(__file__).parent.parent / "knowledge" / "needs"


def load_corpora(data_dir: Path, *, needs_bank: Path = NEEDS_BANK) -> list[Corpus]:
    """Gives every corpus found under `data_dir`, and the needs bank, each deduplicated, in a fixed order.

    A missing file is skipped: the recipe runs on what is there, and the model card lists it.
    """
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
        pairs = tuple(dict.fromkeys(pair for pair in read(data_dir) if pair.anchor and pair.positive and pair.anchor != pair.positive))
        if pairs:
            corpora.append(Corpus(name=name, pairs=pairs))
    return corpora


def _pair(anchor: str, positive: str) -> TextPair:
    return TextPair(_plain(anchor), _plain(positive))


def _plain(text: str) -> str:
    return _MASKS.sub(" ", match_form(text)).strip()


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from (line.rstrip("\n") for line in lines)


def _paraphrases(data_dir: Path) -> Iterator[TextPair]:
    folder = data_dir / "pairs"
    for name in ("lcqmc_train.tsv", "finance_qq_dev.tsv", "afqmc_train.txt", "atec_nlp_sim_train.csv", "bq_dev.csv", "oppo_xiaobu_dev.txt"):
        for line in _lines(folder / name):
            yield from _labelled_pair(line)


def _labelled_pair(line: str) -> Iterator[TextPair]:
    """Any of the corpora's forms: `a⇥b⇥1`, `no⇥a⇥b⇥1`, `a,b,1`."""
    cells = line.split("\t") if "\t" in line else next(csv.reader([line]), [])
    if len(cells) >= 3 and cells[-1].strip() == "1":
        yield _pair(cells[-3], cells[-2])


def needs_lines(bank: Path = NEEDS_BANK) -> list[tuple[str, str]]:
    """Gives (need, text) for every phrasing of the needs bank, every language."""
    rows = [json.loads(line) for name in ("needs.jsonl", "needs_en.jsonl") for line in _lines(bank / name) if line.strip()]
    return [(row["need"], row["text"]) for row in rows]


def _needs(bank: Path) -> Iterator[TextPair]:
    return _within_groups(needs_lines(bank), partners=6)


def _within_groups(lines: list[tuple[str, str]], *, partners: int, seed: int = 7) -> Iterator[TextPair]:
    """Pairs each text with a few others of its group."""
    groups: dict[str, list[str]] = {}
    for group, text in lines:
        groups.setdefault(group, []).append(_plain(text))
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
