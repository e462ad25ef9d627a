"""Large shops made from a small one, for measuring: seeded, varied, of any size. The small shop's own records stay in it, so that its labelled chats still fit.

Each further reply takes a scenario of the small shop, asks as the needs bank's writers do, recombines the shop's sentences and conditions, and speaks of a
made-up product line. What is measured on such a shop is time and recall against exact search; how good its answers are it cannot tell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from knowledge.articles import split_passages
from knowledge.condition_set import conjuncts
from knowledge.needs_bank import Phrasing
from knowledge.records import PARTS, Article, Product, ProvenReply
from knowledge.shop import Shop

PER_ARTICLE = 40  # replies for each article, up to MAX_ARTICLES: policies do not multiply as replies do
MAX_ARTICLES = 5_000
PER_PRODUCT = 20  # replies for each product
_CONDITIONS = 40  # recombined conditions a scenario has at most
_PLACES = (
    "石阶 竹篱 渡口 矮墙 长堤 晒场 水渠 檐下 谷仓 井台 苇塘 坡地 瓦窑 磨坊 栈桥 梯田 篱门 河湾 松岗 沙洲 麦垛 草亭 桑园 溪头 岩洞 雾谷 茶棚 鱼塘 枣林 钟楼"
).split()
_KINDS = "款 型 号 系列 版".split()
_OPENERS = "请问 那个 麻烦问下 你好 老板 急 客服在吗 在不 想问问 哎 您好 帮看看 打扰了 再问一句 刚才没说清 我就想知道".split()
_CLOSERS = "谢谢 在线等 急用 麻烦快点 呀 呢 求回复 今天能给个话吗 别再让我等了 帮忙看下 我等你 说清楚点".split()
_SINCE = "昨天买的 上周下的单 双11拍的 给我妈买的 单位要用的 第二次问了 才收到两天 送人的 换季囤的 搬家用的 直播间拍的 凑单买的".split()
_SENTENCES = re.compile(r"[^。；！？]+[。；！？]?")
_TEMPLATE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.:\-])\d{1,3}(?![\d.:年])")
_LIMIT = re.compile(r"(?<=[<>=] )\d+(?:\.\d+)?(?![\w\"])")


@dataclass(frozen=True, slots=True)
class Material:
    """What replies are made of, by scenario."""

    replies: dict[str, list[ProvenReply]]
    lines: dict[str, dict[str, list[str]]]  # scenario → need → ways to say it
    conditions: dict[str, list[str]]


def generated_shop(base: Shop, phrasings: Sequence[Phrasing], *, n_replies: int, store_id: str, seed: int = 0) -> Shop:
    """Gives a shop of `n_replies` replies, the base shop's among them; the same arguments give the same shop, and a larger one begins like a smaller one.

    Args:
        base: gives scenarios, sentences, conditions, articles and products.
        phrasings: of the needs bank, for the triggers.
        n_replies: at least as many as the base has.
        store_id: of the shop.
        seed: another one gives another shop.

    Raises:
        ValueError: fewer replies than the base shop has.
    """
    if n_replies < len(base.replies):
        raise ValueError(f"expected at least {len(base.replies)} replies, as many as {base.store.id} has; got {n_replies}")
    material = _material(base, phrasings, Random(f"{seed}/conditions"))
    n_more = n_replies - len(base.replies)
    products = [*base.products, *(_product(base, Random(f"{seed}/product/{number}"), number) for number in range(n_more // PER_PRODUCT))]
    articles = [*base.articles]
    articles += [_article(base, products, Random(f"{seed}/article/{number}"), number) for number in range(min(n_more // PER_ARTICLE, MAX_ARTICLES))]
    scenarios = sorted(reply.scenario for reply in base.replies)  # as often as the base shop has them
    replies = [*base.replies]
    replies += [_reply(material, base.articles, products, scenarios, Random(f"{seed}/reply/{number}"), number) for number in range(n_more)]
    kept = tuple(sorted(articles, key=lambda article: article.id))
    return replace(
        base,
        store=base.store.model_copy(update={"id": store_id}),
        articles=kept,
        passages=tuple(passage for article in kept for passage in split_passages(article)),
        replies=tuple(sorted(replies, key=lambda reply: reply.id)),
        products=tuple(sorted(products, key=lambda product: product.sku)),
    )


def with_changes(shop: Shop, phrasings: Sequence[Phrasing], *, share: float, seed: int = 0) -> Shop:
    """Gives the shop after a day: of the share of its replies that changed a tenth is gone, a tenth is new and the rest is asked for in other words."""
    random = Random(f"{seed}/changes")
    chosen = set(random.sample(range(len(shop.replies)), max(1, round(share * len(shop.replies)))))
    lines = [line.text for line in phrasings]
    replies: list[ProvenReply] = []
    for row, reply in enumerate(shop.replies):
        if row not in chosen:
            replies.append(reply)
            continue
        fate = random.randrange(10)
        edited = reply.model_copy(update={"triggers": (*reply.triggers[:-1], random.choice(lines).replace("|", "，") + random.choice(_CLOSERS))})
        if fate == 0:
            replies += [reply, edited.model_copy(update={"id": f"{reply.id}-new"})]
        elif fate > 1:
            replies.append(edited)
    return replace(shop, replies=tuple(sorted(replies, key=lambda reply: reply.id)))


def _material(base: Shop, phrasings: Sequence[Phrasing], random: Random) -> Material:
    replies: dict[str, list[ProvenReply]] = {}
    for reply in base.replies:
        replies.setdefault(reply.scenario, []).append(reply)
    lines: dict[str, dict[str, list[str]]] = {}
    for line in phrasings:
        lines.setdefault(line.need.split("/")[0], {}).setdefault(line.need, []).append(line.text.replace("|", "，"))
    return Material(replies, lines, {name: _conditions([one.when for one in own], random) for name, own in replies.items()})


def _conditions(sources: Sequence[str], random: Random) -> list[str]:
    """The scenario's own conditions, as often as they stand there, and others made of their parts with other numbers."""
    made = []
    for _ in range(_CONDITIONS):
        parts = conjuncts(random.choice(sources))
        more = conjuncts(random.choice(sources)) if random.random() < 0.5 else ()
        kept = [part for part in dict.fromkeys((*parts, *more)) if random.random() < 0.8]
        made.append(_LIMIT.sub(lambda found: _other_limit(found.group(), random), " && ".join(kept)))
    return [*sources, *made]


def _other_limit(number: str, random: Random) -> str:
    other = max(1, round(float(number) * random.choice((0.5, 0.75, 1, 1.5, 2))))
    return f"{other}.0" if "." in number else str(other)


def _product(base: Shop, random: Random, number: int) -> Product:
    model = random.choice(base.products)
    line = f"{random.choice(_PLACES)}{number}{random.choice(_KINDS)}"
    short = random.choice(model.aliases or (model.title,))
    category = model.category if random.random() < 0.5 else f"{model.category}/{random.choice(_PLACES)}"
    return model.model_copy(update={"sku": f"GP-{number:06d}", "title": f"{line}{short}", "category": category, "aliases": (line,)})


def _article(base: Shop, products: Sequence[Product], random: Random, number: int) -> Article:
    first, second, product = random.choice(base.articles), random.choice(base.articles), random.choice(products)
    sections = [part for article in (first, second) for part in re.split(r"(?m)^(?=## )", article.body) if part.startswith("## ")]
    chosen = random.sample(sections, min(len(sections), random.randint(2, 5)))
    headings = {section.split("\n")[0]: section for section in chosen}
    body = "\n".join(section.strip() for section in headings.values())
    title = f"{product.title}：{first.title}"
    return first.model_copy(
        update={
            "id": f"ga-{number:06d}",
            "title": title,
            "body": f"# {title}\n{_varied(body, random)}",
            "products": (product.sku,) if random.random() < 0.5 else (),
        }
    )


def _reply(material: Material, articles: Sequence[Article], products: Sequence[Product], scenarios: Sequence[str], random: Random, number: int) -> ProvenReply:
    scenario = random.choice(scenarios)
    siblings = material.replies[scenario]
    model, product = random.choice(siblings), random.choice(products)
    bound = random.random() < 0.3
    words = _words(model, siblings, product.title if random.random() < 0.5 or bound else "", random)
    return model.model_copy(
        update={
            **words,
            "id": f"gr-{number:07d}",
            "when": random.choice(material.conditions[scenario]),
            "triggers": _triggers(material, scenario, product, random),
            "products": (_wanted(product, random),) if bound else (),
            "status": "approved",
            "cites": (random.choice(articles).id,) if random.random() < 0.3 else model.cites,
        }
    )


def _wanted(product: Product, random: Random) -> str:
    return product.category if product.category and random.random() < 0.3 else product.sku


def _words(model: ProvenReply, siblings: Sequence[ProvenReply], about: str, random: Random) -> dict[str, str]:
    """The model's parts, each with sentences of its siblings' same part, other numbers, and the product's name."""
    words = {}
    for part in model.templates():
        others = [getattr(one, part) for one in siblings if getattr(one, part)]
        own = getattr(model, part)
        sentences = _whole_sentences(own)
        if random.random() < 0.5:
            more = _whole_sentences(random.choice(others))
            sentences[random.randrange(len(sentences))] = random.choice(more)
        words[part] = _varied("".join(dict.fromkeys(sentences)), random)
    first = next((part for part in ("information", "value", "action", "text") if part in words), PARTS[0])
    if about and first in words:
        words[first] = f"「{about}」{words[first]}"
    return words


def _whole_sentences(text: str) -> list[str]:
    """A template tag is part of its sentence; text with block tags is left whole."""
    return [text] if "{%" in text else _SENTENCES.findall(text) or [text]


def _varied(text: str, random: Random) -> str:
    """Other numbers, but for those in template tags and list marks."""
    pieces = _TEMPLATE.split(text)
    return "".join(piece if _TEMPLATE.fullmatch(piece) else _NUMBER.sub(lambda found: _other_number(found.group(), random), piece) for piece in pieces)


def _other_number(number: str, random: Random) -> str:
    return str(max(1, round(int(number) * random.choice((0.5, 0.8, 1, 1, 1, 1.2, 1.5, 2)))))


def _triggers(material: Material, scenario: str, product: Product, random: Random) -> tuple[str, ...]:
    needs = material.lines[scenario]
    lines = needs[random.choice(sorted(needs))]
    chosen = random.sample(lines, min(len(lines), random.randint(2, 4)))
    return tuple(dict.fromkeys(_asked(line, product, random) for line in chosen))


def _asked(line: str, product: Product, random: Random) -> str:
    """The line as another customer might begin or end it."""
    if random.random() < 0.25:
        line = f"{random.choice((product.title, product.aliases[0] if product.aliases else product.title))} {line}"
    if random.random() < 0.25:
        line = f"{random.choice(_OPENERS)}，{line}"
    if random.random() < 0.2:
        line = f"{line}，{random.choice(_SINCE)}"
    return f"{line}，{random.choice(_CLOSERS)}" if random.random() < 0.2 else line
