"""Adamax: Adam with the largest gradient in the place of the mean square."""

from __future__ import annotations

from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_fraction, is_positive, require
from ..elementary import power
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class Adamax(Optimizer):
    """Adamax: Adam, with the largest absolute gradient, which decays, in the place of the mean square's root.

    value -= learning_rate / (1 - beta_1^step) × mean / (largest + epsilon).

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: the decay of the mean of the gradients, in [0, 1). Default 0.9.
        beta_2: the decay of the largest absolute gradient, in [0, 1). Default 0.999.
        epsilon: added to the largest absolute gradient, above 0. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> Adamax(beta_1=0.8)
        Adamax(learning_rate=0.001, beta_1=0.8)

    Source:
        D. Kingma, J. Ba: Adam: A Method for Stochastic Optimization, 2015, section 7.1.
    """

    learning_rate: Rate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, beta_1=is_fraction, beta_2=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return "m", "u"

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate / (1 - power(self.beta_1, step)), self.beta_1, self.beta_2, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        m, u = state
        kernels.update.adamax(value, gradient, m, u, self._settings)
