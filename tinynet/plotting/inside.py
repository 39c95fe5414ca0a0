"""What is inside of a model: filters, what layers give for a picture, and what in it decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..layers import InputLayer, Layer
from ..layers.geometry import shapes_in
from ..models import Model
from ..views import BLUE
from .figures import Array, draw_image, grid, name_of, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 32  # numbers, which are drawn as bars
SIGNED = "RdBu_r"  # colours of numbers around 0: blue below, red above


def plot_filters(
    layer: Layer, shape: tuple[int, ...] | None = None, count: int = 32, columns: int = 8, channel: int = 0
) -> Figure:
    """Draw the weights of a layer, a picture for each filter or unit: red above 0, blue below.

    Args:
        layer: a convolution, or a Dense layer, whose units are drawn as what they look for in an image.
        shape: for Dense, the shape of the image that was flattened; default: a square one.
        count: how many, from the first on; default 32.
        columns: pictures in a row; default 8.
        channel: of a convolution of several channels, the one to draw; default 0.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the layer has no kernel, or is not built, or the shape does not fit.

    Example:
        >>> from tinynet import layers
        >>> layer = layers.Conv2D(4, 3)
        >>> layer.build((28, 28, 1))
        (26, 26, 4)
        >>> len([panel for panel in plot_filters(layer).axes if panel.images])
        4
    """
    named = layer.named_parameters() if layer.output_shape is not None else {}
    kernel = next((one.value for name, one in named.items() if name.endswith("kernel")), None)
    if kernel is None:
        raise ValueError(f"plot_filters: expected a layer with a kernel that is built; got {layer!r}.")
    if kernel.ndim == 2:
        side = math.isqrt(len(kernel))
        shape = (side, side) if shape is None else tuple(shape)
        if math.prod(shape) != len(kernel):
            raise ValueError(
                f"plot_filters: a unit has {len(kernel)} weights, which do not fit shape={shape}; say shape=."
            )
        pictures = kernel.T.reshape(-1, *shape)
        pictures = pictures[..., channel] if pictures.ndim == 4 else pictures
    elif kernel.ndim == 3:  # of a Conv1D: taps by channels
        pictures = np.moveaxis(kernel, -1, 0)
    else:
        pictures = np.moveaxis(kernel[:, :, channel], -1, 0)
    pictures = pictures[:count]
    largest = float(np.abs(pictures).max()) or 1.0
    figure, panels = grid(len(pictures), columns, (1.1, 1.2))
    for number, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        shown = panel.imshow(picture, cmap=SIGNED, vmin=-largest, vmax=largest)
        panel.set_title(str(number), fontsize=8)
    figure.colorbar(shown, ax=panels, label="weight")
    figure.suptitle(f"{layer.name or type(layer).__name__}: {len(pictures)} of {kernel.shape[-1]}")
    return figure


def plot_activations(model: Model, image: ArrayLike, count: int = 8) -> Figure:
    """Draw what each layer of a model gives for a picture.

    Args:
        model: a model that takes one image, and is built.
        image: (H, W), (H, W, C), or a batch of one, scaled as in training.
        count: how many channels of a layer, from the first on; default 8.

    Returns:
        The figure: a row for the picture, and one for each layer.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the model takes several inputs, or is not built, or the picture does not fit.

    Example:
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10)], (28, 28, 1))
        >>> figure = plot_activations(model, np.zeros((28, 28)))
        >>> [panel.get_ylabel() for panel in figure.axes if panel.get_ylabel()]
        ['image', 'conv2d', 'flatten', 'dense']
    """
    if model.output_shape is None or model.takes_several:
        raise ValueError(f"plot_activations: expected a built model of one input; got {model!r}.")
    batch = _batch(model, image)
    symbols, names = _outputs_of(model)
    given = Model(model.inputs, symbols).predict(batch) if symbols else []
    arrays = [batch[0], *(array[0] for array in (given if len(symbols) > 1 else [given]))]
    figure = new_figure(figsize=(1.1 * count + 1, 1.15 * len(arrays)))
    places = figure.add_gridspec(len(arrays), count)
    for row, (name, array) in enumerate(zip(["image", *names], arrays, strict=True)):
        if row == 0 and array.ndim > 1:
            panels = [figure.add_subplot(places[row, 0])]
            draw_image(panels[0], array)
        elif array.ndim == 3:
            columns = range(min(count, array.shape[-1]))
            panels = [figure.add_subplot(places[row, column]) for column in columns]
            for channel, panel in enumerate(panels):
                panel.imshow(array[..., channel], cmap="viridis")
        else:
            panels = [figure.add_subplot(places[row, :])]
            values = array.reshape(-1)
            if len(values) <= FEW:
                panels[0].bar(range(len(values)), values, color=BLUE)
            else:
                panels[0].imshow(values[np.newaxis], cmap="viridis", aspect="auto")
        for panel in panels:
            panel.set(xticks=range(array.size) if array.size <= FEW else [], yticks=[])
            panel.tick_params(labelsize=6)
        panels[0].set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
        panels[0].set_title(f"{array.shape}", fontsize=7, loc="left", pad=2)
    return figure


def _outputs_of(model: Model) -> tuple[list[Any], list[str]]:
    """Return the symbols of what the layers of a model give, and the layers' names."""
    names = {id(layer): name for name, layer in model.sublayers().items()}
    values, joined = model._symbols(), model.joined
    symbols, found = [], []
    place = len(model.built_shapes)
    for join in joined.joins:
        layer = joined.layers[join.layer]
        if not isinstance(layer, InputLayer):
            symbols.append(values[place])
            found.append(names[id(layer)])
        place += len(shapes_in(layer.output_shape))
    return symbols, found


def _batch(model: Model, image: ArrayLike) -> Array:
    """Return an image as a batch of one."""
    batch = np.asarray(image, model.dtype)
    wanted = len(model.built_shapes[0]) + 1
    if batch.ndim == wanted - 2:
        batch = batch[..., np.newaxis]
    if batch.ndim == wanted - 1:
        batch = batch[np.newaxis]
    if batch.ndim != wanted or len(batch) != 1:
        raise ValueError(f"Expected one image for {model.built_shapes[0]}; got {np.shape(image)}.")
    return batch


def plot_occlusion(
    model: Model,
    image: ArrayLike,
    label: int | None = None,
    size: int | None = None,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Draw what in a picture decides: how a class's probability changes where a patch covers it.

    Args:
        model: a model that takes one image (H, W, C), and gives probabilities.
        image: (H, W), (H, W, C), or a batch of one, scaled as in training.
        label: the class to look at; default: the likeliest.
        size: pixels of a side of the patch, which has the median colour; default a quarter of the image's.
        class_names: what the classes are called; default: their numbers.

    Returns:
        The figure: the picture, and a map, red where covering it makes the class less likely.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the picture does not fit.

    Paper: Zeiler, Fergus. "Visualizing and understanding convolutional networks." 2014.

    Example:
        >>> from tinynet import Sequential, layers
        >>> last = layers.Dense(10, activation="softmax", kernel_initializer="zeros")
        >>> model = Sequential([layers.Flatten(), last], (28, 28, 1))
        >>> [panel.get_title() for panel in plot_occlusion(model, np.eye(28), label=3).axes[:2]]
        ['3: 10%', 'where it is seen']
    """
    batch = _batch(model, image)
    if batch.ndim != 4:
        raise ValueError(f"plot_occlusion: expected a model of images (H, W, C); got {model.built_shapes}.")
    height, width = batch.shape[1:3]
    size = max(min(height, width) // 4, 1) if size is None else size
    whole = model.predict(batch)[0]
    label = int(whole.argmax()) if label is None else label
    step = max(size // 4, 1)
    rows, columns = (range(0, length, step) for length in (height, width))
    covered = np.repeat(batch, len(rows) * len(columns), axis=0)
    fill = np.median(batch[0], axis=(0, 1))
    for number, (row, column) in enumerate((row, column) for row in rows for column in columns):
        top, left = max(row - size // 2, 0), max(column - size // 2, 0)
        covered[number, top : row - size // 2 + size, left : column - size // 2 + size] = fill
    drop = (whole[label] - model.predict(covered)[:, label]).reshape(len(rows), len(columns))
    figure = new_figure(figsize=(7, 3.2))
    first, second = figure.subplots(1, 2)
    draw_image(first, batch[0])
    largest = float(np.abs(drop).max()) or 1.0
    shown = second.imshow(
        drop, cmap=SIGNED, vmin=-largest, vmax=largest, interpolation="bilinear",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )  # fmt: skip
    figure.colorbar(shown, ax=second, label="less likely if covered")
    first.set(xticks=[], yticks=[], title=f"{name_of(label, class_names)}: {whole[label]:.0%}")
    second.set(xticks=[], yticks=[], title="where it is seen")
    return figure
