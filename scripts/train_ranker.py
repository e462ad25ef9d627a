"""`python -m scripts.train_ranker`: fit the ranker's weights on labelled chats of published shops."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from indexes.publish import load_current
from knowledge.chats import read_chats
from scripts.progress import STDERR, progress
from suggest.fitting import Example, examples, fit_ranker
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.ranking import BUNDLED_WEIGHTS

app = typer.Typer(add_completion=False)


@app.command()
def train_ranker(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/train.jsonl and chats/dev.jsonl; repeat for several")],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    out: Annotated[Path, typer.Option(help="File to write")] = BUNDLED_WEIGHTS,
) -> None:
    """Fits on the train chats of the shops, calibrates on their dev chats; test chats are never read."""
    models = Models.load()
    found: dict[str, list[Example]] = {"train": [], "dev": []}
    for folder in store_dir:
        suggester = Suggester(
            load_current(index_dir / folder.name, embedder=models.embedder), **{f.name: getattr(models, f.name) for f in dataclasses.fields(models)}
        )
        for split, kept in found.items():
            chats, bad = read_chats(folder / "chats" / f"{split}.jsonl", root=folder)
            if bad:
                STDERR.print("\n".join(map(str, bad)), markup=False)
                raise typer.Exit(1)
            with progress(quiet=False) as tell:
                done = [0]

                def step(name: str = f"{folder.name} {split}", total: int = len(chats), done: list[int] = done) -> None:
                    done[0] += 1
                    tell(name, done[0], total)

                kept += examples(chats, suggester, on_chat=step)
    names = ", ".join(folder.name for folder in store_dir)
    figures = fit_ranker(found["train"], found["dev"], out, provenance=f"train chats of {names}; calibrated on their dev chats")
    STDERR.print(f"wrote {out}: {figures}", markup=False, highlight=False)


if __name__ == "__main__":
    app()
