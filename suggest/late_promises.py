"""A promise for today that the clock has overtaken: 「今天22点前」 said at 22:30, 「今天给您结果」 just before midnight."""

import re
from collections.abc import Iterator

from suggest.contract import Warning_

_TODAY = re.compile(r"今天(?:内)?(\d{1,2})(?:点|:00)(?!\s*[–—~至到-])前?|今天(?:内|就|给|告诉|回|核|查|提交|寄|发|打|帮)|今晚|今日内|\b(?:today|tonight)\b")
_MIDNIGHT, _NEARLY_OVER = 24, 22


def late_promises(text: str, hour: int, *, english: bool) -> Iterator[Warning_]:
    """Gives the words that promise something for an hour of today that is over, or for what is left of a day that is nearly over.

    Args:
        text: of the draft.
        hour: of the shop's local time, 0 to 23.
        english: whether the shop speaks English.
    """
    for found in _TODAY.finditer(text):
        until = int(next((group for group in found.groups() if group), _MIDNIGHT))
        if until <= hour or (until == _MIDNIGHT and hour >= _NEARLY_OVER):
            said = "too late in the day for this: name another time" if english else "这个时间已经过了或来不及了，请改成做得到的时间"
            yield Warning_(code="late_promise", message=said, start=found.start(), end=found.end())
