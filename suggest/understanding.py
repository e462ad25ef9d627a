"""First step: from what was written to what is meant. Texts to match with, needs, scenarios, emotion, threat, separate questions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.classifier import TextClassifier, label_groups
from knowledge.conversation import closes, praises, readings
from knowledge.normalise import strip_console, without_politeness
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from suggest.history import HistoryGate
from suggest.order_state import OrderStatePrior
from suggest.questions import Hearing, QuestionSplitter, pieces_of

_WORD = re.compile(r"\w")
_HAN = re.compile(r"[㐀-鿿]")
_SHORT_CLAUSES = re.compile(r"[,，。！!？?;；~\s]+")
_SENTENCES = re.compile(r"[,.!?;~]+\s*")  # English: a space parts words, not clauses
_MIN_QUESTION_CHARS = 3
SURE = 0.6  # a prediction below this is *unknown* to conditions


@dataclass(frozen=True, slots=True)
class Reading:
    """One text to match with, and what the need model makes of it."""

    text: str
    needs: npt.NDArray[np.float32]  # probabilities over need labels

    @property
    def has_words(self) -> bool:
        """Whether there is anything to match."""
        return _WORD.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was heard. `readings[0]` is the message alone; the others add what was said before."""

    readings: tuple[Reading, ...]
    lean_on_history: float  # 0: the message stands alone, 1: only history tells
    scenarios: dict[str, float]  # every scenario's probability, sums to 1
    emotions: dict[str, float]
    threat: float
    language: str
    products: tuple[str, ...]
    shares: npt.NDArray[np.float32]  # [n_readings], each reading's share in what is meant; sums to 1
    mixed_needs: npt.NDArray[np.float32]  # [n_needs], probabilities over need labels, all readings taken together
    scenarios_of_message: dict[str, float]  # by the message alone, whatever the order's state
    scenarios_heard: dict[str, float]  # with its history, whatever the order's state
    clauses: tuple[Reading, ...] = ()  # the pieces that may each ask something, where there are several
    said_last: str = ""  # the agent's last turn: not to be said again
    questions: tuple["Understanding", ...] = field(default=())

    @property
    def text(self) -> str:
        """The message as it is matched."""
        return self.readings[0].text

    @property
    def emotion(self) -> str:
        """The likeliest emotion; ties by name."""
        return max(sorted(self.emotions), key=lambda name: self.emotions[name])

    @property
    def threatens(self) -> bool:
        """Whether they say they will complain elsewhere; see D13."""
        return self.threat >= SURE

    @property
    def upset(self) -> float:
        """Probability that the customer is upset or angry."""
        return self.emotions.get("upset", 0.0) + self.emotions.get("angry", 0.0)

    def condition_facts(self) -> dict[str, object]:
        """Gives `message.*` for conditions: only what the model is sure of, the rest is unknown."""
        facts: dict[str, object] = {}
        if self.emotions[self.emotion] >= SURE:
            facts["emotion"] = self.emotion
        if not 1 - SURE < self.threat < SURE:
            facts["threatens"] = self.threat >= SURE
        sure = sorted(name for name, probability in self.scenarios.items() if probability >= SURE)
        if sure:
            facts["scenarios"] = sure
        return facts


class MessageReader:
    """Holds the models that read messages; all shops share them, but for the need classifier of a shop that has its own."""

    def __init__(
        self,
        *,
        needs: TextClassifier,
        emotions: TextClassifier,
        threats: TextClassifier,
        prior: OrderStatePrior,
        gate: HistoryGate,
        splitter: QuestionSplitter,
    ) -> None:
        self._needs, self._emotions, self._threats, self._prior, self._gate, self._splitter = needs, emotions, threats, prior, gate, splitter
        self._scenario_names, self._to_scenario = label_groups(needs.labels)
        self._is_matter = np.array([not name.startswith("chat.") for name in self._scenario_names], dtype=np.bool_)

    @property
    def needs(self) -> TextClassifier:
        """The need classifier it listens with."""
        return self._needs

    def listening_with(self, needs: TextClassifier) -> "MessageReader":
        """Gives the same reader with another need classifier: a shop's own."""
        return self._with(needs=needs)

    def leaning_by(self, gate: HistoryGate) -> "MessageReader":
        """Gives the same reader with another gate for how much a message leans on its history."""
        return self._with(gate=gate)

    def expecting(self, prior: OrderStatePrior, splitter: QuestionSplitter | None = None) -> "MessageReader":
        """Gives the same reader with another notion of what an order's state makes people ask, and of when they ask two things where one is given."""
        return self._with(prior=prior, splitter=splitter or self._splitter)

    def _with(self, **others: Any) -> "MessageReader":
        own: dict[str, Any] = {
            "needs": self._needs, "emotions": self._emotions, "threats": self._threats, "prior": self._prior, "gate": self._gate, "splitter": self._splitter,
        }  # fmt: skip
        return MessageReader(**(own | others))

    def understand(self, message: str, history: Sequence[Turn], catalogue: ProductCatalogue, *, state: str) -> Understanding:
        """Gives what the message means with its history, for an order in this state (see `order_state`)."""
        words = strip_console(message)
        texts = readings(words, ()) if closes(message, history) else readings(without_politeness(words), history)
        pieces = pieces_of(texts[0])
        needs = self._needs.probabilities([*texts, *(piece.text for piece in pieces if len(pieces) > 1)])
        emotions = dict(zip(self._emotions.labels, map(float, self._emotions.probabilities([words])[0]), strict=True))
        if praises(message):
            emotions = {name: float(name == "calm") for name in emotions}
        said_last = next((strip_console(turn.text) for turn in reversed(history) if turn.role == "agent"), "")
        whole = self._meaning(
            texts,
            needs[: len(texts)],
            state=state,
            emotions=emotions,
            threat=threat_probability(self._threats, words),
            products=tuple(catalogue.mentioned(words)),
            said_last=said_last,
        )
        if len(pieces) < 2:
            return whole
        of_pieces = needs[len(texts) :]
        whole = replace(whole, clauses=tuple(Reading(piece.text, row) for piece, row in zip(pieces, of_pieces, strict=True)))
        heard = Hearing(needs[0] @ self._to_scenario, of_pieces @ self._to_scenario, of_pieces, self._is_matter)
        return self._with_questions(whole, self._splitter.split(pieces, heard), history, catalogue, state)

    def _meaning(
        self,
        texts: list[str],
        needs: npt.NDArray[np.float32],
        *,
        state: str,
        emotions: dict[str, float],
        threat: float,
        products: tuple[str, ...],
        said_last: str,
    ) -> Understanding:
        """What readings with these need distributions come to."""
        shares = self._gate.shares(texts[0], needs)
        mixed = shares @ needs
        heard, of_message = self._by_scenario(mixed), self._by_scenario(needs[0])
        return Understanding(
            readings=tuple(Reading(text, row) for text, row in zip(texts, needs, strict=True)),
            lean_on_history=float(1 - shares[0]),
            scenarios=self._prior.weigh(heard, state),
            emotions=emotions,
            threat=threat,
            language="zh" if _HAN.search(texts[0]) or not re.search(r"[a-z]{3}", texts[0]) else "en",
            products=products,
            shares=shares,
            mixed_needs=mixed,
            scenarios_of_message=of_message,
            scenarios_heard=heard,
            said_last=said_last,
        )

    def _by_scenario(self, needs: npt.NDArray[np.float32]) -> dict[str, float]:
        return dict(zip(self._scenario_names, (needs @ self._to_scenario).tolist(), strict=True))

    def _with_questions(
        self, whole: Understanding, questions: Sequence[str], history: Sequence[Turn], catalogue: ProductCatalogue, state: str
    ) -> Understanding:
        """Adds what each separate question means."""
        parts = []
        for question in questions:
            texts = readings(question, history)
            products = tuple(catalogue.mentioned(question)) or whole.products
            parts.append(
                self._meaning(
                    texts, self._needs.probabilities(texts), state=state, emotions=whole.emotions, threat=whole.threat,
                    products=products, said_last=whole.said_last,
                )
            )  # fmt: skip
        return replace(whole, questions=tuple(parts))


def threat_probability(threats: TextClassifier, words: str) -> float:
    """Gives how surely the surest clause threatens: one «等着12315吧» at the end of a long complaint is a threat."""
    parts = (_SHORT_CLAUSES if _HAN.search(words) else _SENTENCES).split(words)
    clauses = [words, *(clause for clause in parts if len(clause) >= _MIN_QUESTION_CHARS)]
    return float(threats.probabilities(clauses)[:, threats.labels.index("threat")].max())
