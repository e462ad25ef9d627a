"""The path of a message: understand → retrieve → rank → draft. The endpoint and the evaluation call the same object.

To follow one message, read `Suggester.suggest` and the five it calls.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from indexes.embedder import Embedder
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.conversation import praises
from knowledge.errors import InvalidTemplate
from knowledge.facts import FactTree, compute_facts
from knowledge.formats import FactWriter
from knowledge.records import ProvenReply
from knowledge.script import Script, script_of
from suggest.answered import NOTHING, answered_in
from suggest.choices import Answer, in_tone, in_turn, parts_matter, surely_asked, unsendable_later, without_complaints
from suggest.contract import EvidencePassage, Suggestion, SuggestionRequest, SuggestionResponse
from suggest.drafting import Draft, Drafter
from suggest.eligibility import Circumstances, Eligibility
from suggest.escalation import beyond_authority, escalation, within_authority
from suggest.joining import merged, sure_pair
from suggest.likeness import alike
from suggest.moves import Moves
from suggest.offering import key_of_request, suggestion_of
from suggest.order_state import order_signs
from suggest.passages import best_passages, evidence_for
from suggest.proactive import Unasked, as_if_asked, nothing_heard, said_unasked, unasked
from suggest.ranking import Candidate, Ranker, rank
from suggest.reasons import abstention
from suggest.recommending import for_the_same_person
from suggest.retrieval import Hits, retrieve
from suggest.shown import reasons_of, shown, telling_what_is_open
from suggest.signals import SignalTable, signal_table
from suggest.suited import Suited, alarm_said, as_danger
from suggest.timings import StageTimings
from suggest.traits import ArticleTraits, ReplyTraits
from suggest.understanding import MessageReader, Understanding
from suggest.unread import unread_marked
from suggest.very_words import in_very_words

_log = logging.getLogger("huashu.pipeline")


class Suggester:
    """One shop's pipeline over one snapshot. Stateless between requests; safe from several threads.

    Where the snapshot carries models of its own, those are used in the place of the ones passed: an index is only searched by what made it.
    """

    def __init__(self, snapshot: Snapshot, *, embedder: Embedder, reader: MessageReader, ranker: Ranker, min_confidence: float | None = None) -> None:
        self.snapshot = snapshot
        target = snapshot.shop.store.confidence
        self.threshold = ranker.threshold(target.precision) if min_confidence is None else min_confidence
        self.auto_reply_threshold = max(self.threshold, ranker.unread_threshold(target.auto_reply_precision))
        own = snapshot.adapted
        self.embedder = own.embedder if own else embedder
        self._reader, self._ranker = reader.listening_with(own.needs) if own else reader, ranker
        self._catalogue = snapshot.shop.catalogue()
        self._traits, self._articles = ReplyTraits(snapshot), ArticleTraits(snapshot)
        self._store_facts = snapshot.shop.store.model_dump()
        self._moves = Moves(snapshot, self._catalogue)
        script_of(["说"])  # its tables too

    def suggest(self, request: SuggestionRequest, *, now: datetime, request_id: str) -> SuggestionResponse:
        """Gives ranked drafts, or the reason for silence; without a message, what the order gives reason to write of.

        The same snapshot and request give the same answer, timings aside.
        """
        store, timings = self.snapshot.shop.store, StageTimings()
        with timings.stage("understand"):
            understanding, facts = self._understand(request, now)
            eligibility = self._eligibility(request, facts, understanding, now)
            happened = None if request.has_message else unasked(self.snapshot, self._traits.gates, eligibility, facts)
            handed_over = escalation(understanding, facts, history=request.history, store=store) if request.has_message else None
        if happened is None:
            answers = self._answers(request, understanding, facts, eligibility, timings, handed_over=handed_over is not None)
        else:
            answers = [self._answer_unasked(happened, facts, timings)]
        with timings.stage("draft"):
            writer = FactWriter(now=now, timezone=store.timezone, language=store.language, currency=facts["order"].get("currency", store.currency))
            drafter = self._drafter(request, facts, answers[0].question, writer)
            key = key_of_request(request, request_id, self.snapshot.manifest.snapshot_id)
            suggestions, degraded = self._drafts(answers, drafter, eligibility, facts, request_key=key, request=request)
            asked = surely_asked(answers)
            suggestions = telling_what_is_open(suggestions, asked, least=self.threshold, language=store.language)
            passages = self._passages(asked, eligibility)
        moves = (
            self._moves.unasked(happened, facts)
            if happened
            else self._moves.on_message(asked, suggestions, facts, request.history, handed_over, writer, drafter)
        )
        if happened is None and not understanding.parts:  # where two things may be asked, a person reads
            suggestions = unread_marked(
                suggestions, self.snapshot, answers[0], request, escalated=moves["escalate"] is not None, least=self.auto_reply_threshold
            )
        silent = abstention(understanding, answers[0].candidates, self.threshold, store.language, answered=drafter.answered) if not suggestions else None
        return SuggestionResponse(
            request_id=request_id,
            snapshot_id=self.snapshot.manifest.snapshot_id,
            model=self.snapshot.manifest.model_id,
            degraded=degraded,
            timings_ms=timings.rounded(),
            understanding=shown(understanding) if happened is None else nothing_heard(happened, language=store.language),
            suggestions=suggestions if happened is None else said_unasked(suggestions, happened, language=store.language),
            passages=passages if answers[0].question.readings[0].has_words else [],
            abstained=silent,
            debug=reasons_of(asked, silent) if request.debug else None,
            **moves,
        )

    def _answers(
        self, request: SuggestionRequest, understanding: Understanding, facts: FactTree, eligibility: Eligibility, timings: StageTimings, *, handed_over: bool
    ) -> list[Answer]:
        """The candidates for the message and for each thing it may ask, none for another person, another mood, or above this one's authority.

        Where somebody is in danger and no reply for that is sure, nothing else is answered either.
        """
        suited = Suited.of(understanding, alarm_said(understanding, self.snapshot.shop.store), facts, request.history)
        answers = [self._answer(understanding, facts, eligibility, timings, suited)]
        in_danger = suited.leads is not None and not (answers[0].candidates and answers[0].candidates[0].confidence >= self.threshold)
        if understanding.parts and not in_danger and parts_matter(answers[0], least=self.threshold):
            answers += [self._answer(part, facts, eligibility, timings, suited.aside()) for part in understanding.parts]
        answers = [for_the_same_person(one, request.history) for one in answers]
        if praises(request.message):
            answers = [without_complaints(one) for one in answers]
        if handed_over:  # who hands over anyway sees a lead's replies too
            return answers
        return [within_authority(one, self.snapshot.shop.store, role=facts["agent"].get("role", "agent")) for one in answers]

    def _drafter(self, request: SuggestionRequest, facts: FactTree, question: Understanding, writer: FactWriter) -> Drafter:
        """What the drafts of a request share."""
        return Drafter(
            store=self.snapshot.shop.store, store_facts=self._store_facts, facts=facts, history=request.history, understanding=question, writer=writer,
            channel=request.channel, script=self._script(request), catalogue=self._catalogue,
            answered=answered_in(request.history, request.message) if request.has_message else NOTHING,
        )  # fmt: skip

    def _script(self, request: SuggestionRequest) -> Script | None:
        """The script that the customer writes, by the message, else by what they wrote before; None where the shop does not follow."""
        store = self.snapshot.shop.store
        if store.language == "en" or not store.style.follow_script:
            return None
        return script_of([request.message, *(turn.text for turn in reversed(request.history) if turn.role == "customer")])

    def _answer_unasked(self, happened: Unasked, facts: FactTree, timings: StageTimings) -> Answer:
        """The event's replies as if the customer had asked in the first one's own phrase: that leads to the passages behind it."""
        reply = happened.candidates[0].reply
        phrase = reply.triggers[0] if reply.triggers else reply.scenario
        with timings.stage("retrieve"):
            asked = as_if_asked(self._reader.understand(phrase, (), self._catalogue, signs=order_signs(facts)), reply.scenario)
            return Answer(asked, retrieve(asked, self.snapshot, self.embedder), happened.candidates)

    def judge(self, chat: LabelledChat) -> Eligibility:
        """Gives what may be used for a labelled chat, judged anew, for checking drafts."""
        request = request_of(chat)
        understanding, facts = self._understand(request, chat.now)
        return self._eligibility(request, facts, understanding, chat.now)

    def signals(self, chat: LabelledChat) -> SignalTable:
        """Gives the signals of a labelled chat's candidates, for fitting the ranker on exactly what it will see; the chat's own conversation has no vote."""
        request = request_of(chat)
        understanding, facts = self._understand(request, chat.now)
        eligibility = self._eligibility(request, facts, understanding, chat.now)
        hits = retrieve(understanding, self.snapshot, self.embedder, left_out={chat.conversation})
        return signal_table(understanding, hits, self.snapshot, eligibility, self._traits, tier=str(facts["customer"].get("tier", "")))

    def retrieved(self, chat: LabelledChat) -> tuple[list[tuple[Understanding, Hits]], Eligibility]:
        """Gives what is found for each question of a labelled chat, the whole message first, and what the order allows."""
        request = request_of(chat)
        understanding, facts = self._understand(request, chat.now)
        eligibility = self._eligibility(request, facts, understanding, chat.now)
        return [(question, retrieve(question, self.snapshot, self.embedder)) for question in (understanding, *understanding.questions)], eligibility

    def _understand(self, request: SuggestionRequest, now: datetime) -> tuple[Understanding, FactTree]:
        """What is meant, and the facts with what was heard among them: each needs the other's half."""
        facts = self.facts(request, now)
        understanding = self._reader.understand(request.message, request.history, self._catalogue, signs=order_signs(facts))
        understanding = as_danger(understanding, alarm_said(understanding, self.snapshot.shop.store))
        facts["message"] = understanding.condition_facts() if request.has_message else {}
        return understanding, facts

    def facts(self, request: SuggestionRequest, now: datetime) -> FactTree:
        """Gives the facts of the order and the people, computed ones included."""
        said = [request.message, *(turn.text for turn in reversed(request.history))]
        return compute_facts(
            order=request.order, customer=request.customer, agent=request.agent, now=now,
            store=self.snapshot.shop.store, catalogue=self._catalogue, said=said,
        )  # fmt: skip

    def _eligibility(self, request: SuggestionRequest, facts: FactTree, understanding: Understanding, now: datetime) -> Eligibility:
        said = [request.message, *(turn.text for turn in request.history if turn.role == "customer")]
        circumstances = Circumstances.of(
            facts, now=now, timezone=self.snapshot.shop.store.timezone, mentioned=understanding.products, catalogue=self._catalogue,
            mentioned_before=understanding.products_before, said=said, asked=next((t.text for t in request.history[-1:] if t.role == "agent"), ""),
        )  # fmt: skip
        return Eligibility(circumstances, self._traits.gates)

    def _answer(self, question: Understanding, facts: FactTree, eligibility: Eligibility, timings: "StageTimings", suited: Suited) -> Answer:
        with timings.stage("retrieve"):
            hits = retrieve(question, self.snapshot, self.embedder)
        with timings.stage("rank"):
            tier = str(facts["customer"].get("tier", ""))
            candidates = rank(question, hits, self.snapshot, eligibility, self._ranker, self._traits, tier=tier, unfit=suited.unfit)
        return Answer(question, hits, in_tone(in_very_words(candidates, question), upset=question.upset))

    def _drafts(
        self, answers: list[Answer], drafter: Drafter, eligibility: Eligibility, facts: FactTree, *, request_key: str, request: SuggestionRequest
    ) -> tuple[list[Suggestion], list[str]]:
        """The first `top_k` drafts above the threshold, no two alike, and what failed. `top_k` only says when to stop: it never reorders."""
        degraded: list[str] = []
        if not answers[0].question.readings[0].has_words:
            return [], degraded
        joined = self._joined(surely_asked(answers), drafter, eligibility, facts, request_key=request_key, request=request)
        chosen = [joined] if joined is not None else []
        given: list[ProvenReply] = []
        turns = list(in_turn(answers, least=self.threshold))
        drafted = self._drafted(turns, drafter, eligibility, facts, degraded, request_key=request_key, debug=request.debug)
        for reply, suggestion in unsendable_later(drafted, [candidate.confidence for _, candidate in turns]):
            if not any(alike(reply, other) for other in given):
                given.append(reply)
                chosen.append(suggestion.model_copy(update={"rank": len(chosen) + 1}))
            if len(chosen) >= request.top_k:  # before the next one is drafted
                break
        return chosen[: request.top_k], degraded

    def _drafted(
        self, turns: Sequence[tuple[Answer, Candidate]], drafter: Drafter, eligibility: Eligibility, facts: FactTree, degraded: list[str],
        *, request_key: str, debug: bool,
    ) -> Iterator[tuple[ProvenReply, Suggestion] | None]:  # fmt: skip
        """Each candidate's draft when it is asked for, None where it says nothing; what failed is added to `degraded`."""
        for answer, candidate in turns:
            try:
                draft = drafter.draft(candidate)
            except InvalidTemplate:
                _log.warning("draft.failed", extra={"reply_id": candidate.reply.id})
                degraded[:] = ["draft_failed"]
                draft = None
            if draft is None or not draft.text:
                yield None
                continue
            evidence = evidence_for(candidate, answer.question, answer.hits, self.snapshot, eligibility, self._articles)
            yield candidate.reply, self._suggestion(candidate, draft, evidence, facts, answer.question, request_key=request_key, debug=debug)

    def _joined(
        self, answers: Sequence[Answer], drafter: Drafter, eligibility: Eligibility, facts: FactTree, *, request_key: str, request: SuggestionRequest
    ) -> Suggestion | None:
        """One draft for both questions, where both answers are sure and it could be sent as it is; the drafts of each stay below it."""
        pair = sure_pair(answers, threshold=self.threshold)
        if pair is None:
            return None
        (_, one), (_, other) = pair
        try:
            draft = drafter.joined(one, other)
        except InvalidTemplate:
            return None  # the one at fault is logged when its own draft fails
        if draft is None:
            return None
        singles = []
        for answer, candidate in pair:
            evidence = evidence_for(candidate, answer.question, answer.hits, self.snapshot, eligibility, self._articles)
            singles.append(self._suggestion(candidate, draft, evidence, facts, answer.question, request_key=request_key, debug=request.debug))
        if not all(single.sendable for single in singles):
            return None
        both = hashlib.sha256(f"{request_key}/{one.reply.id}+{other.reply.id}".encode()).hexdigest()[:20]
        main = answers[0].candidates[0].reply.id
        return merged(*singles, main_id=main, suggestion_id=both, language=self.snapshot.shop.store.language)

    def _suggestion(
        self, candidate: Candidate, draft: Draft, evidence: list[EvidencePassage], facts: FactTree, question: Understanding,
        *, request_key: str, debug: bool,
    ) -> Suggestion:  # fmt: skip
        return suggestion_of(
            candidate, draft, evidence, question, own=not beyond_authority(candidate.reply, self.snapshot.shop.store, role=facts["agent"].get("role", "agent")),
            language=self.snapshot.shop.store.language, request_key=request_key, signals=self._ranker.parts(candidate.signals) if debug else None,
        )  # fmt: skip

    def _passages(self, answers: Sequence[Answer], eligibility: Eligibility) -> list[EvidencePassage]:
        """The best passages of each question in turn, no article twice."""
        per_question = [best_passages(a.question, a.hits, self.snapshot, eligibility, a.candidates, self._articles) for a in answers[1:] or answers]
        seen: dict[str, EvidencePassage] = {}
        for depth in range(max(map(len, per_question), default=0)):
            for passages in per_question:
                if depth < len(passages):
                    seen.setdefault(passages[depth].article_id, passages[depth])
        return list(seen.values())[:3]


def request_of(chat: LabelledChat, *, top_k: int = 3) -> SuggestionRequest:
    """Gives the request that a console would have sent for the chat."""
    return SuggestionRequest(
        message=chat.message, history=chat.history, order=chat.order, customer=chat.customer, agent=chat.agent,
        channel=chat.channel, now=chat.now, top_k=top_k, store=chat.store, request_id=chat.id,
    )  # fmt: skip
