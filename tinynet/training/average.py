"""A moving average of the weights, in the place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Parameter

Array = NDArray[Any]


class MovingAverage:
    """An exponential moving average of the weights, which takes their place outside of the training steps.

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992). At the start the
    average follows the weights more closely, so that the random initial weights are soon forgotten.

    Args:
        runs: the parameters that train.
        momentum: the share of the average that a step keeps; None for no average at all.
    """

    def __init__(self, runs: Sequence[Parameter], momentum: float | None) -> None:
        if momentum is not None and not 0 <= momentum < 1:
            raise ValueError(f"fit: ema_momentum must be at least 0 and below 1, or None; got {momentum}.")
        self.momentum, self.steps = momentum, 0
        self.weights = [run.value for run in runs] if momentum is not None else []
        self.averages = [weights.copy() for weights in self.weights]
        self.trained: list[Array] = []  # the last weights, while the average is in their place

    def update(self) -> None:
        """Take a step's weights into the average."""
        if self.momentum is not None:
            self.steps += 1
            momentum = min(self.momentum, self.steps / (self.steps + 9))
            with np.errstate(over="ignore", invalid="ignore"):  # of weights that diverge
                for average, weights in zip(self.averages, self.weights, strict=True):
                    average += (weights - average) * weights.dtype.type(1 - momentum)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the average while the block runs."""
        self.trained = [weights.copy() for weights in self.weights]
        self.keep()
        try:
            yield
        finally:
            give(self.weights, self.trained)
            self.trained = []

    @contextmanager
    def out_of_place(self) -> Iterator[None]:
        """Give the model the weights that train while the block runs, where the average has their place."""
        before, trained = [weights.copy() for weights in self.weights], self.trained
        give(self.weights, trained or before)
        try:
            yield
        finally:
            give(self.weights, before)

    def keep(self) -> None:
        """Give the model the average for good."""
        give(self.weights, self.averages)


def give(weights: Sequence[Array], others: Sequence[Array]) -> None:
    """Write arrays into others."""
    for own, other in zip(weights, others, strict=True):
        own[:] = other
