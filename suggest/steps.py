"""The steps of a draft's sentence: which of them ask for something, and what is left of the sentence without those."""

import re
from collections.abc import Callable, Iterable, Iterator

STEPS = re.compile(r"[^，,；;。！？!?]+[，,；;。！？!?]*\s*")
_CHINESE = re.compile(r"[㐀-鿿]")
# «您选好我马上提交», «send it and I'll check»: what somebody then does is kept where the same step says it.
_THEN = re.compile(r"我们?(?:这边)?(?:马上|现在|就|立刻|立即|这就|来|先|帮您|帮你|给您|替您|今天|今晚|会)")
_THEN_ENGLISH = re.compile(r"(?:,|\band\b|\bso\b|\bthen\b|;)\s*(?:and |so |then )?(?=(?:i|we)(?:'|’|\b)|you'll\b)", re.IGNORECASE)
_JOINS = re.compile(
    r"^(?:并且?|而且|同时|另外|或者?|还是|也|再|然后|之后|接着|且|以便|方便|好让|便于|这样|(?:发|传)(?:来|过来|上来|给我们?)(?:之?后|了)?)+(?=我(?!就行|就可以))"
    r"|^(?:并且?|而且|同时|另外(?=[，,])|或者?|还是(?!没)|然后|之后(?!在)|接着)|^(?:and|so|then) (?=(?:i|we)\b)",
    re.IGNORECASE,
)
_GOES_WITH = re.compile(r"(?:再|并|也(?!可以|能|行)|然后|另外|圈出|附上|标|注明|写上|连同)(?!.*我)")
_OR = re.compile(r"^(?:或者?|还是|也(?=可以|能|行))")
_PROMISED = re.compile(r"小时|分钟|工作日|天内|当天|今天|明天|马上|退款|退回|补发|寄出|换新")
_LEFT_HANGING = re.compile(r"(?:(?:^|(?<=[，,；;]))(?:[^，,；;。]*的话|(?:如果|要是|若)[^，,；;。]*)[，,；;。]*\s*)+$")  # a condition with nothing after it
_END = re.compile(r"[。！？!?；;.]+\s*$")
_QUESTION = re.compile(r"[？?]")
_MANNERS = re.compile(
    r"(?:谢谢|多谢|感谢|辛苦|麻烦|拜托|好吗|可以吗|行吗|哈|哦|您|你|了|啦|一下|配合|理解|thanks?|thank you|please|very much|so much|[\s，,。.!！?？~～])*",
    re.IGNORECASE,
)
Unwanted = Callable[[str], "re.Match[str] | None"]


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese character: its commas end steps."""
    return _CHINESE.search(text) is not None


def without_steps(sentence: str, unwanted: Unwanted) -> str:
    """Gives a sentence, or what of it stands between semicolons, without the steps in which `unwanted` finds something.

    English, whose commas mean other things, goes whole. What somebody then does is kept, good manners alone are not, and what lost its end gets the sentence's.
    """
    chinese = is_chinese(sentence)
    steps = STEPS.findall(sentence) if chinese else [sentence]
    kept = list(_kept(steps, unwanted, chinese=chinese))
    if kept == steps:
        return sentence
    left = "".join(kept)
    if unwanted(steps[0]) is not None:
        left = begun_anew(left)
    left = _LEFT_HANGING.sub("", left)
    if _MANNERS.fullmatch(left):
        return ""
    end, asks = _END.search(sentence), kept[-1:] == steps[-1:]  # a question that stays is one
    mark = end[0] if end is not None and (asks or not _QUESTION.search(end[0])) else "。" if chinese else ". "
    return left[:1].upper() + left[1:].rstrip("，,；;：:、。！？!?. ") + mark


def begun_anew(left: str) -> str:
    """Gives what is left of a sentence that lost its beginning, without the words that joined it to that: 「发来我马上看」, «and I'll check»."""
    left = _JOINS.sub("", left.lstrip())
    first = left.split(" ", 1)[0]
    return left[:1].upper() + left[1:] if first.islower() else left  # «eBay» stays as it is written


def _kept(steps: Iterable[str], unwanted: Unwanted, *, chinese: bool) -> Iterator[str]:
    """Each step, or what is kept of it; steps that go on with what is left out go too («请拍清单，圈出缺的那几项，再拍现有零件»)."""
    out = lost = False
    for step in steps:
        found = unwanted(step)
        out = found is not None or (out and _GOES_WITH.match(step) is not None)
        lost = lost or out
        if found is not None:
            colon = step.find("：", found.end())
            listed = step[colon + 1 :] if colon >= 0 else ""  # «回复「补发」或「退款」：补发24小时内寄出，…»
            # A list of what to send goes with the asking; what is promised for each way out stays.
            says_more = bool(listed) and ("、" not in listed or _PROMISED.search(listed) is not None) and unwanted(listed) is None
            yield _rest(step, found, chinese=chinese) or (listed if says_more else "")
        elif not out:
            yield _OR.sub("", step) if lost else step


def _rest(step: str, found: "re.Match[str]", *, chinese: bool) -> str:
    """What the step says that somebody then does, after what it asks for; empty where it says nothing of the kind."""
    then = (_THEN if chinese else _THEN_ENGLISH).search(step, found.end() if chinese else found.start())
    if then is None:
        return ""
    return step[then.start() if chinese else then.end() :]
