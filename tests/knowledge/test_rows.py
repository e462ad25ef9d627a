import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from knowledge.errors import BadRow
from knowledge.rows import Row, read_rows, shown_path


def read(tmp_path: Path, name: str, content: str | bytes) -> tuple[list[Row], list[BadRow]]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, root=tmp_path)


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    book.save(path)
    return path


# ---- CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_of_excel(tmp_path, encoding):
    content = "id,text\r\na,您好，已发货\r\n".encode(encoding)

    assert ([Row("replies.csv", 2, {"id": "a", "text": "您好，已发货"})], []) == read(tmp_path, "replies.csv", content)


def test_a_row_is_at_the_line_where_it_starts(tmp_path):
    rows, bad = read(tmp_path, "r.csv", 'id,text\na,"一\n二\n三"\n\nb,"引号""里"\n,\nc,逗号\n')

    assert [(2, "a", "一\n二\n三"), (6, "b", '引号"里'), (8, "c", "逗号")] == [(row.line, row.cells["id"], row.cells["text"]) for row in rows]
    assert [] == bad


def test_header_names_are_trimmed_and_short_rows_lack_cells(tmp_path):
    rows, _ = read(tmp_path, "r.csv", " id , text ,notes\na\nb,x,,\n")

    assert [{"id": "a"}, {"id": "b", "text": "x", "notes": ""}] == [row.cells for row in rows]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("id,text\na,b,c\n", BadRow("r.csv", 2, "row", "expected 2 cells as in the header", "3"), id="too many cells"),
        pytest.param('id,text\na,"没关\nb,c\n', BadRow("r.csv", 2, "row", "expected a well-formed CSV row; unexpected end of data"), id="open quote"),
        pytest.param(b"id,text\n\xff\xfe\xff", BadRow("r.csv", 1, "file", "expected a CSV file in UTF-8 or GB18030"), id="neither encoding"),
    ],
)
def test_a_bad_csv_is_told(tmp_path, content, expected):
    assert [expected] == read(tmp_path, "r.csv", content)[1]


def test_a_bad_row_does_not_hide_the_others(tmp_path):
    rows, bad = read(tmp_path, "r.csv", "id,text\na,b,c\nd,e\nf,g,h,i\n")

    assert ([3], [2, 4]) == ([row.line for row in rows], [row.line for row in bad])


def test_an_empty_csv_has_no_rows(tmp_path):
    assert ([], []) == read(tmp_path, "r.csv", "") == read(tmp_path, "r.csv", "id,text\n")


# ---- JSONL


def test_jsonl_is_read_by_lines(tmp_path):
    content = '{"id": "a", "triggers": ["一", "二"]}\r\n\n{"id": "b\u2028c", "n": 1.5, "x": null}\n'

    assert [Row("r.jsonl", 1, {"id": "a", "triggers": ["一", "二"]}), Row("r.jsonl", 3, {"id": "b\u2028c", "n": 1.5, "x": None})] == read(
        tmp_path, "r.jsonl", content
    )[0]


def test_bad_lines_of_jsonl_are_all_told(tmp_path):
    rows, bad = read(tmp_path, "r.jsonl", '{"id": "a"}\n{"id": }\n[1]\n"x"\n{"id": "b"}\n{"id": "c"')

    assert ["a", "b"] == [row.cells["id"] for row in rows]
    assert [
        BadRow("r.jsonl", 2, "row", "expected one JSON object; Expecting value at character 7"),
        BadRow("r.jsonl", 3, "row", "expected one JSON object", "list"),
        BadRow("r.jsonl", 4, "row", "expected one JSON object", "str"),
        BadRow("r.jsonl", 6, "row", "expected one JSON object; Expecting ',' delimiter at character 10"),
    ] == bad


def test_a_jsonl_of_empty_values_is_an_empty_row(tmp_path):
    assert ([], []) == read(tmp_path, "r.jsonl", json.dumps({"id": "", "text": None}))


# ---- XLSX


def test_a_workbook_is_read_as_staff_see_it(tmp_path):
    path = workbook(
        tmp_path / "r.xlsx",
        [
            [" id ", "text", "amount", "from", "flag"],
            ["a", "一\n二", 5, date(2026, 11, 20), True],
            [None, None, None, None, None],
            ["001", "N/A", 12.5, datetime(2026, 11, 20, 8, 0), None],  # noqa: DTZ001 - Excel knows no zones
            ["b", "NA", 3.0, "2026-11-21", "null"],
        ],
    )

    assert [
        Row("r.xlsx", 2, {"id": "a", "text": "一\n二", "amount": "5", "from": "2026-11-20", "flag": "True"}),
        Row("r.xlsx", 4, {"id": "001", "text": "N/A", "amount": "12.5", "from": "2026-11-20 08:00:00", "flag": ""}),
        Row("r.xlsx", 5, {"id": "b", "text": "NA", "amount": "3", "from": "2026-11-21", "flag": "null"}),
    ] == read_rows(path, root=tmp_path)[0]


def test_a_file_that_is_no_workbook_is_told(tmp_path):
    rows, bad = read(tmp_path, "r.xlsx", "id,text\na,b\n")

    assert ([], [("r.xlsx", 1, "file")]) == (rows, [(row.path, row.line, row.field) for row in bad])
    assert bad[0].expected.startswith("expected an Excel workbook; ")


def test_an_empty_workbook_has_no_rows(tmp_path):
    assert ([], []) == read_rows(workbook(tmp_path / "r.xlsx", []), root=tmp_path)


# ---- how a row to mend is shown


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            BadRow("replies.csv", 3, "status", "expected approved, draft or blocked", "ok"),
            "replies.csv:3 status: expected approved, draft or blocked, got 'ok'",
        ),
        (BadRow("articles/a.md", 1, "title", "required, but it is not there"), "articles/a.md:1 title: required, but it is not there"),
    ],
)
def test_a_row_to_mend_is_one_line(row, line):
    assert line == str(row)


def test_paths_are_shown_below_the_shops_folder(tmp_path):
    assert "chats/dev.jsonl" == shown_path(tmp_path / "chats" / "dev.jsonl", tmp_path)
    assert "/elsewhere/x.csv" == shown_path(Path("/elsewhere/x.csv"), tmp_path)
