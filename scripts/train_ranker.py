"""`python -m scripts.train_ranker`: fit the ranker on labelled chats of published shops."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from indexes.classifier import load_classifier
from indexes.publish import load_current
from knowledge.chats import LabelledChat, read_chats
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress
from suggest.fitting import Example, examples, figures, fit
from suggest.live import Models
from suggest.order_state import BUNDLED_PRIOR, count_prior, heard_states
from suggest.pipeline import Suggester
from suggest.question_fitting import fit_question_splitter
from suggest.ranking import BUNDLED_RANKER, Ranker

app = typer.Typer(add_completion=False)


@app.command()
def train_ranker(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/train.jsonl and chats/dev.jsonl; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    out: Annotated[Path, typer.Option(help="Folder to write")] = BUNDLED_RANKER,
) -> None:
    """Fits on the train and dev chats of the shops, the confidence on folds of them; test chats are never read."""
    chats = {folder: [chat for split in ("train", "dev") for chat in _read(folder, split)] for folder in store_dir}
    needs = load_classifier("needs")
    count_prior([one for folder, found in chats.items() for one in heard_states(found, load_shop(folder), needs)], BUNDLED_PRIOR)
    fit_question_splitter([chat for found in chats.values() for chat in found], needs).write()
    models = Models.load(ranker=Ranker.unfitted())
    fitted = fit([example for folder, found in chats.items() for example in _examples(folder, found, index_dir, models)])
    names = ", ".join(folder.name for folder in chats)
    fitted.write(out, provenance=f"train and dev chats of {names}; confidence on five folds over conversations")
    STDERR.print(f"wrote {out}: {json.dumps(figures(fitted))}", markup=False, highlight=False)


def _examples(folder: Path, chats: list[LabelledChat], index_dir: Path, models: Models) -> list[Example]:
    parts = {field.name: getattr(models, field.name) for field in dataclasses.fields(models)}
    suggester = Suggester(load_current(index_dir / folder.name, embedder=models.embedder), **parts)
    done = [0]
    with progress(quiet=False) as tell:

        def step() -> None:
            done[0] += 1
            tell(folder.name, done[0], len(chats))

        return examples(chats, suggester, on_chat=step)


def _read(folder: Path, split: str) -> list[LabelledChat]:
    chats, bad = read_chats(folder / "chats" / f"{split}.jsonl", root=folder)
    if bad:
        STDERR.print("\n".join(map(str, bad)), markup=False)
        raise typer.Exit(1)
    return chats


if __name__ == "__main__":
    app()
