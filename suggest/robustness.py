"""Messages written badly, or wrapped as chat windows wrap them: what understanding must survive. Only for measuring."""

import random
from collections.abc import Callable

from knowledge.script import in_script

# Sound-alikes and look-alikes as thumbs choose them; a table of this test's own, not the one the embedding practised on.
_SOUND_ALIKE = {
    "在": "再", "再": "在", "的": "得", "退": "腿", "运": "云", "货": "或", "收": "手", "费": "废", "快": "块", "递": "第", "没": "每", "发": "法", "还": "环",
    "钱": "前", "换": "唤", "到": "道", "是": "事", "买": "卖", "查": "察", "订": "定", "单": "但", "票": "漂", "码": "马", "色": "射", "物": "务", "流": "留",
    "怎": "咋", "么": "嘛", "件": "见", "号": "好", "开": "凯", "修": "休", "保": "宝", "价": "假", "券": "卷", "用": "拥", "坏": "怀", "破": "迫", "少": "烧",
    "错": "措", "地": "第", "址": "只", "改": "该", "取": "娶", "消": "销", "申": "身", "请": "清", "装": "庄", "尺": "吃", "洗": "喜", "款": "宽", "期": "其",
}  # fmt: skip


def _typo(text: str, rng: random.Random) -> str:
    """One character dropped, doubled or swapped with the next; two in long messages."""
    chars = list(text)
    for _ in range(2 if len(chars) > 12 else 1):
        place = rng.randrange(max(1, len(chars) - 1))
        kind = rng.random()
        if kind < 0.34 and len(chars) > 3:
            del chars[place]
        elif kind < 0.67:
            chars.insert(place, chars[place])
        else:
            chars[place : place + 2] = reversed(chars[place : place + 2])
    return "".join(chars)


def _homophone(text: str, rng: random.Random) -> str:
    places = [place for place, char in enumerate(text) if char in _SOUND_ALIKE]
    chars = list(text)
    for place in rng.sample(places, k=min(2, len(places))):
        chars[place] = _SOUND_ALIKE[chars[place]]
    return "".join(chars)


DISTURBANCES: dict[str, Callable[[str, random.Random], str]] = {
    "typo": _typo,
    "homophone": _homophone,
    "繁體": lambda text, _: in_script(text, written="simplified", wanted="taiwan"),
    "full-width": lambda text, _: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text) + "！！",
    "polite padding": lambda text, _: f"您好，不好意思打扰一下，想麻烦您帮忙看看，{text}，辛苦您啦，谢谢",
    "emoji": lambda text, rng: text + rng.choice(["😭😭", "🙏", "😡😡😡", "[流泪][流泪]", "#E-s04"]),
    "pasted order card": lambda text, rng: (
        f"咨询订单号:{rng.randrange(10**11, 10**12)} 订单金额:{rng.randrange(20, 900)}.00 下单时间:2026-11-0{rng.randrange(1, 9)} 14:20:31\n{text}"
    ),
    "repeated line": lambda text, _: f"{text}\n{text}",
    "greeting noise": lambda text, rng: rng.choice(["在吗", "亲，在不在", "你好你好", "哈喽 有人吗"]) + f" {text}",
}  # fmt: skip
