"""What a chat's drafts are worth against its labels: ir-measures' definitions, computed for all chats in one batch.

A chat met with silence has 0 everywhere. What is judged by an expert is listed in the labels; whatever else is offered counts as wrong and is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ir_measures

from knowledge.chats import BEST, Labels
from knowledge.script import same_words

DEPTH = 3
METRICS = ("success@1", "acceptable@1", "success@3", "acceptable@3", "nDCG@3", "passage_recall@3", "both_questions@3", "must_include", "must_not_include_kept")
UNJUDGED = ("hole@1", "hole@3")
_RANKED = {
    "success@1": ir_measures.Success(rel=BEST) @ 1,
    "acceptable@1": ir_measures.Success(rel=1) @ 1,
    "success@3": ir_measures.Success(rel=BEST) @ DEPTH,
    "acceptable@3": ir_measures.Success(rel=1) @ DEPTH,
    "nDCG@3": ir_measures.nDCG @ DEPTH,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one system offered for one chat, best first, and the text of its first draft where there are texts at all."""

    labels: Labels
    reply_ids: tuple[str, ...]
    article_ids: tuple[str, ...]
    first_text: str | None


def score(offers: Sequence[Offer]) -> list[dict[str, float]]:
    """Gives each chat's metrics in the order of the offers, [n_offers].

    A metric that does not apply to a chat is absent, not 0; a chat that should not be answered has none. All are in 0..1 but `hole@k`, which counts
    the unjudged drafts among the first k (0..k).

    Source: nDCG with linear gains, Järvelin & Kekäläinen 2002; success@k, the share of chats with one such reply among the first k, as ir-measures has it;
    hole@k as in mteb.
    """
    ranked = _ranked(offers)
    return [_others(offer) | ranked[row] if offer.labels.answerable else {} for row, offer in enumerate(offers)]


def _ranked(offers: Sequence[Offer]) -> list[dict[str, float]]:
    """One call for all chats: a call has a fixed cost of milliseconds. ir-measures leaves out a chat that has no labels, which is worth 0."""
    qrels = {str(row): dict(offer.labels.replies) for row, offer in enumerate(offers)}
    run = {str(row): {reply_id: float(-rank) for rank, reply_id in enumerate(offer.reply_ids)} for row, offer in enumerate(offers) if offer.reply_ids}
    scores = [dict.fromkeys(_RANKED, 0.0) for _ in offers]
    if any(qrels.values()) and run:
        names = {measure: name for name, measure in _RANKED.items()}
        for found in ir_measures.iter_calc(list(_RANKED.values()), qrels, run):
            scores[int(found.query_id)][names[found.measure]] = float(found.value)
    return scores


def _others(offer: Offer) -> dict[str, float]:
    labels, ids, text = offer.labels, offer.reply_ids, offer.first_text
    scores = {f"hole@{depth}": float(sum(one not in labels.replies for one in ids[:depth])) for depth in (1, DEPTH)}
    wanted = {article for article, grade in labels.articles.items() if grade == BEST}
    if wanted:  # recall as far as three passages can reach it
        scores["passage_recall@3"] = len(wanted & set(offer.article_ids[:DEPTH])) / min(len(wanted), DEPTH)
    if len([question for question in labels.questions if question]) == 2:
        scores["both_questions@3"] = float(all(any(one in question for one in ids[:DEPTH]) for question in labels.questions))
    if text is not None and ids and labels.replies.get(ids[0]) == BEST and labels.must_include:
        scores["must_include"] = float(all(said(piece, text) for piece in labels.must_include))
    if text is not None and labels.must_not_include:
        scores["must_not_include_kept"] = float(not any(said(piece, text) for piece in labels.must_not_include))
    return scores


def said(piece: str, text: str) -> bool:
    """Whether the text says it, in either script: labels are in the shop's, drafts in the customer's."""
    return piece in text or same_words(piece) in same_words(text)
