"""Which candidates become drafts when a message asks several things: each question's best in its turn, and no two alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.records import ProvenReply
from suggest.contract import Suggestion
from suggest.likeness import variants
from suggest.ranking import Candidate
from suggest.retrieval import Hits
from suggest.understanding import Understanding

_UPSET = 0.5  # of the probability that they are upset or angry


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates and hits of one question."""

    question: Understanding
    hits: Hits
    candidates: list[Candidate]


def in_turn(answers: Sequence[Answer], *, least: float = 0.0) -> Iterator[tuple[Answer, Candidate]]:
    """Gives each reply once that is at least so sure. One question: its own order.

    Several: the best for the whole, the best for each, then the next for the least sure of them.

    A second choice is of use where the first may be wrong.
    """
    given: set[str] = set()
    whole, *separate = answers
    heads = sorted(((a, a.candidates[0]) for a in separate if a.candidates), key=lambda head: (-head[1].confidence, head[1].reply.id))
    rest = [(a, c) for a in answers for c in a.candidates if c.confidence >= least]
    rest.sort(key=lambda found: (-found[1].confidence, found[1].reply.id))
    doubtful = [(heads[-1][0], c) for c in heads[-1][0].candidates[1:2]] if heads else []
    for answer, candidate in [*((whole, c) for c in whole.candidates[:1]), *heads, *doubtful, *rest]:
        if candidate.reply.id not in given:
            given.add(candidate.reply.id)
            if candidate.confidence >= least:
                yield answer, candidate


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
    """Gives them with the calm and the upset way to say the same in the order of the mood, whatever their scores; each place keeps its confidence.

    The ranker weighs tone among eighty signals; between the two nothing else is left to weigh.
    """
    found = list(candidates)
    meant, other = ("upset", "calm") if upset >= _UPSET else ("calm", "upset")
    for place, one in enumerate(found):
        if one.reply.tone == other:
            later = (n for n in range(place + 1, len(found)) if found[n].reply.tone == meant and variants(one.reply, found[n].reply))
            if (twin := next(later, None)) is not None:
                found[place], found[twin] = found[twin]._replace(confidence=one.confidence), one._replace(confidence=found[twin].confidence)
    return found
