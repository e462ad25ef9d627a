"""A whole shop read from its folder: every file checked, every bad row reported at once, conditions and templates compiled."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError

from knowledge.articles import read_article, split_passages
from knowledge.conditions import compile_condition
from knowledge.errors import BadRow, InvalidCondition, InvalidKnowledge, InvalidTemplate
from knowledge.frame_checks import frame_mistakes
from knowledge.products import ProductCatalogue, category_levels
from knowledge.records import Article, Dated, Passage, Product, ProvenReply, SampleConversation, SampleOrder, Store
from knowledge.rows import RowsSeen, bad_rows_of, read_rows
from knowledge.scenarios import SCENARIOS
from knowledge.templates import compile_template

R = TypeVar("R", bound=BaseModel)
_TYPO = 0.8  # difflib's ratio from which a product's name is taken for a misspelling of another
TABLE_SUFFIXES = (".csv", ".jsonl", ".xlsx")


@dataclass(frozen=True, slots=True)
class Shop:
    """What one shop knows, each list ordered by id."""

    store: Store
    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    replies: Sequence[ProvenReply]
    products: Sequence[Product]
    sample_orders: tuple[SampleOrder, ...] = ()
    sample_conversations: tuple[SampleConversation, ...] = ()
    proven_rows: frozenset[bytes] = field(default=frozenset(), compare=False, repr=False)  # see `row_digest`; empty where the shop was not read from files

    def catalogue(self) -> ProductCatalogue:
        """Gives the products with the names people use for them."""
        return ProductCatalogue(self.products)


def load_shop(folder: Path, *, proven: Collection[bytes] = ()) -> Shop:
    """Gives the shop of `folder` (contract §2).

    Args:
        folder: the shop's.
        proven: digests of replies' rows whose conditions and templates were compiled by this very code before: most of the time of reading a large shop.

    Raises:
        InvalidKnowledge: with every bad row of every file; nothing is half loaded.
    """
    bad: list[BadRow] = []
    store = _read_store(folder, bad)
    articles = _read_articles(folder, bad)
    rows = RowsSeen(proven)
    replies = _read_table(folder, "replies", ProvenReply, bad, check=_check_reply, rows=rows, required=True)
    products = _read_table(folder, "products", Product, bad, key="sku")
    orders = _read_table(folder, "sample_orders", SampleOrder, bad)
    conversations = _read_table(folder, "sample_conversations", SampleConversation, bad, key="name")
    _check_references(replies, articles, products, bad, unread=_unread_articles(folder, bad))
    if not replies and not bad:
        bad.append(BadRow("replies.csv", 1, "file", "expected at least one reply; the file has none"))
    if bad or store is None:
        raise InvalidKnowledge(bad)
    kept_articles = tuple(sorted((article for _, article in articles.values()), key=lambda article: article.id))
    return Shop(
        store=store,
        articles=kept_articles,
        passages=tuple(passage for article in kept_articles for passage in split_passages(article)),
        replies=tuple(sorted((reply for _, reply in replies.values()), key=lambda reply: reply.id)),
        products=tuple(sorted((product for _, product in products.values()), key=lambda product: product.sku)),
        sample_orders=tuple(order for _, order in orders.values()),
        sample_conversations=tuple(conversation for _, conversation in conversations.values()),
        proven_rows=frozenset(rows.seen),
    )


def in_force(record: Dated, *, now: datetime, timezone: str) -> bool:
    """Whether the record holds on the day of `now` in the shop's timezone; both its days are included."""
    return record.in_force(now.astimezone(ZoneInfo(timezone)).date())


Located = tuple[BadRow, R]  # the row a record came from (its BadRow only says where), and the record


def _read_store(folder: Path, bad: list[BadRow]) -> Store | None:
    path = folder / "store.toml"
    if not path.exists():
        bad.append(BadRow("store.toml", 1, "file", f"expected the shop's settings in {folder}; there is no such file"))
        return None
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        store = Store.model_validate(fields)
        ZoneInfo(store.timezone)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        bad.append(BadRow("store.toml", 1, "file", f"expected TOML in UTF-8; {error}"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if isinstance(error, ValidationError):
            bad += bad_rows_of(error, "store.toml", lambda field: _toml_line(path, field), Store)
        else:
            bad.append(BadRow("store.toml", _toml_line(path, "timezone"), "timezone", "expected a zone name such as Asia/Shanghai", fields["timezone"]))
    else:
        bad += frame_mistakes(store)
        for action in store.actions.own:
            try:
                compile_condition(action.when)
            except InvalidCondition as error:
                bad.append(BadRow("store.toml", _toml_line(path, "actions.own"), f"actions.own {action.code} when", error.reason, action.when))
        return store
    return None


def _toml_line(path: Path, field: str) -> int:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return next((n for n, line in enumerate(lines, start=1) if line.split("=")[0].strip(" []") == field), 1)


def _read_articles(folder: Path, bad: list[BadRow]) -> dict[str, Located[Article]]:
    articles: dict[str, Located[Article]] = {}
    for path in sorted((folder / "articles").glob("*.md")):
        article, mistakes = read_article(path, root=folder)
        bad += mistakes
        if article is not None:
            place = BadRow(path.relative_to(folder).as_posix(), 1, "id", "")
            _keep(articles, article.id, place, article, bad)
    return articles


def _read_table(
    folder: Path,
    name: str,
    model: type[R],
    bad: list[BadRow],
    *,
    key: str = "id",
    check: Callable[[R, BadRow, list[BadRow]], None] | None = None,
    rows: RowsSeen | None = None,
    required: bool = False,
) -> dict[str, Located[R]]:
    """Reads `name`.csv, .jsonl and .xlsx, whichever are there, into one table by `key`."""
    records: dict[str, Located[R]] = {}
    paths = [path for suffix in TABLE_SUFFIXES if (path := folder / f"{name}{suffix}").exists()]
    if required and not paths:
        bad.append(BadRow(f"{name}.csv", 1, "file", f"expected {name}.csv, {name}.jsonl or {name}.xlsx in {folder}"))
    for path in paths:
        read, mistakes = read_rows(path, root=folder)
        bad += mistakes
        for row in read:
            cells = {name: value for name, value in row.cells.items() if value is not None and value != ""}
            try:
                record = model.model_validate(cells)
            except ValidationError as error:
                bad += bad_rows_of(error, row.path, lambda _, line=row.line: line, model)  # type: ignore[misc]
                continue
            place = BadRow(row.path, row.line, key, "")
            _keep(records, getattr(record, key), place, record, bad)
            if check is not None and (rows is None or not rows.was_proven(cells)):
                check(record, place, bad)
    return records


def _keep(records: dict[str, Located[R]], record_id: str, place: BadRow, record: R, bad: list[BadRow]) -> None:
    if record_id in records:
        first = records[record_id][0]
        expected = f"expected an id of its own; {first.path}:{first.line} has it too"
        bad.append(BadRow(place.path, place.line, place.field, expected, record_id))
    else:
        records[record_id] = (place, record)


def _check_reply(reply: ProvenReply, place: BadRow, bad: list[BadRow]) -> None:
    """Compiles the condition and every template, whatever the reply's status: a draft is approved later, unread."""
    try:
        compile_condition(reply.when)
    except InvalidCondition as error:
        bad.append(BadRow(place.path, place.line, "when", error.reason, reply.when))
    for part, source in reply.templates().items():
        try:
            compile_template(source)
        except InvalidTemplate as error:
            bad.append(BadRow(place.path, place.line, part, error.reason, source[:80]))
    if reply.scenario not in SCENARIOS and "." not in reply.scenario:
        bad.append(BadRow(place.path, place.line, "scenario", "expected a scenario of the list, or the shop's own written as group.name", reply.scenario))


def _check_references(
    replies: dict[str, Located[ProvenReply]],
    articles: dict[str, Located[Article]],
    products: dict[str, Located[Product]],
    bad: list[BadRow],
    *,
    unread: set[str],
) -> None:
    """A citation must lead somewhere; one of an article that could not be read may be right. A product that is nearly one of the catalogue's is a typo.

    Any other product is let be: the catalogue is optional, and orders bring categories of their own.
    """
    known = {*products, *(level for _, product in products.values() for level in category_levels(product.category))}
    for place, reply in replies.values():
        for cited in sorted(set(_not_in(reply.cites, articles)) - unread):
            bad.append(BadRow(place.path, place.line, "cites", "expected the id of an article of this shop", cited))
        for wanted in set(reply.products) - known:
            near = difflib.get_close_matches(wanted, known, n=1, cutoff=_TYPO)
            if near:
                bad.append(BadRow(place.path, place.line, "products", f"expected a SKU or category of products.csv; did you mean {near[0]!r}?", wanted))


def _unread_articles(folder: Path, bad: list[BadRow]) -> set[str]:
    """The ids that files which could not be read may have: their names, and what stands after `id:` in them."""
    paths = {folder / row.path for row in bad if row.path.startswith("articles/")}
    ids = {path.stem for path in paths}
    for path in paths:
        ids.update(re.findall(r"^id:\s*['\"]?([\w.\-]+)", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    return ids


def _not_in(ids: Iterable[str], known_ids: dict[str, Located[Article]]) -> list[str]:
    return [one for one in ids if one not in known_ids]
