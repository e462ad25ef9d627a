"""How much a message leans on what was said before it: a small learned gate over readings of the message with and without its history.

On real chats most misses are short turns whose subject stands one to four turns back (design.md). The gate sees how short the message is, whether it
opens like a follow-up, and how sure the need classifier is of each reading; it gives the share each reading has in the need distribution.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.classifier import TextClassifier
from knowledge.conversation import readings
from knowledge.order_context import Turn

BUNDLED_GATE = Path(__file__).parent / "models" / "history_gate.json"
_FOLLOW_UP = re.compile(r"那|然后|所以|要是|还是|又|and\b|so\b|what about\b|then\b")
_SHORT_CHARS = 8.0
_STEPS, _STEP, _DECAY = 1_500, 0.5, 1e-3
Distributions = npt.NDArray[np.float32]  # [n_readings, n_needs]


@dataclass(frozen=True, slots=True)
class HistoryGate:
    """Weights of a softmax over the readings, one row a reading, one column a feature (see `_features`)."""

    weights: tuple[tuple[float, ...], ...]

    @classmethod
    def load(cls, path: Path = BUNDLED_GATE) -> "HistoryGate":
        """Reads the gate that ships."""
        return cls(tuple(tuple(row) for row in json.loads(path.read_text(encoding="utf-8"))["weights"]))

    def write(self, path: Path = BUNDLED_GATE) -> None:
        """Writes the gate as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def shares(self, text: str, needs: Distributions) -> npt.NDArray[np.float32]:
        """Gives each reading's share in what the message means, [n_readings], sums to 1."""
        if len(needs) == 1:
            return np.ones(1, dtype=np.float32)
        return _softmax(np.array(self.weights) @ _features(text, needs))


def fit_history_gate(needs: TextClassifier, samples: Sequence[tuple[str, Sequence[Turn], str]]) -> HistoryGate:
    """Fits the gate on (message, turns before it, need) by maximum likelihood of the mixture; gradient ascent, so no randomness."""
    rows = [readings(message, history) for message, history, _ in samples]
    read = needs.probabilities([text for texts in rows for text in texts]).reshape(len(rows), len(rows[0]), -1)
    features = np.stack([_features(texts[0], one) for texts, one in zip(rows, read, strict=True)])  # [n, n_features]
    right = np.array([one[:, needs.labels.index(need)] for one, (_, _, need) in zip(read, samples, strict=True)]) + 1e-6  # [n, n_readings]
    weights = np.zeros((right.shape[1], features.shape[1]))
    for _ in range(_STEPS):
        shares = np.exp(features @ weights.T)
        shares /= shares.sum(axis=1, keepdims=True)
        responsible = shares * right
        responsible /= responsible.sum(axis=1, keepdims=True)
        weights += _STEP * ((responsible - shares).T @ features / len(rows) - _DECAY * weights)
    return HistoryGate(tuple(tuple(round(float(one), 4) for one in row) for row in weights))


def _features(text: str, needs: Distributions) -> npt.NDArray[np.float64]:
    """One, shortness in (0, 1], opens like a follow-up, and the surest need's probability in each reading."""
    return np.array([1.0, np.exp(-len(text) / _SHORT_CHARS), float(_FOLLOW_UP.match(text) is not None), *needs.max(axis=1)], dtype=np.float64)


def _softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
