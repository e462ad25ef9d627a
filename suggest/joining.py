"""Two questions in one message, answered in one draft when both answers are sure and get along."""

from collections.abc import Sequence

from suggest.choices import Answer, alike
from suggest.contract import Suggestion
from suggest.ranking import Candidate

Pair = tuple[tuple[Answer, Candidate], tuple[Answer, Candidate]]
_ALONE = ("chat.", "complaint.", "safety")  # such an answer stands for itself


def sure_pair(answers: Sequence[Answer], *, threshold: float) -> Pair | None:
    """Gives each question's best reply, in the order asked, where one draft may hold both.

    Both reach the threshold, the message taken whole prefers one of them, and the two do not contradict: of one contact reason
    under different conditions only one can be right.
    """
    if len(answers) != 3 or not all(answer.candidates for answer in answers):
        return None
    whole, *asked = answers
    (first, one), (second, other) = ((answer, answer.candidates[0]) for answer in asked)
    if min(one.confidence, other.confidence) < threshold or whole.candidates[0].reply.id not in (one.reply.id, other.reply.id):
        return None
    if any(candidate.reply.scenario.startswith(_ALONE) for candidate in (one, other)):
        return None
    if one.reply.scenario == other.reply.scenario or alike(one.reply, other.reply):
        return None
    return (first, one), (second, other)


def merged(first: Suggestion, second: Suggestion, *, main_id: str, suggestion_id: str, language: str) -> Suggestion:
    """Gives one suggestion of two that carry the joined draft: the main one's, with the evidence and reasons of both and the confidence that both fit."""
    main = first if first.reply_id == main_id else second
    evidence = {passage.passage_id: passage for passage in (*first.evidence, *second.evidence)}
    attachments = {attachment.url: attachment for attachment in (*first.attachments, *second.attachments)}
    said = "answers both questions in one draft" if language == "en" else "两个问题合在一条里回答"
    return main.model_copy(
        update={
            "suggestion_id": suggestion_id,
            "reply_ids": [first.reply_id, second.reply_id],
            "confidence": min(first.confidence, second.confidence),
            "sendable": first.sendable and second.sendable,
            "verify": list(dict.fromkeys([*first.verify, *second.verify])),
            "evidence": list(evidence.values()),
            "attachments": list(attachments.values()),
            "auto_reply": False,  # a person reads before two answers go out
            "why": [said, *dict.fromkeys([*first.why, *second.why])],
        }
    )
