"""Which learning rate to begin with."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..models import Model
from ..views import BLUE, GREY, ORANGE
from .figures import Array, figure_and_axes, same_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOO_MUCH = 4.0  # times the lowest loss: from there on nothing is learned
LEARNED = 0.8  # of the first loss, or less: only then the sweep says which rate is good
MEMORY = 0.9  # of the moving average by which the curve is smoothed


def plot_learning_rates(
    model: Model,
    x: ArrayLike,
    y: ArrayLike,
    lowest: float = 1e-5,
    highest: float = 1.0,
    steps: int = 100,
    batch_size: int = 32,
    ax: Axes | None = None,
) -> Figure:
    """Train a copy of a model with a learning rate that grows from step to step, and draw its loss.

    A good rate to begin with is about a tenth of that where the loss is lowest, and is marked. (Of a model
    that is trained already, a sweep says little: nothing is marked where it learned nothing.)

    Args:
        model: a compiled model, which is copied, and not changed.
        x, y: what it is to train on, (N, *input_shape) and its targets.
        lowest, highest: the first and the last rate; default 1e-5 and 1.
        steps: how many; default 100. The sweep ends before, where the loss is no more to be measured.
        batch_size: samples a step; default 32.
        ax: matplotlib's axes for it; default: a new figure.

    Returns:
        The figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the rates are not 0 < lowest < highest, or there are no steps.

    Paper: Smith. "Cyclical learning rates for training neural networks." 2017: the range test.

    Example:
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(1)], 1)
        >>> model.compile("sgd", "mse")
        >>> figure = plot_learning_rates(model, [[0.0], [1.0]], [[1.0], [3.0]], steps=10)
        >>> figure.axes[0].get_xscale()
        'log'
    """
    if not 0 < lowest < highest or steps < 2:
        raise ValueError(
            "plot_learning_rates: expected 0 < lowest < highest and at least 2 steps; got "
            f"lowest={lowest}, highest={highest}, steps={steps}."
        )
    inputs, targets = np.asarray(x), np.asarray(y)
    same_count(x=inputs, y=targets)
    rates = np.geomspace(lowest, highest, steps)
    losses = _losses(copy.deepcopy(model), inputs, targets, rates, batch_size)
    smooth, mean = [], 0.0
    for number, loss in enumerate(losses, start=1):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        smooth.append(mean / (1 - MEMORY**number))
    figure, axes = figure_and_axes(ax, (4.8, 3.4))
    done = rates[: len(losses)]
    axes.plot(done, losses, color=GREY, alpha=0.5, linewidth=1, label="loss of a batch")
    axes.plot(done, smooth, color=BLUE, label="smoothed")
    if min(smooth) < LEARNED * smooth[0]:
        advised = float(rates[int(np.argmin(smooth))]) / 10
        axes.axvline(advised, color=ORANGE, linestyle="--", label=f"begin with about {advised:.1g}")
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss", title="learning-rate sweep")
    axes.set_ylim(top=min(max(losses), 2 * max(smooth[0], min(smooth))) * 1.05)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _losses(model: Model, x: Array, y: Array, rates: Array, batch_size: int) -> list[float]:
    """Return the loss of each step, as far as the sweep goes."""
    random = np.random.default_rng(0)
    order = np.concatenate([random.permutation(len(x)) for _ in range(-(-len(rates) * batch_size // len(x)))])
    losses: list[float] = []
    for number, rate in enumerate(rates):
        batch = order[number * batch_size : (number + 1) * batch_size]
        model.optimizer.learning_rate = float(rate)
        loss = model.train_on_batch(x[batch], y[batch], return_dict=True)["loss"]
        if not np.isfinite(loss) or loss > TOO_MUCH * min([*losses, loss]) + 1:
            break
        losses.append(loss)
    if not losses:
        raise ValueError("plot_learning_rates: the first loss is not finite; look at x, y and the model.")
    return losses
