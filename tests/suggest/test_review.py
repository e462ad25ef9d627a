import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.chats import LabelledChat
from knowledge.errors import InvalidKnowledge
from knowledge.records import Store
from suggest.evaluation import ChatResult, Evaluation
from suggest.review import merge_review, read_review, write_review
from suggest.review_sheet import context_of, guarded, headers, unguarded

NOW = "2026-11-21T10:00:00+08:00"
ZH, EN = headers(english=False), headers(english=True)
REPLIES = {"a", "b", "c"}


def chat(chat_id: str = "c1", message: str = "发票怎么开", **fields: Any) -> LabelledChat:
    return LabelledChat.model_validate({"id": chat_id, "store": "shop", "now": NOW, "message": message, "labels": {"replies": {"a": 2}}} | fields)


def written(tmp_path: Path, *results: tuple[LabelledChat, tuple[str, ...], tuple[str, ...]], language: str = "zh-CN") -> Path:
    path = tmp_path / "review.csv"
    found = Evaluation("huashu", tuple(ChatResult(one, ids, (), not ids, {}, drafts=texts) for one, ids, texts in results))
    assert len(results) == write_review(found, path, store=Store(id="shop", name="店", language=language))  # type: ignore[arg-type]
    return path


def filled(path: Path, cells: dict[int, dict[str, str]], *, columns: dict[str, str] = ZH) -> Path:
    """Fills cells by row (0: first chat) and column key, as a person would, and saves as Excel does."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    for row, values in cells.items():
        rows[row] |= {columns[key]: value for key, value in values.items()}
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, list(columns.values()))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(sheet.getvalue(), encoding="utf-8-sig", newline="")
    return path


def chats_file(tmp_path: Path, *chats: LabelledChat) -> Path:
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(one.model_dump_json(exclude_defaults=True) + "\n" for one in chats), encoding="utf-8")
    return path


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\t=1", "'=1", "''-x", "＝1", "plain", "'tis", "", "a=b"])
def test_guarding_a_cell_is_undone(cell: str) -> None:
    assert cell == unguarded(guarded(cell))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "＝1", "'=1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert f"'{cell}" == guarded(cell)


def test_sheet_opens_in_excel_and_holds_the_drafts(tmp_path: Path) -> None:
    path = written(tmp_path, (chat(message='=HYPERLINK("http://x")'), ("a", "b"), ("第一条。\n第二行", "-五元券")))

    content = path.read_bytes()
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert content.startswith(b"\xef\xbb\xbf")
    assert list(ZH.values()) == rows[0]
    cells = dict(zip(ZH, rows[1], strict=True))
    assert ("c1", '\'=HYPERLINK("http://x")', "a", "第一条。\n第二行", "", "") == tuple(
        cells[key] for key in ("id", "message", "reply1", "text1", "grade1", "moves1")
    )
    assert ("b", "'-五元券", "", "") == tuple(cells[key] for key in ("reply2", "text2", "reply3", "text3"))


def test_english_shop_gets_an_english_sheet_that_is_read_back(tmp_path: Path) -> None:
    path = filled(written(tmp_path, (chat(), ("b",), ("Fine.",)), language="en"), {0: {"grade1": "1", "moves1": "y"}}, columns=EN)

    assert "draft 1: would you send it? (2 yes as it is / 1 with a small edit / 0 no)" in path.read_text(encoding="utf-8-sig")
    (judgement,) = read_review(path, chat_ids={"c1"}, reply_ids=REPLIES)
    assert ("c1", "b", 1, 1, True) == (judgement.chat_id, judgement.reply_id, judgement.place, judgement.grade, judgement.moves)


def test_context_has_history_and_order_and_no_number_that_names_anyone() -> None:
    asked = chat(
        history=[{"role": "customer", "text": "在吗"}, {"role": "agent", "text": "在的"}],
        order={"id": "20261109001", "status": "paid", "paid_at": "2026-11-20T09:00:00+08:00"}, customer={"name": "王五", "tier": "vip"},
    )  # fmt: skip

    told = context_of(asked, timezone="Asia/Shanghai", english=False)

    assert ["客户：在吗", "客服：在的", "订单状态=paid，付款时间=11-20 09:00，会员等级=vip", "现在=11-21 10:00"] == told.split("\n")


def test_review_comes_back_as_labels(tmp_path: Path) -> None:
    first, second = chat(), chat("=c2", labels={"replies": {"a": 1, "b": 2}})
    path = filled(
        written(tmp_path, (first, ("b", "c", "a"), ("乙", "丙", "甲")), (second, ("a", "b"), ("甲", "乙"))),
        {0: {"grade1": "1", "grade2": "0", "grade3": "2.0"}, 1: {"grade1": "２", "moves1": "n"}},
    )
    chats = chats_file(tmp_path, first, second)

    judgements = read_review(path, chat_ids={"c1", "=c2"}, reply_ids=REPLIES)
    found = merge_review(judgements, chats, tmp_path / "out.jsonl")

    assert (("c1", "b", 1),) == found.added
    assert ["=c2 a: labelled 1, reviewed 2; the label stays"] == [str(one) for one in found.disagreements]
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert {"a": 2, "b": 1} == json.loads(lines[0])["labels"]["replies"]
    assert chats.read_text(encoding="utf-8").splitlines()[1] == lines[1]


def test_an_answer_for_a_chat_that_nothing_fits_is_told_and_not_written(tmp_path: Path) -> None:
    asked = chat(labels={"answerable": False})
    path = filled(written(tmp_path, (asked, ("b",), ("乙",))), {0: {"grade1": "2"}})

    found = merge_review(read_review(path, chat_ids={"c1"}, reply_ids=REPLIES), chats_file(tmp_path, asked), tmp_path / "out.jsonl")

    assert ((), ["c1 b: labelled a chat that nothing fits, reviewed 2; the label stays"]) == (found.added, [str(one) for one in found.disagreements])
    assert (tmp_path / "chats.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_every_bad_cell_is_told_at_once_with_row_and_column(tmp_path: Path) -> None:
    rows = [(chat(f"c{i}"), ("a", "b"), ("甲", "乙")) for i in range(1, 5)]
    path = filled(
        written(tmp_path, *rows),
        {0: {"grade1": "3", "moves2": "maybe"}, 1: {"id": "stranger", "grade1": "2"}, 2: {"reply1": "zzz", "grade1": "2"}, 3: {"grade3": "1"}},
    )

    with pytest.raises(InvalidKnowledge) as refused:
        read_review(path, chat_ids={"c1", "c3", "c4"}, reply_ids=REPLIES)

    # A context of one line: row numbers are the spreadsheet's.
    bad = [(one.line, one.field, one.expected, one.got) for one in refused.value.bad_rows]
    assert {
        (2, ZH["moves2"], "expected y, n or nothing", "maybe"),
        (2, ZH["grade1"], "expected 2, 1, 0 or nothing", "3"),
        (3, ZH["id"], "expected the id of a chat of the --chats file", "stranger"),
        (4, ZH["reply1"], "expected the id of a reply of this shop, as it was written; judge only drafts that are there", "zzz"),
        (5, ZH["reply3"], "expected the id of a reply of this shop, as it was written; judge only drafts that are there", ""),
    } == set(bad)
    assert 5 == len(bad)


def test_two_judgements_of_one_draft_must_agree(tmp_path: Path) -> None:
    rows = [(chat(), ("b",), ("乙",))] * 2

    with pytest.raises(InvalidKnowledge, match="expected one judgement of a draft; row 2 says 2, got '1'"):
        read_review(filled(written(tmp_path, *rows), {0: {"grade1": "2"}, 1: {"grade1": "1"}}), chat_ids={"c1"}, reply_ids=REPLIES)


def test_a_sheet_without_its_columns_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("会话编号,别的\nc1,x\n", encoding="utf-8-sig")

    with pytest.raises(InvalidKnowledge, match=r"other\.csv:1 草稿1编号: expected this column"):
        read_review(path, chat_ids={"c1"}, reply_ids=REPLIES)
