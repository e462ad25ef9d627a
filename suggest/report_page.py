"""The evaluation as one page that opens anywhere: no script, no file from elsewhere. In the shop's language, for a team lead.

The page holds customers' words, because someone asked for it by name; everything from outside is escaped by the template engine or by `charts`.
"""

import math
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from knowledge.scenarios import scenario_name
from suggest import charts
from suggest.charts import Bar, Mark, Words
from suggest.comparison import Comparison
from suggest.evaluation import Estimate
from suggest.heard import heard_rightly
from suggest.misses import Miss, Wanted
from suggest.report import Report, largest_confusions, wanted_words
from suggest.report_words import named
from suggest.scoring import METRICS, UNJUDGED
from suggest.slices import DIMENSIONS, Slice

TEMPLATES = Path(__file__).parent / "templates"
_MOST_MISSES = 40
_MOST_CONFUSIONS = 12
_HEAT_SCENARIOS = 16
_FEW = 10  # a slice of fewer chats says little; it is shown paler


def report_page(report: Report, comparison: Comparison | None = None) -> str:
    """Gives the page of an evaluation; with a comparison its section too."""
    page = _Page(english=_is_english(report.shop.store.language))
    return page_template("report.html").render(page.common() | _report_context(report, page) | {"comparison": comparison})


def comparison_page(comparison: Comparison, *, language: str) -> str:
    """Gives the page of a comparison alone."""
    page = _Page(english=_is_english(language))
    return page_template("comparison.html").render(page.common() | {"comparison": comparison})


class _Page:
    """Words of one language, and how figures are written."""

    def __init__(self, *, english: bool) -> None:
        self.english = english

    def say(self, chinese: str, english: str) -> str:
        return english if self.english else chinese

    def name(self, key: str) -> str:
        return named(key, english=self.english)

    def scenario(self, scenario: str) -> str:
        return scenario_name(scenario, language="en" if self.english else "zh-CN")

    def short_scenario(self, scenario: str) -> str:
        """The name's first part, for a picture with little room."""
        return self.scenario(scenario).split("、")[0].split(" and ")[0]

    def slice_value(self, one: Slice) -> str:
        return self.scenario(one.value) if one.dimension == "scenario" else self.name(f"{one.dimension} {one.value}")

    def common(self) -> dict[str, Any]:
        """What every template may use."""
        return {
            "say": self.say, "name": self.name, "scenario": self.scenario, "slice_value": self.slice_value, "lang": "en" if self.english else "zh-CN",
            "share": _share, "range_of": _range, "interval": _interval, "figure": _figure, "change": _change, "decimals": _decimals, "chance": _chance,
        }  # fmt: skip


def _report_context(report: Report, page: _Page) -> dict[str, Any]:
    ours = report.ours
    systems = [ours, *report.others]
    estimates = {one.system: {metric: one.estimate(metric) for metric in (*METRICS, *UNJUDGED)} for one in systems}
    right = estimates[ours.system]
    sliced = {one.name: (ours.estimate("success@1", where=one.holds), ours.estimate("acceptable@1", where=one.holds)) for one in report.slices}
    confusions = largest_confusions(report)
    return {
        "report": report, "systems": systems, "estimates": estimates, "right": right, "metrics": METRICS, "unjudged": UNJUDGED, "few": _FEW,
        "dimensions": [(one, [part for part in report.slices if part.dimension == one]) for one in DIMENSIONS],
        "sliced": sliced, "heard": heard_rightly(ours.results), "confusions": confusions[:_MOST_CONFUSIONS], "n_confusions": len(confusions),
        "misses": [(miss, [_fate(one, report, page) for one in miss.wanted if one.grade == 2]) for miss in report.misses[:_MOST_MISSES]],
        "heading": _heading, "head_chart": _head_chart(right, page), "baseline_chart": _baseline_chart(report, estimates, page),
        "coverage_chart": _coverage_chart(report, page), "reliability_chart": _reliability_chart(report, page),
        "heat_map": _heat_map(report, page), "stage_chart": _stage_chart(report, page),
        "auto_reply_chart": _bars([(name, one) for name, one in ours.auto_replies.items() if one.n], page.say("免看直发", "Sent unread"), page),
        "abstention_chart": _bars(list(ours.abstention.items()), page.say("不出话术", "Silence"), page),
    }  # fmt: skip


def _head_chart(right: dict[str, Estimate], page: _Page) -> Markup:
    return _bars([(metric, right[metric]) for metric in METRICS], page.say("主要指标，带95%区间", "Headline metrics with 95% intervals"), page)


def _bars(figures: list[tuple[str, Estimate]], title: str, page: _Page) -> Markup:
    bars = [Bar(page.name(name), one.mean, one.low, one.high, f"n={one.n}") for name, one in figures]
    told = "; ".join(f"{bar.label} {_share(bar.value)}" for bar in bars)
    return _safe(charts.bar_chart(bars, Words(title, told), label_width=270))


def _baseline_chart(report: Report, estimates: dict[str, dict[str, Estimate]], page: _Page) -> Markup:
    bars = []
    for one in [report.ours, *report.others]:
        found = estimates[one.system]["acceptable@1"]
        bars.append(Bar(page.name(one.system), found.mean, found.low, found.high, strong=one is report.ours))
    told = "; ".join(f"{bar.label} {_share(bar.value)}" for bar in bars)
    return _safe(charts.bar_chart(bars, Words(f"{page.name('acceptable@1')}{page.say('，各种做法', ', each system')}", told), label_width=230))


def _coverage_chart(report: Report, page: _Page) -> Markup:
    now = report.thresholds[0]
    label = page.say(f"现门槛 {now.threshold:.0%}", f"threshold now {now.threshold:.0%}")
    told = page.say(
        f"现门槛下 {_share(now.coverage)} 的消息有话术，其中 {_share(now.precision)} 首条可用",
        f"at the threshold in force {_share(now.coverage)} of messages get a draft, and {_share(now.precision)} of those have an acceptable first one",
    )
    words = Words(
        page.say("覆盖与准确", "Coverage against precision"), told, x=page.say("有话术的消息占比", "share of messages with a draft"),
        y=page.say("其中首条可用", "of those, first draft acceptable"),
    )  # fmt: skip
    return _safe(charts.line_chart([(one.coverage, one.precision) for one in report.curve], words, marks=[Mark(now.coverage, now.precision, label)]))


def _reliability_chart(report: Report, page: _Page) -> Markup:
    told = "; ".join(f"{one.low:.1f}-{one.high:.1f}: {_share(one.accepted)} (n={one.n})" for one in report.bins if one.n)
    words = Words(
        page.say("把握说得准不准", "Is the confidence honest?"), told, x=page.say("首条话术的把握", "confidence of the first draft"),
        y=page.say("实际可用", "acceptable in fact"),
    )  # fmt: skip
    return _safe(charts.reliability_chart([(one.low, one.high, one.accepted, one.n) for one in report.bins], words))


def _heat_map(report: Report, page: _Page) -> Markup:
    """The scenarios that are confused most, so that the picture can be read; the largest first."""
    weight: dict[str, int] = {}
    for pair, n in largest_confusions(report):
        for one in pair:
            weight[one] = weight.get(one, 0) + n
    shown = sorted(sorted(weight, key=lambda one: (-weight[one], one))[:_HEAT_SCENARIOS])
    counts = [[report.confusion.get((row, column), 0) for column in shown] for row in shown]
    title = page.say("听成了什么：行是标注，列是听成的", "Heard as: rows labelled, columns heard")
    told = "; ".join(f"{page.scenario(a)} → {page.scenario(b)}: {n}" for (a, b), n in largest_confusions(report)[:5])
    return _safe(charts.heat_map([page.short_scenario(one) for one in shown], counts, Words(title, told)))


def _stage_chart(report: Report, page: _Page) -> Markup:
    stages = [(page.name(f"stage {stage}"), values["p50"], values["p95"]) for stage, values in report.stages_ms.items()]
    told = "; ".join(f"{name} {p50:.1f} / {p95:.1f} ms" for name, p50, p95 in stages)
    return _safe(charts.stage_chart(stages, Words(page.say("各步耗时，p50 与 p95", "Time by stage, p50 and p95"), told)))


def _fate(one: Wanted, report: Report, page: _Page) -> dict[str, str]:
    """A wanted reply: its words and what became of it."""
    if one.ruled_out:
        fate = page.say("按理解到的订单与情绪，条件不成立", "ruled out by the order and mood as understood")
    elif one.place is None:
        fate = page.say("不在最近的几条里", "not among the nearest candidates")
    else:
        fate = page.say(f"候选第 {one.place}，把握 {one.confidence:.0%}", f"candidate number {one.place}, {one.confidence:.0%} sure")
    return {"id": one.reply_id, "words": wanted_words(report, one.reply_id), "fate": fate}


def _heading(miss: Miss) -> str:
    return f"{miss.confidence:.0%}"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0%}"


def _interval(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"{value.mean:.0%} [{value.low:.0%}, {value.high:.0%}]"


def _range(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"95%: {value.low:.0%} – {value.high:.0%} · n={value.n}"


def _figure(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"{value.mean:.2f}"


def _decimals(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _change(value: Estimate) -> str:
    """A difference in points of a hundred."""
    return f"{100 * value.mean:+.1f} [{100 * value.low:+.1f}, {100 * value.high:+.1f}]"


def _chance(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _is_english(language: str) -> bool:
    return language.startswith("en")


def _safe(svg: str) -> Markup:
    """The charts escape what they are given, and nothing else is passed on unescaped."""
    return Markup(svg)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def page_template(name: str) -> jinja2.Template:
    """Gives one of the pages' templates, in which every word from outside is escaped."""
    return _environment().get_template(name)
