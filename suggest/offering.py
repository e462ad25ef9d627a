"""What a drafted candidate looks like to the caller, and whether it may be sent as it is."""

import hashlib

from knowledge.conditions import Outcome
from suggest.contract import EvidencePassage, Suggestion, SuggestionRequest
from suggest.drafting import Draft
from suggest.ranking import Candidate
from suggest.reasons import reasons
from suggest.understanding import Understanding

_BLOCKING_WARNINGS = frozenset(
    {"over_authority", "missing_fact", "banned_phrase", "untraceable", "off_platform", "personal_data", "absolute_claim", "efficacy_claim"}
)


def key_of_request(request: SuggestionRequest, request_id: str, snapshot_id: str) -> str:
    """Gives what is the same for the same request to the same snapshot, however many drafts are wanted: 64 hexadecimal digits."""
    return hashlib.sha256(f"{snapshot_id}/{request_id}/{request.model_dump_json(exclude={'top_k', 'debug'})}".encode()).hexdigest()


def suggestion_of(
    candidate: Candidate, draft: Draft, evidence: list[EvidencePassage], question: Understanding,
    *, own: bool, language: str, request_key: str, signals: dict[str, float] | None,
) -> Suggestion:  # fmt: skip
    """Gives the suggestion, as the first one and to be read by a person; its place and whether a machine may send it are known later.

    Args:
        candidate: the reply and how sure it is.
        draft: its words.
        evidence: passages behind them.
        question: what it answers.
        own: whether it is within the authority of whoever answers.
        language: of the shop.
        request_key: the same for the same request to the same snapshot.
        signals: each signal's part in the confidence, where it is asked for.
    """
    reply = candidate.reply
    blocked = any(warning.code in _BLOCKING_WARNINGS for warning in draft.warnings)
    return Suggestion(
        suggestion_id=hashlib.sha256(f"{request_key}/{reply.id}".encode()).hexdigest()[:20],
        reply_id=reply.id,
        reply_ids=[reply.id],
        rank=1,
        scenario=reply.scenario,
        text=draft.text,
        parts=draft.parts,
        confidence=round(candidate.confidence, 4),
        sendable=candidate.verdict.outcome is Outcome.TRUE and own and not blocked,
        missing=list(draft.missing),
        verify=list(candidate.verdict.verify),
        warnings=list(draft.warnings),
        evidence=evidence,
        attachments=list(reply.attachments),
        auto_reply=False,
        why=reasons(candidate, question, language=language, own=own, answered=draft.answered),
        signals=signals,
    )
