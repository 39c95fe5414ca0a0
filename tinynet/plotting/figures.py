"""What plots share: a figure that a notebook shows, images, labels; imports matplotlib when it is used."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]


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


def figure_and_axes(ax: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return the axes that were given with their figure, or a new figure of so many inches with axes."""
    if ax is None:
        figure = new_figure(figsize=size)
        return figure, figure.subplots()
    figure = ax.get_figure(root=True)  # type: ignore[assignment]
    return figure, ax


def grid(count: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many axes without ticks, in rows, each of so many inches."""
    columns = max(min(columns, count), 1)
    rows = max(-(-count // columns), 1)
    figure = new_figure(figsize=(size[0] * columns, size[1] * rows))
    panels = [*np.ravel(figure.subplots(rows, columns, squeeze=False))]
    for panel in panels:
        panel.set(xticks=[], yticks=[])
    for panel in panels[count:]:
        panel.set_axis_off()
    return figure, panels[:count]


def draw_image(axes: Axes, image: ArrayLike) -> None:
    """Draw an image: (H, W) or (H, W, 1) as ink on paper, (H, W, 3) in its colours."""
    pixels = np.squeeze(np.asarray(image))
    if pixels.ndim == 3:
        whole = 255 if pixels.dtype.kind in "iu" or pixels.max(initial=0) > 1 else 1
        axes.imshow(np.clip(pixels / whole, 0, 1))
    else:
        axes.imshow(pixels, cmap="gray_r")


def as_labels(y: ArrayLike) -> NDArray[np.int64]:
    """Return labels (N,), given as such, as (N, 1), or as rows (N, classes) of which the largest counts."""
    values = np.asarray(y)
    if values.ndim == 2:
        values = values[:, 0] if values.shape[1] == 1 else values.argmax(axis=1)
    if values.ndim != 1:
        raise ValueError(f"Expected labels (N,) or probabilities (N, classes); got {values.shape}.")
    return values.astype(np.int64)


def name_of(label: int, class_names: Sequence[str] | None) -> str:
    """Return what a class is called."""
    return str(label) if class_names is None else str(class_names[label])


def same_count(**arrays: Any) -> None:
    """Raise if there are not equally many of each."""
    counts = {name: len(array) for name, array in arrays.items() if array is not None}
    if len({*counts.values()}) > 1:
        raise ValueError(
            f"Expected equally many of each; got {', '.join(f'{n} {name}' for name, n in counts.items())}."
        )
