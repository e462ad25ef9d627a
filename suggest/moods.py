"""How a customer feels, heard from the words as a whole: what the emotion classifier says, seen beside what the message is about and how it is written.

「退款」 alone is calm, in a complaint it is not, and 「!!」 after it says the rest. A multinomial logistic regression fitted on labelled chats of several
shops weighs the classifier's answer with these; it reads no words itself, so it holds for a shop never seen (DESIGN D70).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

BUNDLED_MOODS = Path(__file__).parent / "models" / "moods.json"
MOODS = ("angry", "anxious", "calm", "upset")
_EXCLAIMS, _ASKS = re.compile("[!！]"), re.compile("[?？]")
_SHORT_CHARS, _LONG_CHARS = 40, 120
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class MoodWeights:
    """Weights of the moods, in the order of `MOODS`, over the features of `mood_inputs`; empty: what the classifier says stands."""

    scenarios: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]


class MoodModel:
    """Turns what the emotion classifier heard into moods."""

    def __init__(self, card: MoodWeights) -> None:
        self.card = card
        self._weights = np.array(card.weights)
        self._bias = np.array(card.bias)

    @classmethod
    def load(cls, path: Path = BUNDLED_MOODS) -> "MoodModel":
        """Reads the model that ships."""
        card = json.loads(path.read_text(encoding="utf-8"))
        return cls(MoodWeights(tuple(card["scenarios"]), tuple(map(tuple, card["weights"])), tuple(card["bias"])))

    @classmethod
    def as_heard(cls) -> "MoodModel":
        """Gives a model that learnt nothing: what the classifier says stands."""
        return cls(MoodWeights((), (), ()))

    def write(self, path: Path = BUNDLED_MOODS) -> None:
        """Writes the weights as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self.card), ensure_ascii=False) + "\n", encoding="utf-8")

    def felt(self, emotions: Mapping[str, float], *, message: str, words: str, scenarios: Mapping[str, float], threat: float) -> dict[str, float]:
        """Gives each mood's probability.

        Args:
            emotions: the classifier's probabilities.
            message: as it was written; its marks are read.
            words: the customer's own words in it; their length is read.
            scenarios: probabilities by the message alone.
            threat: probability that the customer threatens.
        """
        if not self.card.bias:
            return dict(emotions)
        inputs = mood_inputs(emotions, message=message, words=words, scenarios=[scenarios.get(name, 0.0) for name in self.card.scenarios], threat=threat)
        scores = self._weights @ inputs + self._bias
        shares = np.exp(scores - scores.max())
        return dict(zip(MOODS, (shares / shares.sum()).tolist(), strict=True))


def mood_inputs(emotions: Mapping[str, float], *, message: str, words: str, scenarios: list[float], threat: float) -> npt.NDArray[np.float64]:
    """Gives the features: centred log-probabilities of the moods, length, marks, threat, then the scenarios."""
    heard = np.log(np.array([emotions.get(mood, 0.0) for mood in MOODS]) + _LEAST)
    length = len(words)
    written = [
        min(length, _SHORT_CHARS) / _SHORT_CHARS, min(length, _LONG_CHARS) / _LONG_CHARS,
        float(_EXCLAIMS.search(message) is not None), float(len(_ASKS.findall(message)) > 1), threat,
    ]  # fmt: skip
    return np.array([*(heard - heard.mean()), *written, *scenarios])
