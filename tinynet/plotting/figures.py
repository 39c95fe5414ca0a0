"""What all plots need: a figure that a notebook shows; imports matplotlib when it is used."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(**options: Any) -> Figure:
    """Return an empty figure, or raise if there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Plots need matplotlib: python -m pip install matplotlib") from error

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:  # a notebook shows the picture, with or without %matplotlib inline
            buffer = io.BytesIO()
            self.savefig(buffer, format="png")
            return buffer.getvalue()

    return NotebookFigure(layout="constrained", **options)
