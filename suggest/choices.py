"""Which candidates become drafts when a message asks several things: each question's best in its turn, and no two alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.records import ProvenReply
from suggest.contract import Suggestion
from suggest.likeness import alike, twins
from suggest.ranking import Candidate
from suggest.retrieval import Hits
from suggest.understanding import Understanding

_UPSET = 0.5  # of the probability that they are upset or angry
_LEFT = 0.6  # from .3 to .8 the figures hardly move (D90)


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates and hits of one question."""

    question: Understanding
    hits: Hits
    candidates: list[Candidate]


def in_turn(answers: Sequence[Answer], *, least: float = 0.0) -> Iterator[tuple[Answer, Candidate]]:
    """Gives each reply once that is at least so sure, with how sure: the best for the whole message first, then always the one worth most.

    A reply is worth its confidence for the whole as far as one thing is asked, and for the question it answers best as far as several are; of a
    question's worth `_LEFT` remains where a reply before it surely answered it, for a second choice is of use where the first may be wrong.

    Args:
        answers: what was found for the message, then for each thing that it may ask.
        least: confidence below which nothing is given.
    """
    whole, *parts = answers
    several = whole.question.several
    if not parts:
        yield from ((whole, one) for one in whole.candidates if one.confidence >= least)
        return
    left = [one for one in _choices(whole, parts, several) if one.candidate.confidence >= least]
    unanswered = [1.0] * len(parts)
    given: list[ProvenReply] = []
    while left:
        chosen = left[0] if not given and left[0].is_head else _most_worth(left, unanswered, several)
        left.remove(chosen)
        if not any(alike(chosen.candidate.reply, other) for other in given):
            unanswered = [share * (1 - sure * (1 - _LEFT)) for share, sure in zip(unanswered, chosen.of_parts, strict=True)]
        given.append(chosen.candidate.reply)
        yield chosen.answer, chosen.candidate


def parts_matter(whole: Answer, *, least: float) -> bool:
    """Whether what is found for the parts of a message may change which drafts are shown or their order.

    That is where two things are surely asked, where a reply may reach `least` by them, or where two may be shown at all.

    Args:
        whole: what was found for the message.
        least: confidence below which nothing is given.
    """
    several = whole.question.several
    if whole.question.asks_several or several >= least:
        return True
    enough = (least - several) / (1 - several)  # for the whole, where a part is as sure as can be
    near = [one.confidence for one in whole.candidates[:2] if one.confidence >= enough]
    return len(near) == 2 or any(one < least for one in near)


def surely_asked(answers: Sequence[Answer]) -> Sequence[Answer]:
    """Gives the answers but for the parts of a message that only perhaps asks several things."""
    return answers if answers[0].question.asks_several else answers[:1]


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """A reply, the question it is offered for with how sure it is, and how sure it was for the whole and for each part."""

    answer: Answer
    candidate: Candidate
    is_head: bool  # the best for the whole
    of_whole: float
    of_parts: tuple[float, ...]


def _choices(whole: Answer, parts: Sequence[Answer], several: float) -> list[_Choice]:
    """Every candidate once, the whole's own order first, then by id. How sure: at least as for the whole, else as for the part if that is asked."""
    found = [{one.reply.id: one for one in answer.candidates} for answer in (whole, *parts)]
    own, *others = found
    choices = []
    for reply_id in dict.fromkeys([*own, *sorted({one for other in others for one in other})]):
        sure = [one[reply_id].confidence if reply_id in one else 0.0 for one in found]
        best = max(range(1, len(found)), key=lambda place: (sure[place], -place))
        mixed = several * sure[best] + (1 - several) * sure[0]
        offered = (whole, own[reply_id]) if sure[0] >= mixed else (parts[best - 1], found[best][reply_id]._replace(confidence=mixed))
        choices.append(_Choice(*offered, is_head=reply_id == next(iter(own), None), of_whole=sure[0], of_parts=tuple(sure[1:])))
    return choices


def _most_worth(choices: Sequence[_Choice], unanswered: Sequence[float], several: float) -> _Choice:
    """The choice of most worth; the first by reply id of equals."""

    def worth(one: _Choice) -> float:
        return several * max(sure * left for sure, left in zip(one.of_parts, unanswered, strict=True)) + (1 - several) * one.of_whole

    return min(choices, key=lambda one: (-worth(one), one.candidate.reply.id))


def unsendable_later(drafted: Iterable[tuple[ProvenReply, Suggestion] | None], confidences: Sequence[float]) -> Iterator[tuple[ProvenReply, Suggestion]]:
    """Gives the drafts in their order, but for one that cannot be sent: it comes after every later one that can and is surer.

    Args:
        drafted: as they are drafted, made when they are looked at; None for a candidate without a draft.
        confidences: of all candidates, in the same order.
    """
    held: list[tuple[ProvenReply, Suggestion]] = []
    for place, found in enumerate(drafted, start=1):
        surest = max(confidences[place:], default=0.0)
        if found is not None and found[1].sendable:
            yield found
        elif found is not None:
            held.append(found)
        yield from [one for one in held if one[1].confidence >= round(surest, 4)]
        held = [one for one in held if one[1].confidence < round(surest, 4)]


def without_complaints(answer: Answer) -> Answer:
    """Gives the answer without replies for somebody who complains: who only praises wants no apology."""
    return replace(answer, candidates=[one for one in answer.candidates if not one.reply.scenario.startswith("complaint.") and one.reply.tone != "upset"])


def in_tone(candidates: Sequence[Candidate], *, upset: float) -> list[Candidate]:
    """Gives them with the usual and the upset way to say the same in the order of the mood, whatever their scores; each place keeps its confidence.

    The ranker weighs tone among eighty signals; between the two nothing else is left to weigh.
    """
    found, pairs = list(candidates), twins(one.reply for one in candidates)
    is_upset = upset >= _UPSET
    places = {one.reply.id: place for place, one in enumerate(found)}
    for place, one in enumerate(candidates):
        later = places.get(pairs.get(one.reply.id, ""), -1)
        if later > place and (one.reply.tone == "upset") != is_upset:
            other = candidates[later]
            found[place], found[later] = other._replace(confidence=one.confidence), one._replace(confidence=other.confidence)
    return found
