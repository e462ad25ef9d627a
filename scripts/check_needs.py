"""`python -m scripts.check_needs`: prove that the needs bank is whole and varied, and print its size and diversity."""

import json
from collections import Counter, defaultdict
from typing import Annotated

import numpy as np
import typer

from knowledge.errors import InvalidKnowledge
from knowledge.needs_bank import Phrasing, check_bank, diversity, read_followups, read_phrasings
from knowledge.normalise import clean, match_form
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)
_WRAPPED_CHARS = 30


@app.command()
def check_needs(as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False) -> None:
    """Checks ids, definitions, borders, numbers and diversity of the phrasings; prints counts by language and writer."""
    try:
        bad = check_bank()
        report = {language: _figures(read_phrasings(language)) for language in ("zh", "en")} | {"followups": len(read_followups())}
    except InvalidKnowledge as error:
        STDERR.print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from error
    for row in bad:
        STDERR.print(f"knowledge/needs/{row}", markup=False, highlight=False)
    if as_json:
        typer.echo(json.dumps({"bad": len(bad), **report}, ensure_ascii=False))
    else:
        for name, figures in report.items():
            STDERR.print(f"{name}: {figures}", markup=False, highlight=False)
        STDERR.print(f"{len(bad)} to mend", markup=False, highlight=False)
    if bad:
        raise typer.Exit(1)


def _figures(phrasings: list[Phrasing]) -> dict[str, object]:
    by_need: dict[str, list[str]] = defaultdict(list)
    for phrasing in phrasings:
        by_need[phrasing.need].append(phrasing.text)
    measured = [diversity(texts) for texts in by_need.values()]
    texts = [phrasing.text for phrasing in phrasings]
    return {
        "phrasings": len(phrasings),
        "needs": len(by_need),
        "least_per_need": min(one.n_phrasings for one in measured),
        "held_out_share": round(float(np.mean([phrasing.held_out for phrasing in phrasings])), 3),
        "writers": dict(sorted(Counter(phrasing.writer for phrasing in phrasings).items())),
        "distinct_pairs_median": round(float(np.median([one.distinct_pairs for one in measured])), 3),
        "same_opening_median": round(float(np.median([one.same_opening for one in measured])), 3),
        "traditional_share": round(float(np.mean([_is_traditional(text) for text in texts])), 3),
        "long_or_wrapped_share": round(float(np.mean([len(text) >= _WRAPPED_CHARS for text in texts])), 3),
    }


def _is_traditional(text: str) -> bool:
    plain = clean(text).lower()
    return any(char not in plain for char in match_form(text) if "一" <= char <= "鿿")


if __name__ == "__main__":
    app()
