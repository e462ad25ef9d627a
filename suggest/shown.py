"""What of the pipeline's work the caller sees beside the drafts. Decides nothing."""

import re
from collections.abc import Sequence

from suggest.choices import Answer
from suggest.contract import Abstention, ScenarioProbability, Suggestion, UnderstandingOut
from suggest.questions import asks
from suggest.understanding import Understanding

_SHOWN_SCENARIOS = 3
_NO_QUESTIONS = ("chat.", "complaint.")
_CARD = re.compile(r"[\[\]【】]")
_SURELY_ASKED = 0.6  # of the likeliest contact reason


def shown(understanding: Understanding) -> UnderstandingOut:
    """Gives what the response tells of what was heard."""
    least = sorted(understanding.scenarios.values())[-_SHOWN_SCENARIOS:][:1]  # of the likeliest: only those are sorted by name too
    near = [(-probability, name) for name, probability in understanding.scenarios.items() if [probability] >= least]
    return UnderstandingOut(
        scenarios=[ScenarioProbability(id=name, probability=round(-negative, 4)) for negative, name in sorted(near)[:_SHOWN_SCENARIOS]],
        emotion=understanding.emotion,
        threatens=understanding.threatens,
        language=understanding.language,
        products=list(understanding.products),
        questions=[question.text for question in understanding.questions] or [understanding.text],
    )


def telling_what_is_open(suggestions: Sequence[Suggestion], asked: Sequence[Answer], *, least: float, language: str) -> list[Suggestion]:
    """Gives the drafts; the first one's `why` ends with the questions that none of them answers, for an agent who sends it would leave them out.

    Args:
        suggestions: the drafts.
        asked: what was found for the message, then for each thing that it surely asks.
        least: confidence from which a reply answers a question.
        language: of the shop.
    """
    left = [part.question.text for part in asked[1:] if _is_open(part, suggestions, least)]
    if not suggestions or not left:
        return list(suggestions)
    first, *others = suggestions
    note = "not answered: " + "; ".join(left) if language == "en" else "还没答到：" + "；".join(left)
    return [first.model_copy(update={"why": [*first.why, note]}), *others]


def _is_open(part: Answer, suggestions: Sequence[Suggestion], least: float) -> bool:
    """Whether a thing that is asked is surely of another matter than all drafts, and none of them is sure to answer it.

    Anger is no question, nor is what only tells how things stand, nor a shred of a console's card.
    """
    if not asks(part.question.text) or _CARD.search(part.question.text):
        return False
    offered, matters = {name for one in suggestions for name in one.reply_ids}, {one.scenario for one in suggestions}
    matter = part.question.top_scenario
    if matter in matters or matter.startswith(_NO_QUESTIONS) or part.question.scenarios.get(matter, 0.0) < _SURELY_ASKED:
        return False
    return not any(one.confidence >= least and one.reply.id in offered for one in part.candidates)


def reasons_of(answers: Sequence[Answer], silent: Abstention | None) -> dict[str, object]:
    """Gives what a caller who asks for reasons is told besides: the nearest candidates before the threshold."""
    nearest = [{"reply_id": c.reply.id, "confidence": round(c.confidence, 4), "outcome": c.verdict.outcome.value} for c in answers[0].candidates[:5]]
    return {"nearest": nearest, "abstained": silent is not None, "n_eligible": len(answers[0].candidates)}
