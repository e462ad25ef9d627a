"""`python -m scripts.train_embedding`: train the bundled embedding from public corpora and the needs bank."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated

import typer

from indexes.corpora import load_corpora
from indexes.training import Recipe, save, train
from scripts.progress import STDERR, progress

app = typer.Typer(add_completion=False)


@app.command()
def train_embedding(
    data: Annotated[Path, typer.Option(help="Folder of public corpora", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder to write the model to")] = Path("indexes/models/zh-static"),
    seed: Annotated[int, typer.Option(help="Same seed, same weights")] = 20_261_121,
) -> None:
    """Prepares the corpora, builds the tokenizer, trains, and writes the model with its recipe."""
    started = time.perf_counter()
    corpora = load_corpora(data)
    recipe = dataclasses.replace(Recipe(), seed=seed)
    with progress(quiet=False) as tell:
        model = train(corpora, recipe, on_step=lambda step, of, _loss: tell("training", step, of))
    save(model, out)
    card = {"recipe": dataclasses.asdict(recipe), "pairs": {corpus.name: len(corpus.pairs) for corpus in corpora}}
    (out / "recipe.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    STDERR.print(f"wrote {out} in {time.perf_counter() - started:.0f} s", markup=False, highlight=False)


if __name__ == "__main__":
    app()
