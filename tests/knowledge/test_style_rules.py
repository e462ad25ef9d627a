from pathlib import Path

import pytest

from knowledge.errors import InvalidKnowledge
from knowledge.style_rules import DETECTORS, FOLDER, read_style_book, shipped_style_book

MESSAGES = "[messages]\n" + "".join(f'{name} = ["said", ""]\n' for name in DETECTORS)
HEAD = 'language = "zh"\n[channels]\nim = {}\n' + MESSAGES
GOOD = '[[rules]]\ncode = "cold"\nphrases = ["没办法"]\nmessage = "冷"\n'


def test_shipped_rules_are_read_and_shared_by_script() -> None:
    assert shipped_style_book("zh-CN") is shipped_style_book("zh-CN")
    assert shipped_style_book("zh-CN").rules == shipped_style_book("zh-TW").rules
    assert {rule.code for rule in shipped_style_book("en").rules} == {rule.code for rule in shipped_style_book("zh-CN").rules}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_rule_says_what_to_say_instead(path: Path) -> None:
    assert [rule.phrases[0] for rule in read_style_book(path).rules if not rule.suggestion] == []


@pytest.mark.parametrize(
    ("rules", "line", "field", "expected"),
    [
        ('[[rules]]\ncode = "cold"\nphrases = []\nmessage = "冷"\n', 19, "rule 2 (cold) phrases", "at least 1 item"),
        ('[[rules]]\ncode = "Cold!"\nphrases = ["a"]\nmessage = "冷"\n', 19, "rule 2 (Cold!) code", "match pattern"),
        ('[[rules]]\ncode = "cold"\nphrases = ["a"]\nmessage = "冷"\nunless = "(今天"\n', 19, "rule 2 (cold) unless", "expected a regular expression"),
        ('[[rules]]\ncode = "cold"\nphrases = ["不清楚"]\nmessage = "冷"\nexceptions = ["说明白"]\n', 19, "rule 2 (cold)", "'说明白' holds none"),
        ('[[rules]]\ncode = "cold"\nphrases = ["a"]\nmessage = "冷"\nwithin = "page"\n', 19, "rule 2 (cold) within", "'sentence' or 'draft'"),
        ('[[rules]]\ncode = "cold"\nphrases = ["a"]\nmesage = "冷"\n', 19, "rule 2 (cold) mesage", "unknown field"),
        ('[[rules]]\ncode = "cold"\nphrases = ["没办法"]\nmessage = "冷"\n', 1, "row", "'没办法' of cold stands in rules 1 and 2"),
    ],
)
def test_mistake_is_told_with_file_rule_field_and_what_was_expected(tmp_path: Path, rules: str, line: int, field: str, expected: str) -> None:
    path = tmp_path / "zh.toml"
    path.write_text(HEAD + GOOD + rules, encoding="utf-8")

    with pytest.raises(InvalidKnowledge) as caught:
        read_style_book(path)

    row = next(row for row in caught.value.bad_rows if row.field == field)
    assert (row.path, row.line) == ("zh.toml", line)
    assert expected in row.expected


def test_rules_that_are_no_toml_or_lack_a_message_are_told(tmp_path: Path) -> None:
    path = tmp_path / "zh.toml"
    path.write_text("rules = [", encoding="utf-8")
    with pytest.raises(InvalidKnowledge, match=r"zh\.toml:1 file: expected TOML"):
        read_style_book(path)

    path.write_text(HEAD.replace('phone = ["said", ""]\n', "") + GOOD, encoding="utf-8")
    with pytest.raises(InvalidKnowledge, match="wanting \\['phone'\\]"):
        read_style_book(path)
