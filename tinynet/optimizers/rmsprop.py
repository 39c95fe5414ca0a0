"""RMSprop: gradients by the root of their mean square."""

from __future__ import annotations

from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_fraction, is_positive, require
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """RMSprop: for each element a step size of its own, by the root of the mean square of its gradients.

    velocity = momentum × velocity + learning_rate × gradient / √(mean square + epsilon); value -= velocity.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        rho: the decay of the mean of the gradients' squares, in [0, 1). Default 0.9.
        momentum: the share of the velocity that a step keeps, in [0, 1). Default 0.
        epsilon: added to the mean square, above 0. Default 1e-7.
        centered: take the variance of the gradients in the place of their mean square. Default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> RMSprop(momentum=0.9)
        RMSprop(learning_rate=0.001, momentum=0.9)

    Source:
        T. Tieleman, G. Hinton: Lecture 6.5, rmsprop: Divide the gradient by a running average of its recent
        magnitude, 2012; centered: A. Graves: Generating Sequences With Recurrent Neural Networks, 2013.
    """

    learning_rate: Rate = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def _check(self) -> None:
        super()._check()
        require(self, rho=is_fraction, momentum=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return ("v", *["mean"] * self.centered, *["velocity"] * (self.momentum > 0))

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.rho, self.epsilon, self.momentum

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        unused = value[:0]
        v, mean, velocity = state[0], unused, unused
        if self.centered:
            mean = state[1]
        if self.momentum:
            velocity = state[-1]
        kernels.update.rmsprop(value, gradient, v, mean, velocity, self._settings)
