"""`python -m scripts.evaluate`: labelled chats through the endpoint's own pipeline, beside a BM25 baseline and the same without conditions."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from indexes.errors import IndexingError
from indexes.publish import load_current
from knowledge.chats import LabelledChat, read_chats
from knowledge.errors import KnowledgeError
from knowledge.records import Store
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress
from suggest.evaluation import METRICS, Estimate, Evaluation, UnconditionalSuggester, evaluate, evaluate_bm25
from suggest.live import Models
from suggest.pipeline import Suggester

app = typer.Typer(add_completion=False)


@app.command()
def main(
    chats: Annotated[list[Path], typer.Option(help="Labelled chats (JSONL); repeat for several", exists=True, dir_okay=False)],
    store_dir: Annotated[Path, typer.Option(help="The shop's folder", exists=True, file_okay=False)] = Path("knowledge/stores/demo"),
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    report: Annotated[Path | None, typer.Option(help="Folder to write evaluation.json to")] = None,
    model: Annotated[str, typer.Option(help="Embedding model", envvar="SUGGEST_MODEL")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report on standard output, as JSON")] = False,
) -> None:
    """Prints headline metrics with 95% intervals, slices by scenario and tag, silence, and anything that must never be shown."""
    try:
        models = Models.load(model)
        shop = load_shop(store_dir)
        snapshot = load_current(index_dir / shop.store.id, embedder=models.embedder, needs_model_id=models.reader.needs.model_id)
        labelled = _read(chats, store_dir, shop.store)
    except (IndexingError, KnowledgeError, ValueError) as error:
        STDERR.print(str(error), markup=False)
        raise typer.Exit(1) from error
    parts: dict[str, Any] = {"embedder": models.embedder, "reader": models.reader, "ranker": models.ranker}
    with progress(quiet=as_json) as tell:
        done = [0]

        def step() -> None:
            done[0] += 1
            tell("chats", done[0], 2 * len(labelled))

        ours = evaluate(labelled, Suggester(snapshot, **parts), system="huashu", on_chat=step)
        blind = evaluate(labelled, UnconditionalSuggester(snapshot, **parts), system="without conditions", on_chat=step)
    bm25 = evaluate_bm25(labelled, snapshot)
    figures = _figures(ours, [bm25, blind], snapshot.manifest.snapshot_id)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "evaluation.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
    else:
        _print(ours, [bm25, blind])
    if ours.violations:
        raise typer.Exit(1)


def _read(paths: list[Path], store_dir: Path, store: Store) -> list[LabelledChat]:
    labelled: list[LabelledChat] = []
    for path in paths:
        found, bad = read_chats(path, root=store_dir)
        if bad:
            raise ValueError("\n".join(str(row) for row in bad))
        labelled += found
    if not labelled:
        raise ValueError(f"expected labelled chats in {', '.join(map(str, paths))}; there are none")
    strangers = sorted({chat.store for chat in labelled} - {store.id})
    if strangers:
        raise ValueError(f"these chats are of the shop {strangers[0]!r}, not {store.id!r}; pass --store-dir")
    return labelled


def _figures(ours: Evaluation, others: list[Evaluation], snapshot_id: str) -> dict[str, Any]:
    milliseconds = np.array([result.total_ms for result in ours.results])
    return {
        "snapshot_id": snapshot_id,
        "n_chats": len(ours.results),
        "systems": {one.system: {metric: _plain(one.estimate(metric)) for metric in METRICS} for one in [ours, *others]},
        "abstention": {name: _plain(value) for name, value in ours.abstention.items()},
        "hole@3": _plain(ours.estimate("hole@3")),
        "slices": {name: {metric: _plain(ours.estimate(metric, where=where)) for metric in ("success@1", "acceptable@3")} for name, where in _slices(ours)},
        "violations": ours.violations,
        "ms": {name: round(float(np.percentile(milliseconds, q)), 3) for name, q in (("p50", 50), ("p95", 95), ("p99", 99))},
        "misses": [_miss(result) for result in ours.results if result.scores.get("acceptable@1") == 0.0],
    }


def _miss(result: Any) -> dict[str, Any]:
    return {"id": result.chat.id, "got": list(result.reply_ids), "confidence": list(result.confidences), "wanted": result.chat.labels.replies}


def _plain(value: Estimate) -> dict[str, float | int | None]:
    return {name: (None if math.isnan(figure) else round(figure, 4)) for name, figure in (("mean", value.mean), ("low", value.low), ("high", value.high))} | {
        "n": value.n
    }


def _slices(evaluation: Evaluation) -> list[tuple[str, Any]]:
    """By tag, emotion and main scenario, largest first."""
    chats = [result.chat for result in evaluation.results if result.chat.labels.answerable]
    tags = sorted({tag for chat in chats for tag in chat.labels.tags if "/" not in tag})
    scenarios = sorted({chat.labels.scenarios[0] for chat in chats if chat.labels.scenarios})
    found: list[tuple[str, Any]] = [(f"tag {tag}", lambda chat, tag=tag: tag in chat.labels.tags) for tag in tags]
    found += [(f"emotion {name}", lambda chat, name=name: chat.labels.emotion == name) for name in ("calm", "anxious", "upset", "angry")]
    found += [(f"scenario {name}", lambda chat, name=name: chat.labels.scenarios[:1] == (name,)) for name in scenarios]
    return found


def _print(ours: Evaluation, others: list[Evaluation]) -> None:
    console = Console(width=max(120, Console().width))
    table = Table(title=f"{len(ours.results)} chats · mean [95% interval]")
    table.add_column("metric")
    for one in [ours, *others]:
        table.add_column(one.system, justify="right")
    for metric in METRICS:
        table.add_row(metric, *(_cell(one.estimate(metric)) for one in [ours, *others]))
    console.print(table)
    slices = Table(title="huashu by slice")
    for name in ("slice", "n", "success@1", "acceptable@3"):
        slices.add_column(name, justify="left" if name == "slice" else "right")
    for name, where in _slices(ours):
        first = ours.estimate("success@1", where=where)
        if first.n:
            slices.add_row(name, str(first.n), _cell(first), _cell(ours.estimate("acceptable@3", where=where)))
    console.print(slices)
    for name, value in ours.abstention.items():
        console.print(f"{name}: {_cell(value)} of {value.n}", highlight=False, markup=False)
    milliseconds = [result.total_ms for result in ours.results]
    console.print(
        f"unjudged among first three: {ours.estimate('hole@3').mean:.2f} a chat; p50 {np.percentile(milliseconds, 50):.1f} ms in process", highlight=False
    )
    console.print(f"ineligible, expired, blocked, internal or raw text shown: {len(ours.violations)}", highlight=False)
    for violation in ours.violations[:20]:
        console.print(f"  {violation}", highlight=False, markup=False)


def _cell(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


if __name__ == "__main__":
    app()
