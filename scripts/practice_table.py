"""`python -m scripts.practice_table`: the table of `docs/practice.md`, each row of good practice with real requests and what the service answers."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from indexes.build import build_snapshot
from knowledge.shop import load_shop
from suggest.console import at_time
from suggest.contract import Suggestion, SuggestionRequest, SuggestionResponse
from suggest.live import Models
from suggest.pipeline import Suggester

app = typer.Typer(add_completion=False)
ROOT = Path(__file__).parent.parent
CASES, PAGE = ROOT / "docs" / "practice" / "cases.json", ROOT / "docs" / "practice.md"
_BEGIN, _END = "<!-- table: python -m scripts.practice_table -->", "<!-- end of table -->"
_HEAD = "| | what it asks | a request, and the facts that matter | what the service answers |\n|---|---|---|---|"
_MOST_CHARS = 110
_SENTENCE_MARKS = "。！？；"


@app.command()
def practice_table(
    page: Annotated[Path, typer.Option(help="Markdown file that holds the table between its two marks", exists=True, dir_okay=False)] = PAGE,
) -> None:
    """Asks the demo shop every request of `docs/practice/cases.json` and writes the answers into the page."""
    cases = read_cases()
    models = Models.load()
    shop = load_shop(ROOT / "knowledge" / "stores" / cases["store"])
    snapshot = build_snapshot(shop, embedder=models.embedder, needs=models.reader.needs, now=datetime.now(UTC))
    suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)
    page.write_text(with_table(page.read_text(encoding="utf-8"), table(cases, suggester)), encoding="utf-8")


def read_cases(path: Path = CASES) -> dict[str, Any]:
    """Reads the cases: orders by name with times as hours from `now`, and rows with their requests."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def answer(cases: Mapping[str, Any], asked: Mapping[str, Any], suggester: Suggester) -> SuggestionResponse:
    """Gives what the pipeline answers to a request of the cases."""
    now = datetime.fromisoformat(asked.get("now", cases["now"]))
    fields = {name: asked[name] for name in ("message", "history", "customer", "agent", "channel") if name in asked}
    order = cases["orders"][asked["order"]] if "order" in asked else None
    request = SuggestionRequest.model_validate(fields | {"order": at_time(order, now)})
    return suggester.suggest(request, now=now, request_id="practice")


def with_table(page: str, rows: str) -> str:
    """Gives the page with the table between its marks replaced."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{rows}\n{_END}{after}"


def table(cases: Mapping[str, Any], suggester: Suggester) -> str:
    """Gives the rows as Markdown."""
    return "\n".join([_HEAD, *(_row(one, cases, suggester) for one in cases["rows"])])


def _row(row: Mapping[str, Any], cases: Mapping[str, Any], suggester: Suggester) -> str:
    asked = "<br>".join(f"「{one['message']}」 {one['facts']}" if one["message"] else one["facts"] for one in row["requests"])
    told = "<br>".join("; ".join(_shown(one, answer(cases, one, suggester))) for one in row["requests"])
    path, _, name = row["test"].partition("::")
    return f"| {row['row']} | {row['asks']} ([test](../{path}): `{name}`) | {asked} | {told} |"


def _shown(asked: Mapping[str, Any], response: SuggestionResponse) -> Iterator[str]:
    """What the case shows of the answer, in the order in which it lists it; parts of the draft come as one quotation."""
    draft = next((one for one in response.suggestions if asked.get("pick") in (None, one.reply_id)), None)
    parts = [name for name in asked["shows"] if draft is not None and (name in draft.parts or name == "whole")]
    if draft is not None and parts:
        yield f"`{'+'.join(draft.reply_ids)}` {_quoted(draft, parts)}"
    for name in asked["shows"]:
        yield from _beside(name, response, draft)


def _quoted(draft: Suggestion, parts: list[str]) -> str:
    """The parts as they stand in the draft, … for whatever is left out."""
    if "whole" in parts:
        return draft.text
    quoted, reached = "", 0
    for words in (_shortened(draft.parts[name]) for name in parts):
        start = draft.text.index(words, reached)
        quoted += ("…" if start > reached else "") + words
        reached = start + len(words)
    return quoted + ("…" if reached < len(draft.text) else "")


def _shortened(text: str) -> str:
    """The beginning of a long part, up to the end of a clause."""
    if len(text) <= _MOST_CHARS:
        return text
    cut = max(text.rfind(mark, 0, _MOST_CHARS) for mark in _SENTENCE_MARKS) + 1
    return text[: cut or _MOST_CHARS]


def _beside(name: str, response: SuggestionResponse, draft: Suggestion | None) -> Iterator[str]:
    match name:
        case "questions":
            yield from (f"asks: {one}" for one in response.clarifying_questions)
        case "actions":
            yield "actions: " + ", ".join(f"`{one.code}`" for one in response.next_actions)
        case "escalate":
            handed = response.escalate
            yield f"`{handed.reason}` to `{handed.to}`: {handed.holding_reply}" if handed else "nobody else is needed"
        case "attachments":
            yield "with " + ", ".join(f"{one.kind} «{one.title}»" for one in draft.attachments) if draft else "nothing"
        case "recommendations":
            told = [f"`{one.sku}` {one.title}（{re.sub('[。；].*', '', '，'.join(one.why))}）" for one in response.recommendations]
            yield "recommends " + "; ".join(told) if told else "recommends nothing"
        case "passages":
            yield "passages: " + ", ".join(f"`{one.article_id}`" for one in response.passages)
        case "warnings":
            yield (
                "warns: " + ", ".join(f"`{one.code}` 「{draft.text[one.start : one.end]}」" for one in draft.warnings)
                if draft and draft.warnings
                else "no warning"
            )
        case "length":
            yield f"{len(draft.text)} characters" if draft else "nothing"
        case "silence":
            yield "no draft: nothing has happened" if not response.suggestions else "a draft"


if __name__ == "__main__":
    app()
