"""`python -m scripts.reindex`: validate a shop's files and publish a snapshot, or report every bad row and publish nothing."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from indexes.adapted import EMBEDDING, NEEDS, AdaptedModels, find_adapted
from indexes.build import build_snapshot, check_findable
from indexes.cases import Case, cases_of
from indexes.classifier import TextClassifier, load_classifier
from indexes.embedder import Embedder, load_embedder
from indexes.errors import AdaptationUnusable, IndexingError
from indexes.publish import publish
from knowledge.chats import read_chats
from knowledge.errors import InvalidKnowledge
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress

app = typer.Typer(add_completion=False)


@app.command()
def reindex(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live, one folder per shop")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model: folder or hub id; the bundled one when empty", envvar="SUGGEST_MODEL")] = "",
    adapted: Annotated[Path, typer.Option(help="Where adapted models live, one folder per shop (see scripts.adapt)")] = Path("var/adapted"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Reads the shop's files, checks every row, builds the index, proves it, and makes it live."""
    reports = [_reindex_one(folder, index_dir, model, adapted, quiet=as_json) for folder in store_dir]
    if as_json:
        typer.echo(json.dumps(reports if len(reports) > 1 else reports[0], ensure_ascii=False))
    if any(report["status"] != "published" for report in reports):
        raise typer.Exit(1)


def _reindex_one(folder: Path, index_dir: Path, model: str, adapted: Path, *, quiet: bool) -> dict[str, object]:
    started = time.perf_counter()
    try:
        shop = load_shop(folder)
        embedder, needs = load_embedder(model), load_classifier("needs")
        own = _own_models(adapted / shop.store.id, embedder, needs)
        with progress(quiet=quiet) as tell:
            snapshot = build_snapshot(shop, embedder=embedder, needs=needs, now=datetime.now(UTC), cases=_cases(folder), adapted=own, on_progress=tell)
            check_findable(snapshot, embedder)
        manifest = publish(snapshot, index_dir / shop.store.id, embedder=embedder, needs_model_id=needs.model_id)
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
        with_own = "; with the shop's own models" if own else ""
        STDERR.print(f"published {manifest.store_id} {manifest.snapshot_id}: {counts}; {seconds} s{with_own}", markup=False, highlight=False)
    return {
        "status": "published",
        "store": manifest.store_id,
        "snapshot_id": manifest.snapshot_id,
        "counts": manifest.counts,
        "adapted": own is not None,
        "seconds": seconds,
    }


def _cases(folder: Path) -> list[Case]:
    """Gives what the shop's train chats teach; dev and test chats are for judging and are never learnt from.

    Raises:
        InvalidKnowledge: a chat is not as it should be.
    """
    path = folder / "chats" / "train.jsonl"
    chats, bad = read_chats(path, root=folder) if path.exists() else ([], [])
    if bad:
        raise InvalidKnowledge(bad)
    return cases_of(chats)


def _own_models(folder: Path, embedder: Embedder, needs: TextClassifier) -> AdaptedModels | None:
    """Gives the shop's own models; where they cannot be used it says so and the shared ones serve, for a night without them is no outage."""
    try:
        return find_adapted(folder, base={EMBEDDING: embedder.model_id, NEEDS: needs.model_id})
    except AdaptationUnusable as error:
        STDERR.print(f"{error}; the bundled models are used", markup=False, highlight=False)
        return None


if __name__ == "__main__":
    app()
