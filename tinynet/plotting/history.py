"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..training import History
from ..views import BLUE, ORANGE
from .figures import figure_and_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW = 12  # epochs, whose points are drawn


def plot_history(
    history: History | Mapping[str, list[float]], metric: str | None = None, ax: Axes | None = None
) -> Figure:
    """Draw how the loss and the metrics went, training and validation, epoch by epoch.

    Args:
        history: what `fit` returned, or a dict of lists, as `History.history` is one.
        metric: the one to draw, such as "accuracy"; default: a panel for the loss and each metric, or, with
            `ax`, the loss.
        ax: matplotlib's axes for it; default: a new figure.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the history has no such metric, or nothing at all.

    Example:
        >>> record = History({"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}, [0, 1])
        >>> figure = plot_history(record)
        >>> [panel.get_title() for panel in figure.axes]
        ['loss']
    """
    if isinstance(history, Mapping):
        history = History(dict(history), [*range(max(map(len, history.values()), default=0))])
    record = history.history
    names = [name for name in record if name.removeprefix("val_") not in {*record} - {name}]
    if metric is None and ax is not None:
        metric = "loss"
    if not names or (metric is not None and metric not in record):
        raise ValueError(f"plot_history: the history has {', '.join(record) or 'no epochs'}; got {metric!r}.")
    chosen = names if metric is None else [metric]
    if ax is not None or len(chosen) == 1:
        figure, axes = figure_and_axes(ax, (4.5, 3.2))
        panels = [axes]
    else:
        figure = new_figure(figsize=(4.5 * len(chosen), 3.2))
        panels = [*np.ravel(figure.subplots(1, len(chosen)))]
    for panel, name in zip(panels, chosen, strict=True):
        _draw(panel, history, name)
    return figure


def _draw(panel: Axes, history: History, name: str) -> None:
    """Draw a value and its twin."""
    from matplotlib.ticker import MaxNLocator

    for key, label, colour, line in (
        (name, "training", BLUE, "-"),
        (f"val_{name}", "validation", ORANGE, "--"),
    ):
        if key in history.history:
            epochs = history.epochs_of(key)
            marker = "o" if len(epochs) <= FEW else ""
            panel.plot(epochs, history.history[key], line, marker=marker, label=label, color=colour)
    panel.set(title=name, xlabel="epoch", ylabel=name)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len({*history.epochs_of(name)}) == 1:
        panel.set_xlim(history.epochs_of(name)[0] - 0.5, history.epochs_of(name)[0] + 0.5)
    panel.grid(alpha=0.3)
    panel.legend()
