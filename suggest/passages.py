"""The best policy passages for a message, and the passages behind a draft, with the span that matters."""

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from indexes.compiled import compiled
from indexes.lexical_index import lexical_terms
from indexes.snapshot import Snapshot
from knowledge.records import Article, Passage
from suggest.contract import EvidencePassage
from suggest.eligibility import Eligibility
from suggest.likeness import words_of
from suggest.ranking import Candidate
from suggest.retrieval import Hits
from suggest.traits import ArticleTraits, scenario_probabilities
from suggest.understanding import Understanding

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?|[^.\n]+\.(?=\s|$)")
_PER_DRAFT = 3
_N_PASSAGES = 3
# Parts of a passage's rank: nearness of words, its article's scenarios, and being cited by the likeliest replies.
_LEXICAL, _SCENARIO, _CITED = np.float32(0.5), np.float32(0.4), 0.5
_RELATED = 0.45  # an uncited passage is evidence only when it is this near to the question


def best_passages(
    question: Understanding,
    hits: Hits,
    snapshot: Snapshot,
    eligibility: Eligibility,
    candidates: Sequence[Candidate],
    traits: ArticleTraits,
    *,
    n_passages: int = _N_PASSAGES,
) -> list[EvidencePassage]:
    """Gives the best passages in force for the question, at most one an article, best first, ties by id."""
    if not traits.articles:
        return []
    probabilities = scenario_probabilities(question.scenarios, traits.names)
    scores, nearest = _by_article(hits.passages.dense, hits.passages.lexical, traits.starts, traits.scenarios, probabilities)
    for article_id, vote in _citation_votes(candidates).items():
        if article_id in traits.number:
            scores[traits.number[article_id]] += np.float32(_CITED * vote)
    about = telling_terms(question.text)
    found: list[EvidencePassage] = []
    for place in np.argsort(-scores, kind="stable").tolist():
        article = traits.articles[place]
        if eligibility.of_article(article):
            found.append(quote(snapshot.shop.passages[nearest[place]], article, about))
            if len(found) == n_passages:
                break
    return found


@compiled
def _by_article(dense: Values, lexical: Values, starts: Rows, scenarios: Rows, probabilities: Values) -> tuple[Values, Rows]:
    """Each article's rank before citations, and its nearest passage; passages stand article by article, the last article's end with them."""
    scores, nearest = np.empty(len(starts), dtype=np.float32), np.empty(len(starts), dtype=np.int64)
    for article in range(len(starts)):
        end = starts[article + 1] if article + 1 < len(starts) else len(dense)
        best = np.float32(-np.inf)
        for passage in range(starts[article], end):
            near = dense[passage] + _LEXICAL * lexical[passage]
            if near > best:
                best, nearest[article] = near, passage
        likeliest = np.float32(0.0)
        for scenario in scenarios[article]:
            if scenario < len(probabilities):
                likeliest = max(likeliest, probabilities[scenario])
        scores[article] = best + _SCENARIO * likeliest
    return scores, nearest


def evidence_for(
    candidate: Candidate, question: Understanding, hits: Hits, snapshot: Snapshot, eligibility: Eligibility, traits: ArticleTraits
) -> list[EvidencePassage]:
    """Gives the passages behind a draft: the nearest of each cited article in force, else the nearest of the scenario's articles."""
    reply = candidate.reply
    terms = words_of(reply)
    chosen: list[tuple[Article, int]] = []
    for article in (traits.by_id[name] for name in reply.cites if name in traits.by_id):
        if eligibility.of_article(article):
            chosen += _nearest([article], terms, hits, snapshot, least=-1.0)
    if not chosen:
        related = [one for one in traits.of_scenario.get(reply.scenario, ()) if eligibility.of_article(one)]
        chosen = _nearest(related, terms, hits, snapshot, least=_RELATED)
    about = _telling(terms) | telling_terms(question.text)
    return [quote(snapshot.shop.passages[row], article, about) for article, row in chosen[:_PER_DRAFT]]


def _nearest(articles: Sequence[Article], terms: frozenset[str], hits: Hits, snapshot: Snapshot, *, least: float) -> list[tuple[Article, int]]:
    """The one passage of the articles that is nearest to question and draft together, if its cosine to the question is at least `least`."""
    near: list[tuple[float, int, Article]] = []
    for article in articles:
        for row in snapshot.article_passages[article.id]:
            cosine = hits.passages.cosines[row]
            if cosine >= least:
                near.append((cosine + _overlap(terms, snapshot.passage_words[row]), -row, article))
    if not near:
        return []
    _, row, article = max(near, key=itemgetter(0, 1))
    return [(article, -row)]


@lru_cache(maxsize=256)  # every draft and passage of an answer is held against the same question
def telling_terms(text: str) -> frozenset[str]:
    """Gives what sentences are compared by: the text's lexical terms of more than one character."""
    return frozenset(term for term in lexical_terms(text) if len(term) > 1)


@lru_cache(maxsize=8_192)  # of replies
def _telling(terms: frozenset[str]) -> frozenset[str]:
    return frozenset(term for term in terms if len(term) > 1)


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


@lru_cache(maxsize=65_536)  # of replies and passages
def _overlap(terms: frozenset[str], own: frozenset[str]) -> float:
    """Share of the passage's terms that the draft has too, 0 to 1."""
    return len(own & terms) / len(own) if own else 0.0


def _highlights(text: str, terms: frozenset[str]) -> list[tuple[int, int]]:
    sentences = _sentences(text)
    if not sentences or not terms:
        return []
    shared = [len(terms & own) / (8 + end - start) ** 0.5 for start, end, own in sentences]
    most = max(shared)
    if most == 0:
        return []
    start, end, _ = sentences[shared.index(most)]
    start += len(text[start:end]) - len(text[start:end].lstrip(" -*\n\t"))
    return [(start, end)]


@lru_cache(maxsize=65_536)  # of the shops' own articles, not of what customers say
def _sentences(text: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    """Start, end and lexical terms of each sentence of a passage."""
    spans = [(match.start(), match.end()) for match in _SENTENCE.finditer(text) if match.group().strip()]
    return tuple((start, end, frozenset(lexical_terms(text[start:end]))) for start, end in spans)
