"""What a message answers. An agent has just asked for something or offered a choice, and here it is: nothing asks for it again.

A draft takes the answer up (its own words without the asking, with a next step left) or there is none; the agent is told what was answered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from knowledge.normalise import same_length_form
from knowledge.order_context import Turn
from knowledge.told_rules import Told, told_things
from suggest.choosing import Choice, choice_made
from suggest.composition import bare, sentences_of
from suggest.steps import STEPS, is_chinese, without_steps

_REQUESTS = re.compile(
    r"请|麻烦|劳烦|您|你|告诉|发我|发给|发一下|发来|[?？]|吗|呢|哪|几|多少|什么"
    r"|\b(?:please|could you|can you|would you|will you|may i|let me|let us|tell|send|share|which|what|when|how|ask|check|look|need|shall|should|do you)\b"
)
# «改好后跟您核对地址», «我把单号报给仓库» and «不用发照片» ask for nothing.
_TO_THEM = re.compile(r"^我|我们?(?:已|把|会|来)|(?:念给|跟|和|同|给|发|告诉|通知|回复?)(?:您|你)(?!们?发)|不用|无需|不必|请勿|(?:不要|别)(?:发|拍|在)")
_NEXT = re.compile(
    r"我们?(?:这边)?.{0,2}(?:已|马上|现在|这就|就|会|来|帮|给|替|先|立刻|立即|今天|今晚|核|查|改|登记|提交|催|联系|安排|转|把)|(?:为|帮|替)您|马上|立即"
    r"|\d+\s*个?(?:小时|分钟|工作日)(?:之?内|左右)|\d+天内?(?:到|送|寄|发|退|办|回|给)"
    r"|\bi(?:'ll|'ve|'m| will| have| am)\b|\bwe(?:'ll|'ve| will| have)\b|\byou'll\b|\bwithin \d+"
)
_PLEASE = re.compile(r"(?<!申)请|麻烦|劳烦|告诉我|发我|\b(?:please|could you|can you|tell me|let me know|send)\b")  # how information asks, if it does
_IF_NOT = re.compile(
    r"^(?:如果|要是|若|都|还是|还|仍|也|实在)*(?:没有?|找不到|不在)(?:找到|看到|人)?的话[，,]\s*"
)  # hangs on the step before it: «都没有的话，我现在…»
_HANGS = re.compile(r"[；;]\s*$")
_GROUPS = re.compile(r"[^；;]+[；;]*\s*")
_EXCHANGES = 2  # looked back at: «都可以，您选» «我问问» «您看呢» «第二个»


@dataclass(frozen=True, slots=True)
class Given:
    """Something that an agent asked for, in these words, and that was given."""

    told: Told
    asked: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the customer's words since the agent's last turn answer; falsy where that is nothing."""

    given: tuple[Given, ...] = ()
    missing: tuple[Told, ...] = ()  # asked for too, and not given
    choice: Choice | None = None
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.given) or self.choice is not None

    def names(self, *, english: bool) -> tuple[str, ...]:
        """Gives what was answered, for the agent's eyes."""
        taken = [self.choice.taken.name[english]] if self.choice is not None else []
        return tuple(dict.fromkeys([*taken, *(one.told.name[english] for one in self.given if one.told.name is not None)]))

    def taken_up(self, text: str, said: Set[str], *, is_action: bool) -> str:
        """Gives a part of a draft without the steps that ask for what was given or put the choice that was made.

        Of a sentence that was `said` (as `bare` gives it), only what was to follow the answer is kept: «拍照发我，我来核对；同时我催快递» leaves «我来核对».
        """
        return "".join(self._left_of(sentence, is_action=is_action, was_said=bare(sentence) in said) for sentence in sentences_of(text)).strip()

    def _left_of(self, sentence: str, *, is_action: bool, was_said: bool) -> str:
        form, choice = same_length_form(sentence), self.choice
        if choice is not None and is_action and choice.is_past(form):
            return ""
        puts_choice = choice is not None and choice.put_again(form)
        groups = _GROUPS.findall(sentence)
        asks = self.given and (is_action or _PLEASE.search(form) is not None)
        left = [without_steps(group, self._asks) if asks else group for group in groups]
        if choice is not None and puts_choice:
            left = [without_steps(group, lambda step: choice.unwanted(same_length_form(step))) for group in left]
        if left == groups:
            return sentence
        left = [_IF_NOT.sub("", new) if place and not left[place - 1] else new for place, new in enumerate(left)]
        kept = "".join(new for old, new in zip(groups, left, strict=True) if not (was_said and new == old))
        kept = kept if sentence.startswith(kept[:1]) or not kept.split(" ", 1)[0].islower() else kept[:1].upper() + kept[1:]
        return _HANGS.sub("。" if is_chinese(sentence) else ". ", kept)

    def elsewhere(self, text: str) -> bool:
        """Whether a draft with these words asks for something while it does not speak of what was just given at all."""
        form = same_length_form(text)
        if all(one.told.concerns(form) for one in self.given):
            return False
        return any(one.asked_in(step) and not one.named_in(self.words) for step in STEPS.findall(form) for one in told_things())

    def goes_on(self, whole: Mapping[str, str], left: Mapping[str, str]) -> bool:
        """Whether what is left of a draft's parts answers: with a next step, or with information where that was what the question was for."""
        if self.elsewhere("".join(text for part, text in whole.items() if part != "empathy")):
            return False
        if all(left.get(part, "") == text for part, text in whole.items() if part != "empathy") or left.get("action", "") == whole.get("action"):
            return True
        if self.given and all(one.told.informs for one in self.given) and ("information" in left or "text" in left):
            return True
        return any(_NEXT.search(same_length_form(text)) for part, text in left.items() if part != "empathy")

    def _asks(self, step: str) -> "re.Match[str] | None":
        form = same_length_form(step)
        if _TO_THEM.search(form):
            return None
        for one in self.given:
            found = one.told.asked_in(form)
            if found is not None and not one.told.asks_more(form, one.asked) and not self._still_open(form):
                return found
        return None

    def _still_open(self, step: str) -> bool:
        """Whether the step also asks for something that the agent asked for, or the message names, and that was not given: «电话也改成我闺女的»."""
        known = {one.told.name for one in self.given}
        return any(
            one.asked_in(step) and (one in self.missing or one.named_in(self.words)) for one in told_things() if one.name is not None and one.name not in known
        )


NOTHING = Answered()


def answered_in(history: Sequence[Turn], message: str) -> Answered:
    """Gives what the message, and what the customer wrote before it since the agent's last turn, answers."""
    exchanges = list(_exchanges(history, message))
    if not exchanges:
        return NOTHING
    asked, words = exchanges[0]
    wanted = list(_asked_for(asked))
    given = tuple(Given(told, sentence) for told, sentence in wanted if told.answered_by(words))
    missing = tuple(told for told, _ in wanted if not told.aside and not told.answered_by(words))
    choice = next((made for offers, _ in exchanges if (made := choice_made(offers, words)) is not None), None)
    return Answered(given, missing, choice, words) if given or choice is not None else NOTHING


def _asked_for(asked: str) -> Iterator[tuple[Told, str]]:
    """What the agent's turn asks for, and the sentence that does."""
    for sentence in sentences_of(asked):
        if _REQUESTS.search(sentence):
            yield from ((told, sentence) for told in _askable(chinese=is_chinese(sentence)) if _truly_asked(told, sentence))


@lru_cache(maxsize=2)
def _askable(*, chinese: bool) -> tuple[Told, ...]:
    """The things that agents ask for, by the language they ask in."""
    return tuple(told for told in told_things() if told.answers and is_chinese(told.asks) == chinese)


def _truly_asked(told: Told, sentence: str) -> bool:
    """Whether the sentence asks for it in a step in which nobody else acts."""
    ends = [found.end() for found in re.finditer(told.asks, sentence)]
    steps = [step for step in STEPS.finditer(sentence) if any(step.start() < end <= step.end() for end in ends)] if ends else []
    return any(_TO_THEM.search(step[0]) is None for step in steps)


def _exchanges(history: Sequence[Turn], message: str) -> Iterator[tuple[str, str]]:
    """What an agent said and what the customer wrote next, the latest first; nothing where no agent has spoken."""
    said, spoken = [message], list[str]()
    found = 0
    for turn in reversed(history):
        if turn.role == "agent":
            spoken.insert(0, turn.text)
            continue
        if spoken:
            yield same_length_form("\n".join(spoken)), same_length_form("\n".join(said))
            said, spoken, found = [], [], found + 1
            if found == _EXCHANGES:
                return
        said.insert(0, turn.text)
    if spoken:
        yield same_length_form("\n".join(spoken)), same_length_form("\n".join(said))
