"""How well moods and threats are heard from people the classifiers were never trained on."""

from collections.abc import Sequence

import numpy as np

from indexes.classifier import TextClassifier
from knowledge.needs_bank import Mood
from knowledge.normalise import strip_console
from suggest.heard import f1_of
from suggest.understanding import THREATENS, threat_probability


def mood_figures(emotions: TextClassifier, threats: TextClassifier, asked: Sequence[Mood]) -> dict[str, float | int]:
    """Gives the macro-F1 of the four moods, each mood's F1, and the precision and recall of threats."""
    texts = [strip_console(mood.text) for mood in asked]
    heard = [emotions.labels[int(place)] for place in emotions.probabilities(texts).argmax(axis=1)]
    pairs = [(mood.emotion, found) for mood, found in zip(asked, heard, strict=True)]
    f1 = {name: float(np.nan_to_num(f1_of(name, pairs))) for name in emotions.labels}  # 0 where nobody has it
    threatens = np.array([mood.threatens for mood in asked])
    found = np.array([threat_probability(threats, text) >= THREATENS for text in texts])
    both = float((found & threatens).sum())
    return {
        "held-out lines": len(asked),
        "mood macro-F1": round(float(np.mean(list(f1.values()))), 4),
        **{f"F1 of {name}": round(value, 4) for name, value in f1.items()},
        "threat precision": round(both / max(1, int(found.sum())), 4),
        "threat recall": round(both / max(1, int(threatens.sum())), 4),
    }
