"""A picture of a model."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import atomic_write
from ..keywords import spoken
from ..layers.graph import Graph
from ..layers.view import text_of
from ..models.diagram import Box, diagram_of
from .drawing import MARGIN, Drawing
from .figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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

    figure = new_figure(figsize=(1, 1))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    diagram = diagram_of(model, lambda _: expand_nested)
    width, height = Drawing(axes, lines_of, rankdir).draw(diagram)
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
