"""Images, and what a model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..views import BLUE, GREY, ORANGE
from .figures import as_labels, draw_image, grid, name_of, new_figure, same_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_images(
    images: ArrayLike,
    y_true: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    count: int = 20,
    columns: int = 5,
) -> Figure:
    """Draw images in a grid, with what they show, and what a model takes them for.

    Args:
        images: (N, H, W), (N, H, W, 1), or in colours (N, H, W, 3).
        y_true: (N,) the right classes; default: none.
        y_pred: (N,) the classes that a model predicts, or (N, classes) its probabilities, as `predict`
            returns them; default: none. Mistakes are orange: "true → predicted".
        class_names: what the classes are called; default: their numbers.
        count: how many images, from the first on; default 20.
        columns: images in a row; default 5.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there are not equally many of each.

    Example:
        >>> figure = plot_images(np.zeros((2, 28, 28)), [0, 1], [0, 0], class_names=["cat", "dog"])
        >>> [panel.get_title() for panel in figure.axes]
        ['cat', 'dog → cat']
    """
    pictures = np.asarray(images)
    same_count(images=pictures, y_true=y_true, y_pred=y_pred)
    true = None if y_true is None else as_labels(y_true)
    predicted = None if y_pred is None else as_labels(y_pred)
    figure, panels = grid(min(count, len(pictures)), columns, (1.5, 1.8))
    for place, panel in enumerate(panels):
        draw_image(panel, pictures[place])
        labels = [int(found[place]) for found in (true, predicted) if found is not None]
        style: dict[str, Any] = {"color": ORANGE, "fontweight": "bold"} if len({*labels}) > 1 else {}
        title = " → ".join(dict.fromkeys(name_of(label, class_names) for label in labels))
        panel.set_title(title, fontsize=9, **style)
    return figure


def plot_mistakes(
    images: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[str] | None = None,
    count: int = 20,
    columns: int = 5,
) -> Figure:
    r"""Draw the images that a model takes for something else, the most expensive mistakes first.

    Args:
        images: (N, H, W), (N, H, W, 1) or (N, H, W, 3).
        y_true: (N,) the right classes.
        y_pred: (N, classes) the model's probabilities.
        class_names: what the classes are called; default: their numbers.
        count: how many at most; default 20.
        columns: images in a row; default 5.

    Returns:
        The figure; the titles say "true → predicted" and the cross-entropy of each.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there are not equally many of each, or y_pred holds no probabilities.

    Example:
        >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]]
        >>> figure = plot_mistakes(np.zeros((3, 28, 28)), [0, 1, 1], probabilities)
        >>> [panel.get_title() for panel in figure.axes]
        ['1 → 0\nloss 1.61', '1 → 0\nloss 0.92']
    """
    pictures, rows, true = np.asarray(images), np.asarray(y_pred), as_labels(y_true)
    same_count(images=pictures, y_true=true, y_pred=rows)
    if rows.ndim != 2:
        raise ValueError(f"plot_mistakes: expected y_pred of shape (N, classes); got {rows.shape}.")
    predicted = rows.argmax(axis=1)
    losses = -np.log(np.maximum(rows[np.arange(len(rows)), true], 1e-7))
    order = np.argsort(-losses, kind="stable")
    chosen = order[predicted[order] != true[order]][:count]
    figure, panels = grid(len(chosen), columns, (1.5, 2.0))
    for place, panel in zip(chosen, panels, strict=True):
        draw_image(panel, pictures[place])
        names = " → ".join(name_of(int(labels[place]), class_names) for labels in (true, predicted))
        panel.set_title(f"{names}\nloss {losses[place]:.2f}", fontsize=9)
    if not panels:
        figure.suptitle("no mistakes")
    return figure


def plot_predictions(images: ArrayLike, probabilities: ArrayLike, labels: ArrayLike) -> Figure:
    """Draw images, each above a bar for the probability of each class: blue the right one, orange a mistake.

    Args:
        images: (N, H, W), (N, H, W, 1) or (N, H, W, 3).
        probabilities: (N, classes).
        labels: (N,) the right classes.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> figure = plot_predictions(np.zeros((1, 28, 28)), np.eye(10)[:1], [0])
        >>> figure.axes[0].get_title()
        '0: 100%'
    """
    pictures, rows, right = np.asarray(images), np.asarray(probabilities), np.asarray(labels)
    figure = new_figure(figsize=(1.3 * len(pictures), 2.6))
    panels = figure.subplots(2, len(pictures), squeeze=False)
    for column, (picture, row, label) in enumerate(zip(pictures, rows, right, strict=True)):
        upper, lower = panels[:, column]
        draw_image(upper, picture)
        upper.set(xticks=[], yticks=[], title=f"{row.argmax()}: {row.max():.0%}")
        colours = [GREY] * len(row)
        colours[int(row.argmax())] = ORANGE
        colours[int(label)] = BLUE
        lower.bar(range(len(row)), row, color=colours)
        lower.set(ylim=(0, 1), xticks=range(len(row)), yticks=[])
        lower.tick_params(labelsize=6)
    return figure
