"""Our own conversations with the demo shop (docs/practice/conversations.jsonl), spoken through turn by turn: what no draft of them may do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge.conversation import closes
from knowledge.order_context import Turn
from knowledge.script import script_of
from knowledge.style_rules import shipped_style_book
from suggest.composition import bare, sentences_of
from suggest.console import at_time
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.pipeline import Suggester

FILE = Path(__file__).parent.parent.parent / "docs" / "practice" / "conversations.jsonl"
CONVERSATIONS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
APOLOGIES = ("抱歉", "对不起", "不好意思", "让您久等")


@dataclass(frozen=True)
class Spoken:
    """One turn: what was said before, what the customer says, what the service answers."""

    name: str
    channel: str
    history: tuple[Turn, ...]
    message: str
    answer: SuggestionResponse

    @property
    def said(self) -> str:
        """All the agent's words so far."""
        return "\n".join(turn.text for turn in self.history if turn.role == "agent")


def speak(conversation: dict[str, Any], suggester: Suggester) -> Iterator[Spoken]:
    """The agent sends the holding reply, else the first draft, else the question."""
    now, history = datetime.fromisoformat(conversation["now"]), list[Turn]()
    fields = {name: at_time(conversation[name], now) for name in ("order", "customer", "agent", "channel") if name in conversation}
    for message in conversation["turns"]:
        request = SuggestionRequest.model_validate(fields | {"message": message, "history": history})
        found = suggester.suggest(request, now=now, request_id="c")
        yield Spoken(conversation["name"], request.channel, tuple(history), message, found)
        sent = found.escalate.holding_reply if found.escalate else found.suggestions[0].text if found.suggestions else "".join(found.clarifying_questions)
        history += [Turn(role="customer", text=message or "（无）"), Turn(role="agent", text=sent or "好的。")]


@pytest.fixture(scope="module")
def spoken(demo_suggester: Suggester) -> list[Spoken]:
    return [turn for conversation in CONVERSATIONS for turn in speak(conversation, demo_suggester)]


def test_there_are_thirty_and_they_vary() -> None:
    assert len(CONVERSATIONS) >= 30
    assert len({one["name"] for one in CONVERSATIONS}) == len(CONVERSATIONS)
    assert {"im", "sms", "review", "app_push"} == {one.get("channel", "im") for one in CONVERSATIONS}
    assert sum(len(one["turns"]) > 1 for one in CONVERSATIONS) >= 15
    assert sum(one["turns"] == [""] for one in CONVERSATIONS) >= 3


def test_most_turns_get_a_draft(spoken: list[Spoken]) -> None:
    helped = [one for one in spoken if one.answer.suggestions or one.answer.clarifying_questions or one.answer.recommendations]

    assert len(helped) >= 0.8 * len(spoken)


def test_nobody_is_greeted_twice(spoken: list[Spoken]) -> None:
    for one in spoken:
        for draft in one.answer.suggestions:
            assert draft.text.count("您好") <= 1, (one.name, draft.text)
            assert not (one.said and draft.scenario != "chat.greeting" and draft.text.startswith("您好")), (one.name, draft.text)


def test_no_sentence_is_said_twice(spoken: list[Spoken]) -> None:
    for one in spoken:
        said = {bare(sentence) for sentence in sentences_of(one.said) if len(sentence) >= 8}
        for draft in one.answer.suggestions:
            assert not said & {bare(sentence) for sentence in sentences_of(draft.text)}, (one.name, draft.text)


def test_no_apology_is_made_twice_in_the_same_words(spoken: list[Spoken]) -> None:
    for one in spoken:
        for draft in one.answer.suggestions:
            assert [] == [word for word in APOLOGIES if word in one.said and word in draft.text], (one.name, draft.text)


def test_the_calm_are_not_told_how_they_feel(spoken: list[Spoken]) -> None:
    feelings = re.compile(shipped_style_book("zh-CN").apologies.feelings)
    for one in spoken:
        if one.answer.understanding.emotion == "calm" and one.message:
            assert not feelings.search(one.answer.suggestions[0].parts.get("empathy", "") if one.answer.suggestions else ""), one.name


def test_nothing_is_sold_to_the_upset(spoken: list[Spoken]) -> None:
    for one in spoken:
        if one.answer.understanding.emotion in ("upset", "angry"):
            assert [] == one.answer.recommendations, one.name
            assert not any("怎么买更划算" in draft.text or draft.scenario.startswith("sales.") for draft in one.answer.suggestions), one.name


def test_thanks_get_a_goodbye_and_one_wish(spoken: list[Spoken]) -> None:
    thanked = [one for one in spoken if one.said and closes(one.message, one.history)]

    for one in thanked:  # who was told goodbye already and only one more goodbye fits: nothing is said twice
        assert one.answer.suggestions or (one.answer.abstained is not None and one.answer.abstained.reason == "already_said"), one.name
    answered = [one for one in thanked if one.answer.suggestions]
    assert len(answered) >= 4
    for one in answered:
        assert "chat.closing" == one.answer.suggestions[0].scenario, one.name
        assert one.answer.suggestions[0].text.count("祝您") <= 1, one.answer.suggestions[0].text


def test_traditional_is_answered_in_traditional(spoken: list[Spoken]) -> None:
    asked = [one for one in spoken if script_of([one.message]) in ("taiwan", "hong_kong")]

    assert len(asked) >= 4
    for one in asked:
        words = [*(draft.text for draft in one.answer.suggestions), *one.answer.clarifying_questions]
        words += [one.answer.escalate.holding_reply] if one.answer.escalate else []
        assert all(script_of([text]) in ("taiwan", "hong_kong") for text in words), (one.name, words)


def test_short_channels_are_kept_to_or_warned_of(spoken: list[Spoken]) -> None:
    limits = {"sms": 70, "app_push": 60}
    drafts = [(one, draft) for one in spoken if one.channel in limits for draft in one.answer.suggestions]

    assert len(drafts) >= 5
    for one, draft in drafts:
        assert (len(draft.text) > limits[one.channel]) == any(warning.code == "too_long" for warning in draft.warnings), draft.text
        assert "券现在" not in draft.text or "张" in draft.text, draft.text  # nothing given is spoken of that is not in the message
    firsts = [(one, draft) for one, draft in drafts if draft.rank == 1]  # second choices are of other matters, and as long as the shop wrote them
    assert sum(len(draft.text) <= limits[one.channel] for one, draft in firsts) >= 0.6 * len(firsts)


def test_in_public_nothing_is_told_of_the_order_and_nothing_asked_for(spoken: list[Spoken]) -> None:
    drafts = [draft for one in spoken if one.channel == "review" for draft in one.answer.suggestions]

    assert len(drafts) >= 3
    for draft in drafts:
        assert not re.search(r"XF\d|2026\d{6}|月\d+日|发我|拍给|照片|视频|留个评价|不客气", draft.text), draft.text


def test_what_is_unread_is_first_calm_and_promises_nothing(spoken: list[Spoken]) -> None:
    for one in spoken:
        for draft in one.answer.suggestions:
            if draft.auto_reply:
                assert (1, "calm", []) == (draft.rank, one.answer.understanding.emotion, draft.warnings), (one.name, draft.text)
                assert not re.search(r"我(?:今天|明天|马上|现在)", draft.text), draft.text


def test_what_could_be_sent_holds_no_blank(spoken: list[Spoken]) -> None:
    for one in spoken:
        for draft in one.answer.suggestions:
            assert not (draft.sendable and re.search(r"〔|\{\{|\}\}", draft.text)), draft.text
