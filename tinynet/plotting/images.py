"""Images, and what a model says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    figure = new_figure(figsize=(1.3 * len(pictures), 2.6))
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
