"""The tables that `scripts.evaluate` prints."""

import math

from rich.console import Console
from rich.table import Table

from suggest.comparison import Comparison
from suggest.evaluation import Estimate
from suggest.heard import heard_rightly
from suggest.report import Report, largest_confusions
from suggest.review import ReviewReport
from suggest.scoring import METRICS, UNJUDGED

_MOST_LINES = 20


def print_report(report: Report) -> None:
    """Prints metrics beside the baselines, slices, silence, calibration, confusions, time, and anything that must never be shown."""
    console = Console(width=max(150, Console().width))
    ours = report.ours
    systems = [ours, *report.others]
    table = Table(title=f"{len(ours.results)} chats · mean [95% interval]")
    table.add_column("metric")
    for one in systems:
        table.add_column(one.system, justify="right")
    for metric in METRICS:
        table.add_row(metric, *(_cell(one.estimate(metric)) for one in systems))
    for metric in UNJUDGED:
        table.add_row(f"{metric} (a chat)", *(f"{one.estimate(metric).mean:.2f}" for one in systems))
    console.print(table)
    slices = Table(title="huashu by slice")
    for name in ("slice", "n", "success@1", "acceptable@1", "acceptable@3"):
        slices.add_column(name, justify="left" if name == "slice" else "right")
    for part in report.slices:
        cells = [_cell(ours.estimate(metric, where=part.holds)) for metric in ("success@1", "acceptable@1", "acceptable@3")]
        slices.add_row(part.name, str(len(part.chat_ids)), *cells)
    console.print(slices)
    for line in _lines(report):
        console.print(line, highlight=False, markup=False)


def print_comparison(found: Comparison) -> None:
    """Prints the metrics of both with the difference and its p-value, then the chats that got worse and better."""
    console = Console(width=max(130, Console().width))
    table = Table(title=f"{found.n_chats} chats, paired · mean [95% interval]")
    for name in ("metric", f"A: {found.name_a}", f"B: {found.name_b}", "B - A", "p"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for one in found.metrics:
        difference = f"{one.difference.mean:+.3f} [{one.difference.low:+.3f}, {one.difference.high:+.3f}]"
        table.add_row(one.metric, _cell(one.a), _cell(one.b), difference, f"{one.p_value:.4f}")
    console.print(table)
    for title, changes in (("worse", found.worse), ("better", found.better)):
        console.print(f"{title}: {len(changes)} chats", highlight=False, markup=False)
        for change in changes[:_MOST_LINES]:
            drafts = f"{next(iter(change.a.reply_ids), 'silent')} → {next(iter(change.b.reply_ids), 'silent')}"
            console.print(f"  {change.by:+.2f} {change.a.id}: {drafts}", highlight=False, markup=False)


def print_review(found: ReviewReport) -> None:
    """Prints how the drafts were judged, what was added, and where the review contradicts the labels."""
    console = Console(soft_wrap=True)
    grades = [one.grade for one in found.judgements if one.grade is not None]
    moves = [one.moves for one in found.judgements if one.moves is not None]
    lines = [f"judged drafts: {len(grades)}"]
    if grades:
        whole, edited = (sum(one >= least for one in grades) / len(grades) for least in (2, 1))
        lines.append(f"would send as it is: {whole:.1%}; at most a small edit: {edited:.1%}")
    if moves:
        lines.append(f"moves the case on: {sum(moves) / len(moves):.1%} of {len(moves)}")
    lines.append(f"labels added: {len(found.added)}; disagreements with labels: {len(found.disagreements)}")
    for line in [*lines, *(f"  {one}" for one in found.disagreements)]:
        console.print(line, highlight=False, markup=False)


def _lines(report: Report) -> list[str]:
    now = report.thresholds[0]
    lines = [f"{name}: {_cell(value)} of {value.n}" for name, value in report.ours.abstention.items()]
    lines += [f"{name}: {_cell(value)} of {value.n}" for name, value in report.ours.auto_replies.items()]
    lines.append(f"threshold {now.threshold:.3f}: {now.coverage:.1%} of messages get a draft, {now.precision:.1%} of those acceptable")
    lines.append(f"calibration error of the first draft's confidence (ECE): {report.calibration_error:.3f}")
    confused = "; ".join(f"{a} as {b} ({n})" for (a, b), n in largest_confusions(report)[:5])
    heard = heard_rightly(report.ours.results)
    lines.append(f"main scenario heard rightly: {heard.scenario:.1%}; most confused: {confused or 'none'}")
    moods = f"mood heard rightly: {heard.mood:.1%}, macro-F1 {heard.mood_macro_f1:.3f}"
    lines.append(f"{moods}; threats: precision {heard.threat_precision:.3f}, recall {heard.threat_recall:.3f}")
    times = ", ".join(f"{stage} {value['p50']:.1f}/{value['p95']:.1f}" for stage, value in report.stages_ms.items())
    lines.append(f"ms a message, p50/p95: {times}")
    kinds = {kind: sum(one.kind == kind for one in report.misses) for kind in ("wrong", "unwanted", "silent")}
    lines.append(f"misses: {kinds['wrong']} wrong first drafts, {kinds['unwanted']} drafts where none fits, {kinds['silent']} silent though answerable")
    lines.append(f"ineligible, expired, blocked, internal or raw text shown: {len(report.ours.violations)}")
    return lines + [f"  {one}" for one in report.ours.violations[:_MOST_LINES]]


def _cell(value: Estimate) -> str:
    return "–" if math.isnan(value.mean) else f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"
