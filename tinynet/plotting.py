"""Pictures of training and of predictions; the only module that imports matplotlib, and only when used."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .files import atomic_write
from .keywords import spoken
from .layers.graph import Graph
from .models.diagram import Box, Diagram, diagram_of
from .models.layout import Point, lay_out
from .models.summary import text_of
from .training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_history(history: History) -> Figure:
    """Draw how the loss and the metrics went, training and validation, epoch by epoch.

    Args:
        history: what `fit` returned.

    Returns:
        A figure with a panel for the loss and each metric; `figure.savefig("history.png")` writes it.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> record = History({"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}, [0, 1])
        >>> figure = plot_history(record)  # doctest: +SKIP
    """
    names = [name for name in history.history if not name.startswith("val_")]
    figure = _new_figure(figsize=(4.5 * len(names), 3.2))
    for panel, name in zip(np.ravel(figure.subplots(1, len(names))), names, strict=True):
        epochs = [epoch + 1 for epoch in history.epoch]
        panel.plot(epochs, history.history[name], label="training")
        if f"val_{name}" in history.history:
            panel.plot(epochs, history.history[f"val_{name}"], label="validation")
        panel.set(title=name, xlabel="epoch")
        panel.grid(alpha=0.3)
        panel.legend()
    return figure


def plot_predictions(images: ArrayLike, probabilities: ArrayLike, labels: ArrayLike) -> Figure:
    """Draw images, each above a bar for the probability of each class: green the right one, red a mistake.

    Args:
        images: (N, H, W) or (N, H, W, 1).
        probabilities: (N, classes).
        labels: (N,) the right classes.

    Returns:
        A figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> figure = plot_predictions(np.zeros((1, 28, 28)), np.eye(10)[:1], [0])  # doctest: +SKIP
    """
    pictures, rows, right = np.asarray(images), np.asarray(probabilities), np.asarray(labels)
    figure = _new_figure(figsize=(1.3 * len(pictures), 2.6))
    panels = figure.subplots(2, len(pictures), squeeze=False)
    for column, (picture, row, label) in enumerate(zip(pictures, rows, right, strict=True)):
        upper, lower = panels[:, column]
        upper.imshow(np.squeeze(picture), cmap="gray_r")
        upper.set(xticks=[], yticks=[], title=f"{row.argmax()}: {row.max():.0%}")
        colours = ["tab:blue"] * len(row)
        colours[int(row.argmax())] = "tab:red"
        colours[int(label)] = "tab:green"
        lower.bar(range(len(row)), row, color=colours)
        lower.set(ylim=(0, 1), xticks=range(len(row)), yticks=[])
        lower.tick_params(labelsize=6)
    return figure


FONT = 9.0  # points, as all sizes in pictures of models
MARGIN = 6.0
INK = "#445566"
LARGEST = 60_000  # pixels along a side; matplotlib draws less than 2 ** 16
DIRECTIONS = ("TB", "BT", "LR", "RL")


@spoken
def plot_model(
    model: Graph,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **ignored: Any,
) -> Figure:
    """Draw a model as boxes and arrows, as `keras.utils.plot_model` does, without graphviz.

    Args:
        model: a model that is built. A layer that is called several times has a box for each call.
        to_file: the picture to write, whose suffix says the format (.png, .svg, .pdf); None for no file.
        show_shapes: whether to say which shapes come in and go out.
        show_dtype: whether to say the dtype.
        show_layer_names: whether to say the layers' names.
        rankdir: the direction of the arrows: "TB" (from top to bottom, the default), "BT", "LR" or "RL".
        expand_nested: whether to draw the layers of models and rows inside of the model.
        dpi: pixels per inch; 200 by default, and fewer for a picture too large for that.
        show_layer_activations: whether to say the layers' activations.
        show_trainable: whether to say which layers can be trained.
        ignored: other arguments of Keras's.

    Returns:
        A figure, which a notebook shows.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        OSError: the file cannot be written.
        TypeError: the model is none.
        ValueError: the model is not built, or there is no such direction or format.

    Example:
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Flatten(), layers.Dense(10)], (28, 28, 1))
        >>> figure = plot_model(model, "model.png", show_shapes=True)  # doctest: +SKIP
    """
    if not isinstance(model, Graph):
        raise TypeError(f"plot_model: expected a model, got {type(model).__name__}; give it first")
    if model.output_shape is None:
        raise ValueError(f"plot_model: {model.name!r} is not built; call model.build, or fit it, before")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"plot_model: rankdir must be one of {', '.join(DIRECTIONS)}; got {rankdir!r}")

    def lines_of(box: Box) -> list[str]:
        layer = box.layer
        activation = getattr(layer, "activation", None) if show_layer_activations else None
        if activation is not None:
            kind = activation if isinstance(activation, str) else type(activation).__name__
            activation = getattr(activation, "__name__", kind)  # of a function
        words = [*([box.name] if show_layer_names else []), type(layer).__name__, *filter(None, [activation])]
        lines = [f"{words[0]} ({', '.join(words[1:])})" if words[1:] else words[0]]
        if show_shapes:
            taken, given = (", ".join(map(text_of, shapes)) for shapes in (box.takes, box.gives))
            lines += [f"in: {taken}", f"out: {given}"]
        if show_dtype:
            lines.append(f"dtype: {model.dtype}")
        if show_trainable and layer.parameters:
            lines.append("trainable" if layer.trainable else "not trainable")
        return lines

    figure = _new_figure(figsize=(1, 1))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    diagram = diagram_of(model, lambda _: expand_nested)
    width, height = _Drawing(axes, lines_of, rankdir).draw(diagram)
    axes.set(xlim=(-MARGIN, width + MARGIN), ylim=(height + MARGIN, -MARGIN))
    axes.set_axis_off()
    inches = (width + 2 * MARGIN) / 72, (height + 2 * MARGIN) / 72
    figure.set_size_inches(*inches)
    figure.set_dpi(min(dpi, LARGEST / max(inches)))
    if to_file is not None:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=Path(to_file).suffix[1:] or "png", dpi=figure.dpi)
        atomic_write(to_file, buffer.getvalue())
    return figure


class _Drawing:
    """Draws diagrams, one inside of a box of another."""

    def __init__(self, axes: Axes, lines_of: Callable[[Box], list[str]], direction: str) -> None:
        self.axes, self.lines_of = axes, lines_of
        self.sideways, self.reverse = direction in ("LR", "RL"), direction in ("BT", "RL")

    def measure(self, lines: list[str]) -> Point:
        from matplotlib.textpath import TextPath

        widths = [TextPath((0, 0), line.replace("$", r"\$"), size=FONT).get_extents().width for line in lines]
        return 1.05 * max(widths) + 2 * MARGIN, len(lines) * FONT * 1.35 + 2 * MARGIN

    def turned(self, point: Point) -> Point:
        return point[::-1] if self.sideways else point

    def sizes(self, diagram: Diagram) -> list[Point]:
        """Return the sizes of the boxes."""
        found = []
        for box in diagram.boxes:
            width, height = self.measure(self.lines_of(box))
            if box.inner is not None:
                inner = self.turned(lay_out([*map(self.turned, self.sizes(box.inner))], box.inner.edges).size)
                width, height = max(width, inner[0] + 2 * MARGIN), height + inner[1] + MARGIN
            found.append((width, height))
        return found

    def draw(self, diagram: Diagram, left: float = 0.0, top: float = 0.0, depth: int = 0) -> Point:
        """Draw a diagram, and return its width and height."""
        from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
        from matplotlib.path import Path as Route

        sizes = self.sizes(diagram)
        layout = lay_out([*map(self.turned, sizes)], diagram.edges)

        def placed(point: Point) -> Point:
            x, y = self.turned((point[0], layout.size[1] - point[1] if self.reverse else point[1]))
            return left + x, top + y

        for box, (width, height), centre in zip(diagram.boxes, sizes, layout.centres, strict=True):
            x, y = placed(centre)
            lines = self.lines_of(box)
            colour = "#f4f4f4" if not box.layer.parameters else "#dce9f7"
            frame = FancyBboxPatch(
                (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=3",
                facecolor="none" if box.inner else colour, edgecolor=INK, linewidth=0.8,
                linestyle="--" if box.inner else "-", zorder=2 * depth + 1,
            )  # fmt: skip
            self.axes.add_patch(frame)
            text_top = y - height / 2 + MARGIN
            for number, line in enumerate(lines):
                self.axes.text(
                    x, text_top + (number + 0.5) * FONT * 1.35, line, size=FONT, parse_math=False,
                    ha="center", va="center", color="black" if number == 0 else INK, zorder=99,
                )  # fmt: skip
            if box.inner:
                inner = self.turned(lay_out([*map(self.turned, self.sizes(box.inner))], box.inner.edges).size)
                self.draw(box.inner, x - inner[0] / 2, y + height / 2 - MARGIN - inner[1], depth + 1)
        for route in layout.routes:
            points, codes = [placed(route[0])], [Route.MOVETO]
            for number, (start, end) in enumerate(pairwise(route)):
                middle = (start[1] + end[1]) / 2
                bend = [(start[0], middle), (end[0], middle), end] if number % 2 else [end]
                points += map(placed, bend)
                codes += [Route.CURVE4] * 3 if number % 2 else [Route.LINETO]
            arrow = PathPatch(Route(points, codes), facecolor="none", edgecolor=INK, linewidth=0.9)
            x, y = route[-1]
            tip = Polygon([placed((x + side, y - up)) for side, up in ((0, 0), (-2, 5), (2, 5))], color=INK)
            for patch in (arrow, tip):
                patch.set_zorder(2 * depth + 2)
                self.axes.add_patch(patch)
        return self.turned(layout.size)


def _new_figure(**options: Any) -> Figure:
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
