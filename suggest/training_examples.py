"""What the ranker learns from: each labelled chat's signals, by a reader that was fitted on other conversations.

By a reader that knows a chat its scenario would look surer than it ever does to a stranger, and the ranker would learn to lean on it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from suggest.fitting import FOLDS, Example, examples, fold_of
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.ranking import Ranker
from suggest.reading_fitting import HeardChat, heard_chats, refitted


@dataclass(frozen=True, slots=True)
class TrainingShop:
    """A shop's index and the labelled chats to learn from."""

    snapshot: Snapshot
    chats: tuple[LabelledChat, ...]


def training_examples(
    shops: Sequence[TrainingShop], heard: Sequence[HeardChat], models: Models, *, on_chat: Callable[[str], None] | None = None
) -> list[Example]:
    """Gives an example for each chat that has an eligible candidate, shop by shop in the order of the chats.

    Args:
        shops: with the chats to learn from.
        heard: those chats, and any others that readers may learn from.
        models: their reader is fitted again for each fold; their ranker is not asked.
        on_chat: hears the shop's id with each chat that is done.
    """
    found: dict[tuple[int, int], Example] = {}
    for fold in range(FOLDS):
        reader = refitted(models.reader, [one for one in heard if fold_of(conversation_of(one.chat)) != fold])
        for number, shop in enumerate(shops):
            blank = Suggester(shop.snapshot, embedder=models.embedder, reader=reader, ranker=Ranker.unfitted())
            for place, chat in enumerate(shop.chats):
                if fold_of(conversation_of(chat)) == fold:
                    found.update(((number, place), example) for example in examples([chat], blank))
                    if on_chat is not None:
                        on_chat(shop.snapshot.shop.store.id)
    return [found[place] for place in sorted(found)]


def heard_in(shops: Sequence[TrainingShop], models: Models) -> list[HeardChat]:
    """Gives what all the shops' chats sound like."""
    return [one for shop in shops for one in heard_chats(shop.chats, shop.snapshot.shop, models.reader)]


def conversation_of(chat: LabelledChat) -> str:
    """Gives the conversation's name among all shops'."""
    return f"{chat.store}/{chat.conversation}"
