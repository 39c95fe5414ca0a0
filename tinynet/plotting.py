"""Pictures of training and of predictions; the only module that imports matplotlib, and only when used."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .training import History

if TYPE_CHECKING:
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
