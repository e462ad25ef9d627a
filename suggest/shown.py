"""What of the pipeline's work the caller sees beside the drafts. Decides nothing."""

from collections.abc import Sequence

from suggest.choices import Answer
from suggest.contract import Abstention, ScenarioProbability, UnderstandingOut
from suggest.understanding import Understanding

_SHOWN_SCENARIOS = 3


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


def reasons_of(answers: Sequence[Answer], silent: Abstention | None) -> dict[str, object]:
    """Gives what a caller who asks for reasons is told besides: the nearest candidates before the threshold."""
    nearest = [{"reply_id": c.reply.id, "confidence": round(c.confidence, 4), "outcome": c.verdict.outcome.value} for c in answers[0].candidates[:5]]
    return {"nearest": nearest, "abstained": silent is not None, "n_eligible": len(answers[0].candidates)}
