"""What the customer has told is not asked for again, and what they declined is not offered: 「照片发了」 is not answered by 「请拍照片」.

The pairs are data (`knowledge/conduct/told.toml`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from knowledge.normalise import console_marks, match_form
from knowledge.order_context import Turn
from knowledge.told_rules import Declined, Told, declined_things, told_things
from suggest.composition import sentences_of
from suggest.steps import STEPS, begun_anew
from suggest.understanding import Understanding

_IF = re.compile(r"如果|要是|若|假如|\bif\b", re.IGNORECASE)
_SUBJECT = re.compile(r"^我们?(?:这边)?(?:马上|现在|这就|先)?")
_AND = re.compile(r"^(?:并且?|而且|同时|另外|也|再)")
_CHOICE = re.compile(r"^(?:选择?|如果|要是|若|想|愿意?|继续|肯)[^，,；;。]{1,12}[，,]\s*$|的话[，,]\s*$")  # what an offer hangs on: «选择再等，»
_OR_ELSE = re.compile(r"\s*(?:或|也可以|or\b)", re.IGNORECASE)


def own_words(understanding: Understanding, history: Sequence[Turn]) -> list[str]:
    """Gives what the customer wrote, as it is matched, with the marks of photos: each turn, then the message."""
    turns = [" ".join([match_form(turn.text), *console_marks(turn.text)]) for turn in history if turn.role == "customer"]
    return [*turns, " ".join([understanding.text, *understanding.marks])]


def already_told(texts: Iterable[str], order: Mapping[str, object]) -> list[Told]:
    """Gives the things that the customer's words, as they are matched, have told, or that the order's facts tell after all."""
    said = "\n".join(texts)
    return [one for one in told_things() if (one.said and re.search(one.said, said)) or (one.fact and one.fact in order)]


def already_declined(texts: Iterable[str]) -> list[Declined]:
    """Gives the things that the customer's words, as they are matched, want none of."""
    said = "\n".join(texts)
    return [one for one in declined_things() if said and re.search(one.said, said)]


def without_declined(text: str, declined: Iterable[Declined]) -> str:
    """Gives the text without the steps that offer it; a sentence that begins with an «if» goes whole, for its steps hang on that."""
    for one in declined:
        text = "".join(_without_offers(sentence, one) for sentence in sentences_of(text))
    return text


def _without_offers(sentence: str, declined: Declined) -> str:
    steps = STEPS.findall(sentence)
    offers = [re.search(declined.offers, step) is not None for step in steps]
    hanging = [offered and _CHOICE.search(step) is not None for step, offered in zip(steps, [*offers[1:], False], strict=True)]
    kept = [step for step, offered, hangs in zip(steps, offers, hanging, strict=True) if not offered and not hangs]
    if len(kept) == len(steps):
        return sentence
    if not kept or _IF.match(sentence):
        return ""
    left = "".join(kept)
    if kept[0] is not steps[0] and _AND.match(left):  # «我马上给您5元券，并把这单提前»: the verb that is left keeps its subject
        left = "".join(_SUBJECT.findall(steps[0])) + _AND.sub("", left)
    return re.sub(r"[，,；;]\s*$", "。", left)


def without_asking_again(text: str, told: Iterable[Told]) -> str:
    """Gives the text without the steps that ask for what was told; unchanged where such a step ends its sentence, for something must come of it.

    Of a step that asks for a list of things only what was told is left out. What is asked for «或者» in another way stays whole.
    """
    for one in told:
        text = "".join(_without_asking(one, sentence) for sentence in sentences_of(text))
    return text


def _without_asking(one: Told, sentence: str) -> str:
    steps = STEPS.findall(sentence)
    if not any(asks_for(one, step) for step in steps) or (one.among and one.unless and re.search(one.unless, sentence)):
        return sentence
    left = [_OR_ELSE.match(after) is not None or not asks_for(one, step) for step, after in zip(steps, [*steps[1:], ""], strict=True)]
    kept = [step if stays else _rest_of(one, step, last=place == len(steps) - 1) for place, (step, stays) in enumerate(zip(steps, left, strict=True))]
    return "".join(kept) if kept[0] else begun_anew("".join(kept))


def _rest_of(one: Told, step: str, *, last: bool) -> str:
    """What is left of a step that asks for it: the other things on its list, or nothing; all of it where it is the last."""
    if one.among and (rest := re.sub(one.among, "", step, count=1)) != step:
        return rest
    return step if last else ""


def asks_for(one: Told, step: str) -> bool:
    """Whether a step, or a question, asks for it and for nothing else."""
    return re.search(one.asks, step) is not None and not (one.unless and re.search(one.unless, step))
