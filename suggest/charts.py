"""Small pictures as SVG text, for a page that opens anywhere: no script, no file from elsewhere, a title and a description for those who do not see them.

Colours are CSS variables of the page with a fallback, so that a picture on its own is still readable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 30, 44
_INK, _FAINT, _ACCENT, _SECOND = "var(--ink,#1d2733)", "var(--line,#d9dfe6)", "var(--accent,#0b6bcb)", "var(--second,#8a94a0)"
_ROW = 30


@dataclass(frozen=True, slots=True)
class Words:
    """What a picture is called, what it shows in a sentence, and its axes."""

    title: str
    description: str
    x: str = ""
    y: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value in 0..1 with its interval; NaN draws none. `note` stands behind it."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""
    strong: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to see on a line chart, in 0..1 each, with its label."""

    x: float
    y: float
    label: str


def line_chart(points: Sequence[tuple[float, float]], words: Words, *, marks: Sequence[Mark] = ()) -> str:
    """Gives a line through (x, y), each in 0..1, in the order given."""
    path = " ".join(f"{'L' if place else 'M'}{_x(x)} {_y(y)}" for place, (x, y) in enumerate(points) if not math.isnan(y))
    body = [f'<path d="{path}" fill="none" stroke="{_ACCENT}" stroke-width="2.5" stroke-linejoin="round"/>'] if path else []
    for mark in marks:
        if not math.isnan(mark.y):
            anchor, shift = ("end", -9) if mark.x > 0.6 else ("start", 9)
            body.append(f'<circle cx="{_x(mark.x)}" cy="{_y(mark.y)}" r="5" fill="{_ACCENT}"/>')
            body.append(_text(float(_x(mark.x)) + shift, float(_y(mark.y)) + 20, mark.label, anchor=anchor, size=13))
    return _svg(_WIDTH, _HEIGHT, words, _axes(words) + "".join(body))


def reliability_chart(bins: Sequence[tuple[float, float, float, int]], words: Words) -> str:
    """Gives columns of (low, high, accepted, n) against the diagonal of an honest confidence; width is the bin, colour depth the number of drafts."""
    most = max((n for *_, n in bins), default=0)
    body = [f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="{_SECOND}" stroke-width="1.5" stroke-dasharray="5 4"/>']
    for low, high, accepted, n in bins:
        if n and not math.isnan(accepted):
            left, width, top = float(_x(low)), float(_x(high)) - float(_x(low)), float(_y(accepted))
            body.append(
                f'<rect x="{left + 1.5:.1f}" y="{top:.1f}" width="{width - 3:.1f}" height="{float(_y(0)) - top:.1f}" rx="2" fill="{_ACCENT}" '
                f'fill-opacity="{0.3 + 0.6 * n / most:.2f}"><title>{low:.1f}-{high:.1f}: {accepted:.0%} (n={n})</title></rect>'
            )
            body.append(_text(left + width / 2, max(top - 5, _TOP - 3), str(n), anchor="middle", size=11))
    return _svg(_WIDTH, _HEIGHT, words, _axes(words) + "".join(body))


def bar_chart(bars: Sequence[Bar], words: Words, *, label_width: int = 200) -> str:
    """Gives a row for each bar with its interval as a whisker, the figure and the note behind it."""
    width, plot, height = 760, 760 - label_width - 215, _ROW * len(bars) + 8
    body = [f'<line x1="{label_width + plot * t / 4:.1f}" y1="2" x2="{label_width + plot * t / 4:.1f}" y2="{height - 2}" stroke="{_FAINT}"/>' for t in range(5)]
    for row, bar in enumerate(bars):
        middle = 4 + _ROW * row + _ROW / 2
        body.append(_text(label_width - 10, middle + 5, bar.label, anchor="end", size=14))
        if math.isnan(bar.value):
            body.append(_text(label_width + 6, middle + 5, "–", anchor="start", size=14))
            continue
        low, high = label_width + plot * bar.low, label_width + plot * bar.high
        fill = _ACCENT if bar.strong else _SECOND
        body.append(f'<rect x="{label_width}" y="{middle - 8:.1f}" width="{plot * bar.value:.1f}" height="16" rx="2" fill="{fill}" fill-opacity="0.75"/>')
        body.append(f'<path d="M{low:.1f} {middle - 5:.1f}v10M{low:.1f} {middle:.1f}H{high:.1f}M{high:.1f} {middle - 5:.1f}v10" stroke="{_INK}" fill="none"/>')
        body.append(_text(label_width + plot + 10, middle + 5, f"{bar.value:.0%} [{bar.low:.0%}, {bar.high:.0%}] {bar.note}".rstrip(), anchor="start", size=13))
    return _svg(width, height, words, "".join(body))


def stage_chart(stages: Sequence[tuple[str, float, float]], words: Words) -> str:
    """Gives a row for each (stage, p50, p95) in milliseconds: p50 dark, p95 pale behind it."""
    width, label, height = 760, 140, _ROW * len(stages) + 8
    most = max((p95 for _, _, p95 in stages), default=0.0) or 1.0
    scale = (width - label - 170) / most
    body = []
    for row, (name, p50, p95) in enumerate(stages):
        middle = 4 + _ROW * row + _ROW / 2
        body.append(_text(label - 10, middle + 5, name, anchor="end", size=14))
        for value, opacity in ((p95, 0.25), (p50, 0.8)):
            body.append(
                f'<rect x="{label}" y="{middle - 8:.1f}" width="{max(1.0, value * scale):.1f}" height="16" rx="2" fill="{_ACCENT}" fill-opacity="{opacity}"/>'
            )
        body.append(_text(label + p95 * scale + 8, middle + 5, f"{p50:.1f} / {p95:.1f} ms", anchor="start", size=13))
    return _svg(width, height, words, "".join(body))


def heat_map(labels: Sequence[str], counts: Sequence[Sequence[int]], words: Words) -> str:
    """Gives a square of counts, [n_labels, n_labels]: rows what was labelled, columns what was heard. Colour is the share of the row; the diagonal is right."""
    cell, margin, head = 26, 170, 120
    size = cell * len(labels)
    body = []
    for row, (name, line) in enumerate(zip(labels, counts, strict=True)):
        y = head + cell * row
        body.append(_text(margin - 8, y + 18, name, anchor="end", size=12))
        x_head = margin + cell * row + 17
        turned = f'transform="rotate(-50 {x_head} {head - 8})"'
        body.append(f'<text x="{x_head}" y="{head - 8}" font-size="12" fill="{_INK}" {turned}>{escape(name)}</text>')
        for column, n in enumerate(line):
            x = margin + cell * column
            colour = ("var(--good,#1a7f4b)" if row == column else "var(--bad,#c0392b)") if n else "var(--cell,#f3f5f8)"
            opacity = 0.25 + 0.75 * n / sum(line) if n else 1
            tip = f"{escape(name)} → {escape(labels[column])}: {n}"
            body.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" rx="3" fill="{colour}" fill-opacity="{opacity:.2f}"><title>{tip}</title></rect>'
            )
            if n:
                body.append(_text(x + cell / 2 - 1, y + 17, str(n), anchor="middle", size=11, fill="#fff" if n / sum(line) > 0.35 else _INK))
    return _svg(margin + size + 110, head + size + 8, words, "".join(body))


def _axes(words: Words) -> str:
    lines = []
    for step in range(6):
        share = step / 5
        lines.append(f'<line x1="{_x(0)}" y1="{_y(share)}" x2="{_x(1)}" y2="{_y(share)}" stroke="{_FAINT}"/>')
        lines.append(_text(_LEFT - 8, float(_y(share)) + 4, f"{share:.0%}", anchor="end", size=12))
        lines.append(_text(float(_x(share)), _HEIGHT - _BOTTOM + 18, f"{share:.0%}", anchor="middle", size=12))
    lines.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, words.x, anchor="middle", size=13))
    lines.append(_text(4, 14, words.y, anchor="start", size=13))
    return "".join(lines)


def _x(share: float) -> str:
    return f"{_LEFT + share * (_WIDTH - _LEFT - _RIGHT):.1f}"


def _y(share: float) -> str:
    return f"{_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM):.1f}"


def _text(x: float, y: float, text: str, *, anchor: str, size: int, fill: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _svg(width: int, height: int, words: Words, body: str) -> str:
    """The frame. `role=img` with title and desc is read out as one picture."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" style="max-width:{width}px">'
        f"<title>{escape(words.title)}</title><desc>{escape(words.description)}</desc>{body}</svg>"
    )
