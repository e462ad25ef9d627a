"""`python -m scripts.reindex`: check a shop's files, build the index from what changed, prove it and make it live; or say why not and change nothing."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from indexes.reindex_report import exit_code
from indexes.reindexing import Means, Task, reindex
from scripts.progress import progress
from scripts.reindex_summary import print_summary
from suggest.live import Models
from suggest.quality_gate import judge_chats

app = typer.Typer(add_completion=False)


@app.command()
def main(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live, one folder per shop")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model: folder or hub id; the bundled one when empty", envvar="SUGGEST_MODEL")] = "",
    adapted: Annotated[Path, typer.Option(help="Where adapted models live, one folder per shop (see scripts.adapt)")] = Path("var/adapted"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change and whether it would pass; write nothing")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Embed everything anew and publish even what is unchanged")] = False,
    force: Annotated[bool, typer.Option("--force", help="Publish in spite of failed checks; wants --reason")] = False,
    reason: Annotated[str, typer.Option(help="Why --force; kept with who ran it in the report and the history")] = "",
    max_fewer: Annotated[
        float | None, typer.Option(help="Share of replies or articles that may be gone, instead of the shop's [gate] max_fewer", min=0, max=1)
    ] = None,
    max_worse: Annotated[
        float | None, typer.Option(help="How much of the labelled chats may be lost, instead of the shop's [gate] max_worse", min=0, max=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Exit code 0: published, or nothing had changed; 1: failed or refused; 2: wrong arguments; 75: another reindex is running, try again later."""
    if force != bool(reason.strip()):
        raise typer.BadParameter("expected --force and --reason together: the reason is kept")

    @cache
    def means() -> Means:
        models = Models.load(model)
        return Means(models.embedder, models.reader.needs, lambda live, new, chats: judge_chats(live, new, chats, models, max_worse=max_worse))

    reports = []
    for folder in store_dir:
        task = Task(folder, index_dir, adapted, dry_run=dry_run, rebuild=rebuild, force=reason.strip(), max_fewer=max_fewer)
        with progress(quiet=as_json) as tell:
            reports.append(reindex(task, means, now=datetime.now(UTC), on_progress=tell))
        print_summary(reports[-1], quiet=as_json)
    if as_json:
        figures = [report.as_json() for report in reports]
        typer.echo(json.dumps(figures if len(figures) > 1 else figures[0], ensure_ascii=False))
    if code := exit_code(reports):
        raise typer.Exit(code)


if __name__ == "__main__":
    app()
