"""Simplified and Traditional Chinese: which one a customer writes, and a draft in it. Names and numbers stay as they are.

What is searched and matched is always the form of `normalise`; this is for what people read.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from opencc import OpenCC

Script = Literal["simplified", "taiwan", "hong_kong"]

# OpenCC's own phrase conversions: 质量 is 品質 in Taiwan, 软件 is 軟體 there and 軟件 in Hong Kong.
_CONVERSIONS: dict[tuple[Script, Script], str] = {
    ("simplified", "taiwan"): "s2twp", ("simplified", "hong_kong"): "s2hk", ("taiwan", "simplified"): "tw2sp", ("hong_kong", "simplified"): "hk2s",
}  # fmt: skip
_HONG_KONG = re.compile(r"[裏綫衞嘅咗冇唔喺佢嚟啲哋嘢俾畀攞睇㗎喇揾搵]")  # spellings and Cantonese words that Taiwan does not write
# What OpenCC gets wrong in the words of a shop: phrases of computing where none are meant (稽核 for 审核, 繫結 for 绑定), and characters by what
# stands beside them (一齣, 麵單, 髮出). Found by reading every phrase that it changes in our shops' replies.
_AMISS = (
    ("一齣", "一出"), ("麵單", "面單"), ("髮出", "發出"), ("髮貨", "發貨"), ("髮我", "發我"), ("髮卡行", "發卡行"), ("頭髮燙", "頭發燙"), ("髮結", "發結"),
    ("單隻能", "單只能"), ("是隻", "是只"), ("隻能", "只能"), ("隻需", "只需"), ("隻要", "只要"), ("晾幹", "晾乾"), ("衝抵", "沖抵"), ("倒幹", "倒乾"),
    ("到幹", "到乾"), ("會幹等", "會乾等"), ("莓幹", "莓乾"), ("等幹了", "等乾了"), ("幹着放", "乾着放"), ("幹著放", "乾著放"), ("外直髮", "外直發"),
    ("啓", "啟"),
)  # fmt: skip
_TAIWAN_AMISS = (
    ("稽核", "審核"), ("檢視", "查看"), ("區域性", "局部"), ("儲存", "保存"), ("介面", "接口"), ("支援", "支持"), ("許可權", "權限"), ("登出", "註銷"),
    ("繫結", "綁定"), ("專案", "項目"), ("資料線", "傳輸線"), ("好訊息", "好消息"), ("賬", "帳"), ("質量", "品質"),
    ("並聯系", "並聯絡"),
)  # fmt: skip
_HAN = re.compile(r"[㐀-鿿]")
_KEPT_PLACES = range(0xE000, 0xF8FF)  # private use: no converter touches them


@lru_cache(maxsize=8)
def _converter(name: str) -> OpenCC:
    return OpenCC(name)


@lru_cache(maxsize=1)
def _telling() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Characters that only Traditional has, and those that only Simplified has: each is changed one way and left alone the other."""
    han = [chr(code) for code in range(0x3400, 0xA000)]
    to_simplified, to_traditional = (_converter(name).convert("\n".join(han)).split("\n") for name in ("t2s", "s2t"))
    rows = list(zip(han, to_simplified, to_traditional, strict=True))
    traditional = "".join(one for one, simple, trad in rows if simple != one and trad == one)
    simplified = "".join(one for one, simple, trad in rows if trad != one and simple == one)
    return re.compile(f"[{traditional}]"), re.compile(f"[{simplified}]")


def script_of(texts: Iterable[str]) -> Script | None:
    """Gives the script of the first text that shows one; None when none does («ok», 「在吗」 shows Simplified by 吗)."""
    traditional, simplified = _telling()
    for text in texts:
        n_traditional, n_simplified = len(traditional.findall(text)), len(simplified.findall(text))
        if n_traditional > n_simplified:
            return "hong_kong" if _HONG_KONG.search(text) else "taiwan"
        if n_simplified:
            return "simplified"
    return None


def in_script(text: str, *, written: Script, wanted: Script, keep: Sequence[str] = ()) -> str:
    """Gives the text in the wanted script, words and not only characters.

    Args:
        text: in the script `written`.
        written: what the text is in.
        wanted: what it shall be in; the same, or one Traditional for the other, changes nothing.
        keep: names, numbers and titles that stay as they are, wherever they stand.
    """
    name = _CONVERSIONS.get((written, wanted))
    if name is None or not text:
        return text
    kept = [one for one in sorted(set(keep), key=lambda one: (-len(one), one)) if one in text][: len(_KEPT_PLACES)]
    for place, one in zip(_KEPT_PLACES, kept, strict=False):
        text = text.replace(one, chr(place))
    text = str(_converter(name).convert(text))
    for amiss, right in (*_AMISS, *(_TAIWAN_AMISS if wanted == "taiwan" else ())) if wanted != "simplified" else ():
        if amiss in text:
            text = text.replace(amiss, right)
    for place, one in zip(_KEPT_PLACES, kept, strict=False):
        text = text.replace(chr(place), one)
    return text


def same_words(text: str) -> str:
    """Gives one form for what both scripts write, phrases included: 品質 and 质量 come out alike. For comparing a draft with expected words."""
    if not _HAN.search(text):
        return text
    text = text.replace("品質", "質量").replace("品质", "质量")
    return str(_converter("hk2s").convert(_converter("t2s").convert(_converter("s2twp").convert(text))))
