"""Where each reply and article of a shop stands: file and line, for people who mend them."""

from pathlib import Path

from knowledge.articles import read_article
from knowledge.findings import Place
from knowledge.rows import read_rows
from knowledge.shop import TABLE_SUFFIXES


def reply_places(folder: Path) -> dict[str, Place]:
    """Gives the place of every reply by id; the row where the record starts."""
    places: dict[str, Place] = {}
    for suffix in TABLE_SUFFIXES:
        path = folder / f"replies{suffix}"
        for row in read_rows(path, root=folder)[0] if path.exists() else []:
            places.setdefault(str(row.cells.get("id", "")), Place(row.path, row.line))
    return places


def article_places(folder: Path) -> dict[str, Place]:
    """Gives the file of every article by id."""
    places: dict[str, Place] = {}
    for path in sorted((folder / "articles").glob("*.md")):
        article, _ = read_article(path, root=folder)
        if article is not None:
            places[article.id] = Place(path.relative_to(folder).as_posix())
    return places
