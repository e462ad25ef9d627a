"""`python -m scripts.generate_shop`: a large shop in files, made from a small one, for measuring what a size costs."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import yaml

from knowledge.needs_bank import read_phrasings
from knowledge.records import Product, ProvenReply
from knowledge.shop import Shop, load_shop
from scripts.generated_shop import generated_shop
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)


@app.command()
def generate(
    replies: Annotated[int, typer.Option(help="How many replies the shop has, the base shop's among them", min=1, max=200_000)],
    out: Annotated[Path, typer.Option(help="Folder to write the shop to; must be empty or not exist", file_okay=False)],
    base: Annotated[Path, typer.Option(help="The shop it is made from", exists=True, file_okay=False)] = Path("knowledge/stores/demo"),
    store_id: Annotated[str, typer.Option(help="Id of the shop")] = "large",
    seed: Annotated[int, typer.Option(help="Another seed gives another shop")] = 0,
) -> None:
    """Writes the shop and the base shop's chats, ready for `python -m scripts.reindex --store-dir OUT`."""
    if out.exists() and any(out.iterdir()):
        STDERR.print(f"{out} is not empty; name another folder or empty it")
        raise typer.Exit(2)
    small = load_shop(base)
    if replies < len(small.replies):
        STDERR.print(f"{base} alone has {len(small.replies)} replies; ask for at least as many")
        raise typer.Exit(2)
    shop = generated_shop(small, read_phrasings("zh"), n_replies=replies, store_id=store_id, seed=seed)
    write_shop(shop, out, base)
    typer.echo(f"{out}: {len(shop.replies)} replies, {len(shop.articles)} articles, {len(shop.products)} products")


def write_shop(shop: Shop, folder: Path, base: Path) -> None:
    """Writes the shop as the files that `load_shop` reads, with the base shop's settings, samples and chats under the shop's id."""
    (folder / "articles").mkdir(parents=True, exist_ok=True)
    settings = (base / "store.toml").read_text(encoding="utf-8-sig").splitlines()
    renamed = [f'id = "{shop.store.id}"' if line.startswith("id =") else line for line in settings]
    (folder / "store.toml").write_text("\n".join(renamed) + "\n", encoding="utf-8")
    for article in shop.articles:
        front = yaml.safe_dump(article.model_dump(mode="json", exclude={"body"}, exclude_none=True), allow_unicode=True, sort_keys=False)
        (folder / "articles" / f"{article.id}.md").write_text(f"---\n{front}---\n{article.body}\n", encoding="utf-8")
    _write_table(folder / "replies.csv", shop.replies, ProvenReply)
    _write_table(folder / "products.csv", shop.products, Product)
    for name in ("sample_orders.jsonl", "sample_conversations.jsonl"):
        if (base / name).exists():
            shutil.copy(base / name, folder / name)
    (folder / "chats").mkdir(exist_ok=True)
    for path in sorted((base / "chats").glob("*.jsonl")):
        chats = [json.loads(line) | {"store": shop.store.id} for line in path.read_text(encoding="utf-8").splitlines() if line]
        (folder / "chats" / path.name).write_text("".join(json.dumps(chat, ensure_ascii=False) + "\n" for chat in chats), encoding="utf-8")


def _write_table(path: Path, records: Sequence[ProvenReply] | Sequence[Product], model: type[ProvenReply] | type[Product]) -> None:
    columns = list(model.model_fields)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for record in records:
            fields = record.model_dump(mode="json")
            writer.writerow([_cell(fields[name]) for name in columns])


def _cell(value: object) -> str:
    """As a spreadsheet has it: lists of words by bars, other structures as JSON."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


if __name__ == "__main__":
    app()
