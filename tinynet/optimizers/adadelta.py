"""Adadelta: steps as large as the last ones."""

from __future__ import annotations

from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_fraction, is_positive, require
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class Adadelta(Optimizer):
    """Adadelta: for each element a step by the ratio of its past steps to its past gradients.

    move = √(mean move² + epsilon) / √(mean gradient² + epsilon) × gradient; value -= learning_rate × move.
    Keras's learning rate of 0.001 is small; the paper's is 1.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        rho: the decay of the means of both squares, in [0, 1). Default 0.95.
        epsilon: added to both, above 0. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> Adadelta(1.0)
        Adadelta(learning_rate=1.0)

    Source:
        M. Zeiler: ADADELTA: An Adaptive Learning Rate Method, 2012.
    """

    learning_rate: Rate = 0.001
    rho: float = 0.95
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, rho=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return "v", "moved"

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.rho, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        v, moved = state
        kernels.update.adadelta(value, gradient, v, moved, self._settings)
