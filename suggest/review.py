"""People's judgement of drafts: out as a CSV file that opens in any spreadsheet, back as labels."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from knowledge.errors import BadRow, InvalidKnowledge
from knowledge.records import Store
from knowledge.rows import Row, read_rows, shown_path
from suggest.evaluation import Evaluation
from suggest.review_sheet import N_DRAFTS, context_of, guarded, headers, unguarded

_GRADES = {"2": 2, "1": 1, "0": 0}
_MOVES = {"y": True, "n": False, "yes": True, "no": False, "是": True, "否": False}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judged draft: the grade as in the labels, 0 for «would not send»; whether it moves the case on, None where the cell is empty."""

    chat_id: str
    reply_id: str
    place: int  # 1-based
    grade: int | None
    moves: bool | None
    line: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A draft that a person judged otherwise than the labels do; the label stays. None: the labels do not list it."""

    chat_id: str
    reply_id: str
    label: int | None
    review: int

    def __str__(self) -> str:
        """Gives one line for a terminal."""
        said = "a chat that nothing fits" if self.label is None else f"{self.label}"
        return f"{self.chat_id} {self.reply_id}: labelled {said}, reviewed {self.review}; the label stays"


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """What a review changed: counts, new labels as (chat, reply, grade), and where it contradicts the labels."""

    judgements: tuple[Judgement, ...]
    added: tuple[tuple[str, str, int], ...]
    disagreements: tuple[Disagreement, ...]


def write_review(evaluation: Evaluation, path: Path, *, store: Store) -> int:
    """Writes the sheet, a row a chat, in UTF-8 with a byte order mark (Excel reads it as UTF-8 by that alone); gives the number of rows."""
    english = store.language.startswith("en")
    columns = headers(english=english)
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns.values())
    for result in evaluation.results:
        cells = {"id": result.chat.id, "message": result.chat.message, "context": context_of(result.chat, timezone=store.timezone, english=english)}
        for place, (reply_id, text) in enumerate(zip(result.reply_ids[:N_DRAFTS], result.drafts[:N_DRAFTS], strict=True), start=1):
            cells |= {f"reply{place}": reply_id, f"text{place}": text}
        writer.writerow(guarded(cells.get(key, "")) for key in columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sheet.getvalue(), encoding="utf-8-sig", newline="")
    return len(evaluation.results)


def read_review(path: Path, *, chat_ids: Collection[str], reply_ids: Collection[str]) -> list[Judgement]:
    """Reads a filled sheet, in either language, CSV or XLSX; drafts without any judgement are left out.

    Args:
        path: the sheet.
        chat_ids: the chats that may be judged.
        reply_ids: the shop's replies.

    Raises:
        InvalidKnowledge: every bad cell at once, with its row, its column and what was expected.
    """
    rows, bad = read_rows(path, root=path.parent)
    columns = _columns(rows, path, bad)
    found: dict[tuple[str, str], Judgement] = {}
    for row in rows if columns else []:
        cells = {key: unguarded(str(row.cells.get(name) or "")).strip() for key, name in columns.items()}
        mend = partial(_mend, bad, row, columns)
        if cells["id"] not in chat_ids:
            mend("id", "expected the id of a chat of the --chats file", cells["id"])
            continue
        for judgement in _judgements(cells, row, reply_ids, mend):
            earlier = found.setdefault((judgement.chat_id, judgement.reply_id), judgement)
            if earlier.grade != judgement.grade:
                mend(f"grade{judgement.place}", f"expected one judgement of a draft; row {earlier.line} says {earlier.grade}", str(judgement.grade))
    if bad:
        raise InvalidKnowledge(bad)
    return list(found.values())


def merge_review(judgements: Sequence[Judgement], chats_path: Path, out: Path) -> ReviewReport:
    """Writes the chats of a JSONL file with the judged drafts among their `labels.replies`; a line without news is copied as it is.

    A 2 or 1 for a draft that is not labelled is added. A 0 for one that is not labelled says what the labels say already. Where a label and a review differ,
    and where a chat is labelled as one that nothing fits, the label stays and the disagreement is told.
    """
    given: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        given.setdefault(judgement.chat_id, []).append(judgement)
    lines, added, disagreements = [], [], []
    for source in chats_path.read_text(encoding="utf-8-sig").split("\n"):
        raw: dict[str, Any] = json.loads(source) if source.strip() else {}
        news, quarrels = _compared(given.get(str(raw.get("id")), []), raw.get("labels", {}))
        if news:
            raw["labels"]["replies"] = {**raw["labels"].get("replies", {}), **news}
        lines.append(json.dumps(raw, ensure_ascii=False) if news else source)
        added += [(str(raw["id"]), reply_id, grade) for reply_id, grade in news.items()]
        disagreements += quarrels
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines), encoding="utf-8", newline="")
    return ReviewReport(tuple(judgements), tuple(added), tuple(disagreements))


def _compared(judgements: Sequence[Judgement], labels: Mapping[str, Any]) -> tuple[dict[str, int], list[Disagreement]]:
    news: dict[str, int] = {}
    quarrels = []
    for one in judgements:
        label = labels.get("replies", {}).get(one.reply_id)
        if one.grade is None or one.grade == (label or 0):
            continue
        if label is None and labels.get("answerable", True):
            news[one.reply_id] = one.grade
        else:
            quarrels.append(Disagreement(one.chat_id, one.reply_id, label, one.grade))
    return news, quarrels


def _mend(bad: list[BadRow], row: Row, columns: Mapping[str, str], key: str, expected: str, got: str) -> None:
    bad.append(BadRow(row.path, row.line, columns[key], expected, got))


def _columns(rows: Sequence[Row], path: Path, bad: list[BadRow]) -> dict[str, str]:
    """The sheet's columns by key, in the language it is in; none, and why, where one is missing."""
    there = set(rows[0].cells) if rows else set()
    wanted = min((headers(english=english) for english in (False, True)), key=lambda names: len(set(names.values()) - there))
    needed = {key: name for key, name in wanted.items() if key not in ("message", "context") and not key.startswith("text")}
    missing = [name for name in needed.values() if name not in there]
    if missing:
        bad.append(BadRow(shown_path(path, path.parent), 1, missing[0], "expected this column, as --export-for-review wrote it, and rows below it"))
        return {}
    return needed


def _judgements(cells: Mapping[str, str], row: Row, reply_ids: Collection[str], mend: Callable[[str, str, str], None]) -> list[Judgement]:
    found = []
    for place in range(1, N_DRAFTS + 1):
        reply_id = cells[f"reply{place}"]
        grade_cell, moves_cell = (unicodedata.normalize("NFKC", cells[f"{key}{place}"]).lower().removesuffix(".0") for key in ("grade", "moves"))
        if not grade_cell and not moves_cell:
            continue
        if reply_id not in reply_ids:
            mend(f"reply{place}", "expected the id of a reply of this shop, as it was written; judge only drafts that are there", reply_id)
        if grade_cell and grade_cell not in _GRADES:
            mend(f"grade{place}", "expected 2, 1, 0 or nothing", grade_cell)
        if moves_cell and moves_cell not in _MOVES:
            mend(f"moves{place}", "expected y, n or nothing", moves_cell)
        found.append(Judgement(cells["id"], reply_id, place, _GRADES.get(grade_cell), _MOVES.get(moves_cell), row.line))
    return found
