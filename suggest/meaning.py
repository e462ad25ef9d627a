"""What is meant, given what was heard: 「还没收到」 sounds like a refund until one sees a parcel that has not moved for three days.

One log-linear model over the contract's scenarios: what the need classifier heard, the signs of the order, and the mood. It is counted on labelled
chats of several shops and knows nothing of any one's words, so it holds for a shop never seen (DESIGN D9).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from indexes.classifier import TextClassifier, label_groups
from knowledge.scenarios import SCENARIOS

BUNDLED_MEANING = Path(__file__).parent / "models" / "meaning"
CARD, WEIGHTS = "meaning.json", "meaning.safetensors"
# What the mood adds, in the order of its weights.
MOOD_FEATURES = ("upset or angry", "angry", "anxious", "threat")
HEARD_FLOOR = 1e-3  # of a scenario nobody heard: the order may still speak for it
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
        self._membership = scenario_membership(self.needs, self.scenarios)

    @classmethod
    def load(cls, folder: Path = BUNDLED_MEANING) -> "MeaningModel":
        """Reads the model that ships."""
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        arrays = load_file(folder / WEIGHTS)
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
        """Gives the scenarios' probabilities by the words alone, [n_scenarios]."""
        return np.asarray(needs @ self._membership, dtype=np.float32)

    def meant(self, needs: Vector, signs: Sequence[str], moods: Mapping[str, float], threat: float) -> Vector:
        """Gives the scenarios' probabilities, [n_scenarios], summing to 1.

        Args:
            needs: [n_needs], probabilities by the words, in the order of the classifier's labels.
            signs: of the order, see `order_state.order_signs`; those never seen in training say nothing.
            moods: emotions' probabilities.
            threat: probability that the customer threatens.
        """
        weights = self.weights
        known = [self._place[sign] for sign in signs if sign in self._place]
        scores = weights.hearing * np.log(self.heard(needs) + HEARD_FLOOR) + weights.bias + np.sqrt(needs) @ weights.needs
        scores += weights.signs[known].sum(axis=0) + mood_features(moods, threat) @ weights.moods
        shares = np.exp(scores - scores.max())
        return np.asarray(shares / shares.sum(), dtype=np.float32)

    def named(self, probabilities: Vector) -> dict[str, float]:
        """Gives probabilities by scenario."""
        return dict(zip(self.scenarios, probabilities.tolist(), strict=True))


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
