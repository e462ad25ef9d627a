"""A promise for today that the clock has overtaken: 「今天22点前」 said at 22:30, 「今天给您结果」 just before midnight.

What tells of something that has happened (「今天04:00付款的」) is no promise. Words are data (`knowledge/conduct/promises.toml`).
"""

import re
from collections.abc import Iterator

from knowledge.conduct_rules import promise_wordings
from knowledge.normalise import same_length_form
from suggest.contract import Warning_

_TODAY = re.compile(r"今天(?:内)?(\d{1,2})(?:点|:00)(?!\s*[–—~至到-])前?|今天(?:内|就|给|告诉|回|核|查|提交|寄|发|打|帮)|今晚|今日内|\b(?:today|tonight)\b")
_CLAUSE_END = re.compile(r"[，,。！!？?；;\n]|\.(?=\s|$)")
_SENTENCE_END = re.compile(r"[。！!？?；;\n]|\.(?=\s|$)")
_DAY = re.compile(r"今[天日晚](?:内)?|today|tonight")
_MIDNIGHT, _NEARLY_OVER = 24, 22


def late_promises(text: str, hour: int, *, english: bool) -> Iterator[Warning_]:
    """Gives the words that promise something for an hour of today that is over, or for what is left of a day that is nearly over.

    Args:
        text: of the draft.
        hour: of the shop's local time, 0 to 23.
        english: whether the shop speaks English.
    """
    form = same_length_form(text)
    for found in _TODAY.finditer(form):
        until = int(next((group for group in found.groups() if group), _MIDNIGHT))
        if (until <= hour or (until == _MIDNIGHT and hour >= _NEARLY_OVER)) and not _tells_of_the_past(form, found):
            said = "too late in the day for this: name another time" if english else "这个时间已经过了或来不及了，请改成做得到的时间"
            yield Warning_(code="late_promise", message=said, start=found.start(), end=found.end())


def _tells_of_the_past(form: str, found: re.Match[str]) -> bool:
    """Whether the clause says that something happened then; any word of a promise in it makes it one."""
    begun = max((mark.end() for mark in _CLAUSE_END.finditer(form, 0, found.start())), default=0)
    mark = _CLAUSE_END.search(form, found.end())
    # What follows a time follows its hour; 「今天发出了」 has none, and its verb stands in the words found.
    after = found.end() if found.group(1) else _day_end(form, found)
    before, following = form[begun : found.start()], form[after : mark.start() if mark else len(form)].strip()
    wordings = promise_wordings()
    end = _SENTENCE_END.search(form, found.end())
    if wordings["was_due"].stands_in(before) and wordings["undone"].stands_in(form[found.end() : end.start() if end else len(form)]):
        return True
    if found.group().endswith(("前", "内")) or any(wordings["promised"].stands_in(words) for words in (before, following)):
        return False
    told = wordings["happened_after"] if found.group(1) else wordings["happened_on_the_day"]
    return wordings["happened_before"].stands_in(before) or told.stands_in(following)


def _day_end(form: str, found: re.Match[str]) -> int:
    day = _DAY.match(form, found.start())
    return day.end() if day else found.end()
