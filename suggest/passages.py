"""The best policy passages for a message, and the passages behind a draft, with the span that matters."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from indexes.lexical_index import lexical_terms
from indexes.snapshot import Snapshot
from knowledge.records import Article, Passage
from suggest.contract import EvidencePassage
from suggest.eligibility import Eligibility
from suggest.ranking import Candidate
from suggest.retrieval import Hits
from suggest.understanding import Understanding

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?|[^.\n]+\.(?=\s|$)")
_PER_DRAFT = 3
_N_PASSAGES = 3
# Parts of a passage's rank: nearness of words, its article's scenarios, and being cited by the likeliest replies.
_LEXICAL, _SCENARIO, _CITED = 0.5, 0.4, 0.5
_RELATED = 0.45  # an uncited passage is evidence only when it is this near to the question


def best_passages(
    question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, candidates: Sequence[Candidate], *, n_passages: int = _N_PASSAGES
) -> list[EvidencePassage]:
    """Gives the best passages in force for the question, at most one an article, best first, ties by id."""
    cited = _citation_votes(candidates)
    near = (hits.passages.dense + _LEXICAL * hits.passages.lexical).tolist()
    scored: list[tuple[float, str, Article, Passage]] = []
    for article in snapshot.shop.articles:
        rows = snapshot.article_passages[article.id]
        if not rows or not eligibility.of_article(article):
            continue
        row = max(rows, key=lambda one: (near[one], -one))
        scenario = max((question.scenarios.get(name, 0.0) for name in article.scenarios), default=0.0)
        score = near[row] + _SCENARIO * scenario + _CITED * cited.get(article.id, 0.0)
        scored.append((score, article.id, article, snapshot.shop.passages[row]))
    scored.sort(key=lambda found: (-found[0], found[1]))
    about = telling_terms([question.text])
    return [quote(passage, article, about) for _, _, article, passage in scored[:n_passages]]


def evidence_for(
    candidate: Candidate, draft_text: str, question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility
) -> list[EvidencePassage]:
    """Gives the passages behind a draft: the nearest of each cited article in force, else the nearest of the scenario's articles."""
    reply = candidate.reply
    cited = [article for article in snapshot.shop.articles if article.id in reply.cites and eligibility.of_article(article)]
    terms = set(lexical_terms(draft_text))
    chosen: list[tuple[Article, int]] = []
    for article in sorted(cited, key=lambda one: reply.cites.index(one.id)):
        chosen += _nearest([article], terms, hits, snapshot, least=-1.0)
    if not chosen:
        related = [one for one in snapshot.shop.articles if reply.scenario in one.scenarios and eligibility.of_article(one)]
        chosen = _nearest(related, terms, hits, snapshot, least=_RELATED)
    about = telling_terms([draft_text, question.text])
    return [quote(snapshot.shop.passages[row], article, about) for article, row in chosen[:_PER_DRAFT]]


def _nearest(articles: Sequence[Article], terms: set[str], hits: Hits, snapshot: Snapshot, *, least: float) -> list[tuple[Article, int]]:
    """The one passage of the articles that is nearest to question and draft together, if its cosine to the question is at least `least`."""
    rows = [(article, row) for article in articles for row in snapshot.article_passages[article.id] if hits.passages.dense[row] >= least]
    if not rows:
        return []
    return [max(rows, key=lambda found: (float(hits.passages.dense[found[1]]) + _overlap(terms, snapshot.passage_words[found[1]]), -found[1]))]


def telling_terms(texts: Iterable[str]) -> frozenset[str]:
    """Gives what sentences are compared by: the texts' lexical terms of more than one character."""
    return frozenset(term for text in texts for term in lexical_terms(text) if len(term) > 1)


def quote(passage: Passage, article: Article, about: frozenset[str]) -> EvidencePassage:
    """Gives the passage with its most telling sentence highlighted: the one that shares most terms with what it is about."""
    return EvidencePassage(
        article_id=article.id,
        passage_id=passage.id,
        title=article.title,
        heading=passage.heading,
        text=passage.text,
        highlights=_highlights(passage.text, about),
        effective_from=article.effective_from,
        effective_to=article.effective_to,
        source=article.source,
        audience=article.audience,
    )


def _citation_votes(candidates: Sequence[Candidate]) -> dict[str, float]:
    votes: dict[str, float] = {}
    for candidate in candidates[:3]:
        for article in candidate.reply.cites:
            votes[article] = max(votes.get(article, 0.0), candidate.confidence)
    return votes


def _overlap(terms: set[str], own: frozenset[str]) -> float:
    """Share of the passage's terms that the draft has too, 0 to 1."""
    return len(own & terms) / len(own) if own else 0.0


def _highlights(text: str, terms: frozenset[str]) -> list[tuple[int, int]]:
    sentences = _sentences(text)
    if not sentences or not terms:
        return []
    shared = np.array([len(terms & own) / (8 + end - start) ** 0.5 for start, end, own in sentences])
    best = int(shared.argmax())
    if shared[best] == 0:
        return []
    start, end, _ = sentences[best]
    start += len(text[start:end]) - len(text[start:end].lstrip(" -*\n\t"))
    return [(start, end)]


@lru_cache(maxsize=65_536)  # of the shops' own articles, not of what customers say
def _sentences(text: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    """Start, end and lexical terms of each sentence of a passage."""
    spans = [(match.start(), match.end()) for match in _SENTENCE.finditer(text) if match.group().strip()]
    return tuple((start, end, frozenset(lexical_terms(text[start:end]))) for start, end in spans)
