"""Rows of the shop's tables (CSV, JSONL, XLSX) as dicts with their line, and pydantic's errors as rows to mend."""

import csv
import difflib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from knowledge.errors import BadRow

ROW_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table as written; `line` is where it starts (the spreadsheet's row number in XLSX)."""

    path: str
    line: int
    cells: dict[str, Any]


class RowsSeen:
    """The rows of a table by their digests: those that were proven before need no second proof.

    Args:
        proven: digests that `row_digest` gave when the whole table was found right.
    """

    def __init__(self, proven: Collection[bytes]) -> None:
        self._proven = proven
        self.seen: set[bytes] = set()

    def was_proven(self, cells: Mapping[str, Any]) -> bool:
        """Notes the row, and says whether the same row was proven before."""
        digest = row_digest(cells)
        self.seen.add(digest)
        return digest in self._proven


def row_digest(cells: Mapping[str, Any]) -> bytes:
    """Gives a digest of a row's cells, `ROW_DIGEST_BYTES` long."""
    return blake2b(repr(sorted(cells.items())).encode("utf-8", "surrogatepass"), digest_size=ROW_DIGEST_BYTES).digest()


def shown_path(path: Path, root: Path) -> str:
    """Gives the path as staff know it: below the shop's folder."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def read_rows(path: Path, *, root: Path) -> tuple[list[Row], list[BadRow]]:
    """Gives the rows of a table by its suffix, and what could not be read. Wholly empty rows are skipped."""
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".xlsx": _read_xlsx}
    rows: list[Row] = []
    bad: list[BadRow] = []
    for item in readers[path.suffix](path, shown_path(path, root)):
        if isinstance(item, BadRow):
            bad.append(item)
        elif any(str(value).strip() for value in item.cells.values() if value is not None):
            rows.append(item)
    return rows, bad


def _decoded(path: Path) -> str | None:
    """UTF-8, or GB18030, which is what a Chinese Excel writes; None when it is neither."""
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _read_csv(path: Path, where: str) -> Iterator[Row | BadRow]:
    text = _decoded(path)
    if text is None:
        yield BadRow(where, 1, "file", "expected a CSV file in UTF-8 or GB18030")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not header:
                header = [cell.strip() for cell in cells]
            elif len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                yield BadRow(where, line, "row", f"expected {len(header)} cells as in the header", str(len(cells)))
            else:
                yield Row(where, line, dict(zip(header, cells, strict=False)))
            line = reader.line_num + 1
    except csv.Error as error:
        yield BadRow(where, line, "row", f"expected a well-formed CSV row; {error}")


def _read_jsonl(path: Path, where: str) -> Iterator[Row | BadRow]:
    text = _decoded(path)
    if text is None:
        yield BadRow(where, 1, "file", "expected JSON lines in UTF-8")
        return
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        try:
            cells = json.loads(source)
        except json.JSONDecodeError as error:
            yield BadRow(where, line, "row", f"expected one JSON object; {error.msg} at character {error.pos}")
            continue
        yield Row(where, line, cells) if isinstance(cells, dict) else BadRow(where, line, "row", "expected one JSON object", type(cells).__name__)


def _read_xlsx(path: Path, where: str) -> Iterator[Row | BadRow]:
    try:
        table = pd.read_excel(path, dtype=str, keep_default_na=False, engine="openpyxl", engine_kwargs={"data_only": False})
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        yield BadRow(where, 1, "file", f"expected an Excel workbook; {error}")
        return
    for number, cells in enumerate(table.to_dict(orient="records"), start=2):
        formulas = [(str(name).strip(), str(value)) for name, value in cells.items() if str(value).startswith("=")]
        if formulas:
            yield from (BadRow(where, number, name, "expected text; the cell holds a formula, whose result would be lost", value) for name, value in formulas)
            continue
        yield Row(where, number, {str(name).strip(): _day_of(str(value)) for name, value in cells.items()})


def _day_of(cell: str) -> str:
    """Excel gives a day as `2026-11-20 00:00:00`."""
    return cell.removesuffix(" 00:00:00")


def bad_rows_of(error: ValidationError, path: str, line_of: Callable[[str], int], model: type[BaseModel]) -> list[BadRow]:
    """Gives each of pydantic's complaints as a row to mend, an unknown field with the nearest known name."""
    bad = []
    for detail in error.errors(include_url=False):
        field = ".".join(str(piece) for piece in detail["loc"]) or "row"
        expected = str(detail["msg"]).removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            near = difflib.get_close_matches(field, list(model.model_fields), n=1)
            expected = "unknown field" + (f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(model.model_fields)}")
        elif detail["type"] == "missing":
            expected = "required, but it is not there"
        got = "" if detail["type"] in ("missing", "value_error") and field == "row" else str(detail.get("input", ""))[:80]
        bad.append(BadRow(path, line_of(field.split(".")[0]), field, expected, "" if detail["type"] == "missing" else got))
    return bad
