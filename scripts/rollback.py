"""`python -m scripts.rollback`: make an earlier snapshot of a shop the live one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from indexes.errors import SnapshotError
from indexes.publish import current_folder, point_to, snapshot_ids
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)


@app.command()
def rollback(
    store: Annotated[str, typer.Option(help="The shop's id")],
    to: Annotated[str, typer.Option(help="A snapshot id; the one before the live one when empty")] = "",
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Moves the pointer; a running service serves it after its next start."""
    store_dir = index_dir / store
    try:
        live = current_folder(store_dir).name
        chosen = to or _before(snapshot_ids(store_dir), live)
        if not chosen:
            STDERR.print(f"{store}: there is no snapshot before {live}", markup=False)
            raise typer.Exit(1)
        point_to(store_dir, chosen)
    except SnapshotError as error:
        STDERR.print(str(error), markup=False)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps({"store": store, "from": live, "to": chosen}))
    else:
        STDERR.print(f"{store}: {live} → {chosen}", markup=False, highlight=False)


def _before(ids: list[str], live: str) -> str:
    earlier = [one for one in ids if one < live]
    return earlier[-1] if earlier else ""


if __name__ == "__main__":
    app()
