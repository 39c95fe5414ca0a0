"""A moving average of the weights, in the place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ..layers import Parameter


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
        trained = [weights.copy() for weights in self.weights]
        self.keep()
        try:
            yield
        finally:
            for weights, before in zip(self.weights, trained, strict=True):
                weights[:] = before

    def keep(self) -> None:
        """Give the model the average for good."""
        for average, weights in zip(self.averages, self.weights, strict=True):
            weights[:] = average
