"""How well an evaluation's messages were understood: the main scenario, the mood, threats; beside what was drafted for them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from suggest.evaluation import ChatResult
from suggest.moods import MOODS


@dataclass(frozen=True, slots=True)
class HeardFigures:
    """Shares of the chats that are labelled with each; NaN where none is. `mood_macro_f1` is over the moods that are labelled or heard."""

    scenario: float
    mood: float
    mood_macro_f1: float
    threat_precision: float
    threat_recall: float

    def as_json(self) -> dict[str, float | None]:
        """Gives the figures, four decimals, null for NaN."""
        return {name: None if math.isnan(value) else round(value, 4) for name, value in asdict(self).items()}


def heard_rightly(results: Sequence[ChatResult]) -> HeardFigures:
    """Gives the figures of one system's results; those that were not listened to (baselines) do not count."""
    listened = [one for one in results if one.mood]
    scenarios = [one.heard == one.chat.labels.scenarios[0] for one in listened if one.chat.labels.scenarios]
    moods = [(str(one.chat.labels.emotion), one.mood) for one in listened if one.chat.labels.emotion]
    threats = [(one.chat.labels.threatens, one.threatens) for one in listened]
    f1 = [value for mood in MOODS if not math.isnan(value := f1_of(mood, moods))]
    told, heard = [labelled for labelled, found in threats if found], [found for labelled, found in threats if labelled]
    return HeardFigures(_share(scenarios), _share([meant == found for meant, found in moods]), _share(f1), _share(told), _share(heard))


def f1_of(mood: str, pairs: Sequence[tuple[str, str]]) -> float:
    """Gives the F1 of one mood over (labelled, heard) pairs; NaN where it is neither labelled nor heard."""
    both = sum(meant == found == mood for meant, found in pairs)
    either = sum(meant == mood for meant, _ in pairs) + sum(found == mood for _, found in pairs)
    return 2 * both / either if either else math.nan


def _share(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
