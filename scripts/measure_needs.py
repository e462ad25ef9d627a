"""`python -m scripts.measure_needs`: how well the need classifier understands writers it was never trained on."""

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from indexes.classifier import TextClassifier, load_classifier
from knowledge.needs_bank import read_followups, read_moods, read_outside, read_phrasings
from knowledge.normalise import strip_console
from scripts.progress import STDERR
from suggest.history import HistoryGate
from suggest.mood_accuracy import mood_figures
from suggest.need_accuracy import accuracy, accuracy_in_context, confusions, heard_as_other, probabilities

app = typer.Typer(add_completion=False)
_BORDERS = 10
_SHARES = (0.25, 0.5, 1.0)
_SEED = 20_261_122


@app.command()
def measure_needs(
    growth: Annotated[bool, typer.Option(help="Also fit on a quarter and half of the bank (minutes; needs the models extra)")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder to write needs.json and confusions.tsv to")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Prints accuracy on the held-out writers by language, calibration, short turns with and without history, speed, and the worst borders."""
    needs = load_classifier("needs")
    figures: dict[str, object] = {}
    borders: list[tuple[str, str, int]] = []
    for language in ("zh", "en"):
        asked = [phrasing for phrasing in read_phrasings(language) if phrasing.held_out]
        found = probabilities(needs, asked)
        figures[language] = accuracy(needs, asked, found)
        borders += confusions(needs, asked, found) if language == "zh" else []
    figures["short turns in context"] = accuracy_in_context(needs, HistoryGate.load(), [one for one in read_followups() if one.held_out])
    outside, inside = ([one for one in lines if one.held_out] for lines in (read_outside(), read_phrasings("zh")))
    figures["nothing to do with a shop"] = {
        "held-out messages": len(outside),
        "outside, heard as chat.other": heard_as_other(needs, outside),
        "a shopper's, heard as chat.other": heard_as_other(needs, [one for one in inside if not one.need.startswith("chat.")]),
    }
    figures["moods and threats"] = mood_figures(load_classifier("emotion"), load_classifier("threat"), [one for one in read_moods() if one.held_out])
    figures["one message, ms (median)"] = _milliseconds(needs)
    if growth:
        figures["bank size → need, scenario top-1"] = _growth()
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "needs.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (report / "confusions.tsv").write_text("".join(f"{one}\t{other}\t{n}\n" for one, other, n in borders), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        STDERR.print(f"{name}: {value}", markup=False, highlight=False)
    for one, other, n in borders[:_BORDERS]:
        STDERR.print(f"border {one} / {other}: {n} of the held-out lines on the wrong side", markup=False, highlight=False)


def _milliseconds(needs: TextClassifier) -> float:
    texts = [strip_console(phrasing.text) for phrasing in read_phrasings("zh") if phrasing.held_out][:500]
    taken = []
    for text in texts:
        started = time.perf_counter()
        needs.probabilities([text])
        taken.append(time.perf_counter() - started)
    return round(float(np.median(taken)) * 1_000, 3)


def _growth() -> dict[str, tuple[float, float]]:
    from indexes.embedder import load_embedder
    from indexes.fitting import fit_classifier

    phrasings = read_phrasings("zh")
    asked = [phrasing for phrasing in phrasings if phrasing.held_out]
    heard = [phrasing for phrasing in phrasings if not phrasing.held_out]
    order = np.random.default_rng(_SEED).permutation(len(heard))
    embedder = load_embedder()
    grown = {}
    for share in _SHARES:
        kept = [heard[row] for row in sorted(order[: round(len(heard) * share)])]
        with tempfile.TemporaryDirectory() as folder:
            fit_classifier([strip_console(p.text) for p in kept], [p.need for p in kept], embedder, Path(folder) / "needs")
            fitted = TextClassifier(Path(folder) / "needs", embedder)
        figures = accuracy(fitted, asked, probabilities(fitted, asked))
        grown[f"{len(kept)} lines"] = (float(figures["need top-1"]), float(figures["scenario top-1"]))
    return grown


if __name__ == "__main__":
    app()
