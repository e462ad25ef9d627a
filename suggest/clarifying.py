"""What to ask back, from what is missing: at most two questions, from the open to the closed; first the fact that would decide between the likeliest replies.

Only what the customer knows is asked of them; what the agent can look up stands in a draft's `verify`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from indexes.lexical_index import lexical_terms
from knowledge.conditions import compile_condition
from knowledge.facts import FactTree
from knowledge.likely_facts import likely_facts
from knowledge.records import ProvenReply
from knowledge.scenarios import AFTER_SALES
from suggest.ranking import Candidate
from suggest.shopping import ShoppingNeed
from suggest.understanding import LEANS, Understanding

_MOST = 2
_LIKELY = 0.4
_MATTER = 0.3  # a candidate of a contact reason less likely than this says nothing of what to ask
_VAGUE = 0.3  # below this likeliest reason nobody knows what is meant
_NEAR = 0.5  # candidates with this share of the first one's confidence have a say in what is missing
_LEAST = 0.2  # confidence below which a reply says nothing either
_LOOKED_AT = 6
_FEW_TERMS = 13  # seven characters and their pairs
_FEW_WORDS = 6
_SMALL_TALK = 0.1
_CHATTING = 0.4
_OF_A_RETURN = ("return.", "exchange")
_NO_ORDER_YET = "!has(order.status)"
_ORDER_PLEASE = re.compile(
    r"(?:订单|单号|手机号).{0,8}(?:发|给|告诉|报|提供|复制)|(?:发|报|给|告诉)(?:我|来)?.{0,8}(?:订单|单号|手机号)|哪一?[单笔]|order number|which order",
    re.IGNORECASE,
)
# What a customer can tell, by the facts that conditions want; the first that holds a fact asks for it.
_KNOWN_TO_CUSTOMERS = (
    ("condition", ("order.item.condition",)),
    ("received", ("order.delivered_at", "order.days_since_delivered", "order.in_return_window")),
    ("item", ("order.item",)),
)
_ASKED_IF_KNOWN = frozenset({"order.item.condition"})
_QUESTIONS: dict[str, tuple[str, str]] = {
    "order": ("麻烦您发一下订单号，我帮您查一下具体情况，好吗？", "Could you share the order number so that I can check it for you?"),
    "product": ("请问您看的是哪一款呢？发个商品名称或链接给我就行。", "Which item do you have in mind? Its name or a link is enough."),
    "condition": ("请问东西拆封或使用过吗？", "Has it been opened or used yet?"),
    "kind_of_fault": ("请问是外观问题还是功能问题呢？拆封使用过吗？", "Is it how it looks or how it works? And has it been used?"),
    "received": ("请问您是哪天收到的呢？", "Which day did it arrive?"),
    "open": (
        "请问您想咨询的是商品、物流还是售后方面的问题呢？方便的话多说一点，我马上帮您看。",
        "Could you tell me a little more about what you need, so that I can help?",
    ),
    "use": ("请问主要是给谁用、用在什么场合呢？", "Who is it for, and what will it be used for?"),
    "budget": ("您的预算大概在多少呢？", "Roughly what budget do you have in mind?"),
}


def clarifying_questions(
    understanding: Understanding,
    candidates: Sequence[Candidate],
    facts: FactTree,
    *,
    need: ShoppingNeed | None,
    said: Sequence[str],
    silent: bool,
    language: str,
) -> list[str]:
    """Gives at most two questions, none when the likeliest reply needs no further fact.

    Args:
        understanding: what was heard.
        candidates: the replies that are not ruled out, surest first.
        facts: of the order and the people.
        need: what a customer who wants a recommendation has told; None when nobody asks for one.
        said: the customer's messages, as they are matched: what they tell of the order is not asked.
        silent: whether no draft is offered.
        language: of the shop.
    """
    if not understanding.readings[0].has_words:
        return []
    english = language == "en"
    answered = bool(candidates) and not silent and bool(candidates[0].reply.products)  # about a size of one product, say: no budget is wanted
    if need is not None and not answered:
        return [_QUESTIONS[name][english] for name in need.missing][:_MOST]
    asked = _deciding_fact(understanding, candidates, facts, silent=silent)
    if asked is not None and (told := likely_facts(facts, said)[0]) is not None:
        asked = _deciding_fact(understanding, candidates, told, silent=silent)
    if asked == "item":
        return [_which_item(facts, english)]
    if asked is None and silent and _is_vague(understanding):
        asked = "open"
    return [] if asked is None else [_QUESTIONS[asked][english]]


def _deciding_fact(understanding: Understanding, candidates: Sequence[Candidate], facts: FactTree, *, silent: bool) -> str | None:
    """The question whose answer the likeliest replies wait for, by the sum of their confidence; None when the first waits for nothing."""
    matter = {name for name, probability in understanding.scenarios.items() if probability >= _MATTER}
    offered = list(candidates[:1]) if not silent else []
    fitting = list(islice((one for one in candidates if one.reply.scenario in matter), _LOOKED_AT)) or offered
    if silent and not facts["order"] and _shop_asks_for_order(understanding, candidates):
        return "order"
    if not fitting or fitting[0].confidence < _LEAST or _wanting(fitting[0], understanding, facts, silent=silent) is None:
        return None
    weights: dict[str, float] = {}
    for one in fitting:
        wanted = _wanting(one, understanding, facts, silent=silent)
        if wanted is not None and one.confidence >= _NEAR * fitting[0].confidence:
            weights[wanted] = weights.get(wanted, 0.0) + one.confidence
    return max(sorted(weights), key=lambda name: weights[name])


def _shop_asks_for_order(understanding: Understanding, candidates: Sequence[Candidate]) -> bool:
    """Whether the shop's nearest reply to the likely contact reason asks for the order, however unsure that reply is."""
    likely = {name for name, probability in understanding.scenarios.items() if probability >= _LIKELY}
    nearest = next((one for one in candidates if one.reply.scenario in likely), None)
    return nearest is not None and _asks_for_order(nearest.reply)


def _asks_for_order(reply: ProvenReply) -> bool:
    """Whether the shop wrote the reply for customers without an order, and asks for it: a rule told to everybody needs none."""
    return _NO_ORDER_YET in reply.when and any(_ORDER_PLEASE.search(words) for words in reply.templates().values())


def _wanting(candidate: Candidate, understanding: Understanding, facts: FactTree, *, silent: bool) -> str | None:
    """What a customer could tell that would settle whether the reply fits; None where nothing is open or only the shop knows it.

    Where nothing is offered, that is also what a return's condition asks of the thing if it is known («!(has(order.item.condition) && …)»).
    """
    wants_to_return = all(name.startswith(_OF_A_RETURN) for name in (candidate.reply.scenario, understanding.top_scenario))
    begins = understanding.lean_on_history < LEANS  # who goes on about how a return is made is not asked what was done with it
    looked_at = compile_condition(candidate.reply.when).paths if silent and wants_to_return and begins and facts["order"] else ()
    verify = [path for path in (*candidate.verdict.verify, *_ASKED_IF_KNOWN.intersection(looked_at)) if not _holds(facts, path)]
    if not facts["order"]:
        product_only = bool(verify) and all(path.startswith("order.item") for path in verify) and bool(candidate.reply.products)
        waits = any(path.startswith("order.") for path in verify) or _asks_for_order(candidate.reply)
        return ("product" if product_only and not candidate.reply.scenario.startswith(AFTER_SALES) else "order") if waits else None
    if not verify:
        return None
    for name, paths in _KNOWN_TO_CUSTOMERS:
        if any(path in paths or (name == "item" and path.startswith("order.item")) for path in verify):
            break
    else:
        return None
    if name == "item" or (name == "condition" and "item" not in facts["order"]):
        return "item" if len(facts["order"].get("items", [])) > 1 and "item" not in facts["order"] else None
    return "kind_of_fault" if name == "condition" and understanding.scenarios.get("return.quality", 0.0) >= _MATTER else name


def _holds(facts: FactTree, path: str) -> bool:
    """Whether the facts, what was told among them, have the value there."""
    node: Any = facts
    for name in path.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True


def _which_item(facts: FactTree, english: bool) -> str:
    titles = list(dict.fromkeys(str(item.get("title") or item.get("sku") or "") for item in facts["order"]["items"]))
    named = [f"“{title}”" if english else f"「{title}」" for title in titles if title][:4]
    if not named:
        return "Which item of the order is it about?" if english else "请问您说的是这单里的哪一件呢？"
    return f"Which item is it about: {' or '.join(named)}?" if english else f"请问您说的是{'还是'.join(named)}呢？"


def _is_vague(understanding: Understanding) -> bool:
    """Whether a few opening words leave open what is meant: no contact reason stands out, and it is not small talk."""
    top = understanding.top_scenario
    few = (
        len(lexical_terms(understanding.text)) <= (_FEW_WORDS if understanding.language == "en" else _FEW_TERMS)
        and len(understanding.readings) == 1
        and not understanding.products
    )
    chat = sum(probability for name, probability in understanding.scenarios.items() if name.startswith("chat."))
    small_talk = chat >= _CHATTING or understanding.scenarios.get("chat.other", 0.0) >= _SMALL_TALK
    return few and understanding.scenarios[top] < _VAGUE and not small_talk
