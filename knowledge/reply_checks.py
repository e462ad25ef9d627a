"""What a reply lacks or says wrongly, looked at by itself and beside the shop's other replies."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.condition_domain import Answer, ConditionProver
from knowledge.fact_misuse import misused_in_condition, misused_in_template
from knowledge.fact_paths import FACT_VALUES, fact_name
from knowledge.fact_types import kind_name
from knowledge.findings import Finding, FindingWriter
from knowledge.normalise import match_form
from knowledge.records import ProvenReply, Store
from knowledge.scenarios import scenario_name
from knowledge.shop import Shop
from knowledge.style_check import style_checker_of
from knowledge.templates import literal_words

GRAVE_CODES = frozenset({"absolute_claim", "off_platform", "efficacy_claim", "personal_data", "banned_phrase", "blame", "over_authority"})
_NEARLY_THE_SAME = 0.8  # share of character pairs that two replies have in common
OFTEN_UPSET = frozenset({
    "order.expedite", "order.exception", "logistics.delay", "logistics.damage", "logistics.lost", "logistics.wrong_item", "return.quality", "refund.status",
    "refund.timing", "aftersale.progress", "warranty.repair", "chat.wait", "complaint.service", "complaint.bad_review", "complaint.unreasonable", "safety",
})  # fmt: skip
_BLANK = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")
_BRANCH = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReplyDesk:
    """One shop's replies under examination."""

    shop: Shop
    writer: FindingWriter
    prover: ConditionProver

    @property
    def replies(self) -> list[ProvenReply]:
        """Those that are offered or may be soon; blocked ones are nobody's concern."""
        return [reply for reply in self.shop.replies if reply.status != "blocked"]

    def findings(self) -> Iterator[Finding]:
        """Gives all findings about replies that need no model."""
        for reply in self.replies:
            yield from self._parts(reply)
            yield from self._style(reply)
            yield from self._promises(reply)
            yield from self._condition(reply)
            if not reply.triggers and reply.status == "approved":
                yield self.writer.of_reply("no_triggers", reply.id, "triggers")
        yield from self._same_conditions()
        yield from self._duplicates()
        yield from self._upset_variants()

    def _parts(self, reply: ProvenReply) -> Iterator[Finding]:
        parts = reply.templates()
        if reply.scenario.startswith("chat."):
            return
        if "text" in parts:
            yield self.writer.of_reply("undivided", reply.id, "text")
            return
        wanted = ["information", "action", "value", *(["empathy"] if reply.tone == "upset" else [])]
        for part in wanted:
            if part not in parts:
                yield self.writer.of_reply(f"no_{part}", reply.id, part)

    def _style(self, reply: ProvenReply) -> Iterator[Finding]:
        store = self.shop.store
        limit = store.authority.lead_compensation_limit if reply.authority == "lead" else store.authority.agent_compensation_limit
        texts = {part: readable(source, store) for part, source in reply.templates().items()}
        whole = ("" if store.language != "en" else " ").join(texts.values())
        for one in style_checker_of(store).check(whole, amount_limit=limit):
            words = whole[one.start : one.end]
            field = next((part for part, text in texts.items() if words in text), "")
            code = "law" if one.code in GRAVE_CODES else "style"
            yield self.writer.of_reply(code, reply.id, field, words=words[:20], message=one.message)

    def _promises(self, reply: ProvenReply) -> Iterator[Finding]:
        limits = self.shop.store.authority
        amount = reply.promises_amount
        if amount is None:
            return
        if amount > limits.lead_compensation_limit:
            yield self.writer.of_reply("above_lead", reply.id, "promises_amount", amount=amount, limit=limits.lead_compensation_limit)
        elif amount > limits.agent_compensation_limit and reply.authority != "lead":
            yield self.writer.of_reply("above_agent", reply.id, "promises_amount", amount=amount, limit=limits.agent_compensation_limit)

    def _condition(self, reply: ProvenReply) -> Iterator[Finding]:
        language = self.shop.store.language
        misuses = [("when", one) for one in misused_in_condition(reply.when)]
        misuses += [(part, one) for part, source in reply.templates().items() for one in misused_in_template(source)]
        for field, one in misuses:
            name, allowed = fact_name(one.path, language=language), ", ".join(FACT_VALUES.get(one.path, ()))
            code = "never_equal" if one.never else "wrong_type"
            yield self.writer.of_reply(code, reply.id, field, used=one.used, name=name, kind=kind_name(one.kind, language=language), allowed=allowed)
        if reply.when and not any(field == "when" for field, _ in misuses):
            answer = self.prover.can_be_true(reply.when)
            if answer is not Answer.YES:
                yield self.writer.of_reply("never_true" if answer is Answer.NO else "undecided", reply.id, "when", when=reply.when)

    def _same_conditions(self) -> Iterator[Finding]:
        """Of each pair that is written differently and means the same, the later one is named."""
        groups: dict[tuple[object, ...], dict[str, str]] = defaultdict(dict)
        for reply in self.replies:
            if reply.when:
                groups[reply.scenario, reply.tone, reply.products, reply.effective_from, reply.effective_to].setdefault(reply.when, reply.id)
        for whens in groups.values():
            for (first, first_id), (second, second_id) in itertools.combinations(whens.items(), 2):
                if self.prover.mean_the_same(first, second) is Answer.YES and self.prover.can_be_true(first) is Answer.YES:
                    yield self.writer.of_reply("same_condition", second_id, "when", other=first_id, when=second)

    def _duplicates(self) -> Iterator[Finding]:
        pairs = [(reply, _pairs(" ".join(literal_words(source) for source in reply.templates().values()))) for reply in self.replies]
        for (first, one), (second, other) in itertools.combinations(pairs, 2):
            small, large = sorted((len(one), len(other)))
            if small < _NEARLY_THE_SAME * large or first.scenario.split(".")[0] != second.scenario.split(".")[0]:
                continue
            share = len(one & other) / max(1, len(one | other))
            if share >= _NEARLY_THE_SAME and fit_at_once(first, second, self.prover):
                yield self.writer.of_reply("duplicate", second.id, "", other=first.id, share=f"{share:.0%}")

    def _upset_variants(self) -> Iterator[Finding]:
        tones: dict[tuple[object, ...], set[str]] = defaultdict(set)
        calm: dict[tuple[object, ...], ProvenReply] = {}
        for reply in self.replies:
            gate: tuple[object, ...] = (reply.scenario, reply.when, reply.products, reply.effective_from, reply.effective_to)
            tones[gate].add(reply.tone)
            if reply.tone == "calm":
                calm.setdefault(gate, reply)
        for gate, reply in calm.items():
            if reply.scenario in OFTEN_UPSET and tones[gate] == {"calm"}:
                yield self.writer.of_reply("no_upset_variant", reply.id, "tone", scenario=scenario_name(reply.scenario, language=self.shop.store.language))


def readable(source: str, store: Store) -> str:
    """Gives a template as a person reads it: each fact as its blank, no code."""
    return _BRANCH.sub("", _BLANK.sub(lambda match: f"〔{fact_name(match.group(1), language=store.language)}〕", source)).strip()


def fit_at_once(first: ProvenReply, second: ProvenReply, prover: ConditionProver) -> bool:
    """Whether one order on one day can get both replies."""
    for one, other in ((first, second), (second, first)):
        if one.effective_to and other.effective_from and one.effective_to < other.effective_from:
            return False
    if first.products and second.products and not set(first.products) & set(second.products):
        return False
    return prover.can_both_hold(first.when, second.when) is Answer.YES


def _pairs(text: str) -> set[str]:
    form = match_form(text)
    return {form[i : i + 2] for i in range(len(form) - 1)}
