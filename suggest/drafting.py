"""Fourth step: from a ranked reply to a draft. Parts chosen by emotion and place in the conversation, facts filled, style checked. No other source of words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.fact_paths import fact_name
from knowledge.facts import FactTree
from knowledge.formats import FactWriter
from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.records import ProvenReply, Store
from knowledge.style_check import style_checker_of
from knowledge.templates import compile_template
from suggest.contract import Warning_
from suggest.ranking import Candidate
from suggest.understanding import Understanding

_GREETING = re.compile(r"^(?:您好|你好|亲，?您好|hello|hi)[,，.。!！~～\s]*", re.IGNORECASE)
_APOLOGY = re.compile(r"抱歉|对不起|不好意思|让您久等|着急|担心|生气|委屈|糟心|sorry|apolog|frustrat|worr", re.IGNORECASE)
_COMMITS = re.compile(
    r"我(?:这边|们)?(?:已|现在|马上|这就|先|来|帮您|替您|为您|会|给您|立刻)|已(?:为|帮|给|替|按|向|经)|马上(?:为|帮|给)|小时内|分钟内"
    r"|\bI(?:'ve|'ll|'m| have| will| am| just)\b|\bwe(?:'ll| will|'ve| have)\b|\bwithin \d+ (?:hours|minutes)",
    re.IGNORECASE,
)
_GRAVE = 0.2
_CALM = 0.5  # below this probability of being upset, an apology is out of place
_SENTENCES = re.compile(r".+?(?:[。！？!?\n]+|\.(?=\s|$)|$)\s*", re.DOTALL)
_END_MARKS = " .。!！?？~～\n"
_SAME_CHARS = 8  # shorter sentences («好的。») may be said twice


@dataclass(frozen=True, slots=True)
class Draft:
    """A filled reply, ready to be read by the agent."""

    text: str
    parts: dict[str, str]
    missing: tuple[str, ...]
    warnings: tuple[Warning_, ...]


class Drafter:
    """Fills replies for one request."""

    def __init__(
        self, *, store: Store, store_facts: Mapping[str, Any], facts: FactTree, writer: FactWriter, history: Sequence[Turn], understanding: Understanding
    ) -> None:
        self._store, self._store_facts, self._facts, self._writer = store, store_facts, facts, writer
        self._said = {_bare(sentence) for turn in history if turn.role == "agent" for sentence in _SENTENCES.findall(turn.text)}
        self._under_way = any(turn.role == "agent" for turn in history)
        self._understanding = understanding

    def draft(self, candidate: Candidate) -> Draft:
        """Gives the draft of a reply.

        Raises:
            InvalidTemplate: a fact's type does not suit the template, such as money written as a date.
        """
        parts: dict[str, str] = {}
        missing: list[str] = []
        for part, source in self._chosen_parts(candidate.reply).items():
            rendered = compile_template(source).render(self._facts, store=self._store_facts, writer=self._writer, language=self._store.language)
            text = self._fitting(rendered.text, candidate.reply, first=not parts)
            if text:
                parts[part] = text
                missing += [fact for fact in rendered.missing if fact not in missing]
        text = join_parts(list(parts.values()), language=self._store.language)
        return Draft(text, parts, tuple(missing), tuple(self._warnings(text, missing, candidate.reply)))

    def _chosen_parts(self, reply: ProvenReply) -> dict[str, str]:
        """A calm question gets no apology; everyone else is heard first."""
        parts = reply.templates()
        empathy = parts.get("empathy", "")
        if empathy and len(parts) > 1 and self._understanding.upset < _CALM and self._understanding.emotion == "calm" and _APOLOGY.search(empathy):
            del parts["empathy"]
        return parts

    def _fitting(self, text: str, reply: ProvenReply, *, first: bool) -> str:
        """No second greeting in a conversation under way, and no sentence that was already said in it."""
        if first and self._under_way and not reply.scenario.startswith("chat."):
            text = _GREETING.sub("", text)
        if not self._said:
            return text
        kept = [sentence for sentence in _SENTENCES.findall(text) if len(sentence) < _SAME_CHARS or _bare(sentence) not in self._said]
        return "".join(kept).strip()

    def _warnings(self, text: str, missing: list[str], reply: ProvenReply) -> list[Warning_]:
        limit = amount_limit(self._store, self._facts)
        found = [self._missing_warning(text, fact) for fact in missing]
        for one in style_checker_of(self._store).check(text, amount_limit=limit):
            found.append(Warning_(code=one.code, message=one.message, start=one.start, end=one.end))
        marked = any(warning.code == "over_authority" for warning in found)
        if not marked and reply.promises_amount is not None and reply.promises_amount > limit:
            english, amount = self._store.language == "en", self._writer.money(reply.promises_amount)
            said = f"promises {amount}, above your authority" if english else f"承诺 {amount}，超出您的权限，请先请示主管"
            found.append(Warning_(code="over_authority", message=said))
        return sorted(found, key=lambda warning: (warning.start, warning.code))

    def _missing_warning(self, text: str, fact: str) -> Warning_:
        """Marks the blank; a fact that only decided which words to use has none, so nothing is marked."""
        name = fact_name(fact, language=self._store.language)
        start = text.find(f"〔{name}〕")
        said = f"fill in: {name}" if self._store.language == "en" else f"请补上：{name}"
        return Warning_(code="missing_fact", message=said, start=max(start, 0), end=start + len(name) + 2 if start >= 0 else 0)


def _bare(sentence: str) -> str:
    """A sentence as it is compared: how it ends does not make it another."""
    return match_form(sentence).strip(_END_MARKS)


def is_routine(reply: ProvenReply, text: str, question: Understanding) -> bool:
    """Whether a draft may go out unread: a calm question, no money, no complaint or danger, and nothing that says somebody has acted or will.

    A machine that sends «我已联系仓库» lies unless somebody does it.
    """
    grave = sum(probability for name, probability in question.scenarios.items() if name == "safety" or name.startswith("complaint."))
    calm = question.emotion == "calm" and not question.threatens and reply.tone != "upset"
    return calm and grave < _GRAVE and not reply.promises_amount and not _COMMITS.search(text)


def join_parts(parts: Sequence[str], *, language: str) -> str:
    """Gives the parts as one text: each ends as a sentence; English puts a space between."""
    return (" " if language == "en" else "").join(_ended(part, language) for part in parts)


def _ended(part: str, language: str) -> str:
    if part and (part[-1].isalnum() or part[-1] in "〕」』”)）"):
        return part + ("." if language == "en" else "。")
    return part


def amount_limit(store: Store, facts: FactTree) -> Any:
    """Gives the money that whoever answers may promise."""
    lead = facts["agent"].get("role") == "lead"
    return store.authority.lead_compensation_limit if lead else store.authority.agent_compensation_limit
