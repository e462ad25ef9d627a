"""Two questions in one message, answered in one draft when both answers are sure and get along."""

from collections.abc import Sequence

from knowledge.records import ProvenReply
from suggest.choices import Answer, alike
from suggest.contract import Suggestion
from suggest.framing import ON_THEIR_OWN
from suggest.ranking import Candidate

_BOTH = 0.8  # least product of the two confidences; with the limits below, 42 of 46 such pairs of our labelled chats were right in both halves (D51)
_OWN = 0.3  # least probability of the reply's contact reason in its own question
Pair = tuple[tuple[Answer, Candidate], tuple[Answer, Candidate]]
# Two ways to make one trouble good: the customer takes one of them.
_REMEDIES = ("return.", "exchange", "warranty.repair", "logistics.damage", "logistics.lost", "logistics.wrong_item", "product.quality")


def sure_pair(answers: Sequence[Answer], *, threshold: float) -> Pair | None:
    """Gives each question's best reply, in the order asked, where one draft may hold both.

    Together they reach the threshold and leave little doubt, and the two do not contradict: of one contact reason under different conditions,
    and of two remedies, only one can be right.
    """
    if len(answers) != 3 or not all(answer.candidates for answer in answers):
        return None
    whole, *asked = answers
    (first, one), (second, other) = ((answer, answer.candidates[0]) for answer in asked)
    if one.confidence * other.confidence < max(threshold, _BOTH):  # what the joined draft is given as its confidence
        return None
    if whole.candidates[0].reply.id not in (one.reply.id, other.reply.id):
        return None
    if any(answer.question.scenarios.get(candidate.reply.scenario, 0.0) < _OWN for answer, candidate in ((first, one), (second, other))):
        return None
    return None if _at_odds(one.reply, other.reply) else ((first, one), (second, other))


def _at_odds(one: ProvenReply, other: ProvenReply) -> bool:
    if any(reply.scenario.startswith(ON_THEIR_OWN) for reply in (one, other)) or all(reply.scenario.startswith(_REMEDIES) for reply in (one, other)):
        return True
    return one.scenario == other.scenario or alike(one, other)


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
            "confidence": round(first.confidence * second.confidence, 4),
            "sendable": first.sendable and second.sendable,
            "verify": list(dict.fromkeys([*first.verify, *second.verify])),
            "evidence": list(evidence.values()),
            "attachments": list(attachments.values()),
            "auto_reply": False,  # a person reads before two answers go out
            "why": [said, *dict.fromkeys([*first.why, *second.why])],
        }
    )
