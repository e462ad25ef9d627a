"""The writer's desk: everything that can be found wrong or wanting in a shop's knowledge, in one list with the coverage matrix."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from indexes.embedder import Embedder
from indexes.trigger_conflicts import TriggerConflict, trigger_conflicts
from knowledge.article_checks import ArticleDesk
from knowledge.condition_domain import ConditionProver
from knowledge.errors import InvalidKnowledge
from knowledge.findings import Finding, FindingWriter, Place
from knowledge.places import article_places, reply_places
from knowledge.reply_checks import ReplyDesk
from knowledge.scenarios import scenario_name
from knowledge.shop import Shop, load_shop
from suggest.knowledge_coverage import CoverageMatrix, coverage_matrix, meet_on_an_order
from suggest.report_words import named
from suggest.store_words import store_word_findings


@dataclass(frozen=True, slots=True)
class DeskReport:
    """What was found, gravest first; without a shop and a matrix where its files cannot be read."""

    name: str
    language: str
    now: datetime
    shop: Shop | None
    findings: tuple[Finding, ...]
    coverage: CoverageMatrix | None

    def count(self, severity: str) -> int:
        """Gives how many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)


def examine(folder: Path, embedder: Embedder, now: datetime) -> DeskReport:
    """Gives the report on the shop of a folder. A shop that cannot be loaded is reported by its bad rows alone."""
    try:
        shop = load_shop(folder)
    except InvalidKnowledge as error:
        writer = FindingWriter(language="zh-CN", replies={}, articles={})
        bad = (writer.of_shop("unreadable", Place(row.path, row.line), row.field, problem=str(row)) for row in error.bad_rows)
        return DeskReport(folder.name, "zh-CN", now, None, tuple(sorted(bad, key=lambda one: one.order)), None)
    writer = FindingWriter(language=shop.store.language, replies=reply_places(folder), articles=article_places(folder))
    prover = ConditionProver(shop.store)
    coverage = coverage_matrix(shop, now)
    approved = [reply for reply in shop.replies if reply.status == "approved"]
    findings = [
        *ReplyDesk(shop, writer, prover).findings(),
        *ArticleDesk(shop, writer, now.astimezone(ZoneInfo(shop.store.timezone)).date()).findings(),
        *_conflicts(shop, writer, trigger_conflicts(approved, embedder, prover), now),
        *_gaps(shop, writer, coverage),
        *store_word_findings(shop.store, writer),
    ]
    return DeskReport(shop.store.name, shop.store.language, now, shop, tuple(sorted(findings, key=lambda one: one.order)), coverage)


def _conflicts(shop: Shop, writer: FindingWriter, conflicts: Iterable[TriggerConflict], now: datetime) -> Iterator[Finding]:
    for one in conflicts:
        if meet_on_an_order(one.first, one.second, shop, now):
            scenario = scenario_name(one.first.scenario, language=shop.store.language)
            values = {"trigger": one.second_trigger, "other": one.first.id, "scenario": scenario, "other_trigger": one.first_trigger}
            yield writer.of_reply("trigger_conflict", one.second.id, "triggers", **values)


def _gaps(shop: Shop, writer: FindingWriter, coverage: CoverageMatrix) -> Iterator[Finding]:
    language = shop.store.language
    present = {reply.scenario for reply in shop.replies if reply.status == "approved"}
    for scenario in coverage.scenarios:
        name, place = scenario_name(scenario, language=language), Place("")
        if scenario not in present:
            yield writer.of_shop("no_scenario", place, scenario, scenario=name)
            continue
        for cell in (coverage.cells[scenario, state] for state in sorted({state for one, state in coverage.cells if one == scenario})):
            if cell.asked and not cell.n_replies:
                yield writer.of_shop("empty_cell", place, scenario, scenario=name, state=state_name(cell.state, english=language == "en"))
        missing = coverage.missing(scenario)
        if missing:
            yield writer.of_shop("no_category", place, scenario, scenario=name, categories=("; " if language == "en" else "、").join(missing))


def state_name(state: str, *, english: bool) -> str:
    """Gives what a person calls the order's state."""
    return named(f"order_state {state}", english=english)
