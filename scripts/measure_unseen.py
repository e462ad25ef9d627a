"""`python -m scripts.measure_unseen`: ranking, confidence and silence on shops that the ranker was not fitted to, leave-one-shop-out."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from knowledge.chats import LabelledChat, read_chats
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress
from suggest.evaluation import Estimate, Evaluation
from suggest.heard import heard_rightly
from suggest.live import Models
from suggest.unseen import LabelledShop, Unseen, leave_one_shop_out

app = typer.Typer(add_completion=False)
_METRICS = ("success@1", "acceptable@1", "success@3", "acceptable@3", "nDCG@3", "passage_recall@3", "both_questions@3")
_SPLITS = ("train", "dev", "test")


@app.command()
def measure_unseen(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with labelled chats; give at least two", exists=True, file_okay=False)],
    only: Annotated[list[str] | None, typer.Option(help="Judge only this shop; repeat for several")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder to write unseen.json to")] = None,
) -> None:
    """Prints, for each shop, the figures by a ranker fitted on the other shops' chats; minutes a shop; needs the models extra."""
    if len(store_dir) < 2:
        raise typer.BadParameter("expected at least two shops: one is judged by what the others taught", param_hint="--store-dir")
    shops = [LabelledShop(load_shop(folder), labelled_chats(folder)) for folder in store_dir]
    with progress(quiet=False) as tell:
        found = leave_one_shop_out(shops, Models.unfitted(), now=datetime.now(UTC), only=only or (), on_progress=tell)
    figures = {name: _figures(one) for name, one in found.items()}
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "unseen.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _print(found)


def labelled_chats(folder: Path) -> tuple[LabelledChat, ...]:
    """Gives all labelled chats of a shop's folder; exits with 1, telling every bad line, where one cannot be read."""
    found: list[LabelledChat] = []
    for split in _SPLITS:
        path = folder / "chats" / f"{split}.jsonl"
        chats, bad = read_chats(path, root=folder) if path.exists() else ([], [])
        if bad:
            STDERR.print("\n".join(map(str, bad)), markup=False)
            raise typer.Exit(1)
        found += chats
    return tuple(found)


def _figures(one: Unseen) -> dict[str, Any]:
    systems = {system.system: {metric: _plain(system.estimate(metric)) for metric in _METRICS} for system in (one.ranked, one.shown, *one.baselines)}
    return {
        "systems": systems,
        "contrast success@1": _plain(_contrast(one.ranked)),
        "calibration error": round(one.calibration_error, 4),
        "precision of first drafts shown": round(one.precision, 4),
        "coverage of the answerable": round(one.coverage, 4),
        "heard": heard_rightly(one.ranked.results).as_json(),
        "silence": {name: _plain(value) for name, value in one.shown.abstention.items()},
        "violations": one.ranked.violations,
    }


def _contrast(evaluation: Evaluation) -> Estimate:
    return evaluation.estimate("success@1", where=lambda chat: chat.contrast_group is not None)


def _plain(value: Estimate) -> dict[str, float | int | None]:
    return {name: None if math.isnan(getattr(value, name)) else round(getattr(value, name), 4) for name in ("mean", "low", "high")} | {"n": value.n}


def _print(found: dict[str, Unseen] | Any) -> None:
    console = Console(width=max(140, Console().width))
    for name, one in found.items():
        table = Table(title=f"{name}: fitted on the other shops; {len(one.ranked.results)} chats · mean [95% interval]")
        systems = (one.ranked, one.shown, *one.baselines)
        for column in ("metric", *(system.system for system in systems)):
            table.add_column(column, justify="left" if column == "metric" else "right")
        for metric in _METRICS:
            table.add_row(metric, *(_cell(system.estimate(metric)) for system in systems))
        table.add_row("contrast success@1", *(_cell(_contrast(system)) for system in systems))
        console.print(table)
        heard = heard_rightly(one.ranked.results)
        silence = {key: _cell(value) for key, value in one.shown.abstention.items()}
        console.print(
            f"calibration error {one.calibration_error:.3f}; first drafts shown right {one.precision:.3f}; "
            f"answerable given a draft {one.coverage:.3f}; {silence}",
            highlight=False, markup=False,
        )  # fmt: skip
        console.print(
            f"heard rightly: main scenario {heard.scenario:.3f}, mood {heard.mood:.3f} (macro-F1 {heard.mood_macro_f1:.3f}), "
            f"threats: precision {heard.threat_precision:.3f}, recall {heard.threat_recall:.3f}", highlight=False, markup=False,
        )  # fmt: skip


def _cell(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


if __name__ == "__main__":
    app()
