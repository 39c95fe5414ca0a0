"""The parts of a view: a frame, tables, bars, pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

from .colours import BLUE, GREY

FRAME = "font:13px/1.5 system-ui,sans-serif;max-width:100%;overflow-x:auto"
CELL = "padding:2px 12px 2px 0;white-space:nowrap;background:none"


class Markup(str):
    """A text that is HTML already; all other texts are escaped."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Return a text as HTML."""
    return text if isinstance(text, Markup) else Markup(html.escape(text))


def page(title: str, *parts: str) -> str:
    """Return a view: a title, and what comes below it; no wider than the notebook, else it scrolls."""
    return f'<div style="{FRAME}"><div><b>{escaped(title)}</b></div>{"".join(map(escaped, parts))}</div>'


def note(text: str) -> Markup:
    """Return a line of text."""
    return Markup(f"<div>{escaped(text)}</div>")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str, title: str = "") -> Markup:
    """Return a table.

    Args:
        head: what stands above the columns.
        rows: cells, texts or `Markup`.
        align: a letter for each column, l for left and r for right.
        title: what is to be opened before the table shows; default "": it shows at once.
    """
    sides = ["right" if letter == "r" else "left" for letter in align]

    def row(cells: Sequence[str], kind: str, style: str) -> str:
        inside = "".join(
            f'<{kind} style="{CELL};text-align:{side}{style}">{escaped(cell)}</{kind}>'
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{inside}</tr>"

    top = row(head, "th", f";border-bottom:1px solid {GREY}")
    body = "".join(row(cells, "td", "") for cells in rows)
    whole = (
        '<table style="font:inherit;border-collapse:collapse;font-variant-numeric:tabular-nums;margin:4px 0">'
        f"<thead>{top}</thead><tbody>{body}</tbody></table>"
    )
    return Markup(f"<details><summary>{escaped(title)}</summary>{whole}</details>" if title else whole)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> list[str]:
    """Return the lines of a table as text.

    Args:
        head, rows: as `table` takes them, without `Markup`.
        align: as there; default: all to the right.

    Example:
        >>> columns(["name", "size"], [["kernel", "7840"], ["bias", "10"]], "lr")
        ['name    size', 'kernel  7840', 'bias      10']
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    sides = ["<" if letter == "l" else ">" for letter in align or "r" * len(head)]
    return [
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]


def bar(share: float, width: int = 120, colour: str = BLUE) -> Markup:
    """Return a bar for a share from 0 to 1, so many pixels wide for all of it."""
    long = width * min(max(share, 0.0), 1.0)
    return Markup(
        f'<span style="display:inline-block;height:0.7em;width:{long:.1f}px;background:{colour}"></span>'
    )


def track(share: float, width: int = 120) -> Markup:
    """Return a bar on ground that is as wide as all of it, so that what follows stays where it is."""
    return Markup(
        f'<span style="display:inline-block;width:{width}px;line-height:1;background:{GREY}40">'
        f"{bar(share, width)}</span>"
    )


def picture(png: bytes, caption: str, height: int, colour: str = GREY, said: str = "") -> Markup:
    """Return a picture with a caption below.

    Args:
        png: the file.
        caption: what stands below.
        height: of the picture, in pixels.
        colour: of its frame.
        said: what is said instead of the picture, and of it under the mouse; default: the caption.
    """
    source, said = base64.b64encode(png).decode(), html.escape(said or caption)
    return Markup(
        '<figure style="margin:0 12px 6px 0;text-align:center;display:inline-block;vertical-align:top">'
        f'<img alt="{said}" title="{said}" style="height:{height}px;border:2px solid {colour}" '
        f'src="data:image/png;base64,{source}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
