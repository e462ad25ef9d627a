import itertools
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.articles import PASSAGE_CHARS, read_article, split_passages
from knowledge.errors import BadRow
from knowledge.records import Article, Attachment, Passage

FRONT = "id: ship-48h\ntitle: 48小时发货\nkind: policy"


def read(tmp_path: Path, source: str | bytes) -> tuple[Article | None, list[BadRow]]:
    path = tmp_path / "articles" / "a.md"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return read_article(path, root=tmp_path)


def article(body: str, *, title: str = "题") -> Article:
    return Article(id="a", title=title, kind="policy", body=body)


def sections(body: str) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in split_passages(article(body))]


# ---- reading


def test_an_article_is_read_whole(tmp_path):
    source = """---
id: ship-48h
title: 48小时发货
kind: policy
scenarios: [order.expedite, logistics.delay]
products: 服饰|HA-001
audience: internal
effective_from: 2026-11-01
effective_to: "2026-11-11"
version: 1.2
source: 规则中心
attachments:
  - {title: 流程, url: "https://example.com/x", kind: link}
---

## 时效

付款后48小时内发出。
"""

    assert (
        Article(
            id="ship-48h", title="48小时发货", kind="policy", scenarios=("order.expedite", "logistics.delay"), products=("服饰", "HA-001"), audience="internal",
            effective_from=date(2026, 11, 1), effective_to=date(2026, 11, 11), version="1.2", source="规则中心",
            attachments=(Attachment(title="流程", url="https://example.com/x", kind="link"),), body="## 时效\n\n付款后48小时内发出。",
        ),
        [],
    ) == read(tmp_path, source)  # fmt: skip


def test_what_is_not_said_has_its_default(tmp_path):
    found, _ = read(tmp_path, f"---\n{FRONT}\n---\n正文")

    assert ((), (), "customer", None, None, "") == (found.scenarios, found.products, found.audience, found.effective_from, found.effective_to, found.version)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"---\r\n{FRONT}\r\n---\r\n## 时效\r\n\r\n正文\r\n".replace("\n", "\r\n").replace("\r\r", "\r"), id="CRLF"),
        pytest.param(f"\ufeff---\n{FRONT}\n---\n## 时效\n\n正文\n", id="BOM"),
        pytest.param(f"--- \n{FRONT}\n---\t\n\n\n## 时效\n\n正文", id="white space after the dashes"),
    ],
)
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path, source):
    found, bad = read(tmp_path, source)

    assert ("## 时效\n\n正文", []) == (found.body, bad)


def test_dashes_in_the_body_are_no_front_matter(tmp_path):
    found, _ = read(tmp_path, f"---\n{FRONT}\n---\n一\n\n---\n\n二")

    assert "一\n\n---\n\n二" == found.body


def test_words_that_look_like_numbers_and_dates_stay_words(tmp_path):
    found, _ = read(tmp_path, "---\nid: 12306\ntitle: 2026\nkind: faq\nversion: 2026-11-01\nsource: 7\n---\n正文")

    assert ("12306", "2026", "2026-11-01", "7") == (found.id, found.title, found.version, found.source)


@pytest.mark.parametrize(
    ("source", "line", "field", "expected"),
    [
        pytest.param("# 没有前置\n正文", 1, "front matter", "expected YAML between two lines of ---", id="none"),
        pytest.param(f"---\n{FRONT}\n正文", 1, "front matter", "expected YAML between two lines of ---", id="not closed"),
        pytest.param("", 1, "front matter", "expected YAML between two lines of ---", id="empty file"),
        pytest.param("---\nid: a\ntitle: [没关\nkind: faq\n---\n正文", 4, "front matter", "expected YAML; ", id="broken YAML"),
        pytest.param("---\n- a\n- b\n---\n正文", 2, "front matter", "expected names with values", id="a list"),
        pytest.param("---\nid: a\nkind: faq\n---\n正文", 1, "title", "required, but it is not there", id="missing field"),
        pytest.param(f"---\n{FRONT}\naudiance: internal\n---\n正文", 5, "audiance", "unknown field; did you mean 'audience'?", id="mistyped field"),
        pytest.param("---\nid: a\ntitle: 题\nkind: polcy\n---\n正文", 4, "kind", "Input should be 'policy', 'product', 'process' or 'faq'", id="kind"),
        pytest.param("---\nid: 有空 格\ntitle: 题\nkind: faq\n---\n正文", 2, "id", "String should match pattern", id="id"),
        pytest.param(f"---\n{FRONT}\neffective_from: 2026-13-45\n---\n正文", 5, "effective_from", "Input should be a valid date", id="no such day"),
        pytest.param(f"---\n{FRONT}\neffective_to: 明天\n---\n正文", 5, "effective_to", "Input should be a valid date", id="not a day"),
        pytest.param(
            f"---\n{FRONT}\neffective_from: 2026-11-12\neffective_to: 2026-11-11\n---\n正文",
            1,
            "row",
            "effective_from is after effective_to",
            id="days out of order",
        ),
        pytest.param(
            f"---\n{FRONT}\nattachments: [{{title: a, url: 'ftp://x', kind: link}}]\n---\n正文", 5, "attachments.0.url", "String should match", id="attachment"
        ),
        pytest.param(f"---\n{FRONT}\n---\n\n", 1, "body", "String should have at least 1 character", id="no body"),
        pytest.param(b"---\nid: a\n---\n" + "正文".encode("gb18030"), 1, "file", "expected UTF-8 text; byte 14 is not", id="not UTF-8"),
    ],
)
def test_a_bad_article_says_where_and_what_was_expected(tmp_path, source, line, field, expected):
    found, bad = read(tmp_path, source)

    assert (None, 1) == (found, len(bad))
    assert ("articles/a.md", line, field) == (bad[0].path, bad[0].line, bad[0].field)
    assert bad[0].expected.startswith(expected)


def test_every_mistake_of_an_article_is_told(tmp_path):
    _, bad = read(tmp_path, "---\nid: a\nkind: polcy\naudience: all\n---\n正文")

    assert {("title", 1), ("kind", 3), ("audience", 4)} == {(row.field, row.line) for row in bad}


# ---- passages


def test_passages_stand_under_their_headings():
    body = "开头的话。\n\n# 时效\n\n48小时内。\n\n## 例外 与预售\n\n预售按页面。\n"

    assert [
        Passage(id="a#题", article_id="a", heading="题", text="开头的话。", start=0, end=5),
        Passage(id="a#时效", article_id="a", heading="时效", text="48小时内。", start=13, end=19),
        Passage(id="a#例外-与预售", article_id="a", heading="例外 与预售", text="预售按页面。", start=32, end=38),
    ] == split_passages(article(body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("## 一\n甲\n## 二\n## 三\n丙", [("一", "甲"), ("三", "丙")], id="a heading without words"),
        pytest.param("一\n===\n甲\n\n二\n---\n乙", [("一", "甲"), ("二", "乙")], id="underlined headings"),
        pytest.param("## 一\n```\n# 不是标题\n## 也不是\n```\n后", [("一", "```\n# 不是标题\n## 也不是\n```\n后")], id="a code fence"),
        pytest.param("## 一\n\n    # 缩进的代码\n\n后", [("一", "# 缩进的代码\n\n后")], id="indented code"),
        pytest.param("## 一 ##\n甲", [("一", "甲")], id="closing marks"),
        pytest.param("##没有空格\n甲", [("题", "##没有空格\n甲")], id="no space is no heading"),
        pytest.param("## 一\n甲\u2028乙\x0c丙\x85丁\n## 二\n戊", [("一", "甲\u2028乙\x0c丙\x85丁"), ("二", "戊")], id="only a line feed ends a line"),
        pytest.param("甲\n## 末", [("题", "甲")], id="ends in a heading"),
        pytest.param("| a | b |\n|---|---|\n| 1 | 2 |", [("题", "| a | b |\n|---|---|\n| 1 | 2 |")], id="a table"),
    ],
)
def test_sections(body, expected):
    assert expected == sections(body)


def test_headings_of_the_same_words_have_ids_of_their_own():
    passages = split_passages(article("## 说明\n甲\n## 说明\n乙\n## ？！\n丙", title="说明"))

    assert [("a#说明", "甲"), ("a#说明~2", "乙"), ("a#section", "丙")] == [(one.id, one.text) for one in passages]


def test_editing_one_section_moves_no_other_id():
    before = split_passages(article("序\n\n## 一\n甲\n\n## 二\n乙\n\n## 三\n丙"))
    after = split_passages(article("序言改长了许多。\n\n## 一\n甲" + "。\n\n又一段很长的话" * 80 + "\n\n## 新\n新的\n\n## 二\n乙\n\n## 三\n丙"))
    kept = {one.id: one.text for one in after}

    assert {"a#二": "乙", "a#三": "丙"} == {one.id: kept[one.id] for one in before if one.heading in "二三"}
    assert {one.id for one in before} <= set(kept)


def test_a_long_section_is_cut_at_blank_lines_only():
    paragraphs = [f"{name}" * 200 for name in "甲乙丙丁"]
    passages = split_passages(article("## 长\n\n" + "\n\n".join(paragraphs)))

    assert [("a#长", "\n\n".join(paragraphs[:2])), ("a#长~2", "\n\n".join(paragraphs[2:]))] == [(one.id, one.text) for one in passages]


def test_a_long_paragraph_is_not_torn():
    assert [("题", "很长" * PASSAGE_CHARS)] == sections("很长" * PASSAGE_CHARS)


LINES = st.sampled_from(["## 一", "# 二 ", "", "  ", "甲乙丙", "```", "丁" * 300, "- 项", "> 引", "标题\n===", "a\u2028b", "    code", "\x0c", "#"])


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=14))
def test_a_passage_is_what_stands_between_its_start_and_end(lines):
    body = "\n".join(lines) or "x"
    passages = split_passages(article(body))

    assert all(one.text == body[one.start : one.end] == one.text.strip() != "" for one in passages)
    assert len({one.id for one in passages}) == len(passages)
    assert all(left.end <= right.start for left, right in itertools.pairwise(passages))
    assert all(len(one.text) <= PASSAGE_CHARS or "\n\n" not in one.text for one in passages)


def test_the_shipped_articles_lose_no_words(demo_shop):
    for one in demo_shop.articles:
        said = "".join(passage.text for passage in demo_shop.passages if passage.article_id == one.id)
        headings = [line for line in one.body.splitlines() if line.startswith("#")]
        assert len("".join(said.split())) == len("".join(one.body.split())) - len("".join("".join(headings).split())), one.id
