"""README's chart of `compare.py`: an SVG with a bar for each row, on light and dark pages and phones."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from report import OURS, TIMES, Row, times

WIDTH, LINE, TOP, BOTTOM = 626, 25, 34, 30
LEFT, RIGHT = 246, 496  # where bars begin, and where their ratios end; names are before, peers behind
MOST = 5.0  # the longest bar: those that are longer end there, and say what they are
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #1f2328 }
  .page { fill: #ffffff } .soft { fill: #59636e; font-size: 12px } .ratio { font-weight: 600 }
  .ahead { fill: #c8321f } .behind { fill: #e39b8f } .rule { stroke: #1f2328; stroke-width: 1.2 }
  .line { stroke: #d1d9e0 } .goal { stroke: #1f2328; stroke-width: 2.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .page { fill: #0d1117 } .soft { fill: #9198a1 }
    .ahead { fill: #f0604d } .behind { fill: #8f4237 } .line { stroke: #3d444d }
    .rule, .goal { stroke: #f0f6fc }
  }
"""


def place(ratio: float) -> float:
    """Return where on the line of a bar a ratio is."""
    return LEFT + (RIGHT - LEFT - 54) * min(ratio, MOST) / MOST


def chart(rows: Sequence[Row], note: str = "") -> str:
    """Return an SVG of how many times as good as the best peer tinynet is in each row that has peers.

    Args:
        rows: of the chart, from top to bottom.
        note: a line below.
    """
    shown = [(row, ratio) for row in rows if (ratio := row.ratio()) is not None and OURS in row.rounds]
    height = TOP + LINE * len(shown) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>How many times as good as the best peer {OURS} is</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        _text(LEFT, 20, f"{OURS}, in times of the best peer", "soft"),
        _text(RIGHT + 8, 20, "best peer", "soft"),
        _text(LEFT - 16, height - BOTTOM + 16, "upright marks: goals", "soft", "end"),
    ]
    for tick in range(int(MOST) + 1):
        x, style = place(tick), "rule" if tick == 1 else "line"
        parts.append(f'<line class="{style}" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height - BOTTOM}"/>')
        parts.append(_text(x, height - BOTTOM + 16, f"{tick}{TIMES}", "soft", "middle"))
    for i, (row, ratio) in enumerate(shown):
        parts += _bar(row, ratio, TOP + LINE * i)
    if note:
        parts.append(_text(WIDTH - 8, height - BOTTOM + 16, note, "soft", "end"))
    return "\n".join([*parts, "</svg>\n"])


def _bar(row: Row, ratio: float, y: float) -> list[str]:
    end, style = place(ratio), "ahead" if ratio >= 1 else "behind"
    parts = [
        _text(LEFT - 8, y + 14, row.name, anchor="end"),
        f'<rect class="{style}" x="{LEFT}" y="{y + 2}" width="{end - LEFT:.1f}" height="{LINE - 9}" rx="2"/>',
        _text(RIGHT, y + 14, times(ratio), "ratio", "end"),
        _text(RIGHT + 8, y + 14, row.best_peer() or "", "soft"),
    ]
    if row.goal is not None:
        x = place(row.goal)
        parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + LINE - 5}"/>')
    return parts


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    chosen = f' class="{style}"' if style else ""
    return f'<text{chosen} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
