"""What a shop has to teach the models: pairs of texts that the same reply answers, and messages of a known scenario. Knows no model."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from knowledge.accepted import AcceptedSuggestion
from knowledge.chats import LabelledChat
from knowledge.normalise import match_form, strip_console
from knowledge.records import ProvenReply

MAX_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Lessons:
    """The approved replies of a shop, its labelled chats and the suggestions that were accepted."""

    replies: tuple[ProvenReply, ...]
    chats: tuple[LabelledChat, ...] = ()
    accepted: tuple[AcceptedSuggestion, ...] = ()

    def without(self, messages: Iterable[str], groups: Iterable[str]) -> "Lessons":
        """Gives the lessons without these conversations (see `conversation`) and without anything that says one of these messages."""
        said, left_out = {strip_console(one) for one in messages}, set(groups)
        return Lessons(
            self.replies,
            tuple(chat for chat in self.chats if conversation(chat) not in left_out and strip_console(chat.message) not in said),
            tuple(one for one in self.accepted if strip_console(one.message) not in said),
        )


def conversation(chat: LabelledChat) -> str:
    """Gives what is drawn and left out together: chats that differ in their order alone are one."""
    return chat.conversation


@dataclass(frozen=True, slots=True)
class ShopPairs:
    """Pairs of texts in match form that one reply answers, and for every text the replies that answer it."""

    pairs: tuple[tuple[str, str], ...]
    replies: dict[str, frozenset[str]]  # texts that share a reply are never each other's negatives
    counts: dict[str, int]  # of pairs by where they come from, before the cap


def shop_pairs(lessons: Lessons, *, seed: int, most: int = MAX_PAIRS) -> ShopPairs:
    """Gives at most `most` pairs; labelled and accepted messages are kept before triggers, which of them is drawn by the seed.

    Two triggers of one reply are a pair; a message and each trigger of each reply that an expert or an agent found right for it are one.
    """
    triggers = {reply.id: list(dict.fromkeys(filter(None, map(match_form, reply.triggers)))) for reply in lessons.replies}
    answers: dict[str, set[str]] = {}
    for reply_id, texts in triggers.items():
        for text in texts:
            answers.setdefault(text, set()).add(reply_id)
    said = [(strip_console(chat.message), set(chat.labels.replies)) for chat in lessons.chats if _one_question(chat)]
    accepted = [(strip_console(one.message), {one.reply_id}) for one in lessons.accepted]
    for text, reply_ids in [*said, *accepted]:
        answers.setdefault(text, set()).update(reply_ids & triggers.keys())
    sources = {
        "labelled": _with_triggers(said, triggers),
        "accepted": _with_triggers(accepted, triggers),
        "triggers": [pair for texts in triggers.values() for pair in combinations(texts, 2)],
    }
    kept: dict[tuple[str, str], None] = {}
    rng = random.Random(seed)
    for pairs in sources.values():
        different = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1] and pair not in kept]
        kept |= dict.fromkeys(rng.sample(different, k=min(len(different), most - len(kept))))
    return ShopPairs(tuple(kept), {text: frozenset(ids) for text, ids in answers.items()}, {name: len(pairs) for name, pairs in sources.items()})


def _one_question(chat: LabelledChat) -> bool:
    """A message of two questions is near the triggers of neither."""
    return chat.labels.answerable and not chat.labels.questions


def _with_triggers(said: Sequence[tuple[str, set[str]]], triggers: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(text, trigger) for text, reply_ids in said if text for reply_id in sorted(reply_ids) for trigger in triggers.get(reply_id, ())]


def scenario_messages(chats: Iterable[LabelledChat]) -> list[tuple[str, frozenset[str]]]:
    """Gives (message, its scenarios) of the chats that can be understood from the message alone."""
    return [
        (strip_console(chat.message), frozenset(chat.labels.scenarios)) for chat in chats if _one_question(chat) and chat.labels.scenarios and not chat.history
    ]
