"""A reindex's report as lines for a terminal and a scheduler's log."""

from collections.abc import Sequence

from indexes.changes import Changes, Dates
from indexes.reindex_report import Report
from scripts.progress import STDERR

_SHOWN = 5


def print_summary(report: Report, *, quiet: bool) -> None:
    """Prints the run; with `quiet` only what the person at the terminal must not miss."""
    if quiet:
        lines = [note for note in report.notes if "models are used" in note]
    else:
        lines = _lines(report)
    for line in lines:
        STDERR.print(line, markup=False, highlight=False)


def _lines(report: Report) -> list[str]:
    lines = [_headline(report)]
    if report.status in ("published", "refused", "unchanged"):
        lines += [f"  {name}: {said}" for name, change in report.changes.items() if (said := _changes(change))]
        lines += [f"  {name}: {said}" for name, found in report.dates.items() for said in _dates(found)]
        lines += [f"  embedded: {_vectors(report)}"] if report.vectors else []
        lines += _checks(report)
    lines += [f"  refused ({one.code}): {one.reason}" for one in report.refusals]
    if report.forced:
        lines.append(f"  forced by {report.forced['by']}: {report.forced['reason']}")
    lines += [f"  set aside {one.snapshot_id}{' (in quarantine)' if one.quarantined else ''}: {one.reason}" for one in report.set_aside]
    lines += [f"  cleaned what a killed run left: {', '.join(report.cleaned)}"] if report.cleaned else []
    lines += [f"  note: {note}" for note in report.notes]
    lines += [f"  report: {report.path}"] if report.path else []
    return lines


def _headline(report: Report) -> str:
    name = report.store or report.store_dir
    would = "dry run, would be " if report.dry_run else ""
    if report.status == "published":
        counts = ", ".join(f"{number} {kind}" for kind, number in report.counts.items())
        with_own = "; with the shop's own models" if report.adapted else ""
        return f"{would}published {name} {report.snapshot_id}: {counts}; {report.seconds} s{with_own}"
    if report.status == "unchanged":
        return f"{would}unchanged {name} {report.snapshot_id}: nothing to publish; {report.seconds} s"
    if report.status == "refused":
        return f"{report.store_dir}: {would}refused: nothing was published; {report.previous or 'nothing'} stays live"
    return f"{report.store_dir}: {report.status}: nothing was published; {report.reason}"


def _changes(change: Changes) -> str:
    named = (("added", change.added), ("changed", change.changed), ("removed", change.removed))
    return "; ".join(f"{len(ids)} {word} ({_some(ids)})" for word, ids in named if ids)


def _dates(found: Dates) -> list[str]:
    named = (("expired", found.expired), ("expiring within 14 days", found.expiring), ("not in force yet", found.upcoming))
    return [f"{len(days)} {word} ({_some([f'{one} {day}' for one, day in days])})" for word, days in named if days]


def _vectors(report: Report) -> str:
    return ", ".join(f"{counts['computed']} of {counts['texts']} ({kind})" for kind, counts in report.vectors.items())


def _checks(report: Report) -> list[str]:
    lines = []
    if found := report.checks.get("findable"):
        before = f", in the live one {len(found['lost_live'])}" if "lost_live" in found else ""
        lost = f" ({_some(found['lost'])})" if found["lost"] else ""
        lines.append(f"  golden queries: {len(found['lost'])} of {found['n_asked']} lost{lost}{before}")
    chats = report.checks.get("chats", {})
    for metric, one in chats.get("metrics", {}).items():
        lines.append(f"  chats, {metric}: {one['live']:.3f} → {one['new']:.3f} over {one['n']} of {chats['from']}, p = {one['p_value']:.3f}")
    for one in chats.get("broken", ())[:_SHOWN]:
        lines.append(f"  chat {one['id']} gets worse ({one['why']}): wanted {_some(one['wanted'])}; live {_some(one['live'])}, new {_some(one['new'])}")
    if len(chats.get("broken", ())) > _SHOWN:
        lines.append(f"  and {len(chats['broken']) - _SHOWN} more chats; the report names all")
    if gone := chats.get("impossible"):
        lines.append(f"  {len(gone)} chats ask for replies that were taken out and are not counted ({_some(gone)})")
    return lines


def _some(ids: Sequence[str]) -> str:
    more = f", … {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more if ids else "none"
