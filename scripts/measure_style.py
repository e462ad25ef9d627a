"""`python -m scripts.measure_style`: how often the rules of style and law warn on sentences of a file, by code, with a seeded sample to judge by reading."""

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from knowledge.errors import InvalidKnowledge
from knowledge.records import Store
from knowledge.style_check import StyleChecker
from knowledge.style_records import Style
from knowledge.style_rules import read_style_book, shipped_style_book

app = typer.Typer(add_completion=False)


@app.command()
def measure_style(
    sentences: Annotated[Path, typer.Option(help="One agent sentence a line, UTF-8", exists=True, dir_okay=False)],
    language: Annotated[str, typer.Option(help="zh-CN, zh-TW or en")] = "zh-CN",
    rules: Annotated[Path | None, typer.Option(help="A rule file; the one that ships when absent", exists=True, dir_okay=False)] = None,
    sample: Annotated[int, typer.Option(help="How many warned sentences to print, drawn evenly over codes", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Of the sample")] = 0,
    address: Annotated[str, typer.Option(help="How the shop addresses customers; empty leaves that rule out")] = "",
    own_site: Annotated[list[str] | None, typer.Option(help="A host that links may lead to; repeat for several")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Counts warnings by code, times the check, and prints `code<TAB>words meant<TAB>sentence` for a person to judge."""
    store = Store(
        id="measured",
        name="measured",
        language="en" if language == "en" else "zh-CN",
        address_customer_as=address,
        style=Style(own_sites=tuple(own_site or ())),
    )
    try:
        book = read_style_book(rules) if rules else shipped_style_book(store.language)
    except InvalidKnowledge as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    checker = StyleChecker(store, book)
    texts = list(dict.fromkeys(line.strip() for line in sentences.read_text(encoding="utf-8").splitlines() if line.strip()))
    started = time.perf_counter()
    found = [(text, checker.check(text)) for text in texts]
    per_text_ms = (time.perf_counter() - started) * 1_000 / max(1, len(texts))
    codes = Counter(code for _, findings in found for code in {one.code for one in findings})
    report = {
        "sentences": len(texts),
        "warned": sum(bool(findings) for _, findings in found),
        "codes": dict(codes.most_common()),
        "ms_each": round(per_text_ms, 4),
    }
    typer.echo(json.dumps(report, ensure_ascii=False))
    if not as_json:
        by_code: dict[str, list[str]] = {}
        for text, findings in found:
            for one in findings:
                by_code.setdefault(one.code, []).append(f"{one.code}\t{text[one.start : one.end]}\t{text}")
        for lines in _drawn(by_code, sample, seed):
            typer.echo(lines)


def _drawn(by_code: dict[str, list[str]], wanted: int, seed: int) -> list[str]:
    """Gives up to `wanted` lines: the rare codes whole, the rest in equal parts."""
    chosen: list[str] = []
    pools = sorted(by_code.items(), key=lambda item: (len(item[1]), item[0]))
    for place, (code, lines) in enumerate(pools):
        share = (wanted - len(chosen)) // (len(pools) - place)
        chosen += random.Random(f"{seed}/{code}").sample(lines, min(share, len(lines)))
    return chosen


if __name__ == "__main__":
    app()
