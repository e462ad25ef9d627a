"""`python -m scripts.check_chats`: prove that labelled chats agree with their shop, and report how near they are to its triggers."""

import json
from pathlib import Path
from typing import Annotated

import typer

from knowledge.errors import InvalidKnowledge
from knowledge.labels import LabelReport, check_labels
from knowledge.shop import load_shop
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)


@app.command()
def check_chats(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder; repeat for several")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Checks ids, eligibility of every labelled reply, contrast groups, splits; prints counts and word overlap with triggers."""
    failed = False
    for folder in store_dir:
        try:
            report = check_labels(folder, load_shop(folder))
        except InvalidKnowledge as error:
            STDERR.print(str(error), markup=False, highlight=False)
            raise typer.Exit(1) from error
        failed |= bool(report.bad)
        for row in report.bad:
            STDERR.print(f"{folder.name}/{row}", markup=False, highlight=False)
        if as_json:
            typer.echo(
                json.dumps(
                    {"store": folder.name, "bad": len(report.bad), "tags": report.tags, "splits": report.splits, "overlap": report.overlap}, ensure_ascii=False
                )
            )
        else:
            ", ".join(f"{tag} {n}" for tag, n in sorted(report.tags.items()))
            _tell(folder.name, report)
    if failed:
        raise typer.Exit(1)


def _tell(store: str, report: LabelReport) -> None:
    tags = ", ".join(f"{tag} {n}" for tag, n in sorted(report.tags.items()))
    near = f"word overlap with the best replies' triggers {report.overlap:.2f}"
    STDERR.print(f"{store}: {report.n_chats} chats {report.splits}; {tags}; {near}; {len(report.bad)} to mend", markup=False, highlight=False)


if __name__ == "__main__":
    app()
