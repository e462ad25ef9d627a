"""Writes as people type on a phone: sound-alike characters, pinyin left standing, characters dropped or swapped. For training; needs pypinyin.

The robustness figures use a table of their own, so that what is measured is not what was practised.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable

from pypinyin import lazy_pinyin

_HAN = re.compile(r"[一-鿿]")


class Disturber:
    """Knows which characters of some texts sound alike; gives misspelt copies."""

    def __init__(self, texts: Iterable[str], *, common: int = 3_000) -> None:
        counts: dict[str, int] = defaultdict(int)
        for text in texts:
            for char in _HAN.findall(text):
                counts[char] += 1
        alike: dict[str, list[str]] = defaultdict(list)
        for char in sorted(counts, key=lambda char: (-counts[char], char))[:common]:
            alike[lazy_pinyin(char)[0]].append(char)
        self._alike = dict(alike)

    def misspell(self, text: str, rng: random.Random) -> str:
        """Gives the text with one or two characters disturbed; short texts and texts without Chinese characters stay."""
        places = [place for place, char in enumerate(text) if _HAN.match(char)]
        if len(places) < 4:
            return text
        chars = list(text)
        for place in rng.sample(places, k=2 if len(places) > 9 else 1):
            chars[place] = self._disturbed(chars[place], rng)
        if rng.random() < 0.15:
            place = rng.choice(places[:-1])
            chars[place : place + 2] = reversed(chars[place : place + 2])
        return "".join(chars)

    def _disturbed(self, char: str, rng: random.Random) -> str:
        sound = lazy_pinyin(char)[0]
        chance = rng.random()
        others = [other for other in self._alike.get(sound, []) if other != char]
        if chance < 0.7 and others:
            return rng.choice(others)
        return sound if chance < 0.85 else ""
