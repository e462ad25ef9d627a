"""Policy articles: Markdown with YAML front matter, and their passages.

A passage is what stands under one heading. Its id is made of the article's id and the heading, so editing one section moves no other.
"""

import itertools
import re
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from pydantic import ValidationError

from knowledge.errors import BadRow
from knowledge.records import Article, Passage
from knowledge.rows import bad_rows_of, shown_path

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MARKDOWN = MarkdownIt()


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is seven times as fast; PyYAML can be built without it


class _FrontMatterLoader(_SafeLoader):  # type: ignore[misc]
    """Leaves dates as text: the record checks them, and a mistyped one is reported with its field and line."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_NOT_SLUG = re.compile(r"[^\w\-]+")
# Longer sections are cut at blank lines: a passage is quoted beside a draft and must be read at a glance.
PASSAGE_CHARS = 500


def read_article(path: Path, *, root: Path) -> tuple[Article | None, list[BadRow]]:
    """Gives the article, or None and what to mend."""
    where = shown_path(path, root)
    try:
        source = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return None, [BadRow(where, 1, "file", f"expected UTF-8 text; byte {error.start} is not")]
    match = _FRONT_MATTER.match(source)
    if match is None:
        return None, [BadRow(where, 1, "front matter", "expected YAML between two lines of ---")]
    try:
        fields = yaml.load(match.group(1), _FrontMatterLoader)  # a safe loader
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 2
        return None, [BadRow(where, line, "front matter", f"expected YAML; {str(error).splitlines()[0]}")]
    if not isinstance(fields, dict):
        return None, [BadRow(where, 2, "front matter", "expected names with values, such as `id: ship-48h`")]
    return _article(fields, source[match.end() :].strip("\n"), where, match.group(1))


def _article(fields: dict[str, Any], body: str, where: str, front: str) -> tuple[Article | None, list[BadRow]]:
    texts = {name: str(fields[name]) for name in ("id", "title", "version", "source") if isinstance(fields.get(name), int | float)}
    try:
        return Article.model_validate({**fields, **texts, "body": body}), []
    except ValidationError as error:
        return None, bad_rows_of(error, where, lambda field: _line_of(field, front), Article)


def _line_of(field: str, front: str) -> int:
    for number, line in enumerate(front.splitlines(), start=2):
        if line.startswith(f"{field}:"):
            return number
    return 1


def split_passages(article: Article) -> list[Passage]:
    """Gives the article's passages in reading order; `body[start:end] == text` for each.

    A heading belongs to no passage's text; what stands before the first one has the article's title as its heading.
    """
    passages: list[Passage] = []
    taken: dict[str, int] = {}
    for heading, start, end in _sections(article):
        for piece_start, piece_end in _pieces(article.body, start, end):
            slug = _NOT_SLUG.sub("-", heading.lower()).strip("-") or "section"
            taken[slug] = taken.get(slug, 0) + 1
            suffix = "" if taken[slug] == 1 else f"~{taken[slug]}"
            passages.append(
                Passage(
                    id=f"{article.id}#{slug}{suffix}",
                    article_id=article.id,
                    heading=heading,
                    text=article.body[piece_start:piece_end],
                    start=piece_start,
                    end=piece_end,
                )
            )
    return passages


def _sections(article: Article) -> list[tuple[str, int, int]]:
    """(heading, start, end) of the text under each heading, in characters of the body."""
    offsets = _line_offsets(article.body)
    marks = [(article.title, 0, 0)]
    tokens = _MARKDOWN.parse(article.body)
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.map:
            marks.append((inline.content.strip() or article.title, offsets[token.map[0]], offsets[token.map[1]]))
    ends = [start for _, start, _ in marks[1:]] + [len(article.body)]
    return [(heading, begin, end) for (heading, _, begin), end in zip(marks, ends, strict=True)]


def _line_offsets(text: str) -> list[int]:
    """Where each line starts, and where the text ends. As in Markdown only a line feed ends a line, not U+2028 or a form feed."""
    return [0, *(match.end() for match in re.finditer("\n", text)), len(text)]


def _pieces(body: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cuts a long section at blank lines; trims white space; drops what is empty."""
    cuts = [start, *(match.end() for match in re.finditer(r"\n[ \t]*\n", body[start:end]))]
    bounds = [start] + [start + cut for cut in cuts[1:]] + [end]
    pieces: list[tuple[int, int]] = []
    for left, right in itertools.pairwise(bounds):
        trimmed = _trim(body, left, right)
        if trimmed is None:
            continue
        if pieces and trimmed[1] - pieces[-1][0] <= PASSAGE_CHARS:
            pieces[-1] = (pieces[-1][0], trimmed[1])
        else:
            pieces.append(trimmed)
    return pieces


def _trim(body: str, start: int, end: int) -> tuple[int, int] | None:
    text = body[start:end]
    left = len(text) - len(text.lstrip())
    right = len(text.rstrip())
    return (start + left, start + right) if right > left else None
