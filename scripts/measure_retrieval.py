"""`python -m scripts.measure_retrieval`: recall@10 of acceptable replies by channel, and how it holds when messages are written badly."""

import json
import random
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from indexes.publish import load_current
from knowledge.chats import LabelledChat, read_chats
from scripts.progress import progress
from suggest.evaluation import Estimate, bootstrap
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.recall import CHANNELS, recall
from suggest.robustness import DISTURBANCES

app = typer.Typer(add_completion=False)
_N_DISTURBED = 300
_SEED = 20_261_122


@app.command()
def measure_retrieval(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/test.jsonl; repeat for several", exists=True, file_okay=False)],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model", envvar="SUGGEST_MODEL")] = "",
    report: Annotated[Path | None, typer.Option(help="Folder to write retrieval.json to")] = None,
) -> None:
    """Prints, as JSON, recall@10 by channel among all replies and among those the order allows, the gain of dense over BM25, and robustness."""
    models = Models.load(model)
    figures: dict[str, object] = {}
    for folder in store_dir:
        snapshot = load_current(index_dir / folder.name, embedder=models.embedder)
        suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)
        chats = [chat for chat in read_chats(folder / "chats" / "test.jsonl", root=folder)[0] if chat.labels.answerable and chat.labels.replies]
        figures[folder.name] = _table(chats, suggester)
        if snapshot.shop.store.language.startswith("zh"):
            figures[f"{folder.name}, disturbed"] = _robustness(chats, suggester)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "retrieval.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))


def _table(chats: list[LabelledChat], suggester: Suggester) -> dict[str, object]:
    found = recall(chats, suggester)
    groups = [chat.contrast_group or chat.id for chat in chats]
    gain = np.array([one.among_all["dense"] - one.among_all["BM25"] for one in found])
    return {
        "chats": len(chats),
        "among all replies": {name: _shown(bootstrap(np.array([one.among_all[name] for one in found]), groups)) for name in CHANNELS},
        "among those the order allows": {name: _shown(bootstrap(np.array([one.among_allowed[name] for one in found]), groups)) for name in CHANNELS},
        "dense over BM25": _shown(bootstrap(gain, groups)),
    }


def _shown(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _robustness(chats: list[LabelledChat], suggester: Suggester) -> dict[str, object]:
    """Recall@10 of both channels and needs, among replies the order allows, under each disturbance, beside the clean figure and the ratio."""
    rng = random.Random(_SEED)
    sample = sorted(rng.sample(chats, k=min(_N_DISTURBED, len(chats))), key=lambda chat: chat.id)
    clean = _mean_recall(sample, suggester, [chat.message for chat in sample])
    figures: dict[str, object] = {"messages": len(sample), "clean": round(clean, 4)}
    with progress(quiet=False) as tell:
        for done, (name, disturb) in enumerate(DISTURBANCES.items(), start=1):
            own = random.Random(_SEED)
            value = _mean_recall(sample, suggester, [disturb(chat.message, own) for chat in sample])
            figures[name] = {"recall@10": round(value, 4), "of clean": round(value / clean, 3)}
            tell("disturbances", done, len(DISTURBANCES))
    return figures


def _mean_recall(chats: list[LabelledChat], suggester: Suggester, messages: list[str]) -> float:
    return float(np.mean([one.among_allowed["both + needs"] for one in recall(chats, suggester, messages=messages)]))


if __name__ == "__main__":
    app()
