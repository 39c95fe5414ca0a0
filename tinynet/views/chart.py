"""Curves, as a drawing in SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from .numbers import number, ticks
from .page import Markup

WIDTH, HEIGHT = 330, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 24, 34  # what the axes leave around the curves
MOST_POINTS = 12  # of a curve whose points are shown
TEXT = 'font-size="11" fill="currentColor"'
LINE = 'stroke="currentColor" stroke-opacity="0.2"'


@dataclass(frozen=True)
class Curve:
    """A curve.

    Args:
        name: what it shows.
        x, y: its points; where y is not finite, there is a gap.
        colour: of it.
        dashed: whether it is.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashed: bool = False

    def parts(self) -> list[list[tuple[float, float]]]:
        """Return its points, cut where there are gaps."""
        parts: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(self.x, self.y, strict=True):
            if math.isfinite(y):
                parts[-1].append((x, y))
            else:
                parts.append([])
        return [part for part in parts if part]


def chart(title: str, given: Sequence[Curve], below: str) -> Markup:
    """Return a drawing of curves, with axes, whole numbers below, and what each is at last.

    Where a curve has few points, they show.

    Args:
        title: what stands above.
        given: the curves.
        below: what x is.
    """
    points = [point for curve in given for part in curve.parts() for point in part]
    if not points:
        return Markup(f"<div>{html.escape(title)}: no finite value</div>")
    columns, rows = zip(*points, strict=True)
    across, up = ticks(min(columns), max(columns), whole=True), ticks(min(rows), max(rows))
    left, right = (min(columns), max(columns)) if len({*columns}) > 1 else (columns[0] - 1, columns[0] + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (x - left) / (right - left), (y - up[0]) / (up[-1] - up[0])
        return (
            round(LEFT + share[0] * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - share[1] * (HEIGHT - TOP - BOTTOM), 1),
        )

    drawn = [
        f'<text x="{LEFT}" y="14" font-size="12" font-weight="bold" fill="currentColor">',
        html.escape(title),
        "</text>",
    ]
    for y in up:
        _, height = place(left, y)
        drawn.append(f'<line x1="{LEFT}" y1="{height}" x2="{WIDTH - RIGHT}" y2="{height}" {LINE}/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{height + 4}" text-anchor="end" {TEXT}>{y:g}</text>')
    for x in across:
        along, _ = place(x, up[0])
        drawn.append(f'<text x="{along}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle" {TEXT}>{x:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(
        f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle" {TEXT}>{html.escape(below)}</text>'
    )
    for curve in given:
        for part in curve.parts():
            drawn += line(
                curve, [place(x, y) for x, y in part], len(curve.x) <= MOST_POINTS or len(part) == 1
            )
    said = [(curve, f"{curve.name} {number(curve.y[-1])}") for curve in given if len(curve.y)]
    label = html.escape(f"{title} by {below}, at last: {'; '.join(text for _, text in said)}")
    legend = "".join(key(curve, text) for curve, text in said)
    return Markup(
        f'<div style="display:inline-block;margin:4px 12px 4px 0"><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}" style="max-width:100%">'
        f"{''.join(drawn)}</svg><div>{legend}</div></div>"
    )


def key(curve: Curve, text: str) -> str:
    """Return an entry of the legend."""
    style = "dashed" if curve.dashed else "solid"
    return (
        '<span style="margin-right:12px"><span style="display:inline-block;width:20px;vertical-align:middle;'
        f'border-top:2px {style} {curve.colour}"></span> {html.escape(text)}</span>'
    )


def line(curve: Curve, places: Sequence[tuple[float, float]], points: bool) -> list[str]:
    """Return a line, and, if they are to be shown, its points."""
    dashes = ' stroke-dasharray="5 3"' if curve.dashed else ""
    way = " ".join(f"{x},{y}" for x, y in places)
    drawn = [f'<polyline points="{way}" fill="none" stroke="{curve.colour}" stroke-width="2"{dashes}/>']
    if points:
        drawn += [f'<circle cx="{x}" cy="{y}" r="3" fill="{curve.colour}"/>' for x, y in places]
    return drawn
