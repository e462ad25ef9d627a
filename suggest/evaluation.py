"""Offline evaluation: labelled chats through the very pipeline that the endpoint uses, against labels an expert gave.

A chat that should be answered and was met with silence counts as a miss; unjudged drafts count as wrong and are counted apart (hole@3).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ir_measures
import numpy as np
import numpy.typing as npt

from indexes.snapshot import Snapshot
from knowledge.chats import BEST, LabelledChat
from knowledge.conditions import Outcome, Verdict
from knowledge.facts import FactTree
from knowledge.records import ProvenReply
from knowledge.templates import literal_words
from suggest.contract import SuggestionResponse
from suggest.eligibility import Eligibility
from suggest.pipeline import Suggester, request_of
from suggest.understanding import Understanding

_DEPTH = 3
_RESAMPLES = 1_000
_RAW_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}|(?<![A-Za-z])(?:None|nan)(?![A-Za-z])")
_LEAK_CHARS = {"zh": 14, "en": 48}  # this many characters of an internal article in a draft are no coincidence

METRICS = ("success@1", "acceptable@1", "success@3", "acceptable@3", "nDCG@3", "passage_recall@3", "both_questions@3", "must_include", "must_not_include_kept")


@dataclass(frozen=True, slots=True)
class ChatResult:
    """What one chat got. A metric that does not apply to the chat is absent, not 0."""

    chat: LabelledChat
    reply_ids: tuple[str, ...]
    confidences: tuple[float, ...]
    abstained: bool
    scores: dict[str, float]
    violations: tuple[str, ...] = ()
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% bootstrap interval; conversations, not chats, are resampled."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All results of one system on one set of chats."""

    system: str
    results: tuple[ChatResult, ...]
    extra: dict[str, float] = field(default_factory=dict)

    def estimate(self, metric: str, *, where: Callable[[LabelledChat], bool] = lambda _: True) -> Estimate:
        """Gives the metric over the chats it applies to."""
        kept = [result for result in self.results if metric in result.scores and where(result.chat)]
        values = np.array([result.scores[metric] for result in kept])
        return bootstrap(values, [result.chat.contrast_group or result.chat.id for result in kept])

    @property
    def abstention(self) -> dict[str, Estimate]:
        """How often silence met the unanswerable (good) and the answerable (bad)."""
        return {
            name: bootstrap(np.array([float(r.abstained) for r in self.results if r.chat.labels.answerable is answerable]), [])
            for name, answerable in (("unanswerable_abstained", False), ("answerable_abstained", True))
        }

    @property
    def violations(self) -> list[str]:
        """Every text that must never be shown and was, as `chat: what`."""
        return [f"{result.chat.id}: {one}" for result in self.results for one in result.violations]


def evaluate(chats: Sequence[LabelledChat], suggester: Suggester, *, system: str, on_chat: Callable[[], None] | None = None) -> Evaluation:
    """Runs every chat through the pipeline and scores it."""
    results = []
    for chat in chats:
        response = suggester.suggest(request_of(chat), now=chat.now, request_id=chat.id)
        results.append(_result(chat, response, suggester))
        if on_chat is not None:
            on_chat()
    return Evaluation(system, tuple(results))


def evaluate_bm25(chats: Sequence[LabelledChat], snapshot: Snapshot) -> Evaluation:
    """The baseline that most tools are: BM25 of the message over the triggers, no order, no abstention."""
    triggers = snapshot.key_is_trigger
    results = []
    for chat in chats:
        scores = np.where(triggers, snapshot.key_terms.scores(chat.message), 0.0)
        best = np.zeros(len(snapshot.shop.replies))
        np.maximum.at(best, snapshot.key_reply_rows, scores)
        order = [int(row) for row in np.lexsort((np.arange(len(best)), -best))[:_DEPTH] if best[row] > 0]
        ids = tuple(snapshot.shop.replies[row].id for row in order)
        passages = snapshot.passage_terms.search(chat.message, n_rows=10).rows
        articles = list(dict.fromkeys(snapshot.shop.passages[row].article_id for row in passages))[:_DEPTH]
        results.append(ChatResult(chat, ids, (), not ids, _scores(chat, ids, articles, first_text=None)))
    return Evaluation("BM25 on triggers", tuple(results))


class UnconditionalSuggester(Suggester):
    """The same pipeline, blind to the order: every condition counts as true. For comparison only."""

    def _eligibility(self, facts: FactTree, understanding: Understanding, now: object) -> Eligibility:
        usual = super()._eligibility(facts, understanding, now)  # type: ignore[arg-type]
        return _Everything(usual.circumstances)


class _Everything(Eligibility):
    def of_reply(self, reply: ProvenReply) -> Verdict:
        del reply
        return Verdict(Outcome.TRUE)


def bootstrap(values: npt.NDArray[np.float64], groups: Sequence[str], *, seed: int = 7) -> Estimate:
    """Gives the mean and its percentile interval; values of one group are drawn together (Efron & Tibshirani 1993, ch. 8)."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    names = np.array(groups if len(groups) else [str(i) for i in range(len(values))])
    index = np.unique(names, return_inverse=True)[1]
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(_RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def _result(chat: LabelledChat, response: SuggestionResponse, suggester: Suggester) -> ChatResult:
    ids = tuple(one.reply_id for one in response.suggestions)
    articles = [passage.article_id for passage in response.passages]
    first = response.suggestions[0].text if response.suggestions else None
    return ChatResult(
        chat=chat,
        reply_ids=ids,
        confidences=tuple(one.confidence for one in response.suggestions),
        abstained=response.abstained is not None,
        scores=_scores(chat, ids, articles, first_text=first),
        violations=tuple(_violations(chat, response, suggester)),
        total_ms=response.timings_ms["total"],
    )


def _scores(chat: LabelledChat, ids: Sequence[str], articles: Sequence[str], *, first_text: str | None) -> dict[str, float]:
    labels = chat.labels
    if not labels.answerable:
        return {}
    grades = [labels.replies.get(reply_id, 0) for reply_id in ids[:_DEPTH]]
    scores = {
        "success@1": float(bool(grades) and grades[0] == BEST),
        "acceptable@1": float(bool(grades) and grades[0] > 0),
        "success@3": float(BEST in grades),
        "acceptable@3": float(any(grades)),
        "nDCG@3": _ndcg(labels.replies, ids),
        "hole@3": float(sum(grade == 0 for grade in grades)),
    }
    wanted = {article for article, grade in labels.articles.items() if grade == BEST}
    if wanted:
        scores["passage_recall@3"] = len(wanted & set(articles[:_DEPTH])) / min(len(wanted), _DEPTH)
    if len([question for question in labels.questions if question]) == 2:
        scores["both_questions@3"] = float(all(any(one in question for one in ids[:_DEPTH]) for question in labels.questions))
    if first_text is not None and grades and grades[0] == BEST and labels.must_include:
        scores["must_include"] = float(all(piece in first_text for piece in labels.must_include))
    if first_text is not None and labels.must_not_include:
        scores["must_not_include_kept"] = float(not any(piece in first_text for piece in labels.must_not_include))
    return scores


def _ndcg(relevance: dict[str, int], ids: Sequence[str]) -> float:
    """nDCG@3 with linear gains, by ir-measures (Järvelin & Kekäläinen 2002); 0 when nothing was offered."""
    if not relevance or not ids:
        return 0.0
    qrels = {"q": dict(relevance)}
    run = {"q": {reply_id: float(-rank) for rank, reply_id in enumerate(ids)}}
    return float(ir_measures.calc_aggregate([ir_measures.nDCG @ _DEPTH], qrels, run)[ir_measures.nDCG @ _DEPTH])


def _violations(chat: LabelledChat, response: SuggestionResponse, suggester: Suggester) -> list[str]:
    """Judged again from the records, apart from the pipeline's own filter."""
    shop = suggester.snapshot.shop
    replies = {reply.id: reply for reply in shop.replies}
    internal = [article.body for article in shop.articles if article.audience == "internal"]
    eligibility = suggester.judge(chat)
    found = []
    for one in response.suggestions:
        reply = replies.get(one.reply_id)
        if reply is None or reply.status != "approved":
            found.append(f"{one.reply_id} is not approved")
        elif eligibility.of_reply(reply).outcome is Outcome.FALSE:
            found.append(f"{one.reply_id} is not eligible for this order or day")
        written = " ".join(literal_words(source) for source in reply.templates().values()) if reply else ""
        if any(raw.group() not in written for raw in _RAW_TEMPLATE.finditer(one.text)):
            found.append(f"{one.reply_id} shows raw template text")
        width = _LEAK_CHARS[shop.store.language[:2]]
        if any(piece in body and piece not in written for piece in _windows(one.text, width) for body in internal):
            found.append(f"{one.reply_id} quotes an internal article")
    return found


def _windows(text: str, width: int) -> list[str]:
    return [text[i : i + width] for i in range(len(text) - width + 1)]
