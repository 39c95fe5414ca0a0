"""How good a model is: which classes it confuses, and whether its confidence is what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..views import BLUE, GREY, ORANGE
from .figures import as_labels, figure_and_axes, name_of, same_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_confusion_matrix(
    confusion: ArrayLike, class_names: Sequence[str] | None = None, ax: Axes | None = None
) -> Figure:
    """Draw which classes are taken for which: blue what is right, orange mistakes, by their share of a class.

    Args:
        confusion: (classes, classes), as `metrics.confusion_matrix` returns it.
        class_names: what the classes are called; default: their numbers.
        ax: matplotlib's axes for it; default: a new figure.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the matrix is not square.

    Example:
        >>> from tinynet import metrics
        >>> figure = plot_confusion_matrix(metrics.confusion_matrix([0, 0, 1], [0, 1, 1]))
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '1', '0', '1']
    """
    from matplotlib.colors import to_rgb

    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"plot_confusion_matrix: expected a square matrix; got {counts.shape}.")
    classes = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = np.empty((classes, classes, 4))
    colours[..., :3] = to_rgb(ORANGE)
    colours[np.arange(classes), np.arange(classes), :3] = to_rgb(BLUE)
    colours[..., 3] = np.where(counts > 0, 0.15 + 0.5 * shares, 0)
    side = max(3.2, 0.42 * classes + 1)
    figure, axes = figure_and_axes(ax, (side, side))
    axes.imshow(colours)
    for true, predicted in np.ndindex(counts.shape):
        axes.text(predicted, true, f"{counts[true, predicted]:,}", ha="center", va="center", fontsize=8)
    names = [name_of(label, class_names) for label in range(classes)]
    axes.set_xticks(range(classes), names)
    if max(map(len, names), default=0) > 3:
        axes.tick_params("x", rotation=45)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(classes), names)
    right = np.trace(counts) / max(counts.sum(), 1)
    axes.set(xlabel="predicted class", ylabel="true class", title=f"{right:.2%} right")
    return figure


def plot_calibration(y_true: ArrayLike, y_pred: ArrayLike, bins: int = 10, ax: Axes | None = None) -> Figure:
    """Draw how often predictions are right, by how confident the model is of them.

    Of predictions with a confidence of 0.9, nine in ten should be right: then bars end at the dashed line.

    Args:
        y_true: (N,) the right classes.
        y_pred: (N, classes) the model's probabilities; of two classes (N,) or (N, 1), those of class 1.
        bins: into how many parts confidence is cut; default 10.
        ax: matplotlib's axes for it; default: a new figure.

    Returns:
        The figure; its title says the expected calibration error, the mean distance of the bars from the
        line, by how many predictions each stands for.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there are not equally many of each, or none.

    Paper: Guo, Pleiss, Sun, Weinberger. "On calibration of modern neural networks." 2017.

    Example:
        >>> figure = plot_calibration([0, 1], [[0.75, 0.25], [0.75, 0.25]], bins=2)
        >>> figure.axes[0].get_title()
        'expected calibration error 25.0%'
    """
    rows = np.asarray(y_pred, np.float64)
    if rows.ndim == 1 or rows.shape[1] == 1:
        rows = np.stack([1 - rows.reshape(-1), rows.reshape(-1)], axis=1)
    true = as_labels(y_true)
    same_count(y_true=true, y_pred=rows)
    if not len(rows):
        raise ValueError("plot_calibration: expected at least one prediction; got none.")
    confidence, right = rows.max(axis=1), rows.argmax(axis=1) == true
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.maximum(counts, 1)
    accuracy = np.bincount(places, right, bins) / filled
    error = np.abs(accuracy - np.bincount(places, confidence, bins) / filled) @ counts / len(rows)
    figure, axes = figure_and_axes(ax, (4.2, 3.6))
    edges = np.arange(bins) / bins
    bars = axes.bar(edges, accuracy, 1 / bins, align="edge", color=BLUE, edgecolor=GREY, label="this model")
    axes.bar_label(bars, [f"{count:,}" if count else "" for count in counts], fontsize=7, padding=1)
    axes.plot([0, 1], [0, 1], "--", color=GREY, label="calibrated")
    axes.set(xlabel="confidence (above the bars: predictions)", ylabel="share that is right")
    axes.set(xlim=(0, 1), ylim=(0, 1.08), title=f"expected calibration error {error:.1%}")
    axes.legend(loc="upper left")
    return figure
