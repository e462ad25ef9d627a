"""First step: from what was written to what is meant. Texts to match with, needs, scenarios, emotion, threat, separate questions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from indexes.classifier import TextClassifier, label_groups
from knowledge.normalise import strip_console, without_politeness
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from suggest.history import HistoryGate, readings
from suggest.order_state import OrderStatePrior

_SEPARATORS = re.compile(r"[。！？!?；;]+|(?<=[^\d])[,，、]\s*(?=另外|还有|对了|顺便|然后|and\b|also\b)")
_CONNECTIVES = re.compile(r"^(?:另外|还有就是|还有(?!多久|多少|几|没|货|吗)|对了|顺便(?:问(?:一)?下)?|然后|还想问(?:一)?下|再问(?:一)?下|and|also)[,，:：\s]*")
_CONNECTIVE_INSIDE = re.compile(r"(?=另外|还有(?!多久|多少|几|没|货|吗)|对了|顺便|\balso\b|\band (?:how|what|when|can|do|is|where|will)\b)")
_COMMAS = re.compile(r"[,，\s]+")
_WORD = re.compile(r"\w")
_HAN = re.compile(r"[㐀-鿿]")
_ASKS = re.compile(r"吗|嘛|么|呢|啥|怎|咋|多少|多久|多大|几|哪|谁|能|可以|行不|是不是|有没有|还是|要不要|[?]")
_SHORT_CLAUSES = re.compile(r"[,，。！!？?;；~\s]+")
_SENTENCES = re.compile(r"[,.!?;~]+\s*")  # English: a space parts words, not clauses
_MIN_QUESTION_CHARS = 3
_SURE = 0.6  # a prediction below this is *unknown* to conditions
_MOST_QUESTIONS = 2  # a third clause is nearly always part of the first two; three drafts serve two questions
_SEPARATE_QUESTION = 0.25  # each clause must stand for its own scenario at least this surely


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
        return self.threat >= _SURE

    @property
    def upset(self) -> float:
        """Probability that the customer is upset or angry."""
        return self.emotions.get("upset", 0.0) + self.emotions.get("angry", 0.0)

    def condition_facts(self) -> dict[str, object]:
        """Gives `message.*` for conditions: only what the model is sure of, the rest is unknown."""
        facts: dict[str, object] = {}
        if self.emotions[self.emotion] >= _SURE:
            facts["emotion"] = self.emotion
        if not 1 - _SURE < self.threat < _SURE:
            facts["threatens"] = self.threat >= _SURE
        sure = sorted(name for name, probability in self.scenarios.items() if probability >= _SURE)
        if sure:
            facts["scenarios"] = sure
        return facts


class MessageReader:
    """Holds the models that read messages; all shops share them, but for the need classifier of a shop that has its own."""

    def __init__(self, *, needs: TextClassifier, emotions: TextClassifier, threats: TextClassifier, prior: OrderStatePrior, gate: HistoryGate) -> None:
        self._needs, self._emotions, self._threats, self._prior, self._gate = needs, emotions, threats, prior, gate
        self._scenario_names, self._to_scenario = label_groups(needs.labels)

    @property
    def needs(self) -> TextClassifier:
        """The need classifier it listens with."""
        return self._needs

    def listening_with(self, needs: TextClassifier) -> "MessageReader":
        """Gives the same reader with another need classifier: a shop's own."""
        return MessageReader(needs=needs, emotions=self._emotions, threats=self._threats, prior=self._prior, gate=self._gate)

    def understand(self, message: str, history: Sequence[Turn], catalogue: ProductCatalogue, *, state: str) -> Understanding:
        """Gives what the message means with its history, for an order in this state (see `order_state`)."""
        words = strip_console(message)
        texts = readings(without_politeness(words), history)
        emotions = dict(zip(self._emotions.labels, map(float, self._emotions.probabilities([words])[0]), strict=True))
        whole = self._meaning(texts, state=state, emotions=emotions, threat=self._threat(words), products=tuple(catalogue.mentioned(words)))
        return self._with_questions(whole, history, catalogue, state)

    def _threat(self, words: str) -> float:
        """The surest clause: one «等着12315吧» at the end of a long complaint is a threat."""
        parts = (_SHORT_CLAUSES if _HAN.search(words) else _SENTENCES).split(words)
        clauses = [words, *(clause for clause in parts if len(clause) >= _MIN_QUESTION_CHARS)]
        return float(self._threats.probabilities(clauses)[:, self._threats.labels.index("threat")].max())

    def _meaning(self, texts: list[str], *, state: str, emotions: dict[str, float], threat: float, products: tuple[str, ...]) -> Understanding:
        needs = self._needs.probabilities(texts)
        shares = self._gate.shares(texts[0], needs)
        mixed = shares @ needs
        return Understanding(
            readings=tuple(Reading(text, row) for text, row in zip(texts, needs, strict=True)),
            lean_on_history=float(1 - shares[0]),
            scenarios=self._prior.weigh(dict(zip(self._scenario_names, map(float, mixed @ self._to_scenario), strict=True)), state),
            emotions=emotions,
            threat=threat,
            language="zh" if re.search(r"[㐀-鿿]", texts[0]) or not re.search(r"[a-z]{3}", texts[0]) else "en",
            products=products,
        )

    def _with_questions(self, whole: Understanding, history: Sequence[Turn], catalogue: ProductCatalogue, state: str) -> Understanding:
        """Adds the separate questions: clauses that the need model hears different scenarios in."""
        best: dict[str, tuple[float, str]] = {}
        clauses = split_clauses(whole.text)
        if len(clauses) < 2:
            return whole
        for clause, needs in zip(clauses, self._needs.probabilities(clauses), strict=True):
            scenarios = needs @ self._to_scenario
            top = int(np.argmax(scenarios))
            name = self._scenario_names[top]
            if scenarios[top] >= _SEPARATE_QUESTION and not name.startswith("chat.") and scenarios[top] > best.get(name, (0.0, ""))[0]:
                best[name] = (float(scenarios[top]), clause)
        if len(best) < 2:
            return whole
        asked = sorted(sorted(best.values(), reverse=True)[:_MOST_QUESTIONS], key=lambda found: clauses.index(found[1]))
        parts = tuple(
            self._meaning(
                readings(clause, history), state=state, emotions=whole.emotions, threat=whole.threat,
                products=tuple(catalogue.mentioned(clause)) or whole.products,
            )
            for _, clause in asked
        )  # fmt: skip
        return Understanding(**{name: getattr(whole, name) for name in Understanding.__dataclass_fields__ if name != "questions"}, questions=parts)


def split_clauses(text: str) -> list[str]:
    """Gives the pieces of a message that may each ask something, in order, without their connectives."""
    pieces = [piece for part in _SEPARATORS.split(text) for piece in _CONNECTIVE_INSIDE.split(part)]
    pieces = [_CONNECTIVES.sub("", piece.strip(" ,，、")).strip() for piece in pieces]
    pieces = [piece for piece in pieces if len(_WORD.findall(piece)) >= _MIN_QUESTION_CHARS]
    if len(pieces) == 1 and _HAN.search(pieces[0]):  # English commas and spaces part words, not questions
        shorter = [piece for piece in _COMMAS.split(pieces[0]) if len(_WORD.findall(piece)) >= _MIN_QUESTION_CHARS]
        asking = [piece for piece in shorter if _ASKS.search(piece)]
        pieces = asking if len(asking) > 1 else pieces  # 「怎么还没发 我都付款三天了」 is one question and a reproach
    return list(dict.fromkeys(pieces))
