"""`python -m scripts.train_classifiers`: fit the need, emotion and threat classifiers on the banks that ship."""

import json
from pathlib import Path

import typer

from indexes.classifier import MODELS
from indexes.corpora import NEEDS_BANK, needs_lines
from indexes.embedder import load_embedder
from indexes.fitting import FitReport, fit_classifier
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)
_SMALL = 2**13  # buckets: a few labels need fewer


@app.command()
def train_classifiers() -> None:
    """Fits the three, each calibrated on a held-out tenth, and prints their accuracy there."""
    embedder = load_embedder()
    needs = needs_lines()
    emotions = [json.loads(line) for line in (NEEDS_BANK / "emotions.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in emotions]
    _tell("needs", fit_classifier([text for _, text in needs], [need for need, _ in needs], embedder, MODELS / "needs", n_buckets=_SMALL, epochs=30))
    _tell("emotion", fit_classifier(texts, [row["emotion"] for row in emotions], embedder, MODELS / "emotion", n_buckets=_SMALL, epochs=40))
    labels = ["threat" if row["threatens"] else "none" for row in emotions]
    _tell("threat", fit_classifier(texts, labels, embedder, MODELS / "threat", n_buckets=_SMALL, epochs=40))


def _tell(name: str, report: FitReport) -> None:
    said = f"accuracy {report.accuracy:.3f} on {report.n_held_out} kept out of {report.n_train + report.n_held_out}"
    STDERR.print(f"{name}: {said} → {Path('indexes/models') / name}", markup=False, highlight=False)


if __name__ == "__main__":
    app()
