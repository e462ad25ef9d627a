"""`python -m scripts.check_knowledge`: the writer's desk. What is wrong or wanting in a shop's replies and articles, for the team lead."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from indexes.embedder import load_embedder
from indexes.errors import IndexingError
from knowledge.findings import SEVERITIES
from knowledge.scenarios import scenario_name
from scripts.progress import STDERR, progress
from suggest.desk import DeskReport, examine, state_name
from suggest.desk_page import SEVERITY_NAMES, desk_as_json, desk_page
from suggest.knowledge_coverage import STATES

app = typer.Typer(add_completion=False)
_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


@app.command()
def check_knowledge(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder; repeat for several", exists=True, file_okay=False)],
    html: Annotated[Path | None, typer.Option(help="Write a page that opens anywhere; one shop at a time", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report a shop on standard output")] = False,
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="Show what is only for information too")] = True,
    now: Annotated[datetime | None, typer.Option(help="The day to look at dates from; today when absent", formats=["%Y-%m-%d"])] = None,
    model: Annotated[str, typer.Option(help="Embedding model", envvar="SUGGEST_MODEL")] = "",
) -> None:
    """Lists replies that lack a part, use cold or forbidden words, can never be offered, cite what expired, compete or repeat each other, and the gaps."""
    if html is not None and len(store_dir) != 1:
        raise typer.BadParameter("expected one --store-dir with --html")
    moment = datetime.now(UTC) if now is None else now.replace(hour=12, tzinfo=UTC)
    try:
        embedder = load_embedder(model)
        reports = []
        with progress(quiet=as_json) as tell:
            for n_done, folder in enumerate(store_dir, start=1):
                reports.append(examine(folder, embedder, moment))
                tell("shops", n_done, len(store_dir))
        if html is not None:
            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(desk_page(reports[0]), encoding="utf-8")
            STDERR.print(f"wrote {html}", markup=False, highlight=False)
    except (IndexingError, OSError) as error:
        STDERR.print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from error
    for report in reports:
        if as_json:
            typer.echo(json.dumps(desk_as_json(report), ensure_ascii=False))
        else:
            _tell(report, notes=notes)
    if any(report.count("error") for report in reports):
        raise typer.Exit(1)


def _tell(report: DeskReport, *, notes: bool) -> None:
    """Prints the findings, the coverage matrix and the counts."""
    console, english = Console(width=max(140, Console().width)), report.language == "en"
    shown = [one for one in report.findings if notes or one.severity != "note"]
    if shown:
        table = Table(title=report.name, show_lines=False)
        for heading in (("级别", "在哪里", "什么问题", "怎么办"), ("severity", "where", "what is wrong", "what to do"))[english]:
            table.add_column(heading, overflow="fold")
        for one in shown:
            file = f"{one.place.path}:{one.place.line}\n" if one.place.path else ""
            where = f"{file}{one.subject} {one.field}".strip()
            cells = (SEVERITY_NAMES[one.severity][english], where, one.problem, one.advice)
            table.add_row(*(_plain(cell) for cell in cells), style=_COLOURS[one.severity])
        console.print(table)
    if report.coverage is not None:
        console.print(_matrix(report))
    told = ", ".join(f"{SEVERITY_NAMES[severity][english]} {report.count(severity)}" for severity in SEVERITIES)
    console.print(f"{report.name}: {told}", markup=False, highlight=False)


def _matrix(report: DeskReport) -> Table:
    """Scenarios by order states: how many replies fit, ✗ where customers ask and nothing answers."""
    english, matrix = report.language == "en", report.coverage
    title = "reason × order state (✗ asked but no reply, · none but seldom asked)" if english else "场景 × 订单状态（✗ 会问却没有话术，· 没有但很少问）"
    table = Table(title=title, padding=(0, 0))
    table.add_column("", no_wrap=True, min_width=18)
    for state in STATES:
        table.add_column(_plain(state_name(state, english=english)), justify="right", overflow="fold")
    for scenario in matrix.scenarios if matrix else ():
        cells = [matrix.cells[scenario, state] for state in STATES] if matrix else []
        marks = [str(cell.n_replies) if cell.n_replies else ("[red]✗[/red]" if cell.asked else "·") for cell in cells]
        name = scenario_name(scenario, language=report.language).split("、")[0].split(" and ")[0]
        table.add_row(_plain(name), *marks)
    return table


def _plain(words: str) -> str:
    """Staff's words may hold square brackets, which are no markup."""
    return words.replace("[", r"\[")


if __name__ == "__main__":
    app()
