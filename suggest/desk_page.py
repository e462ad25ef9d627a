"""The writer's desk as one page that opens anywhere, and as JSON: in the shop's language, for a team lead."""

import itertools
from typing import Any

from knowledge.findings import SEVERITIES, Finding
from knowledge.scenarios import scenario_name
from suggest.desk import DeskReport, state_name
from suggest.knowledge_coverage import STATES, Cell, CoverageMatrix
from suggest.report_page import page_template

SEVERITY_NAMES = {"error": ("必须改", "to mend"), "warning": ("建议改", "to improve"), "note": ("供参考", "for information")}
_MANY = 4  # replies from which a cell is drawn deep


def desk_page(report: DeskReport) -> str:
    """Gives the page of a report."""
    english, matrix = report.language == "en", report.coverage
    asked = [cell for cell in matrix.cells.values() if cell.asked] if matrix else []
    gaps = sum(not cell.n_replies for cell in asked)
    n_categories = len(matrix.categories) if matrix else 0
    return page_template("desk.html").render({
        "report": report, "shop": report.shop, "matrix": matrix, "states": STATES, "lang": "en" if english else "zh-CN",
        "say": lambda chinese, its_english: its_english if english else chinese,
        "name_of": {name: words[english] for name, words in SEVERITY_NAMES.items()},
        "day": report.now.date().isoformat(), "gaps": gaps, "covered": f"{1 - gaps / len(asked):.0%}" if asked else "",
        "by_severity": [(severity, _by_code(report, severity)) for severity in SEVERITIES],
        "state_name": lambda state: state_name(state, english=english),
        "scenario_name": lambda scenario: scenario_name(scenario, language=report.language),
        "look": lambda cell: _look(cell, n_categories), "by_family": _by_family(matrix) if matrix else ([], {}),
    })  # fmt: skip


def _by_code(report: DeskReport, severity: str) -> list[tuple[str, list[Finding]]]:
    found = [finding for finding in report.findings if finding.severity == severity]
    return [(code, list(group)) for code, group in itertools.groupby(found, key=lambda finding: finding.code)]


def _by_family(matrix: CoverageMatrix) -> tuple[list[str], dict[tuple[str, str], tuple[int, int]]]:
    """Families of categories (the first level), and for each scenario and family (the least replies a category of it has, how many have none)."""
    families: dict[str, list[str]] = {}
    for category in matrix.categories:
        families.setdefault(category.split("/")[0], []).append(category)
    cells = {}
    for scenario, (family, categories) in itertools.product(matrix.scenarios, families.items()):
        counts = [matrix.by_category[scenario, category] for category in categories]
        cells[scenario, family] = (min(counts), sum(not count for count in counts))
    return (list(families) if len(families) > 1 else []), cells


def _look(cell: Cell, n_categories: int) -> str:
    """The classes of a cell of the matrix."""
    if not cell.n_replies:
        return "gap" if cell.asked else "seldom"
    return ("many" if cell.n_replies >= _MANY else "some") + (" part" if cell.n_categories < n_categories else "")


def desk_as_json(report: DeskReport) -> dict[str, Any]:
    """Gives the report for a machine."""
    matrix = report.coverage
    return {
        "store": report.name,
        "now": report.now.isoformat(),
        "counts": {severity: report.count(severity) for severity in SEVERITIES},
        "findings": [
            {
                "severity": one.severity, "code": one.code, "file": one.place.path, "line": one.place.line, "id": one.subject, "field": one.field,
                "problem": one.problem, "advice": one.advice,
            }
            for one in report.findings
        ],
        "coverage": [
            {"scenario": cell.scenario, "order_state": cell.state, "replies": cell.n_replies, "categories": cell.n_categories, "asked": cell.asked}
            for cell in (matrix.cells.values() if matrix else ())
        ],
        "categories": [
            {"scenario": scenario, "category": category, "replies": count} for (scenario, category), count in (matrix.by_category.items() if matrix else ())
        ],
    }  # fmt: skip
