"""`python -m scripts.evaluate`: labelled chats through the endpoint's own pipeline, beside baselines; two systems compared; drafts for people to judge."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from indexes.errors import IndexingError
from knowledge.chats import LabelledChat, read_chats
from knowledge.errors import KnowledgeError
from knowledge.records import Store
from knowledge.shop import Shop, load_shop
from scripts.evaluation_tables import print_comparison, print_report, print_review
from scripts.progress import STDERR, progress
from suggest.baselines import WITHOUT_CONDITIONS, Baselines, UnconditionalSuggester
from suggest.comparison import ChatOutcome, Comparison, compare, outcomes_of, read_outcomes
from suggest.errors import SuggestError
from suggest.evaluation import evaluate
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.report import as_json, comparison_as_json, report_of
from suggest.report_page import comparison_page, report_page
from suggest.review import merge_review, read_review, write_review
from suggest.systems import SystemSpec, load_system, parse_spec

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Task:
    """What every way of running needs."""

    chats: list[Path]
    store_dir: Path
    index_dir: Path
    model: str
    report: Path | None
    as_json: bool


@app.command()
def main(
    chats: Annotated[list[Path] | None, typer.Option(help="Labelled chats (JSONL); repeat for several", exists=True, dir_okay=False)] = None,
    store_dir: Annotated[Path, typer.Option(help="The shop's folder", exists=True, file_okay=False)] = Path("knowledge/stores/demo"),
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    report: Annotated[Path | None, typer.Option(help="Folder to write evaluation.json and report.html to")] = None,
    model: Annotated[str, typer.Option(help="Embedding model", envvar="SUGGEST_MODEL")] = "",
    fast: Annotated[bool, typer.Option("--fast", help="Leave out «without conditions», a second run of the pipeline")] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="The report on standard output, as JSON")] = False,
    compare_: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", help="A B: each an earlier report (folder or file), `current`, or snapshot=ID,model=DIR,ranker=FILE,min_confidence=0.5"),
    ] = None,
    export_for_review: Annotated[Path | None, typer.Option(help="Write drafts to a CSV file for people to judge")] = None,
    import_review: Annotated[Path | None, typer.Option(help="Read a judged CSV or XLSX file back as labels", exists=True, dir_okay=False)] = None,
    out: Annotated[Path | None, typer.Option(help="With --import-review: where the chats with the new labels go")] = None,
) -> None:
    """Says how good the drafts are, with 95% intervals, beside other ways; compares two systems; takes drafts to people and back.

    The report folder holds customers' words: keep it where those may be.
    """
    if sum(one is not None for one in (compare_, export_for_review, import_review)) > 1:
        raise typer.BadParameter("expected one of --compare, --export-for-review, --import-review")
    if not chats and (compare_ is None or not all(_is_report(one) for one in compare_)):
        raise typer.BadParameter("expected labelled chats; pass --chats FILE.jsonl")
    task = Task(chats or [], store_dir, index_dir, model, report, as_json_)
    try:
        if import_review is not None:
            _import(task, import_review, out)
        elif compare_ is not None:
            _compare(task, *compare_)
        elif export_for_review is not None:
            _export(task, export_for_review)
        else:
            _report(task, fast=fast)
    except (IndexingError, KnowledgeError, SuggestError, ValueError, OSError) as error:
        STDERR.print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from error


def _report(task: Task, *, fast: bool) -> None:
    _, labelled, suggester = _loaded(task)
    baselines = Baselines(suggester.snapshot, suggester.embedder)
    with progress(quiet=task.as_json) as tell:
        step = _steps(tell, (1 if fast else 2) * len(labelled))
        ours = evaluate(labelled, suggester, system="huashu", watch=baselines.observe, on_chat=step)
        others = baselines.evaluations()
        if not fast:
            others.append(evaluate(labelled, _blind(task, suggester), system=WITHOUT_CONDITIONS, check=False, on_chat=step))
    found = report_of(ours, others, shop=suggester.snapshot.shop, snapshot_id=suggester.snapshot.manifest.snapshot_id, threshold=suggester.threshold)
    figures = as_json(found)
    if task.report is not None:
        _write(task.report, "evaluation.json", figures, "report.html", report_page(found))
    if task.as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
    else:
        print_report(found)
    if ours.violations:
        raise typer.Exit(1)


def _compare(task: Task, a: str, b: str) -> None:
    shop = load_shop(task.store_dir)
    labelled = _read(task.chats, task.store_dir, shop.store) if task.chats else []
    n_runs = sum(not _is_report(one) for one in (a, b))
    with progress(quiet=task.as_json) as tell:
        step = _steps(tell, n_runs * len(labelled))
        first, second = (_outcomes(task, one, shop, labelled, step) for one in (a, b))
    found: Comparison = compare(first, second, name_a=a, name_b=b)
    figures = comparison_as_json(found)
    if task.report is not None:
        _write(task.report, "comparison.json", figures, "comparison.html", comparison_page(found, language=shop.store.language))
    if task.as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
    else:
        print_comparison(found)


def _outcomes(task: Task, text: str, shop: Shop, labelled: Sequence[LabelledChat], step: Callable[[], None]) -> list[ChatOutcome]:
    if _is_report(text):
        return read_outcomes(Path(text))
    return outcomes_of(evaluate(labelled, _system(task, parse_spec(text), shop, labelled), system=text, check=False, on_chat=step))


def _export(task: Task, path: Path) -> None:
    shop, labelled, suggester = _loaded(task)
    with progress(quiet=task.as_json) as tell:
        found = evaluate(labelled, suggester, system="huashu", check=False, on_chat=_steps(tell, len(labelled)))
    n_rows = write_review(found, path, store=shop.store)
    typer.echo(json.dumps({"file": str(path), "n_chats": n_rows}) if task.as_json else f"{path}: {n_rows} chats to judge")


def _import(task: Task, path: Path, out: Path | None) -> None:
    if out is None or len(task.chats) != 1 or out.resolve() == task.chats[0].resolve():
        raise typer.BadParameter("expected one --chats FILE.jsonl and another file for --out")
    shop = load_shop(task.store_dir)
    known = {chat.id for chat in _read(task.chats, task.store_dir, shop.store)}
    judgements = read_review(path, chat_ids=known, reply_ids={reply.id for reply in shop.replies})
    found = merge_review(judgements, task.chats[0], out)
    if task.as_json:
        told: dict[str, Any] = {"n_judged": len(found.judgements), "added": found.added, "disagreements": [str(one) for one in found.disagreements]}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        print_review(found)


def _loaded(task: Task) -> tuple[Shop, list[LabelledChat], Suggester]:
    shop = load_shop(task.store_dir)
    labelled = _read(task.chats, task.store_dir, shop.store)
    return shop, labelled, _system(task, SystemSpec(), shop, labelled)


def _system(task: Task, spec: SystemSpec, shop: Shop, labelled: Sequence[LabelledChat]) -> Suggester:
    """The pipeline of a spec. Where an index is made in memory, its id bears the time of the last chat: the same input gives the same report."""
    now: datetime = max(chat.now for chat in labelled)
    return load_system(spec, shop=shop, index_dir=task.index_dir, models=Models.load(task.model), now=now)


def _blind(task: Task, suggester: Suggester) -> UnconditionalSuggester:
    models = Models.load(task.model)
    return UnconditionalSuggester(suggester.snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)


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
    ids = [chat.id for chat in labelled]
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise ValueError(f"expected each chat once over all --chats files; {twice[0]!r} comes more than once")
    return labelled


def _is_report(text: str) -> bool:
    return Path(text).exists() or (text.endswith(".json") and "=" not in text)


def _steps(tell: Callable[[str, int, int], None], total: int) -> Callable[[], None]:
    done = [0]

    def step() -> None:
        done[0] += 1
        tell("chats", done[0], total)

    return step


def _write(folder: Path, json_name: str, figures: dict[str, Any], page_name: str, page: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / json_name).write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / page_name).write_text(page, encoding="utf-8")
    STDERR.print(f"wrote {folder / json_name} and {folder / page_name}", markup=False, highlight=False)


if __name__ == "__main__":
    app()
