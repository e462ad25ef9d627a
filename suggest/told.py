"""What the customer has told is not asked for again: 「照片发了」 is not answered by 「请拍照片」. The pairs are data (`knowledge/conduct/told.toml`)."""

import re
from collections.abc import Iterable

from knowledge.conduct_rules import Told, told_things

_STEPS = re.compile(r"[^，,；;。！？!?]+[，,；;。！？!?]*\s*")
_ENDS = ("。", "！", "？", "!", "?")


def already_told(texts: Iterable[str]) -> list[Told]:
    """Gives the things that the customer's words, as they are matched, have told."""
    said = "\n".join(texts)
    return [one for one in told_things() if said and re.search(one.said, said)]


def without_asking_again(text: str, told: Iterable[Told]) -> str:
    """Gives the text without the steps that ask for what was told; unchanged where such a step ends its sentence, for something must come of it."""
    for one in told:
        kept = [step for step in _STEPS.findall(text) if step.rstrip().endswith(_ENDS) or not _asks(one, step)]
        text = "".join(kept)
    return text


def _asks(one: Told, step: str) -> bool:
    return re.search(one.asks, step) is not None and not (one.unless and re.search(one.unless, step))
