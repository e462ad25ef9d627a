"""How well the need classifier understands people it was never trained on: by need and scenario, with history, and when to abstain."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from indexes.classifier import Probabilities, TextClassifier, label_groups
from knowledge.conversation import readings
from knowledge.needs_bank import Phrasing
from knowledge.normalise import strip_console
from suggest.history import HistoryGate

OTHER = "chat.other"


def probabilities(needs: TextClassifier, phrasings: Sequence[Phrasing]) -> Probabilities:
    """Gives the needs' probabilities of each phrasing alone, in order."""
    return needs.probabilities([strip_console(phrasing.text) for phrasing in phrasings])


def accuracy(needs: TextClassifier, asked: Sequence[Phrasing], found: Probabilities) -> dict[str, float | int]:
    """Gives the shares of `asked` whose need and scenario came first, from their probabilities [n_asked, n_labels], in order."""
    right_needs = np.array([phrasing.need for phrasing in asked])
    names, member = label_groups(needs.labels)
    scenarios = found @ member
    right = np.array([need.split("/")[0] for need in right_needs])
    got = np.array(names)[scenarios.argmax(axis=1)]
    top = np.array(needs.labels)[np.argsort(-found, axis=1)[:, :3]]
    f1 = [2 * ((got == name) & (right == name)).sum() / max(1, (got == name).sum() + (right == name).sum()) for name in sorted(set(right))]
    return {
        "held-out lines": len(asked),
        "need top-1": _rounded(top[:, 0] == right_needs),
        "need top-3": _rounded((top == right_needs[:, None]).any(axis=1)),
        "scenario top-1": _rounded(got == right),
        "scenario macro-F1": round(float(np.mean(f1)), 4),
        "scenario calibration error": round(_calibration_error(scenarios.max(axis=1), got == right), 4),
    }


def _rounded(values: npt.NDArray[np.bool_]) -> float:
    return round(float(values.mean()), 4)


def _calibration_error(confidence: npt.NDArray[np.float32], right: npt.NDArray[np.bool_], *, n_bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return float(sum(abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)))


def confusions(needs: TextClassifier, asked: Sequence[Phrasing], found: Probabilities) -> list[tuple[str, str, int]]:
    """Gives pairs of needs, the most confused first, both directions together."""
    got = [needs.labels[row] for row in found.argmax(axis=1)]
    pairs: Counter[tuple[str, str]] = Counter()
    for phrasing, guess in zip(asked, got, strict=True):
        if guess != phrasing.need:
            one, other = sorted((phrasing.need, guess))
            pairs[one, other] += 1
    return [(one, other, n) for (one, other), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))]


def accuracy_in_context(needs: TextClassifier, gate: HistoryGate, asked: Sequence[Phrasing]) -> dict[str, float | int]:
    """Gives how far the turns before them help short messages: from the message alone, and with history."""
    alone, mixed = [], []
    for phrasing in asked:
        texts = readings(phrasing.text, phrasing.turns)
        found = needs.probabilities(texts)
        alone.append(found[0])
        mixed.append(gate.shares(texts[0], found) @ found)
    message, context = accuracy(needs, asked, np.stack(alone)), accuracy(needs, asked, np.stack(mixed))
    return {
        "held-out turns": len(asked),
        "message alone, need": message["need top-1"],
        "message alone, scenario": message["scenario top-1"],
        "with history, need": context["need top-1"],
        "with history, scenario": context["scenario top-1"],
    }


def heard_as_other(needs: TextClassifier, phrasings: Sequence[Phrasing]) -> float:
    """Gives the share of phrasings whose likeliest scenario is that no shop can answer them."""
    names, member = label_groups(needs.labels)
    return _rounded((probabilities(needs, phrasings) @ member).argmax(axis=1) == names.index(OTHER))
