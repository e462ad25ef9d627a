"""`python -m scripts.measure_retrieval`: recall@10 of acceptable replies by channel, and how it holds when messages are written badly."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from opencc import OpenCC

from indexes.publish import load_current
from knowledge.chats import LabelledChat, read_chats
from scripts.progress import progress
from suggest.evaluation import Estimate, bootstrap
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.recall import CHANNELS, recall

app = typer.Typer(add_completion=False)
_N_DISTURBED = 300
_SEED = 20_261_122
# Sound-alikes and look-alikes as thumbs choose them; a table of this test's own, not the one the embedding practised on.
_SOUND_ALIKE = {
    "在": "再", "再": "在", "的": "得", "退": "腿", "运": "云", "货": "或", "收": "手", "费": "废", "快": "块", "递": "第", "没": "每", "发": "法", "还": "环",
    "钱": "前", "换": "唤", "到": "道", "是": "事", "买": "卖", "查": "察", "订": "定", "单": "但", "票": "漂", "码": "马", "色": "射", "物": "务", "流": "留",
    "怎": "咋", "么": "嘛", "件": "见", "号": "好", "开": "凯", "修": "休", "保": "宝", "价": "假", "券": "卷", "用": "拥", "坏": "怀", "破": "迫", "少": "烧",
    "错": "措", "地": "第", "址": "只", "改": "该", "取": "娶", "消": "销", "申": "身", "请": "清", "装": "庄", "尺": "吃", "洗": "喜", "款": "宽", "期": "其",
}  # fmt: skip


@app.command()
def measure_retrieval(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with chats/test.jsonl; repeat for several", exists=True, file_okay=False)],
    index_dir: Annotated[Path, typer.Option(help="Where published indexes live")] = Path("var/indexes"),
    model: Annotated[str, typer.Option(help="Embedding model", envvar="SUGGEST_MODEL")] = "",
    report: Annotated[Path | None, typer.Option(help="Folder to write retrieval.json to")] = None,
) -> None:
    """Prints, as JSON, recall@10 by channel among all replies and among those the order allows, the gain of dense over BM25, and robustness."""
    models = Models.load(model)
    figures: dict[str, object] = {}
    for folder in store_dir:
        snapshot = load_current(index_dir / folder.name, embedder=models.embedder)
        suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker)
        chats = [chat for chat in read_chats(folder / "chats" / "test.jsonl", root=folder)[0] if chat.labels.answerable and chat.labels.replies]
        figures[folder.name] = _table(chats, suggester)
        if snapshot.shop.store.language.startswith("zh"):
            figures[f"{folder.name}, disturbed"] = _robustness(chats, suggester)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "retrieval.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))


def _table(chats: list[LabelledChat], suggester: Suggester) -> dict[str, object]:
    found = recall(chats, suggester)
    groups = [chat.contrast_group or chat.id for chat in chats]
    gain = np.array([one.among_all["dense"] - one.among_all["BM25"] for one in found])
    return {
        "chats": len(chats),
        "among all replies": {name: _shown(bootstrap(np.array([one.among_all[name] for one in found]), groups)) for name in CHANNELS},
        "among those the order allows": {name: _shown(bootstrap(np.array([one.among_allowed[name] for one in found]), groups)) for name in CHANNELS},
        "dense over BM25": _shown(bootstrap(gain, groups)),
    }


def _shown(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _robustness(chats: list[LabelledChat], suggester: Suggester) -> dict[str, object]:
    """Recall@10 of both channels and needs, among replies the order allows, under each disturbance, beside the clean figure and the ratio."""
    rng = random.Random(_SEED)
    sample = sorted(rng.sample(chats, k=min(_N_DISTURBED, len(chats))), key=lambda chat: chat.id)
    clean = _mean_recall(sample, suggester, [chat.message for chat in sample])
    figures: dict[str, object] = {"messages": len(sample), "clean": round(clean, 4)}
    with progress(quiet=False) as tell:
        for done, (name, disturb) in enumerate(DISTURBANCES.items(), start=1):
            own = random.Random(_SEED)
            value = _mean_recall(sample, suggester, [disturb(chat.message, own) for chat in sample])
            figures[name] = {"recall@10": round(value, 4), "of clean": round(value / clean, 3)}
            tell("disturbances", done, len(DISTURBANCES))
    return figures


def _mean_recall(chats: list[LabelledChat], suggester: Suggester, messages: list[str]) -> float:
    return float(np.mean([one.among_allowed["both + needs"] for one in recall(chats, suggester, messages=messages)]))


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


_TO_TRADITIONAL = OpenCC("s2twp")
DISTURBANCES: dict[str, Callable[[str, random.Random], str]] = {
    "typo": _typo,
    "homophone": _homophone,
    "繁體": lambda text, _: str(_TO_TRADITIONAL.convert(text)),
    "full-width": lambda text, _: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text) + "！！",
    "polite padding": lambda text, _: f"您好，不好意思打扰一下，想麻烦您帮忙看看，{text}，辛苦您啦，谢谢",
    "emoji": lambda text, rng: text + rng.choice(["😭😭", "🙏", "😡😡😡", "[流泪][流泪]", "#E-s04"]),
    "pasted order card": lambda text, rng: (
        f"咨询订单号:{rng.randrange(10**11, 10**12)} 订单金额:{rng.randrange(20, 900)}.00 下单时间:2026-11-0{rng.randrange(1, 9)} 14:20:31\n{text}"
    ),
    "repeated line": lambda text, _: f"{text}\n{text}",
    "greeting noise": lambda text, rng: rng.choice(["在吗", "亲，在不在", "你好你好", "哈喽 有人吗"]) + f" {text}",
}  # fmt: skip


if __name__ == "__main__":
    app()
