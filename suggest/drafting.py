"""Fourth step: from a ranked reply to a draft. Parts chosen by emotion, place in the conversation and channel, facts filled, style and sources checked.

No other source of words than the shop's: its replies, its openings and closings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from knowledge.fact_paths import fact_name
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.normalise import same_length_form
from knowledge.order_context import Turn
from knowledge.products import ProductCatalogue
from knowledge.records import ProvenReply, Store
from knowledge.script import Script, in_script
from knowledge.style_check import style_checker_of
from knowledge.style_records import Frame
from knowledge.style_rules import shipped_style_book
from knowledge.templates import compile_template
from suggest.answered import NOTHING, Answered
from suggest.apologies import Apologies
from suggest.composition import (
    PUBLIC_CHANNELS,
    Piece,
    bare,
    for_the_public,
    greets,
    join_parts,
    sentences_of,
    within,
    without_greeting,
    without_said,
    without_wishes,
)
from suggest.contract import Warning_
from suggest.empathy import CALM, in_place, is_calm
from suggest.framing import Framing, speaks_of
from suggest.joining import speaks_against, without_repeated_requests
from suggest.late_promises import late_promises
from suggest.ranking import Candidate
from suggest.told import already_declined, already_told, own_words, without_asking_again, without_declined
from suggest.traceability import FactClaims, untraceable
from suggest.understanding import Understanding

_BODY = ("empathy", "information", "value", "action", "text")


@dataclass(frozen=True, slots=True)
class Draft:
    """A filled reply, ready to be read by the agent; of two replies when it answers two questions."""

    text: str
    parts: dict[str, str]
    missing: tuple[str, ...]
    warnings: tuple[Warning_, ...]
    answered: tuple[str, ...] = ()  # what the customer has just answered, which it takes up


class Drafter:
    """Fills replies for one request."""

    def __init__(
        self,
        *,
        store: Store,
        store_facts: Mapping[str, Any],
        facts: FactTree,
        writer: FactWriter,
        history: Sequence[Turn],
        understanding: Understanding,
        channel: str = "im",
        script: Script | None = None,
        catalogue: ProductCatalogue | None = None,
        answered: Answered = NOTHING,
    ) -> None:
        """Takes what the drafts of a request share; `script` is the one the customer writes, None where it is to stay the shop's."""
        self._answered, self.answered = answered, answered.names(english=store.language == "en")
        self._catalogue = catalogue
        self._store, self._store_facts, self._facts, self._writer = store, store_facts, facts, writer
        turns = [turn.text for turn in history if turn.role == "agent"]
        self._said = {bare(sentence) for text in turns for sentence in sentences_of(text)}
        self._book = shipped_style_book(store.language)
        self._apologies = Apologies(map(same_length_form, turns), self._book.apologies, store.style.apologies)
        self._under_way = bool(turns)
        self._understanding, self._channel, self._script = understanding, channel, script
        day = facts["now"].astimezone(ZoneInfo(store.timezone)).date()
        self._framing = Framing(store, facts, day=day, emotion=understanding.emotion, channel=channel)
        self._fact_claims = FactClaims(facts, store_facts, writer)
        self.said = own_words(understanding, history)
        self.told, self._declined = already_told(self.said, facts["order"]), already_declined(self.said)
        self._checker = style_checker_of(store)
        self._bodies: dict[str, list[Piece]] = {}  # by reply: one that is joined with another is drafted alone too

    def draft(self, candidate: Candidate) -> Draft:
        """Gives the draft of a reply.

        Raises:
            InvalidTemplate: a fact's type does not suit the template, such as money written as a date.
        """
        return self._finished([self._body_of(candidate.reply)], [candidate.reply])

    def joined(self, first: Candidate, second: Candidate) -> Draft | None:
        """Gives one draft that answers both, in this order, with one opening, one empathy and one closing; None where one has nothing to add or it is too long.

        Raises:
            InvalidTemplate: as `draft`.
        """
        one, other = self._body_of(first.reply), self._body_of(second.reply)
        if any(piece.part == "empathy" for piece in one):
            other = [piece for piece in other if piece.part != "empathy"]
        else:  # what soothes about the second question is no opening for the first, unless there is somebody to soothe
            moved = [] if is_calm(self._understanding) else [piece for piece in other if piece.part == "empathy"]
            one, other = [*moved, *one], [piece for piece in other if piece.part != "empathy"]
        said = {bare(sentence) for piece in one for sentence in sentences_of(piece.text)}
        asked = [piece.text for piece in one]
        fresh = [(piece, without_repeated_requests(without_said(without_greeting(piece.text), said), asked)) for piece in other]
        other = [piece.saying(text) for piece, text in fresh if text]
        first_words, second_words = ("".join(piece.text for piece in pieces) for pieces in (one, other))
        if not one or not other or speaks_against(first_words, second_words, (first.reply.scenario, second.reply.scenario)):
            return None
        made = self._finished([one, other], [first.reply, second.reply])
        return made if len(made.text) <= self._checker.max_chars(self._channel) else None

    def _body_of(self, reply: ProvenReply) -> list[Piece]:
        if reply.id not in self._bodies:
            self._bodies[reply.id] = self._body(reply)
        return self._bodies[reply.id]

    def _body(self, reply: ProvenReply) -> list[Piece]:
        """The reply's own parts that have something to say here."""
        pieces, filled = list[Piece](), dict[str, str]()
        facts = self._with_product(reply)
        for part, source in self._chosen_parts(reply).items():
            piece = self._filled(part, source, facts)
            if self._channel in PUBLIC_CHANNELS:
                piece = for_the_public(piece, leave_out=self._checker.left_out(self._channel))
            text = without_asking_again(piece.text, self.told) if self.told and part == "action" else piece.text
            text = without_declined(text, self._declined) if self._declined else text
            filled[part] = text
            if self._answered and part != "empathy":
                text = self._answered.taken_up(text, self._said, is_action=part in ("action", "text"))
            text = self._fitting(text, reply, first=not pieces)
            if text:
                pieces.append(piece.saying(text))
        if not self._says_enough(reply, filled, {piece.part: piece.text for piece in pieces}):
            return []
        if pieces and pieces[0].part not in ("empathy", "text") and self._understanding.upset >= CALM:
            pieces = [*self._frame("empathy", self._store.style.empathy, reply), *pieces]
        return pieces

    def _says_enough(self, reply: ProvenReply, whole: Mapping[str, str], left: Mapping[str, str]) -> bool:
        """Whether what is left of the parts still answers, once what was said or told is gone; kind words or a gift alone do not."""
        if not left:
            return False
        trimmed = any(map(whole.get, ("information", "action")))
        if len(reply.templates()) > 1 and (left.keys() == {"empathy"} or (trimmed and left.keys() <= {"empathy", "value"})):
            return False
        return not self._answered or self._answered.goes_on(whole, left)

    def _with_product(self, reply: ProvenReply) -> Mapping[str, Any]:
        """The facts, with the catalogue's record of the product that the reply or the customer speaks of where the reply's words name it."""
        if not any("product." in source for source in reply.templates().values()):
            return self._facts
        skus = reply.products if len(reply.products) == 1 else (self._facts["order"].get("item", {}).get("sku", ""), *self._understanding.products)
        product = next((one for sku in skus if self._catalogue is not None and (one := self._catalogue.by_sku(sku)) is not None), None)
        return {**self._facts, "product": product.model_dump(exclude_none=True) if product is not None else {}}

    def _filled(self, part: str, source: str, facts: Mapping[str, Any]) -> Piece:
        rendered = compile_template(source).render(facts, store=self._store_facts, writer=self._writer, language=self._store.language)
        return Piece(part, rendered.text, rendered.missing, rendered.written, source)

    def _chosen_parts(self, reply: ProvenReply) -> dict[str, str]:
        """A calm question gets no empathy that does not suit it; everyone else is heard first."""
        parts = dict(reply.templates())
        if "empathy" in parts and len(parts) > 1 and not in_place(reply, self._understanding, self._facts, feelings=self._book.apologies.feelings):
            del parts["empathy"]
        return parts

    def _fitting(self, text: str, reply: ProvenReply, *, first: bool) -> str:
        """No second greeting in a conversation under way, no sentence and no apology that was already said in it."""
        if not self._under_way:
            return text
        if first and not reply.scenario.startswith("chat."):
            text = without_greeting(text)
        return self._apologies.fresh(without_said(text, self._said))

    def _frame(self, part: str, frames: Sequence[Frame], reply: ProvenReply, beside: Sequence[Piece] = ()) -> list[Piece]:
        """The first of the shop's frames that fits and was not said, in this conversation or by what it stands beside."""
        words = "\n".join(piece.text for piece in beside)
        said = self._said | {bare(sentence) for sentence in sentences_of(words)}
        for frame, facts in self._framing.fitting(frames, reply.scenario):
            piece = self._filled(part, frame.text, facts)
            if piece.missing or piece.text != without_said(piece.text, said):
                continue
            if not any(speaks_of(words, facts["promotion"]["name"], ends=ends) for ends in (("", *piece.written) if frame.promotions and words else ())):
                return [piece]
        return []

    def _framed(self, bodies: Sequence[list[Piece]], reply: ProvenReply) -> tuple[list[Piece], list[Piece]]:
        """Opening and closing: only where a conversation begins, and where it ends with a goodbye."""
        if self._under_way and reply.scenario != "chat.closing":
            return [], []
        beside = [piece for body in bodies for piece in body]
        opening = [] if self._under_way or greets(bodies[0][0].text) else self._frame("opening", self._store.style.openings, reply, beside)
        return opening, self._frame("closing", self._store.style.closings, reply, [*opening, *beside])

    def _finished(self, bodies: Sequence[list[Piece]], replies: Sequence[ProvenReply]) -> Draft:
        if not all(bodies):
            return Draft("", {}, (), ())
        language, limit = self._store.language, self._checker.max_chars(self._channel)
        opening, closing = self._framed(bodies, replies[0])
        bodies = [[*opening, *bodies[0]], *bodies[1:]]
        if closing:
            bodies[-1] = [*(left for piece in bodies[-1] if (left := piece.saying(without_wishes(piece.text))).text), *closing]
        if self._channel != "im" or opening or closing:
            bodies = self._shortened(bodies, limit)
        pieces = [piece for body in bodies for piece in body]
        texts = [[self.written(piece.text) for piece in body] for body in bodies]
        text = "\n".join(join_parts(body, language=language) for body in texts)
        parts: dict[str, list[str]] = {}
        for piece, words in zip(pieces, [words for body in texts for words in body], strict=True):
            parts.setdefault(piece.part, []).append(words)
        missing = tuple(dict.fromkeys(fact for piece in pieces for fact in piece.missing))
        warnings = tuple(self._warnings(text, missing, replies, pieces))
        return Draft(text, {part: "\n".join(words) for part, words in parts.items()}, missing, warnings, self.answered)

    def _shortened(self, bodies: Sequence[list[Piece]], limit: int) -> list[list[Piece]]:
        """On a chat only what opens and closes gives way to length; elsewhere whatever is the least loss."""
        if len(bodies) == 1 and self._channel != "im":
            return [within(bodies[0], limit, language=self._store.language, keep_empathy=self._understanding.upset >= CALM)]
        whole = sum(len(join_parts([piece.text for piece in body], language=self._store.language)) + 1 for body in bodies) - 1
        return [list(body) for body in bodies] if whole <= limit else [[piece for piece in body if piece.part in _BODY] for body in bodies]

    def written(self, text: str) -> str:
        """Gives the text in the customer's script, names and numbers untouched."""
        if self._script is None or self._store.language == "en":
            return text
        own: Script = "taiwan" if self._store.language == "zh-TW" else "simplified"
        return in_script(text, written=own, wanted=self._script, keep=self._names) if self._script != own else text

    @cached_property
    def _names(self) -> list[str]:
        """What the customer looks for in the order as it is written there, and what people are called."""
        order, customer = self._facts["order"], self._facts["customer"]
        named: list[Any] = [self._store.name, customer.get("name"), self._facts["agent"].get("name"), order.get("id"), order.get("invoice", {}).get("title")]
        named += [order.get("logistics", {}).get(name) for name in ("carrier", "tracking_no")]
        named += [item.get(name) for item in order.get("items", []) for name in ("title", "sku")]
        named += [case.get("case_id") for case in order.get("cases", [])]
        return [one for one in named if isinstance(one, str) and one]

    def _warnings(self, text: str, missing: Sequence[str], replies: Sequence[ProvenReply], pieces: Sequence[Piece]) -> list[Warning_]:
        limit = amount_limit(self._store, self._facts)
        found = [self._missing_warning(text, fact) for fact in missing]
        for one in self._checker.check(text, channel=self._channel, amount_limit=limit):
            found.append(Warning_(code=one.code, message=one.message, start=one.start, end=one.end))
        found += self._untraceable(text, pieces, replies)
        found += late_promises(text, self._writer.local_hour, english=self._store.language == "en")
        amounts = [reply.promises_amount for reply in replies if reply.promises_amount is not None and reply.promises_amount > limit]
        if amounts and not any(warning.code == "over_authority" for warning in found):
            english, amount = self._store.language == "en", self._writer.money(max(amounts))
            said = f"promises {amount}, above your authority" if english else f"承诺 {amount}，超出您的权限，请先请示主管"
            found.append(Warning_(code="over_authority", message=said))
        return sorted(found, key=lambda warning: (warning.start, warning.code))

    def _untraceable(self, text: str, pieces: Sequence[Piece], replies: Sequence[ProvenReply]) -> Iterator[Warning_]:
        written = [one for piece in pieces for one in piece.written]
        products = [facts["product"] for reply in replies if "product" in (facts := self._with_product(reply))]
        claims = FactClaims({**self._facts, "products": products}, self._store_facts, self._writer) if products else self._fact_claims
        for claim in untraceable(text, sources=[piece.source for piece in pieces], facts=claims, written=written):
            words = text[claim.start : claim.end]
            said = f"“{words}” comes from no fact, reply or passage" if self._store.language == "en" else f"「{words}」在订单、话术和引用里都没有依据，请核对"
            yield Warning_(code="untraceable", message=said, start=claim.start, end=claim.end)

    def _missing_warning(self, text: str, fact: str) -> Warning_:
        """Marks the blank; a fact that only decided which words to use has none, so nothing is marked."""
        name = fact_name(fact, language=self._store.language)
        blank = self.written(f"〔{name}〕")
        start = text.find(blank)
        said = f"fill in: {name}" if self._store.language == "en" else f"请补上：{name}"
        return Warning_(code="missing_fact", message=said, start=max(start, 0), end=start + len(blank) if start >= 0 else 0)


def amount_limit(store: Store, facts: FactTree) -> Any:
    """Gives the money that whoever answers may promise."""
    lead = facts["agent"].get("role") == "lead"
    return store.authority.lead_compensation_limit if lead else store.authority.agent_compensation_limit
