"""How a training went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..training import History
from .figures import new_figure

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
    figure = new_figure(figsize=(4.5 * len(names), 3.2))
    for panel, name in zip(np.ravel(figure.subplots(1, len(names))), names, strict=True):
        epochs = [epoch + 1 for epoch in history.epoch]
        panel.plot(epochs, history.history[name], label="training")
        if f"val_{name}" in history.history:
            panel.plot(epochs, history.history[f"val_{name}"], label="validation")
        panel.set(title=name, xlabel="epoch")
        panel.grid(alpha=0.3)
        panel.legend()
    return figure
