"""What an approximate index must find of what looking at every key would, and the questions that this is measured by."""

from collections.abc import Callable
from random import Random

from indexes.errors import SnapshotRefused
from knowledge.needs_bank import read_phrasings

RECALL_FLOOR = 0.98  # an index that finds less of the 50 nearest keys is not published
_ASKED = 300  # triggers with a character lost, and as many lines of the needs bank
_SEED = 5


def check_recall(recall: float | None) -> None:
    """Proves that an approximate index finds what looking at every key would find.

    Raises:
        SnapshotRefused: it finds less than `RECALL_FLOOR` of it.
    """
    if recall is not None and recall < RECALL_FLOOR:
        raise SnapshotRefused([low_recall(recall)])


def low_recall(recall: float | None) -> str:
    """Gives why an index of this recall is not published; empty where it may be."""
    if recall is None or recall >= RECALL_FLOOR:
        return ""
    return f"the approximate index finds {recall:.1%} of the 50 nearest keys, at least {RECALL_FLOOR:.0%} are wanted; many keys that say the same may be why"


def questions(n_triggers: int, text_of: Callable[[int], str], n: int = _ASKED) -> list[str]:
    """Gives what may be asked: up to `n` of the triggers with a character lost, and `n` lines of the needs bank; always the same ones."""
    random = Random(_SEED)
    lines = [line.text for line in read_phrasings("zh")]
    disturbed = [_without_one(text_of(number), random) for number in random.sample(range(n_triggers), min(n, n_triggers))]
    return [*disturbed, *random.sample(lines, n)]


def _without_one(text: str, random: Random) -> str:
    place = random.randrange(max(1, len(text)))
    return text[:place] + text[place + 1 :] or text
