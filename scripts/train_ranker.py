"""`python -m scripts.train_ranker`: fit the ranker, and what turns hearing into understanding, on shops' labelled chats."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from indexes.build import build_snapshot
from indexes.cases import cases_of
from indexes.classifier import load_classifier
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat, read_chats
from knowledge.shop import Shop, load_shop
from scripts.progress import STDERR, progress
from suggest.asked_states import count_asked
from suggest.fitting import figures, fit
from suggest.live import Models
from suggest.question_fitting import fit_question_splitter
from suggest.ranking import BUNDLED_RANKER
from suggest.reading_fitting import fit_meaning, fit_moods
from suggest.training_examples import TrainingShop, heard_in, training_examples

app = typer.Typer(add_completion=False)


@app.command()
def train_ranker(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/train.jsonl and chats/dev.jsonl; repeat for several")],
    out: Annotated[Path, typer.Option(help="Folder to write")] = BUNDLED_RANKER,
) -> None:
    """Fits on the train and dev chats of the shops, over indexes of their files as they are, the confidence on folds; test chats are never read."""
    loaded = {folder: load_shop(folder) for folder in store_dir}
    train, dev = ({folder: _read(folder, split) for folder in store_dir} for split in ("train", "dev"))
    chats = {folder: (*train[folder], *dev[folder]) for folder in store_dir}
    every = [chat for found in chats.values() for chat in found]
    count_asked([(loaded[folder], found) for folder, found in chats.items()])
    fit_question_splitter(every, load_classifier("needs")).write()
    models = Models.unfitted()
    shops = [TrainingShop(_index(loaded[folder], train[folder], models), chats[folder]) for folder in store_dir]
    heard = heard_in(shops, models)
    moods = fit_moods(heard)
    moods.write()
    fit_meaning(heard, models.reader, moods).write()
    with progress(quiet=False) as tell:
        done = [0]

        def step(_shop: str) -> None:
            done[0] += 1
            tell("signals", done[0], len(every))

        fitted = fit(training_examples(shops, heard, models, on_chat=step))
    names = ", ".join(folder.name for folder in chats)
    fitted.write(out, provenance=f"train and dev chats of {names}; confidence on five folds over conversations")
    STDERR.print(f"wrote {out}: {json.dumps(figures(fitted))}", markup=False, highlight=False)


def _index(shop: Shop, taught: list[LabelledChat], models: Models) -> Snapshot:
    """The shop's index as a reindex with these models would build it: a published one may be of other models."""
    return build_snapshot(shop, embedder=models.embedder, needs=models.reader.needs, now=datetime.now(UTC), cases=cases_of(taught))


def _read(folder: Path, split: str) -> list[LabelledChat]:
    chats, bad = read_chats(folder / "chats" / f"{split}.jsonl", root=folder)
    if bad:
        STDERR.print("\n".join(map(str, bad)), markup=False)
        raise typer.Exit(1)
    return chats


if __name__ == "__main__":
    app()
