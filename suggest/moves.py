"""What to do beside answering: hand over, ask back, recommend, act. Each is decided by its own module; this is where they meet a request."""

from collections.abc import Sequence
from typing import TypedDict

from indexes.snapshot import Snapshot
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from suggest.answered import answered_in
from suggest.choices import Answer
from suggest.clarifying import clarifying_questions
from suggest.composition import bare, sentences_of
from suggest.contract import Escalation, NextAction, Recommendation, Suggestion
from suggest.drafting import Drafter
from suggest.escalation import asked_of_authority
from suggest.next_actions import NextActions, reasons_to_act
from suggest.proactive import Unasked
from suggest.recommending import Recommender, wanted
from suggest.told import asks_for


class MoveFields(TypedDict, total=False):
    """Fields of a response beside its drafts."""

    escalate: Escalation | None
    clarifying_questions: list[str]
    recommendations: list[Recommendation]
    next_actions: list[NextAction]


class Moves:
    """One shop's actions and catalogue, ready for many requests."""

    def __init__(self, snapshot: Snapshot, catalogue: ProductCatalogue) -> None:
        self._snapshot, self._store = snapshot, snapshot.shop.store
        self._actions = NextActions(self._store)
        self._recommender = Recommender(catalogue, snapshot, language=self._store.language)

    def on_message(
        self,
        answers: Sequence[Answer],
        suggestions: Sequence[Suggestion],
        facts: FactTree,
        history: Sequence[Turn],
        handed_over: Escalation | None,
        writer: FactWriter,
        drafter: Drafter,
    ) -> MoveFields:
        """Gives what a message and the drafts for it call for.

        Args:
            answers: what was found for the whole message and for each question in it.
            suggestions: the drafts.
            facts: of the order and the people.
            history: the turns before the message.
            handed_over: what its words alone call for.
            writer: of facts.
            drafter: of the drafts; knows what the customer has told, and writes as the customer writes.
        """
        understanding, role = answers[0].question, facts["agent"].get("role", "agent")
        offered = [reply for one in suggestions for name in one.reply_ids if (reply := self._snapshot.reply(name))]
        drafted = suggestions[0].scenario if suggestions else None
        need = wanted(understanding, facts, history, drafted=drafted)
        handed_over = handed_over or asked_of_authority(offered, self._store, role=role, writer=writer)
        words, told, in_script = drafter.said, drafter.told, drafter.written
        questions = clarifying_questions(
            understanding, answers[0].candidates, facts, need=need, said=words, silent=not suggestions, language=self._store.language
        )
        given = [one.told for one in answered_in(history, words[-1]).given]
        needless = {thing.action for thing in (*told, *given) if thing.action}
        asked = {bare(sentence) for turn in history if turn.role == "agent" for sentence in sentences_of(turn.text)}
        if handed_over is not None:
            holding = in_script(handed_over.holding_reply)
            said = asked.issuperset(map(bare, sentences_of(holding)))  # who was told that somebody comes is not told again
            handed_over = handed_over.model_copy(update={"holding_reply": "" if said else holding})
        return {
            "escalate": handed_over,
            "clarifying_questions": [
                in_script(one) for one in questions if not asked.issuperset(map(bare, sentences_of(one))) and not any(asks_for(thing, one) for thing in told)
            ],
            "recommendations": [] if need is None else self._recommender.recommend(need, understanding, writer),
            "next_actions": self._actions.fitting(reasons_to_act(drafted, [one.question.scenarios for one in answers]), facts, needless=needless),
        }

    def unasked(self, happened: Unasked, facts: FactTree) -> MoveFields:
        """Gives what an order in trouble calls for when nobody wrote."""
        return {"next_actions": self._actions.fitting([happened.candidates[0].reply.scenario, *happened.event.scenarios], facts)}
