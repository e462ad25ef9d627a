"""Parts of a set of labelled chats worth a look on their own: by what was labelled, and by the order that came with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.chats import LabelledChat
from knowledge.facts import FactTree, compute_facts
from knowledge.products import ProductCatalogue
from knowledge.shop import Shop
from suggest.order_state import order_state

DIMENSIONS = ("tag", "emotion", "order_state", "history", "questions", "language", "category", "scenario")
_HAN = re.compile(r"[㐀-鿿]")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Slice:
    """The chats that share one value of a dimension, by id."""

    dimension: str
    value: str
    chat_ids: frozenset[str]

    @property
    def name(self) -> str:
        """As it stands in tables and JSON: `scenario order.cancel`, `history yes`."""
        return f"{self.dimension.replace('_', ' ')} {self.value}"

    def holds(self, chat: LabelledChat) -> bool:
        """Whether the chat is in it."""
        return chat.id in self.chat_ids


def slices_of(chats: Sequence[LabelledChat], shop: Shop) -> list[Slice]:
    """Gives every slice of the answerable chats that has one: dimensions as in DIMENSIONS, within each the largest first, ties by value.

    - tag: the label's, without those that name a group (`contrast/…`).
    - order_state: `suggest.order_state`; the facts at the chat's own moment.
    - questions: two where the labels hold two that have an answer, else one.
    - language: zh where the message holds a Chinese character, else en.
    - category: the first part of the category of the product in question, by the message, else by the order; none where neither tells.
    """
    catalogue = shop.catalogue()
    members: dict[str, dict[str, set[str]]] = {dimension: {} for dimension in DIMENSIONS}
    for chat in chats:
        if chat.labels.answerable:
            for dimension, values in _values(chat, shop, catalogue).items():
                for value in values:
                    members[dimension].setdefault(value, set()).add(chat.id)
    return [
        Slice(dimension, value, frozenset(ids))
        for dimension, values in members.items()
        for value, ids in sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _values(chat: LabelledChat, shop: Shop, catalogue: ProductCatalogue) -> dict[str, Sequence[str]]:
    labels = chat.labels
    said = [chat.message, *(turn.text for turn in reversed(chat.history))]
    facts = compute_facts(order=chat.order, customer=chat.customer, agent=chat.agent, now=chat.now, store=shop.store, catalogue=catalogue, said=said)
    return {
        "tag": sorted({tag for tag in labels.tags if "/" not in tag}),
        "emotion": [labels.emotion] if labels.emotion else [],
        "order_state": [order_state(facts)],
        "history": ["yes" if chat.history else "no"],
        "questions": ["two" if len([one for one in labels.questions if one]) == 2 else "one"],
        "language": ["zh" if _HAN.search(chat.message) else "en"],
        "category": [_category(chat, facts, catalogue)],
        "scenario": labels.scenarios[:1],
    }


def _category(chat: LabelledChat, facts: FactTree, catalogue: ProductCatalogue) -> str:
    named = catalogue.mentioned(chat.message)
    product = catalogue.by_sku(named[0]) if named else None
    category = product.category if product is not None else str(facts["order"].get("item", {}).get("category") or "")
    return category.split("/")[0] or _NONE
