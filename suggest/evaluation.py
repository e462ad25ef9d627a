"""Offline evaluation: labelled chats through the very pipeline that the endpoint uses, against labels an expert gave.

A chat that should be answered and was met with silence counts as a miss; unjudged drafts count as wrong and are counted apart (hole@1, hole@3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.chats import BEST, LabelledChat
from knowledge.conditions import Outcome
from knowledge.records import ProvenReply
from suggest.contract import SuggestionResponse
from suggest.eligibility import Eligibility
from suggest.forbidden import ForbiddenTexts
from suggest.pipeline import Suggester, request_of
from suggest.scoring import Offer, score

_RESAMPLES = 1_000
Watcher = Callable[[LabelledChat, Eligibility], None]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A candidate before the threshold: how sure, and whether its condition holds («true») or could not be decided («unknown»)."""

    reply_id: str
    confidence: float
    outcome: str


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
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    heard: str = ""  # the likeliest scenario; empty where none was looked for
    drafts: tuple[str, ...] = ()  # the texts
    signals: Mapping[str, float] = field(default_factory=dict)  # each signal's part in the first draft's log-odds
    nearest: tuple[Nearest, ...] = ()
    mood: str = ""  # the likeliest emotion; empty where nobody listened
    threatens: bool = False  # heard to
    auto_reply: bool = False  # the first draft may go out unread
    ruled_out: tuple[str, ...] = ()  # replies the labels want and the order, as understood, does not allow

    @property
    def grade(self) -> int:
        """What the labels say of the first draft: 2 would send, 1 acceptable, 0 neither or silence."""
        return self.chat.labels.replies.get(self.reply_ids[0], 0) if self.reply_ids else 0


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
    def auto_replies(self) -> dict[str, Estimate]:
        """How many of all messages would be answered unread, and how many of those answers an expert would accept; an unanswerable message has none."""
        unread = [r for r in self.results if r.auto_reply]
        return {
            "auto_reply_precision": bootstrap(np.array([float(r.grade > 0) for r in unread]), []),
            "auto_reply_coverage": bootstrap(np.array([float(r.auto_reply) for r in self.results]), []),
        }

    @property
    def violations(self) -> list[str]:
        """Every text that must never be shown and was, as `chat: what`."""
        return [f"{result.chat.id}: {one}" for result in self.results for one in result.violations]


def evaluate(
    chats: Sequence[LabelledChat],
    suggester: Suggester,
    *,
    system: str,
    check: bool = True,
    watch: Watcher | None = None,
    on_chat: Callable[[], None] | None = None,
) -> Evaluation:
    """Runs every chat through the pipeline and scores it.

    Args:
        chats: labelled ones of the suggester's shop.
        suggester: the pipeline over one snapshot.
        system: what the evaluation is called in tables.
        check: whether what was shown is judged again from the records; without it there are no violations and nothing is watched.
        watch: hears each chat with what its order allows, so that baselines need not find it out once more.
        on_chat: called after each chat.
    """
    forbidden = ForbiddenTexts(suggester.snapshot.shop)
    replies = {reply.id: reply for reply in suggester.snapshot.shop.replies}
    results: list[ChatResult] = []
    offers: list[Offer] = []
    for chat in chats:
        response = _answer(chat, suggester)
        offers.append(_offer(chat, response))
        found: dict[str, Any] = {}
        if check:
            eligibility = suggester.judge(chat)
            found = {"violations": tuple(forbidden.among(response, eligibility)), "ruled_out": _ruled_out(chat, replies, eligibility)}
            if watch is not None:
                watch(chat, eligibility)
        results.append(_result(chat, response, found))
        if on_chat is not None:
            on_chat()
    return Evaluation(system, scored(results, offers))


def scored(results: Sequence[ChatResult], offers: Sequence[Offer]) -> tuple[ChatResult, ...]:
    """Gives the results with the scores of their offers."""
    for result, scores in zip(results, score(offers), strict=True):
        result.scores.update(scores)
    return tuple(results)


def bootstrap(values: npt.NDArray[np.float64], groups: Sequence[str], *, seed: int = 7) -> Estimate:
    """Gives the mean and its percentile interval; values of one group are drawn together (Efron & Tibshirani 1993, ch. 8)."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    names = np.array(groups if len(groups) else [str(i) for i in range(len(values))])
    index = np.unique(names, return_inverse=True)[1]
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index).astype(np.float64)
    drawn = _times_drawn(len(sums), seed)
    means = (drawn @ sums) / (drawn @ sizes)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


@lru_cache(maxsize=4)
def _times_drawn(n_groups: int, seed: int) -> npt.NDArray[np.float64]:
    """How often each group is in each resample, [_RESAMPLES, n_groups]: the same for every metric over the same chats."""
    drawn = np.random.default_rng(seed).integers(0, n_groups, size=(_RESAMPLES, n_groups))
    flat = (drawn + n_groups * np.arange(_RESAMPLES)[:, None]).ravel()
    return np.bincount(flat, minlength=_RESAMPLES * n_groups).reshape(_RESAMPLES, n_groups).astype(np.float64)


def _answer(chat: LabelledChat, suggester: Suggester) -> SuggestionResponse:
    """What the endpoint would answer. Where the first draft is not the one an expert would send, it is asked again for the reasons: they take longer."""
    response = suggester.suggest(request_of(chat), now=chat.now, request_id=chat.id)
    first = response.suggestions[0].reply_id if response.suggestions else ""
    if chat.labels.replies.get(first, 0) == BEST or (not first and not chat.labels.answerable):
        return response
    told = suggester.suggest(request_of(chat).model_copy(update={"debug": True}), now=chat.now, request_id=chat.id)
    return told.model_copy(update={"timings_ms": response.timings_ms})


def _offer(chat: LabelledChat, response: SuggestionResponse) -> Offer:
    return Offer(
        labels=chat.labels,
        reply_ids=tuple(dict.fromkeys(_offered(chat, response))),
        article_ids=tuple(passage.article_id for passage in response.passages),
        first_text=response.suggestions[0].text if response.suggestions else None,
    )


def _offered(chat: LabelledChat, response: SuggestionResponse) -> tuple[str, ...]:
    """The reply that each draft is judged by. One that joins two is worth what the lesser of them is: one wrong half makes it wrong."""
    grades = chat.labels.replies
    return tuple(min(one.reply_ids, key=lambda reply_id: (grades.get(reply_id, 0), reply_id)) for one in response.suggestions)


def _result(chat: LabelledChat, response: SuggestionResponse, found: dict[str, Any]) -> ChatResult:
    drafts = response.suggestions
    nearest = (response.debug or {}).get("nearest", [])
    return ChatResult(
        chat=chat,
        reply_ids=_offered(chat, response),
        confidences=tuple(one.confidence for one in drafts),
        abstained=response.abstained is not None,
        scores={},
        total_ms=response.timings_ms["total"],
        stages_ms=response.timings_ms,
        heard=response.understanding.scenarios[0].id if response.understanding.scenarios else "",
        mood=response.understanding.emotion,
        threatens=response.understanding.threatens,
        drafts=tuple(one.text for one in drafts),
        auto_reply=bool(drafts) and drafts[0].auto_reply,
        signals=(drafts[0].signals or {}) if drafts else {},
        nearest=tuple(Nearest(str(one["reply_id"]), float(one["confidence"]), str(one["outcome"])) for one in nearest),
        **found,
    )


def _ruled_out(chat: LabelledChat, replies: Mapping[str, ProvenReply], eligibility: Eligibility) -> tuple[str, ...]:
    best = sorted(one for one, grade in chat.labels.replies.items() if grade == BEST and one in replies)
    return tuple(one for one in best if eligibility.of_reply(replies[one]).outcome is Outcome.FALSE)
