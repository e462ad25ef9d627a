"""First step: from what was written to what is meant. Texts to match with, needs, scenarios, emotion, threat, separate questions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.classifier import TextClassifier
from knowledge.conversation import closes, praises, readings
from knowledge.normalise import console_marks, strip_console, without_politeness
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from suggest.history import HistoryGate
from suggest.meaning import MeaningModel
from suggest.moods import MoodModel
from suggest.questions import Hearing, Piece, QuestionSplitter, pieces_of

_WORD = re.compile(r"\w")
_HAN = re.compile(r"[㐀-鿿]")
_LATIN_WORD = re.compile(r"[a-z]{3}")
_SHORT_CLAUSES = re.compile(r"[,，。！!？?;；~\s]+")
_SENTENCES = re.compile(r"[,.!?;~]+\s*")  # English: a space parts words, not clauses
_MIN_QUESTION_CHARS = 3
LEANS = 0.25  # of the weight that history has: from there «洗完挂起来？» is about what was spoken of
# Telephone, order, parcel and tax numbers, of six digits or more; hotlines are shorter.
_LONG_NUMBER = re.compile(r"(?<![a-z\d])(?=[a-z]*(?:\d[a-z]*){6})[a-z\d]+|(?<!\d)1\d\d([ -])\d{4}\1\d{4}(?!\d)")
SURE = 0.6  # a prediction below this is *unknown* to conditions
THREATENS = 0.4  # from here on a message is taken to threaten: a threat missed costs more than one heard in vain (D91)


@dataclass(frozen=True, slots=True)
class Reading:
    """One text to match with, and what the need model makes of it."""

    text: str
    needs: npt.NDArray[np.float32]  # probabilities over need labels

    @property
    def has_words(self) -> bool:
        """Whether there is anything to match."""
        return _WORD.search(self.text) is not None


@dataclass(frozen=True)
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
    scenarios_of_message: dict[str, float]  # by the message alone, whatever the order
    scenarios_heard: dict[str, float]  # with its history, whatever the order
    clauses: tuple[Reading, ...] = ()  # the pieces that may each ask something, where there are several
    said_last: str = ""  # the agent's last turn: not to be said again
    products_before: tuple[str, ...] = ()  # SKUs that the newest turn to name any spoke of, where history tells what is meant
    parts: tuple["Understanding", ...] = field(default=())  # the two things it asks or may ask
    several: float = 0.0  # how much the second counts, 0 to 1, see `questions.Split`
    asks_several: bool = False
    marks: tuple[str, ...] = ()  # what a console writes for a photo or a video in the message

    @property
    def text(self) -> str:
        """The message as it is matched."""
        return self.readings[0].text

    @cached_property
    def emotion(self) -> str:
        """The likeliest emotion; ties by name."""
        return likeliest(self.emotions)

    @cached_property
    def top_scenario(self) -> str:
        """The likeliest scenario; ties by name, empty where none was heard."""
        return likeliest(self.scenarios) if self.scenarios else ""

    @cached_property
    def mixed_roots(self) -> npt.NDArray[np.float32]:
        """Square roots of `mixed_needs`: an inner product of two such roots says how far two distributions overlap."""
        return np.sqrt(self.mixed_needs)

    @property
    def threatens(self) -> bool:
        """Whether they say they will complain elsewhere; see D13 and D91."""
        return self.threat >= THREATENS

    @cached_property
    def upset(self) -> float:
        """Probability that the customer is upset or angry."""
        return self.emotions.get("upset", 0.0) + self.emotions.get("angry", 0.0)

    @property
    def questions(self) -> tuple["Understanding", ...]:
        """What it asks, where it surely asks several things."""
        return self.parts if self.asks_several else ()

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


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """What the classifiers make of a message and its history, before the order is looked at."""

    words: str  # the customer's own, without cards and politeness around them
    texts: tuple[str, ...]  # the message alone, then with what was said before
    needs: npt.NDArray[np.float32]  # [n_texts, n_needs]
    shares: npt.NDArray[np.float32]  # [n_texts], see `Understanding`
    mixed_needs: npt.NDArray[np.float32]  # [n_needs]
    scenarios: dict[str, float]  # by the message alone
    emotions: dict[str, float]
    threat: float
    pieces: tuple[Piece, ...]
    piece_needs: npt.NDArray[np.float32]  # [n_pieces, n_needs]; [0, n_needs] where there is one piece


class MessageReader:
    """Holds the models that read messages; all shops share them, but for the need classifier of a shop that has its own."""

    def __init__(
        self,
        *,
        needs: TextClassifier,
        emotions: TextClassifier,
        threats: TextClassifier,
        gate: HistoryGate,
        splitter: QuestionSplitter,
        meaning: MeaningModel,
        moods: MoodModel,
    ) -> None:
        self._needs, self._emotions, self._threats, self._gate, self._splitter = needs, emotions, threats, gate, splitter
        self._meaning_model, self._moods = meaning, moods
        if meaning.needs != tuple(needs.labels):
            raise ValueError("the meaning model was fitted on other needs than the classifier gives; run scripts.train_ranker")
        self._is_matter = np.array([not name.startswith("chat.") for name in meaning.scenarios], dtype=np.bool_)

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

    def splitting_by(self, splitter: QuestionSplitter) -> "MessageReader":
        """Gives the same reader with another judge of double questions."""
        return self._with(splitter=splitter)

    def understanding_by(self, *, meaning: MeaningModel | None = None, moods: MoodModel | None = None) -> "MessageReader":
        """Gives the same reader with another notion of what is meant, or of how customers feel, where one is given."""
        return self._with(meaning=meaning or self._meaning_model, moods=moods or self._moods)

    def _with(self, **others: Any) -> "MessageReader":
        own: dict[str, Any] = {
            "needs": self._needs, "emotions": self._emotions, "threats": self._threats, "gate": self._gate, "splitter": self._splitter,
            "meaning": self._meaning_model, "moods": self._moods,
        }  # fmt: skip
        return MessageReader(**(own | others))

    def hear(self, message: str, history: Sequence[Turn]) -> HeardMessage:
        """Gives what the words alone sound like."""
        words = strip_console(message)
        texts = readings(words, ()) if closes(message, history) else readings(without_politeness(words), history)
        found = pieces_of(texts[0])
        pieces = tuple(found) if len(found) > 1 else ()
        needs = self._needs.probabilities([*texts, *(piece.text for piece in pieces)])
        of_texts = needs[: len(texts)]
        shares = self._gate.shares(texts[0], of_texts)
        return HeardMessage(
            words=words,
            texts=tuple(texts),
            needs=of_texts,
            shares=shares,
            mixed_needs=shares @ of_texts,
            scenarios=self._by_scenario(of_texts[0]),
            emotions=dict(zip(self._emotions.labels, map(float, self._emotions.probabilities([words])[0]), strict=True)),
            threat=threat_probability(self._threats, words),
            pieces=pieces,
            piece_needs=needs[len(texts) :],
        )

    def understand(self, message: str, history: Sequence[Turn], catalogue: ProductCatalogue, *, signs: Sequence[str]) -> Understanding:
        """Gives what the message means with its history, for an order with these signs (see `order_signs`)."""
        heard = self.hear(message, history)
        if praises(message):
            moods = {name: float(name == "calm") for name in heard.emotions}
        else:
            moods = self._moods.felt(heard.emotions, message=message, words=heard.words, scenarios=heard.scenarios, threat=heard.threat)
        said_last = next((strip_console(turn.text) for turn in reversed(history) if turn.role == "agent"), "")
        whole = self._meant(
            heard.texts, heard.needs, heard.shares, by_message=heard.scenarios, signs=signs, moods=moods, threat=heard.threat,
            products=tuple(catalogue.mentioned(heard.words)), said_last=said_last,
        )  # fmt: skip
        if history and not whole.products and whole.lean_on_history >= LEANS:
            earlier = (tuple(catalogue.mentioned(strip_console(turn.text))) for turn in reversed(history))
            whole = replace(whole, products_before=next((found for found in earlier if found), ()))
        whole = replace(whole, marks=tuple(console_marks(message)))
        if not heard.pieces:
            return whole
        clauses = tuple([Reading(piece.text, row) for piece, row in zip(heard.pieces, heard.piece_needs, strict=True)])
        asked = Hearing(self._meaning_model.heard(heard.needs[0]), self._meaning_model.heard(heard.piece_needs), heard.piece_needs, self._is_matter)
        if (split := self._splitter.split(heard.pieces, asked)) is None:
            return replace(whole, clauses=clauses)
        parts = self._parts(whole, split.texts, history, catalogue, signs)
        return replace(whole, clauses=clauses, parts=parts, several=split.probability, asks_several=split.sure)

    def _meant(
        self,
        texts: Sequence[str],
        needs: npt.NDArray[np.float32],
        shares: npt.NDArray[np.float32],
        *,
        by_message: dict[str, float],
        signs: Sequence[str],
        moods: dict[str, float],
        threat: float,
        products: tuple[str, ...],
        said_last: str,
    ) -> Understanding:
        """What readings with these need distributions come to."""
        mixed = shares @ needs
        return Understanding(
            readings=tuple(Reading(text, row) for text, row in zip(texts, needs, strict=True)),
            lean_on_history=float(1 - shares[0]),
            scenarios=self._meaning_model.named(self._meaning_model.meant(mixed, signs, moods, threat)),
            emotions=moods,
            threat=threat,
            language=_language(texts[0]),
            products=products,
            shares=shares,
            mixed_needs=mixed,
            scenarios_of_message=by_message,
            scenarios_heard=self._by_scenario(mixed) if len(texts) > 1 else by_message,
            said_last=said_last,
        )

    def _by_scenario(self, needs: npt.NDArray[np.float32]) -> dict[str, float]:
        return self._meaning_model.named(self._meaning_model.heard(needs))

    def _parts(
        self, whole: Understanding, asked: Sequence[str], history: Sequence[Turn], catalogue: ProductCatalogue, signs: Sequence[str]
    ) -> tuple[Understanding, ...]:
        """What each thing that may be asked means."""
        texts = [readings(one, history) for one in asked]
        ends = accumulate(map(len, texts), initial=0)
        needs = self._needs.probabilities([text for own in texts for text in own])
        return tuple(
            [
                self._meant(
                    own, needs[start:end], self._gate.shares(own[0], needs[start:end]), by_message=self._by_scenario(needs[start]), signs=signs,
                    moods=whole.emotions, threat=whole.threat, products=tuple(catalogue.mentioned(one)) or whole.products, said_last=whole.said_last,
                )
                for one, own, (start, end) in zip(asked, texts, pairwise(ends), strict=True)
            ]
        )  # fmt: skip


def likeliest(probabilities: Mapping[str, float]) -> str:
    """Gives the name with the largest probability, the first by name where several have it."""
    largest = max(probabilities.values())
    return min([name for name, probability in probabilities.items() if probability == largest])


def _language(words: str) -> str:
    return "zh" if _HAN.search(words) or not _LATIN_WORD.search(words) else "en"


def threat_probability(threats: TextClassifier, words: str) -> float:
    """Gives how surely the surest clause threatens: one «等着12315吧» at the end of a long complaint is a threat.

    Long numbers are left out: the classifier knows numbers from hotlines alone, and the digits of a telephone number would sound like one.
    """
    words = _LONG_NUMBER.sub(" ", words)
    parts = (_SHORT_CLAUSES if _HAN.search(words) else _SENTENCES).split(words)
    clauses = [words, *(clause for clause in parts if len(clause) >= _MIN_QUESTION_CHARS)]
    return float(threats.probabilities(clauses)[:, threats.labels.index("threat")].max())
