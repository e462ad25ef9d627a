"""A shop's labelled chats, each with what the pipeline answers: for commands that measure over all of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import typer

from indexes.build import build_snapshot
from knowledge.chats import LabelledChat, read_chats
from knowledge.shop import load_shop
from scripts.progress import STDERR
from suggest.contract import SuggestionResponse
from suggest.live import Models
from suggest.pipeline import Suggester, request_of


def labelled_answers(
    folder: Path, models: Models, tell: Callable[[str, int, int], None], *, top_k: int = 3
) -> Iterator[tuple[LabelledChat, SuggestionResponse]]:
    """Gives each chat of a shop's folder with the answer to it, from an index made in memory.

    Raises:
        typer.Exit: a chat cannot be read; every bad row was told.
    """
    shop = load_shop(folder)
    snapshot = build_snapshot(shop, embedder=models.embedder, needs=models.reader.needs, now=datetime.now(UTC))
    suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)
    chats = list(_chats(folder))
    for number, chat in enumerate(chats, start=1):
        yield chat, suggester.suggest(request_of(chat, top_k=top_k), now=chat.now, request_id=chat.id)
        tell(shop.store.id, number, len(chats))


def _chats(folder: Path) -> Iterator[LabelledChat]:
    for path in sorted((folder / "chats").glob("*.jsonl")):
        found, bad = read_chats(path, root=folder)
        if bad:
            STDERR.print("\n".join(map(str, bad)), markup=False)
            raise typer.Exit(1)
        yield from found
