"""Which draft may go out without a person who reads it: the one place where `auto_reply` is decided. In doubt a person reads.

Words are data (`knowledge/conduct/unread.toml`).
"""

import re
from collections.abc import Sequence

from indexes.snapshot import Snapshot
from knowledge.conduct_rules import unread_wordings
from knowledge.conversation import closes
from knowledge.normalise import match_form, same_length_form
from knowledge.order_context import Turn
from knowledge.records import ProvenReply, Store
from knowledge.style_check import style_checker_of
from knowledge.templates import spoken_words
from knowledge.told_rules import told_things
from suggest.choices import Answer
from suggest.contract import Suggestion, SuggestionRequest
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from suggest.understanding import Understanding

_TRIGGER, _FORESEEN = SIGNALS.index("trigger"), 0.74  # by 68 drafts that went unread and 20 that should not have, DESIGN D86
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_GRAVE = 0.2  # of the probability of danger or complaint
_OF_A_PERSON = ("commits", "person_claimed", "makes_good")  # what a draft says that only a person may
_WAITING, _WAITS = "chat.wait", 0.3  # probability from which a customer may be waiting for a person


def unread_marked(
    drafts: list[Suggestion], snapshot: Snapshot, answer: Answer, request: SuggestionRequest, *, escalated: bool, least: float
) -> list[Suggestion]:
    """Gives the drafts for a message of one question, the first marked where a machine may send it: a second choice is for a person to choose.

    Args:
        drafts: best first.
        snapshot: the shop's.
        answer: what was heard, and the candidates for it.
        request: the message as the customer wrote it, and the turns before it.
        escalated: whether somebody else takes over.
        least: confidence from which the shop lets drafts go.
    """
    first, question = drafts[0] if drafts else None, answer.question
    chosen = next((one for one in answer.candidates if first is not None and one.reply.id == first.reply_id), None)
    if first is None or chosen is None or escalated or not first.sendable or first.warnings or first.confidence < least:
        return drafts
    read = wants_a_person(request.message, question) or unread_wordings()["swaps"].stands_in(match_form(request.message))
    read = read or answers_what_was_asked(request.message, request.history)
    read = read or not is_routine(chosen.reply, first.text, question) or refuses(first.text, snapshot.shop.store)
    read = read or not was_foreseen(chosen) or asks_for_what_is_named(first.text, request.message) or leaves_out_a_number(first.text, request.message)
    return drafts if read else [first.model_copy(update={"auto_reply": True}), *drafts[1:]]


def is_routine(reply: ProvenReply, text: str, question: Understanding) -> bool:
    """Whether nothing hangs on the draft: a calm question, no money, no complaint or danger, nobody waiting, nothing made good and nobody who acts.

    A machine that sends «我已联系仓库» lies unless somebody does it; one that sends «我是人工客服» lies at once.
    """
    grave = sum(probability for name, probability in question.scenarios.items() if name == "safety" or name.startswith("complaint."))
    calm = question.emotion == "calm" and not question.threatens and reply.tone != "upset"
    if not calm or grave >= _GRAVE or reply.promises_amount or reply.scenario == _WAITING:
        return False
    form, wordings = same_length_form(text), unread_wordings()
    return not any(wordings[name].stands_in(form) for name in _OF_A_PERSON)


def was_foreseen(candidate: Candidate) -> bool:
    """Whether a reply that no order decides has a trigger for this very question.

    «医保卡能付吗» is heard as a question about ways to pay, and rightly; whether the reply speaks of that card only a person sees. Where the order decides,
    it does so among replies to one question.
    """
    if candidate.reply.when or candidate.reply.scenario.startswith("chat."):
        return True
    return float(candidate.signals[_TRIGGER]) >= _FORESEEN


def asks_for_what_is_named(text: str, message: str) -> bool:
    """Whether the draft asks for a kind of thing that the message names: «框换成黑色的» met with «要换哪个颜色»."""
    draft, said = same_length_form(text), match_form(message)
    return any(one.named_in(said) and one.asked_in(draft) is not None for one in told_things())


def leaves_out_a_number(text: str, message: str) -> bool:
    """Whether the message names a number that the draft does not: «分12期» met with what three instalments cost."""
    return not set(_NUMBER.findall(match_form(message))) <= set(_NUMBER.findall(same_length_form(text)))


def may_go_unread(reply: ProvenReply, store: Store) -> bool:
    """Whether the reply's own words leave it open that a machine sends it, to a calm customer, whatever the facts fill in."""
    if reply.tone == "upset" or reply.promises_amount or reply.scenario == _WAITING or reply.scenario == "safety" or reply.scenario.startswith("complaint."):
        return False
    text = "\n".join(map(spoken_words, reply.templates().values()))
    form, wordings = same_length_form(text), unread_wordings()
    return not any(wordings[name].stands_in(form) for name in _OF_A_PERSON) and not refuses(text, store)


def wants_a_person(message: str, question: Understanding) -> bool:
    """Whether the customer asks for a human, or may be waiting for one."""
    return question.scenarios.get(_WAITING, 0.0) >= _WAITS or unread_wordings()["person_wanted"].stands_in(match_form(message))


def answers_what_was_asked(message: str, history: Sequence[Turn]) -> bool:
    """Whether the agent's last turn asked for something, so that the message may answer it: «二年级» after «孩子几年级？» is for whoever asked.

    A question asked for politeness awaits no answer, nor do thanks give one.
    """
    last = next((turn.text for turn in reversed(history) if turn.role == "agent"), "")
    wordings = unread_wordings()
    return wordings["asked"].stands_in(wordings["offered"].without(match_form(last))) and not closes(message, history)


def refuses(text: str, store: Store) -> bool:
    """Whether the draft refuses something, with another way or without: a person says no to a person."""
    return style_checker_of(store).refuses(text) or unread_wordings()["refuses"].stands_in(same_length_form(text))
