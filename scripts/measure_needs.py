"""`python -m scripts.measure_needs`: how well the need classifier understands writers it was never trained on."""

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from indexes.classifier import Probabilities, TextClassifier, load_classifier
from knowledge.needs_bank import Phrasing, read_followups, read_outside, read_phrasings
from knowledge.normalise import strip_console
from scripts.progress import STDERR
from suggest.history import HistoryGate, readings

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
    confusions: list[tuple[str, str, int]] = []
    for language in ("zh", "en"):
        asked = [phrasing for phrasing in read_phrasings(language) if phrasing.held_out]
        found = _probabilities(needs, asked)
        figures[language] = _accuracy(needs, asked, found)
        confusions += _confusions(needs, asked, found) if language == "zh" else []
    figures["short turns in context"] = _in_context(needs)
    figures["nothing to do with a shop"] = _abstains(needs)
    figures["one message, ms (median)"] = _milliseconds(needs)
    if growth:
        figures["bank size → need, scenario top-1"] = _growth()
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "needs.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (report / "confusions.tsv").write_text("".join(f"{one}\t{other}\t{n}\n" for one, other, n in confusions), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        STDERR.print(f"{name}: {value}", markup=False, highlight=False)
    for one, other, n in confusions[:_BORDERS]:
        STDERR.print(f"border {one} / {other}: {n} of the held-out lines on the wrong side", markup=False, highlight=False)


def _probabilities(needs: TextClassifier, phrasings: list[Phrasing]) -> Probabilities:
    return needs.probabilities([strip_console(phrasing.text) for phrasing in phrasings])


def _scenarios(needs: TextClassifier, found: npt.NDArray[np.float32]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The scenarios' names and their probabilities, [n, n_scenarios]."""
    names = sorted({label.split("/")[0] for label in needs.labels})
    member = np.array([[label.split("/")[0] == name for name in names] for label in needs.labels], dtype=np.float32)
    return names, np.asarray(found @ member, dtype=np.float32)


def _accuracy(needs: TextClassifier, asked: list[Phrasing], found: Probabilities) -> dict[str, float | int]:
    right_needs = np.array([phrasing.need for phrasing in asked])
    names, scenarios = _scenarios(needs, found)
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


def _confusions(needs: TextClassifier, asked: list[Phrasing], found: Probabilities) -> list[tuple[str, str, int]]:
    """Pairs of needs, the most confused first, both directions together."""
    got = [needs.labels[row] for row in found.argmax(axis=1)]
    pairs: Counter[tuple[str, str]] = Counter()
    for phrasing, guess in zip(asked, got, strict=True):
        if guess != phrasing.need:
            one, other = sorted((phrasing.need, guess))
            pairs[one, other] += 1
    return [(one, other, n) for (one, other), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))]


def _in_context(needs: TextClassifier) -> dict[str, float | int]:
    asked = [phrasing for phrasing in read_followups() if phrasing.held_out]
    gate = HistoryGate.load()
    alone, mixed = [], []
    for phrasing in asked:
        texts = readings(phrasing.text, phrasing.turns)
        found = needs.probabilities(texts)
        alone.append(found[0])
        mixed.append(gate.shares(texts[0], found) @ found)
    message, context = _accuracy(needs, asked, np.stack(alone)), _accuracy(needs, asked, np.stack(mixed))
    return {
        "held-out turns": len(asked),
        "message alone, need": message["need top-1"],
        "message alone, scenario": message["scenario top-1"],
        "with history, need": context["need top-1"],
        "with history, scenario": context["scenario top-1"],
    }


def _abstains(needs: TextClassifier) -> dict[str, float | int]:
    """How often held-out messages outside shopping are heard as `chat.other`, and shoppers' messages wrongly so."""
    outside = [phrasing for phrasing in read_outside() if phrasing.held_out]
    inside = [phrasing for phrasing in read_phrasings("zh") if phrasing.held_out and not phrasing.need.startswith("chat.")]
    heard = {}
    for name, phrasings in (("outside, heard as chat.other", outside), ("a shopper's, heard as chat.other", inside)):
        names, scenarios = _scenarios(needs, _probabilities(needs, phrasings))
        heard[name] = _rounded(scenarios.argmax(axis=1) == names.index("chat.other"))
    return {"held-out messages": len(outside), **heard}


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
        figures = _accuracy(fitted, asked, _probabilities(fitted, asked))
        grown[f"{len(kept)} lines"] = (float(figures["need top-1"]), float(figures["scenario top-1"]))
    return grown


if __name__ == "__main__":
    app()
