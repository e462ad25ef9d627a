"""A message with what was said before it: the texts it is read as."""

import re
from collections.abc import Sequence

from knowledge.normalise import match_form, strip_console
from knowledge.order_context import Turn

_RECENT_TURNS = 4
_MARKS = r"[\s,，。.!！~～、]*"
_THANKS = (
    r"(?:太|非常|真的?|很|万分|那就?)?(?:谢谢|感谢|多谢|谢了|谢啦|3q|thx|thanks|thank you)(?:您|你|了|啦|哈|呀|啊|哦|一下| so much| a lot| very much)*"
    r"|辛苦(?:您|你)?(?:了|啦)|麻烦(?:您|你)了|没(?:有)?(?:啥|什么)?(?:别的|其他|别)?(?:事儿?|问题)(?:了|啦)|没有?(?:啥|什么)?(?:别的|其他)(?:事儿?|问题)?(?:了|啦)?|不用(?:了|啦)|再见|拜拜|(?:good)?bye"
    r"|have a (?:good|great|nice) (?:day|one|night|evening|weekend)|恭喜发财|晚安"
    r"|(?:祝(?:您|你|你们|大家|店里|老板)?)?(?:新年|新春|春节|中秋|国庆|元旦|端午|节日|周末|生活|假期|圣诞)(?:快乐|愉快)"
    r"|(?:祝(?:您|你|你们|大家|店里|老板)?)?(?:生意(?:兴隆|越来越好|红火)|工作顺利|一切顺利)"
)
_HEARD = (
    r"(?:好|好的|好吧|好滴|好哒|好嘞|行|行吧|行的|嗯+|嗯呢|哦+|噢+|知道(?:了|啦)|了解(?:了|啦)?|明白(?:了|啦)?|收到(?:了|啦)?|可以的?|没问题"
    r"|ok|okay|great|perfect|got it|sounds good|alright)(?:哈|啊|呀|哦|的)?"
)
_ONLY_THANKS = re.compile(rf"{_MARKS}(?:(?:{_HEARD}){_MARKS})*(?:{_THANKS}){_MARKS}(?:(?:{_HEARD}|{_THANKS}){_MARKS})*")
_ONLY_HEARD = re.compile(rf"{_MARKS}(?:(?:{_HEARD}){_MARKS})+")
_ASKED = re.compile(
    r"[?？]\s*$|[吗呢么][。.~～]?\s*$|您(?:回|选|告诉)|(?:您|你)(?:看|觉得|想|要|是)[^。]*。?$|let me know|tell me|would you|do you", re.IGNORECASE
)

_PRAISE = re.compile(
    r"(?:很|挺|真的?|非常|特别|太|超|超级|都|也|蛮|相当|十分|还)?(?:喜欢|爱不释手|满意|不错|好用|好看|好吃|合适|合身|舒服|漂亮|给力|靠谱|贴心|耐心|专业|热情|细心|周到)"
    r"|(?:态度|服务|质量|东西|物流|发货|速度|颜色|味道|包装).{0,4}(?:好|快|棒|赞|香)"
    r"|(?:质量|做工|包装|用料|手感).{0,3}(?:扎实|结实|牢固|精致|到位|讲究)|物超所值|性价比.{0,3}高"
    r"|好评|点赞|赞一个|\b(?:love|loved|great|perfect|awesome|excellent|amazing|happy with)\b"
)
_BUT = re.compile(
    r"但|可是|不过|就是|只是|然而|没|不(?!错)|别|怎么|吗|呢|呵|[?？]|快点|快些|尽快|赶紧|催|急|退|换|赔|投诉|坏|烂|破|慢|难道|还好意思|反而|结果|天了|差评|\b(?:but|however|except|not|n't|no|took|never|why|joke|if)\b|n't"
)
_CLAUSES = re.compile(r"[,，。.!！;；~～\s]+")


def readings(message: str, history: Sequence[Turn]) -> list[str]:
    """Gives the message alone; then, where there is history, with the customer's last turn, the agent's last turn, and the last four turns."""
    words = strip_console(message)
    if not history:
        return [words]
    last = [[turn for turn in history if turn.role == role][-1:] for role in ("customer", "agent")]
    return [words, *(" ".join([*(strip_console(turn.text) for turn in turns), words]) for turns in (*last, history[-_RECENT_TURNS:]))]


def closes(message: str, history: Sequence[Turn]) -> bool:
    """Whether the message only thanks or says goodbye, or takes note of an answer that asked nothing: it is about nothing that was said before.

    A bare «好的» after a question is an answer to it.
    """
    form = match_form(message)
    if _ONLY_THANKS.fullmatch(form):
        return True
    last = history[-1] if history else None
    return last is not None and last.role == "agent" and _ONLY_HEARD.fullmatch(form) is not None and _ASKED.search(last.text) is None


def praises(message: str) -> bool:
    """Whether the message praises and does nothing else: no «but», no question, nothing denied, praise in most of its clauses."""
    form = match_form(message)
    if _BUT.search(form) or _PRAISE.search(form) is None:
        return False
    clauses = [clause for clause in (_CLAUSES.split(form) if not form.isascii() else re.split(r"[,.!;]+\s*", form)) if clause]
    return 2 * sum(_PRAISE.search(clause) is not None for clause in clauses) > len(clauses)
