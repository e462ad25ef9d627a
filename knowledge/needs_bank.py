"""The needs bank: what customers want when they write to a shop, each need with its meaning, its borders and many ways to say it.

`needs/definitions.csv` says what a need is; `needs/needs.jsonl` (Chinese) and `needs/needs_en.jsonl` hold one phrasing a line, `needs/followups.jsonl`
messages that only the turns before them explain, `needs/outside.jsonl` messages that no shop can answer. Phrasings of the writers in `TEST_WRITERS`
are never trained on: they tell how well the models understand people they have not heard.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from knowledge.errors import BadRow, InvalidKnowledge
from knowledge.order_context import Turn
from knowledge.scenarios import SCENARIOS

NEEDS_BANK = Path(__file__).parent / "needs"
TEST_WRITERS = ("t", "u")  # writers whose names begin so are held out
LANGUAGES = {"zh": "needs.jsonl", "en": "needs_en.jsonl"}


@dataclass(frozen=True, slots=True)
class Need:
    """A fine-grained reason to write. `id` is `scenario/name`."""

    id: str
    definition: str
    border: str  # how it differs from its neighbours

    @property
    def scenario(self) -> str:
        """The contract's scenario it belongs to."""
        return self.id.split("/")[0]


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way to say a need, by one writer; with what was said before, when the line alone does not tell."""

    need: str
    text: str
    writer: str
    history: tuple[str, ...] = ()  # oldest first, speakers alternate, the agent spoke last

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The history as turns of a conversation."""
        from_end = range(len(self.history) - 1, -1, -1)
        return tuple(Turn(role="customer" if before % 2 else "agent", text=text) for before, text in zip(from_end, self.history, strict=True))

    @property
    def held_out(self) -> bool:
        """Whether it is of a writer never trained on."""
        return self.writer.startswith(TEST_WRITERS)


@dataclass(frozen=True, slots=True)
class Mood:
    """A message as a stranger hears it: its emotion, and whether it threatens to complain elsewhere."""

    text: str
    emotion: str
    threatens: bool
    writer: str

    @property
    def held_out(self) -> bool:
        """Whether it is of a writer never trained on."""
        return self.writer.startswith(TEST_WRITERS)


def read_moods(bank: Path = NEEDS_BANK) -> list[Mood]:
    """Gives the lines of `emotions.jsonl` in order."""
    return [Mood(**json.loads(line)) for line in (bank / "emotions.jsonl").read_text(encoding="utf-8").splitlines()]


def read_needs(bank: Path = NEEDS_BANK) -> dict[str, Need]:
    """Gives every need by id, in the file's order: the Chinese ones, then the coarser English ones."""
    with (bank / "definitions.csv").open(encoding="utf-8", newline="") as rows:
        return {row["need"]: Need(row["need"], row["definition"], row["border"]) for row in csv.DictReader(rows)}


def read_phrasings(language: str, bank: Path = NEEDS_BANK) -> list[Phrasing]:
    """Gives the phrasings of a language (`zh` or `en`) in the file's order.

    Raises:
        InvalidKnowledge: lines that cannot be read, all at once.
    """
    return _read(bank / LANGUAGES[language])


def read_followups(bank: Path = NEEDS_BANK) -> list[Phrasing]:
    """Gives the messages that lean on what was said before them, in the file's order.

    Raises:
        InvalidKnowledge: lines that cannot be read, all at once.
    """
    return _read(bank / "followups.jsonl")


def read_outside(bank: Path = NEEDS_BANK) -> list[Phrasing]:
    """Gives messages that have nothing to do with a shop: they teach the need classifier to abstain, and nothing else.

    Raises:
        InvalidKnowledge: lines that cannot be read, all at once.
    """
    return _read(bank / "outside.jsonl")


def _read(path: Path) -> list[Phrasing]:
    bad, found = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if line:
            try:
                row = json.loads(line)
                found.append(Phrasing(row["need"], row["text"], row["writer"], tuple(row.get("history", ()))))
            except (ValueError, KeyError, TypeError) as error:
                bad.append(BadRow(path.name, number, "line", "JSON with need, text, writer", f"{type(error).__name__}: {line[:60]}"))
    if bad:
        raise InvalidKnowledge(bad)
    return found


# Measured over a need's phrasings; floors and ceilings leave a margin to the bank of 2026-11-22, whose figures `scripts.check_needs` prints.
MIN_PHRASINGS = {"zh": 80, "en": 20}
MIN_DISTINCT_PAIRS = 0.44  # distinct character pairs ÷ all pairs, over the need's phrasings
MAX_SAME_OPENING = 0.12  # share of the longer phrasings that open with the same three characters
ALIKE_BY_NATURE = frozenset({"chat.other/noise"})  # 「啊啊啊啊」 has few ways to be said
NEAR_DUPLICATE = 0.8  # Jaccard of character pairs from which two phrasings of a need are one said twice
_LONGER = 8
_NAMED_NEED = re.compile(r"→\s*([a-z_.]+/[a-z_0-9]+)")


@dataclass(frozen=True, slots=True)
class Diversity:
    """How varied a need's phrasings are."""

    n_phrasings: int
    distinct_pairs: float
    same_opening: float
    near_duplicates: tuple[tuple[str, str], ...]


@lru_cache(maxsize=50_000)
def _pairs(text: str) -> tuple[str, ...]:
    plain = "".join(char for char in text.lower() if char.isalnum())
    return tuple(plain[i : i + 2] for i in range(len(plain) - 1))


def diversity(texts: Iterable[str]) -> Diversity:
    """Measures a need's phrasings. A frame with words swapped shows in all three: few distinct pairs, one opening, near-duplicates."""
    texts = list(texts)
    pairs = [_pairs(text) for text in texts]
    every = [pair for one in pairs for pair in one]
    longer = [text[:3] for text in texts if len(text) >= _LONGER]
    commonest = Counter(longer).most_common(1)[0][1] if longer else 0
    sets = [frozenset(one) for one in pairs]
    near = tuple(
        (texts[i], texts[j]) for i in range(len(texts)) for j in range(i + 1, len(texts))
        if NEAR_DUPLICATE * len(sets[j]) <= len(sets[i]) <= len(sets[j]) / NEAR_DUPLICATE and _nearly_alike(sets[i], sets[j])
    )  # fmt: skip
    return Diversity(
        n_phrasings=len(texts),
        distinct_pairs=len(set(every)) / max(1, len(every)),
        same_opening=commonest / max(1, len(longer)),
        near_duplicates=near,
    )


def _nearly_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= NEAR_DUPLICATE * max(1, len(one) + len(other) - shared)


def check_bank(bank: Path = NEEDS_BANK) -> list[BadRow]:
    """Gives everything to mend: unknown scenarios, needs without meaning or border, too few or too similar phrasings, one text under two needs."""
    bad = []
    needs = read_needs(bank)
    for line, need in enumerate(needs.values(), start=2):
        if need.scenario not in SCENARIOS or not need.definition or not need.border:
            bad.append(BadRow("definitions.csv", line, "need", "a contract scenario, a definition and a border", need.id))
        bad += [BadRow("definitions.csv", line, "border", "needs of this file", named) for named in _NAMED_NEED.findall(need.border) if named not in needs]
    for language, name in LANGUAGES.items():
        bad += _check_phrasings(name, language, read_phrasings(language, bank), needs)
    said = {one.need for language in LANGUAGES for one in read_phrasings(language, bank)} | {one.need for one in read_outside(bank)}
    bad += [BadRow("definitions.csv", line, "need", "phrasings", need) for line, need in enumerate(needs, start=2) if need not in said]
    for name, lines in (("followups.jsonl", read_followups(bank)), ("outside.jsonl", read_outside(bank))):
        bad += [BadRow(name, line, "need", "a need of definitions.csv", one.need) for line, one in enumerate(lines, start=1) if one.need not in needs]
    return bad


def _check_phrasings(name: str, language: str, phrasings: list[Phrasing], needs: dict[str, Need]) -> list[BadRow]:
    bad = []
    first: dict[str, tuple[int, str]] = {}
    by_need: dict[str, list[str]] = {}
    for line, phrasing in enumerate(phrasings, start=1):
        by_need.setdefault(phrasing.need, []).append(phrasing.text)
        other = first.setdefault(phrasing.text, (line, phrasing.need))
        if other[0] != line:
            bad.append(BadRow(name, line, "text", f"a text of its own; line {other[0]} has it under {other[1]}", phrasing.text))
        if phrasing.need not in needs:
            bad.append(BadRow(name, line, "need", "a need of definitions.csv", phrasing.need))
    for need, texts in by_need.items():
        found = diversity(texts)
        if found.n_phrasings < MIN_PHRASINGS[language]:
            bad.append(BadRow(name, 0, need, f"at least {MIN_PHRASINGS[language]} phrasings", str(found.n_phrasings)))
        bad += _check_diversity(name, need, found) if language == "zh" else []
    return bad


def _check_diversity(name: str, need: str, found: Diversity) -> list[BadRow]:
    bad = [BadRow(name, 0, need, "two different ways to say it", " / ".join(pair)) for pair in found.near_duplicates]
    if found.distinct_pairs < MIN_DISTINCT_PAIRS:
        bad.append(BadRow(name, 0, need, f"at least {MIN_DISTINCT_PAIRS} of character pairs distinct", f"{found.distinct_pairs:.2f}"))
    if found.same_opening > MAX_SAME_OPENING and need not in ALIKE_BY_NATURE:
        bad.append(BadRow(name, 0, need, f"at most {MAX_SAME_OPENING} of phrasings opening alike", f"{found.same_opening:.2f}"))
    return bad
