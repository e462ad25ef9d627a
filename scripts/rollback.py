"""`python -m scripts.rollback`: list a shop's snapshots, or make an earlier one live."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from indexes.adapted import NEEDS, bundled_ids
from indexes.embedder import load_embedder
from indexes.errors import IndexBusy, IndexingError
from indexes.publish import snapshot_ids
from indexes.quarantine import quarantined
from indexes.reindex_report import BUSY
from indexes.rollback import Kept, kept_snapshots, roll_back
from indexes.write_lock import running
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)


@app.command()
def rollback(
    store: Annotated[str, typer.Option(help="The shop's id")],
    to: Annotated[str, typer.Option(help="A snapshot id; the one before the live one when empty")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Show the shop's snapshots, newest first, and change nothing")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with who ran it in the shop's history")] = "",
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model that serves; the bundled one when empty", envvar="SUGGEST_MODEL")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Checks the snapshot, then moves the pointer. What was rolled back from is not published again by itself. Exit codes as of scripts.reindex."""
    store_dir = index_dir / store
    try:
        if list_:
            _list(store_dir, as_json=as_json)
            return
        live, chosen = roll_back(store_dir, to=to, reason=reason, embedder=load_embedder(model), needs_model_id=bundled_ids()[NEEDS])
    except IndexingError as error:
        STDERR.print(f"{store}: nothing was changed; {error}", markup=False, highlight=False)
        _suggest_others(store_dir, to)
        raise typer.Exit(BUSY if isinstance(error, IndexBusy) else 1) from error
    if as_json:
        typer.echo(json.dumps({"store": store, "from": live, "to": chosen}))
    else:
        STDERR.print(f"{store}: {live} → {chosen}", markup=False, highlight=False)
    if owner := running(store_dir):
        STDERR.print(f"{store}: a reindex is running ({owner}); what it publishes will be live", markup=False, highlight=False)


def _list(store_dir: Path, *, as_json: bool) -> None:
    kept, away = kept_snapshots(store_dir), quarantined(store_dir)
    if as_json:
        typer.echo(json.dumps({"store": store_dir.name, "snapshots": [asdict(one) for one in kept], "quarantine": [path.name for path in away]}))
        return
    for one in kept:
        marks = "live" if one.is_live else "rolled back from" if one.is_rejected else ""
        counts = ", ".join(f"{number} {kind}" for kind, number in one.counts.items() if kind in ("replies", "articles", "cases"))
        typer.echo(f"{one.snapshot_id}  {_age(one):>10}  {marks:<16}  {counts}  {one.model_id}")
    for path in away:
        typer.echo(f"in quarantine: {path}")


def _age(one: Kept) -> str:
    """By the clock; a snapshot from the future is one made before the clock was set back."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(one.created_at)).total_seconds()
    except ValueError:
        return "unreadable"
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 0 else "future"


def _suggest_others(store_dir: Path, refused: str) -> None:
    others = [one for one in snapshot_ids(store_dir) if one != refused]
    if others:
        STDERR.print(f"there are: {', '.join(reversed(others))}; choose one with --to", markup=False, highlight=False)


if __name__ == "__main__":
    app()
