"""What a notebook shows: HTML without scripts, made from plain data.

It inherits the colour of text, so that it reads on light and on dark.
"""

from __future__ import annotations

from .chart import Curve, chart
from .colours import BLUE, GREY, ORANGE
from .numbers import number
from .page import Markup, bar, columns, escaped, note, page, picture, table, track
from .view import View

__all__ = [
    "BLUE", "GREY", "ORANGE", "Curve", "Markup", "View", "bar", "chart", "columns", "escaped", "note",
    "number", "page", "picture", "table", "track",
]  # fmt: skip
