"""`python -m scripts.adapt`: tune the embedding and the need classifier on one shop, measure what it gains, and write them for the next reindex."""

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from indexes.adaptation import MAX_LOSS, SEED, Adaptation, Adapter
from indexes.adapted import write_adapted
from indexes.crossvalidation import MEASURES, Judged, cross_validate
from indexes.errors import AdaptationWorse, IndexingError
from indexes.shop_pairs import Lessons, conversation
from knowledge.accepted import AcceptedSuggestion, read_accepted
from knowledge.chats import LabelledChat, read_chats
from knowledge.errors import BadRow, InvalidKnowledge
from knowledge.shop import Shop, load_shop
from scripts.progress import STDERR, progress
from suggest.evaluation import Estimate, bootstrap

app = typer.Typer(add_completion=False)


@app.command()
def adapt(
    store_dir: Annotated[Path, typer.Option(help="The shop's folder; its chats/train.jsonl teaches, its chats/dev.jsonl only measures")],
    out: Annotated[Path, typer.Option(help="Where adapted models live, one folder per shop")] = Path("var/adapted"),
    accepted: Annotated[Path | None, typer.Option(help='Accepted suggestions, a line {"message": …, "reply_id": …} each', exists=True, dir_okay=False)] = None,
    folds: Annotated[int, typer.Option(help="Parts the conversations are cut into, each judged by models that never saw it", min=2, max=20)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Tunes on the shop's triggers, labelled train chats and accepted suggestions; the next reindex uses what is written."""
    started = time.perf_counter()
    try:
        shop = load_shop(store_dir)
        lessons, judged = _read(store_dir, shop, accepted)
        adapter = Adapter()
        adaptation = adapter.adapt(lessons)
        with progress(quiet=as_json) as tell:
            found = _judge(adapter, lessons, judged, folds, tell)
        card = _card(shop, adapter, adaptation, lessons, found) | {"seconds": round(time.perf_counter() - started, 1)}
        write_adapted(out / shop.store.id, lambda folder: adapter.write(adaptation, folder), card)
    except (InvalidKnowledge, IndexingError, OSError) as error:
        if as_json:
            typer.echo(json.dumps({"status": "failed", "store_dir": str(store_dir), "reason": str(error)}, ensure_ascii=False))
        STDERR.print(f"{store_dir}: {error}", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps({"status": "adapted", **card}, ensure_ascii=False))
    else:
        _tell(card, out / shop.store.id)


def _read(store_dir: Path, shop: Shop, accepted: Path | None) -> tuple[Lessons, list[LabelledChat]]:
    """Gives what teaches, and the chats that measure: train and dev, never test."""
    chats: dict[str, list[LabelledChat]] = {"train": [], "dev": []}
    bad: list[BadRow] = []
    for split in chats:
        path = store_dir / "chats" / f"{split}.jsonl"
        if path.exists():
            chats[split], mistakes = read_chats(path, root=store_dir)
            bad += mistakes
    sent: list[AcceptedSuggestion] = []
    if accepted is not None:
        sent, mistakes = read_accepted(accepted)
        bad += mistakes
    if bad:
        raise InvalidKnowledge(bad)
    replies = tuple(reply for reply in shop.replies if reply.status == "approved")
    return Lessons(replies, tuple(chats["train"]), tuple(sent)), chats["train"] + chats["dev"]


def _judge(adapter: Adapter, lessons: Lessons, judged: Sequence[LabelledChat], folds: int, tell: Any) -> list[Judged]:
    if len({conversation(chat) for chat in judged}) < folds:
        return []
    return cross_validate(adapter, lessons, judged, folds=folds, on_fold=lambda done, of: tell("folds", done, of))


def _card(shop: Shop, adapter: Adapter, adaptation: Adaptation, lessons: Lessons, judged: Sequence[Judged]) -> dict[str, Any]:
    """Gives what `adaptation.json` says.

    Raises:
        AdaptationWorse: the shop itself loses, beyond chance.
    """
    ids = {reply.id for reply in lessons.replies}
    notes = [*adaptation.notes] if judged else [*adaptation.notes, "not measured: fewer labelled conversations than folds"]
    unknown = sum(one.reply_id not in ids for one in lessons.accepted)
    if unknown:
        notes.append(f"{unknown} accepted suggestions name a reply that is not an approved one of the shop and were left out")
    measured = {measure: _figures(judged, measure) for measure in MEASURES} if judged else {}
    for measure, figures in measured.items():
        if figures["change"]["high"] is not None and figures["change"]["high"] < 0:
            raise AdaptationWorse(measure, before=figures["before"]["mean"], after=figures["after"]["mean"])
    general = {name: dataclasses.asdict(one) | {"bound": MAX_LOSS} if one else None for name, one in adaptation.general.items()}
    return {
        "store": shop.store.id,
        "base": adapter.base,
        "counts": adaptation.counts,
        "measured": measured,
        "general": general,
        "notes": notes,
        "seed": SEED,
    }


def _figures(judged: Sequence[Judged], measure: str) -> dict[str, Any]:
    """Gives the measure before, after, and its change, each with the interval over conversations."""
    kept = [one for one in judged if measure in one.before]
    before, after = (np.array([getattr(one, when)[measure] for one in kept]) for when in ("before", "after"))
    groups = [one.conversation for one in kept]
    return {"n": len(kept)} | {name: _plain(bootstrap(values, groups)) for name, values in (("before", before), ("after", after), ("change", after - before))}


def _plain(value: Estimate) -> dict[str, float | None]:
    return {name: round(figure, 4) if value.n else None for name, figure in (("mean", value.mean), ("low", value.low), ("high", value.high))}


def _tell(card: dict[str, Any], folder: Path) -> None:
    for measure, figures in card["measured"].items():
        cells = ", ".join(f"{name} {_cell(figures[name])}" for name in ("before", "after", "change"))
        STDERR.print(f"{measure}: {cells}; {figures['n']} chats", markup=False, highlight=False)
    for name, one in card["general"].items():
        if one is not None:
            said = f"{one['before']:.3f} → {one['after']:.3f} of {one['n']} held-out phrasings understood (may lose {one['bound']:.3f}), step {one['step']}"
            STDERR.print(f"{name}: {said}", markup=False, highlight=False)
    for note in card["notes"]:
        STDERR.print(note, markup=False, highlight=False)
    STDERR.print(f"wrote {folder} in {card['seconds']} s; the next reindex uses it", markup=False, highlight=False)


def _cell(value: dict[str, float | None]) -> str:
    return "–" if value["mean"] is None else f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


if __name__ == "__main__":
    app()
