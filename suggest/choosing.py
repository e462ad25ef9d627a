"""A choice that an agent offered («补发或者退款，您选哪个») and which of it the customer took; a draft does not offer it again.

Words are data: `[[option]]` and `[[choosing]]` of `knowledge/conduct/told.toml`. Alternatives without a name there («刻正面还是背面») are known by their
own words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.told_rules import choosing, options
from suggest.composition import sentences_of
from suggest.steps import is_chinese

_CHUNKS = re.compile(r"[，,、；;：:。！？!?]")
_CLAUSES = re.compile(r"[，,。;；!！\n]+|(?<=[^\x00-\x7f])\s+|\.\s+")
_LONGEST_CLAUSE = 16  # in Chinese; who says more in one clause mentions the word while speaking of something else
_LONGEST_ENGLISH_CLAUSE = 60
_EITHER_OR = re.compile(r"(?P<one>[^，,。！？!?\s]{1,12}?)还是(?P<other>[^，,。！？!?\s]{1,10})|\b(?P<first>[a-z'-]+) or (?:the |an? )?(?P<second>[a-z'-]+)")
_ADDRESSED = re.compile(r"[?？]\s*$|(?:您|你)[^，,]*还是|还是[^，,]*(?:呢|您|你)|\b(?:which|choose|would you|do you)\b")
_BEFORE = re.compile(r".*(?:您|你|要|想|选|是|用|走|给|改|送|发)")  # «您想要刻正面还是背面»
_IF = re.compile(r"(?:您|你)?(?:选择?|要|想|如果|若|要是)*")
_WHOLE = re.compile(r"(?s).*")
_OR_ELSE = re.compile(r"还是|[?？]")
_AFTER = re.compile(r"(?:呢|吗|啊|呀|的|好|合适|方便|比较|都|更)+.*$")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way of several: its name in Chinese and English, and the expression that finds it."""

    name: tuple[str, str]
    said: str

    def named_in(self, text: str) -> bool:
        """Whether the text names it."""
        return re.search(self.said, text) is not None


@dataclass(frozen=True, slots=True)
class Choice:
    """What was offered and what was taken of it."""

    taken: Alternative
    left: tuple[Alternative, ...]

    def put_again(self, sentence: str) -> bool:
        """Whether a sentence of a draft puts the choice again."""
        both = self.taken.named_in(sentence) and any(one.named_in(sentence) for one in self.left)
        return both or re.search(choosing().again, sentence) is not None

    def is_past(self, sentence: str) -> bool:
        """Whether a sentence begins with what was not taken and says nothing of what was: «重新寄请把地址再确认一遍» to somebody who wants the money."""
        begins = any((found := re.search(one.said, sentence)) is not None and _IF.fullmatch(sentence[: found.start()]) for one in self.left)
        return begins and not self.taken.named_in(sentence)

    def unwanted(self, step: str) -> "re.Match[str] | None":
        """Where a step of a sentence that puts the choice does so; the whole of one that only speaks of what was not taken."""
        left = max((found for one in self.left if (found := re.search(one.said, step)) is not None), key=lambda found: found.end(), default=None)
        if left is not None:
            return left if self.taken.named_in(step) else _WHOLE.match(step)
        again = re.search(choosing().again, step)
        return again or (_OR_ELSE.search(step) if self.taken.named_in(step) else None)


def choice_made(offers: str, said: str) -> Choice | None:
    """Gives the choice that was made.

    Args:
        offers: the agent's turn, simplified and in lower case.
        said: the customer's words after it, in the same form.
    """
    rules = choosing()
    if not re.search(rules.between, offers) or not said or re.search(rules.both, said):
        return None
    alternatives = _offered(offers)
    taken = {one for clause in _CLAUSES.split(said) for one in _taken(clause, alternatives)} if alternatives else set()
    if len(taken) != 1:
        return None
    (one,) = taken
    return Choice(one, tuple(other for other in alternatives if other != one))


def _taken(clause: str, alternatives: list[Alternative]) -> Iterator[Alternative]:
    rules = choosing()
    if not clause or len(clause) > (_LONGEST_CLAUSE if is_chinese(clause) else _LONGEST_ENGLISH_CLAUSE) or re.search(rules.question, clause):
        return
    for one in alternatives:
        found = re.search(one.said, clause)
        if found is not None and not re.search(rules.denied, clause[: found.start()]):
            yield one
    if re.search(rules.last, clause):
        yield alternatives[-1]
    else:
        yield from (one for one, place in zip(alternatives, rules.places, strict=False) if re.search(place, clause))


def _offered(text: str) -> list[Alternative]:
    """The alternatives of the last sentence that offers several, in its order."""
    between = re.compile(choosing().between)
    for sentence in reversed(sentences_of(text)):
        if between.search(sentence):
            chunks = [part for chunk in _CHUNKS.split(sentence) for part in between.split(chunk)]
            found = list(dict.fromkeys(one for chunk in chunks if (one := _named(chunk)) is not None))
            found = found if len(found) > 1 else _by_their_words(sentence)
            if len(found) > 1:
                return found
    return []


def _named(chunk: str) -> Alternative | None:
    named = [one for one in options() if re.search(one.said, chunk)]
    return Alternative(named[0].name, "|".join(one.said for one in named)) if named else None


def _by_their_words(sentence: str) -> list[Alternative]:
    found = _EITHER_OR.search(sentence) if _ADDRESSED.search(sentence) else None
    if found is None:
        return []
    if found["first"]:
        words = [found["first"], found["second"]]
        return [Alternative((one, one), rf"\b{re.escape(one)}\b") for one in words]
    words = [_BEFORE.sub("", found["one"]), _AFTER.sub("", found["other"])]
    words[0] = words[0][-len(words[1]) :]  # «刻内圈还是外圈»
    return [Alternative((one, one), re.escape(one)) for one in words] if all(words) and words[0] != words[1] else []
