"""`python -m scripts.measure_ablation`: what each signal and each step of understanding is worth; and the ranking on scenarios it never saw."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from indexes.build import build_snapshot
from knowledge.shop import load_shop
from scripts.measure_unseen import labelled_chats
from scripts.progress import STDERR
from suggest.ablation import METRICS, Ablation, ablate, by_other_scenarios, gather
from suggest.evaluation import Estimate, bootstrap
from suggest.live import Models
from suggest.unseen import LabelledShop

app = typer.Typer(add_completion=False)
_FOLDS = 5


@app.command()
def measure_ablation(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with labelled chats; give at least two", exists=True, file_okay=False)],
    report: Annotated[Path | None, typer.Option(help="Folder to write ablation.json to")] = None,
) -> None:
    """Fits the order again without each group of signals and each step; minutes; needs the models extra. The first shop is also judged scenario by scenario."""
    if len(store_dir) < 2:
        raise typer.BadParameter("expected at least two shops: one is judged by what the others taught", param_hint="--store-dir")
    shops = [LabelledShop(load_shop(folder), labelled_chats(folder)) for folder in store_dir]
    models = Models.unfitted()
    found = ablate(shops, models, now=datetime.now(UTC), on_done=lambda name: STDERR.print(f"done: {name}", markup=False, highlight=False))
    strangers = _strangers(shops, models)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        content = {"ablation": [_plain(one) for one in found], "other scenarios": {name: _estimate(value) for name, value in strangers.items()}}
        (report / "ablation.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _print(found, strangers, shops[0].id)


def _strangers(shops: list[LabelledShop], models: Models) -> dict[str, Estimate]:
    """The first shop's chats by an order fitted on its chats of other scenarios; what is meant is learnt from the other shops."""
    now = datetime.now(UTC)
    snapshots = {one.id: build_snapshot(one.shop, embedder=models.embedder, needs=models.reader.needs, now=now) for one in shops}
    judged = [one for one in gather(shops, models, snapshots) if one.shop == shops[0].id]
    scores = by_other_scenarios(judged, n_folds=_FOLDS)
    units = [one.chat.conversation for one in judged]
    return {metric: bootstrap(np.array([found[metric] for found in scores]), units) for metric in METRICS}


def _print(found: list[Ablation], strangers: dict[str, Estimate], shop: str) -> None:
    console = Console(width=max(150, Console().width))
    table = Table(title="the order of candidates without …, leave-one-shop-out, mean over shops (difference [95% interval], paired)")
    for column in ("without", *METRICS):
        table.add_column(column, justify="left" if column == "without" else "right")
    for number, one in enumerate(found):
        cells = [f"{one.means[metric]:.3f}" + ("" if number == 0 else f" ({_signed(one.differences[metric])})") for metric in METRICS]
        table.add_row("– (everything)" if number == 0 else one.without, *cells)
    console.print(table)
    told = ", ".join(f"{metric} {value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]" for metric, value in strangers.items())
    console.print(f"{shop}, scenarios the order was not fitted to: {told}", highlight=False, markup=False)


def _signed(value: Estimate) -> str:
    return f"{value.mean:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def _plain(one: Ablation) -> dict[str, object]:
    means = {name: round(value, 4) for name, value in one.means.items()}
    return {"without": one.without, "means": means, "differences": {name: _estimate(value) for name, value in one.differences.items()}}


def _estimate(value: Estimate) -> dict[str, float | int]:
    return {name: round(getattr(value, name), 4) for name in ("mean", "low", "high")} | {"n": value.n}


if __name__ == "__main__":
    app()
