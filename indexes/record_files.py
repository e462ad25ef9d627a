"""A shop's records in a snapshot: a file of JSON lines for each kind."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowledge.records import Article, Passage, Product, ProvenReply, SampleConversation, SampleOrder, Store
from knowledge.shop import Shop

_TABLES: tuple[tuple[str, type[Any]], ...] = (
    ("articles", Article), ("passages", Passage), ("replies", ProvenReply), ("products", Product),
    ("sample_orders", SampleOrder), ("sample_conversations", SampleConversation),
)  # fmt: skip


def write_records(shop: Shop, folder: Path, *, without: Sequence[str] = ()) -> None:
    """Writes the shop's tables, but for those that are kept otherwise."""
    (folder / "store.json").write_text(shop.store.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
    for name, _ in _TABLES:
        if name in without:
            continue
        lines = "".join(record.model_dump_json(by_alias=True, exclude_defaults=True) + "\n" for record in getattr(shop, name))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def read_records(folder: Path, **tables: Any) -> Shop:
    """Reads what `write_records` wrote; tables that are given are not read."""
    tables |= {
        name: tuple(model.model_validate_json(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n") if line)
        for name, model in _TABLES
        if name not in tables
    }
    return Shop(store=Store.model_validate_json((folder / "store.json").read_text(encoding="utf-8")), **tables)
