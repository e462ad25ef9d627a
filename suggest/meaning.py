"""What is meant, given what was heard: 「还没收到」 sounds like a refund until one sees a parcel that has not moved for three days.

One log-linear model over the contract's scenarios: what the need classifier heard, the signs of the order, and the mood. It is counted on labelled
chats of several shops and knows nothing of any one's words, so it holds for a shop never seen (DESIGN D9).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from indexes.classifier import TextClassifier, label_groups
from indexes.compiled import compiled
from knowledge.scenarios import SCENARIOS

BUNDLED_MEANING = Path(__file__).parent / "models" / "meaning"
CARD, WEIGHTS = "meaning.json", "meaning.safetensors"
# What the mood adds, in the order of its weights.
MOOD_FEATURES = ("upset or angry", "angry", "anxious", "threat")
HEARD_FLOOR = 1e-3  # of a scenario nobody heard: the order may still speak for it
_HEARD_FLOOR = np.float32(HEARD_FLOOR)
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MeaningWeights:
    """What each thing adds to the log of a scenario's share, a column a scenario."""

    hearing: float  # times the log of what was heard
    bias: Vector  # [n_scenarios]
    signs: Vector  # [n_signs, n_scenarios]
    moods: Vector  # [len(MOOD_FEATURES), n_scenarios]
    needs: Vector  # [n_needs, n_scenarios], times the square root of each need's probability


class MeaningModel:
    """Turns needs heard into scenarios meant, for an order with these signs and a customer in this mood."""

    def __init__(self, scenarios: Sequence[str], signs: Sequence[str], needs: Sequence[str], weights: MeaningWeights) -> None:
        self.scenarios, self.signs, self.needs, self.weights = tuple(scenarios), tuple(signs), tuple(needs), weights
        self._place = {sign: place for place, sign in enumerate(self.signs)}
        number = {name: place for place, name in enumerate(self.scenarios)}
        self._scenario_of = np.array([number[need.split("/")[0]] for need in self.needs], dtype=np.int64)  # [n_needs]

    @classmethod
    def load(cls, folder: Path = BUNDLED_MEANING) -> "MeaningModel":
        """Reads the model that ships."""
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        arrays = {name: array.copy() for name, array in load_file(folder / WEIGHTS).items()}  # what was read is read-only, which compiled loops take slowly
        return cls(card["scenarios"], card["signs"], card["needs"], MeaningWeights(hearing=card["hearing"], **arrays))

    @classmethod
    def as_heard(cls, needs: TextClassifier) -> "MeaningModel":
        """Gives a model that learnt nothing: words mean what they sound like, whatever the order and the mood."""
        scenarios = scenarios_of(needs)
        nothing = MeaningWeights(1.0, *(np.zeros((*n, len(scenarios)), dtype=np.float32) for n in ((), (0,), (len(MOOD_FEATURES),), (len(needs.labels),))))
        return cls(scenarios, (), needs.labels, nothing)

    def write(self, folder: Path = BUNDLED_MEANING) -> None:
        """Writes the card and the weights."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = self.weights
        save_file({"bias": weights.bias, "signs": weights.signs, "moods": weights.moods, "needs": weights.needs}, folder / WEIGHTS)
        card = {"scenarios": self.scenarios, "signs": self.signs, "needs": self.needs, "hearing": weights.hearing}
        (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def heard(self, needs: Vector) -> Vector:
        """Gives the scenarios' probabilities by the words alone, of one or several texts: [n_scenarios] or [n_texts, n_scenarios]."""
        found = _by_scenario(np.atleast_2d(needs), self._scenario_of, len(self.scenarios))
        return found if needs.ndim == 2 else found[0]

    def meant(self, needs: Vector, signs: Sequence[str], moods: Mapping[str, float], threat: float) -> Vector:
        """Gives the scenarios' probabilities, [n_scenarios], summing to 1.

        Args:
            needs: [n_needs], probabilities by the words, in the order of the classifier's labels.
            signs: of the order, see `order_state.order_signs`; those never seen in training say nothing.
            moods: emotions' probabilities.
            threat: probability that the customer threatens.
        """
        weights = self.weights
        known = np.array([self._place[sign] for sign in signs if sign in self._place], dtype=np.int64)
        mood = mood_features(moods, threat)
        return _meant(needs, self.heard(needs), weights.hearing, weights.bias, weights.signs, known, weights.moods, mood, weights.needs)

    def named(self, probabilities: Vector) -> "ByScenario":
        """Gives probabilities by scenario."""
        return ByScenario(self.scenarios, probabilities)


class ByScenario(dict[str, float]):
    """Probabilities by scenario, which also stand as a column in the order of the names, with a 0 behind for any other name."""

    __slots__ = ("column", "names")

    def __init__(self, names: tuple[str, ...], column: Vector) -> None:
        super().__init__(zip(names, column.tolist(), strict=True))
        self.names, self.column = names, np.zeros(len(column) + 1, dtype=np.float32)
        self.column[:-1] = column


@compiled
def _by_scenario(needs: Vector, scenario_of: npt.NDArray[np.int64], n_scenarios: int) -> Vector:
    found = np.zeros((len(needs), n_scenarios), dtype=np.float32)
    for text in range(len(needs)):
        for need in range(len(scenario_of)):
            found[text, scenario_of[need]] += needs[text, need]
    return found


@compiled
def _meant(
    needs: Vector, heard: Vector, hearing: float, bias: Vector, signs: Vector, known: npt.NDArray[np.int64], moods: Vector, mood: Vector, weights: Vector
) -> Vector:
    """The log-linear model's shares: what was heard, then what each need, sign and mood adds."""
    scores = np.empty(len(bias), dtype=np.float32)
    for scenario in range(len(bias)):
        scores[scenario] = np.float32(hearing) * math.log(heard[scenario] + _HEARD_FLOOR) + bias[scenario]
    for need in range(len(needs)):
        root = np.float32(math.sqrt(needs[need]))
        for scenario in range(len(bias)):
            scores[scenario] += root * weights[need, scenario]
    for sign in known:
        scores += signs[sign]
    for place in range(len(mood)):
        scores += mood[place] * moods[place]
    powers = np.exp(scores - scores.max())
    shares: Vector = powers / powers.sum()
    return shares


def mood_features(moods: Mapping[str, float], threat: float) -> Vector:
    """Gives the features of `MOOD_FEATURES`."""
    angry = moods.get("angry", 0.0)
    return np.array([moods.get("upset", 0.0) + angry, angry, moods.get("anxious", 0.0), threat], dtype=np.float32)


def scenarios_of(needs: TextClassifier) -> tuple[str, ...]:
    """Gives the contract's scenarios and any other that the classifier's needs belong to, by name."""
    return tuple(sorted({*SCENARIOS, *label_groups(needs.labels)[0]}))


def scenario_membership(needs: Sequence[str], scenarios: Sequence[str]) -> Vector:
    """Gives which need belongs to which scenario, [n_needs, n_scenarios] of 0 and 1."""
    return np.array([[need.split("/")[0] == scenario for scenario in scenarios] for need in needs], dtype=np.float32).reshape(len(needs), len(scenarios))
