"""What a reindex reads: the shop's files and its labelled chats, as of one moment. Test chats are never read."""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from indexes.cases import Case, cases_of
from knowledge.chats import LabelledChat, read_chats
from knowledge.errors import InvalidKnowledge
from knowledge.shop import Shop, load_shop
from knowledge.steady_reading import read_steadily

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,119}")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A shop's files as of one moment."""

    shop: Shop
    cases: tuple[Case, ...]
    chats: tuple[LabelledChat, ...]  # for judging
    chats_from: str  # the file they are of
    digests: dict[str, str]


def shop_id(folder: Path) -> str:
    """Gives the shop's id as far as it can be read; empty where reading the whole will say what is wrong."""
    try:
        store_id = str(tomllib.loads((folder / "store.toml").read_text(encoding="utf-8-sig")).get("id", ""))
    except (OSError, ValueError):
        return ""
    return store_id if _ID.fullmatch(store_id) else ""


def read_knowledge(folder: Path, *, proven: Collection[bytes] = ()) -> Knowledge:
    """Gives the shop's files as of one moment: train chats to learn from, dev chats to judge by, train chats again where there are no others.

    Args:
        folder: the shop's.
        proven: rows that were found right before, see `load_shop`.

    Raises:
        InvalidKnowledge: with every bad row.
        KnowledgeChanging: files were being written all the while.
    """

    def read() -> tuple[Shop, list[LabelledChat], list[LabelledChat]]:
        shop = load_shop(folder, proven=proven)
        train, dev = _chats(folder, "train"), _chats(folder, "dev")
        return shop, train, dev

    (shop, train, dev), digests = read_steadily(folder, read)
    chats_from = "chats/dev.jsonl" if dev else "chats/train.jsonl" if train else ""
    return Knowledge(shop, tuple(cases_of(train)), tuple(dev or train), chats_from, digests)


def _chats(folder: Path, split: str) -> list[LabelledChat]:
    path = folder / "chats" / f"{split}.jsonl"
    chats, bad = read_chats(path, root=folder) if path.exists() else ([], [])
    if bad:
        raise InvalidKnowledge(bad)
    return chats
