"""`python -m scripts.train_ranker`: fit the ranker's weights on labelled chats of published shops."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from indexes.classifier import TextClassifier, load_classifier
from indexes.publish import load_current
from knowledge.chats import LabelledChat, read_chats
from knowledge.facts import compute_facts
from knowledge.normalise import strip_console
from knowledge.shop import load_shop
from scripts.progress import STDERR, progress
from suggest.fitting import Example, examples, fit_ranker
from suggest.live import Models
from suggest.order_state import BUNDLED_PRIOR, Heard, count_prior, order_state
from suggest.pipeline import Suggester
from suggest.ranking import BUNDLED_WEIGHTS

app = typer.Typer(add_completion=False)


@app.command()
def train_ranker(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/train.jsonl and chats/dev.jsonl; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    out: Annotated[Path, typer.Option(help="File to write")] = BUNDLED_WEIGHTS,
) -> None:
    """Fits on the train chats of the shops, calibrates on those and their dev chats; test chats are never read."""
    chats = {folder: {split: _read(folder, split) for split in ("train", "dev")} for folder in store_dir}
    needs = load_classifier("needs")
    count_prior([one for folder, splits in chats.items() for one in _heard(folder, splits["train"], needs)], BUNDLED_PRIOR)
    models = Models.load()
    found: dict[str, list[Example]] = {"train": [], "dev": []}
    for folder in store_dir:
        suggester = Suggester(
            load_current(index_dir / folder.name, embedder=models.embedder), **{f.name: getattr(models, f.name) for f in dataclasses.fields(models)}
        )
        for split, kept in found.items():
            with progress(quiet=False) as tell:
                done = [0]

                def step(name: str = f"{folder.name} {split}", total: int = len(chats[folder][split]), done: list[int] = done) -> None:
                    done[0] += 1
                    tell(name, done[0], total)

                kept += examples(chats[folder][split], suggester, on_chat=step)
    names = ", ".join(folder.name for folder in store_dir)
    figures = fit_ranker(found["train"], found["train"] + found["dev"], out, provenance=f"train chats of {names}; calibrated on their train and dev chats")
    STDERR.print(f"wrote {out}: {figures}", markup=False, highlight=False)


def _read(folder: Path, split: str) -> list[LabelledChat]:
    chats, bad = read_chats(folder / "chats" / f"{split}.jsonl", root=folder)
    if bad:
        STDERR.print("\n".join(map(str, bad)), markup=False)
        raise typer.Exit(1)
    return chats


def _heard(folder: Path, chats: list[LabelledChat], needs: TextClassifier) -> list[Heard]:
    """What every answerable chat sounds like, means, and the state of its order."""
    shop = load_shop(folder)
    catalogue = shop.catalogue()
    answerable = [chat for chat in chats if chat.labels.answerable and chat.labels.scenarios]
    loudest = needs.probabilities([strip_console(chat.message) for chat in answerable]).argmax(axis=1)
    found = []
    for chat, label in zip(answerable, loudest, strict=True):
        facts = compute_facts(order=chat.order, customer=None, agent=None, now=chat.now, store=shop.store, catalogue=catalogue)
        found.append(Heard(needs.labels[int(label)].split("/")[0], chat.labels.scenarios, order_state(facts)))
    return found


if __name__ == "__main__":
    app()
