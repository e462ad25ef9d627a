"""`python -m scripts.reindex`: validate a shop's files and publish a snapshot, or report every bad row and publish nothing."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from indexes.build import build_snapshot, check_findable
from indexes.classifier import load_classifier
from indexes.embedder import load_embedder
from indexes.errors import IndexingError
from indexes.publish import publish
from knowledge.errors import InvalidKnowledge
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress

app = typer.Typer(add_completion=False)


@app.command()
def reindex(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live, one folder per shop")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model: folder or hub id; the bundled one when empty", envvar="SUGGEST_MODEL")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Reads the shop's files, checks every row, builds the index, proves it, and makes it live."""
    reports = [_reindex_one(folder, index_dir, model, quiet=as_json) for folder in store_dir]
    if as_json:
        typer.echo(json.dumps(reports if len(reports) > 1 else reports[0], ensure_ascii=False))
    if any(report["status"] != "published" for report in reports):
        raise typer.Exit(1)


def _reindex_one(folder: Path, index_dir: Path, model: str, *, quiet: bool) -> dict[str, object]:
    started = time.perf_counter()
    try:
        shop = load_shop(folder)
        embedder = load_embedder(model)
        with progress(quiet=quiet) as tell:
            snapshot = build_snapshot(shop, embedder=embedder, needs=load_classifier("needs"), now=datetime.now(UTC), on_progress=tell)
            check_findable(snapshot, embedder)
        manifest = publish(snapshot, index_dir / shop.store.id, embedder=embedder)
    except InvalidKnowledge as error:
        if not quiet:
            STDERR.print(f"{folder}: nothing was published; {error}", markup=False, highlight=False)
        rows = [{"file": row.path, "line": row.line, "field": row.field, "expected": row.expected, "got": row.got} for row in error.bad_rows]
        return {"status": "invalid", "store_dir": str(folder), "bad_rows": rows}
    except (IndexingError, OSError) as error:
        if not quiet:
            STDERR.print(f"{folder}: nothing was published; {error}", markup=False, highlight=False)
        return {"status": "failed", "store_dir": str(folder), "reason": str(error)}
    seconds = round(time.perf_counter() - started, 2)
    if not quiet:
        counts = ", ".join(f"{number} {name}" for name, number in manifest.counts.items())
        STDERR.print(f"published {manifest.store_id} {manifest.snapshot_id}: {counts}; {seconds} s", markup=False, highlight=False)
    return {"status": "published", "store": manifest.store_id, "snapshot_id": manifest.snapshot_id, "counts": manifest.counts, "seconds": seconds}


if __name__ == "__main__":
    app()
