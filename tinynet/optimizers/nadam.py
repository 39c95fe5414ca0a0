"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

from .. import kernels
from ..arguments import by_position, is_fraction, is_positive, require
from ..elementary import power
from .arguments import Rate
from .base import Optimizer
from .parameters import Array

# The products of 1 - 0.96^t / 2 up to each t: from the thousandth on they are the same in float64.
WARMUP = list(accumulate((1 - 0.5 * power(0.96, t) for t in range(1, 1001)), mul, initial=1.0))


@by_position
@dataclass(eq=False, repr=False)
class Nadam(Optimizer):
    """Nadam: Adam that looks one step ahead, as Nesterov does.

    The momentum of step t is u(t) = beta_1 × (1 - 0.96^t / 2), and P(t) the product of all so far. With the
    means m and v of `Adam`, value -= learning_rate × (u(t+1) × m / (1 - P(t+1)) + (1 - u(t)) × gradient /
    (1 - P(t))) / (√(v / (1 - beta_2^t)) + epsilon).

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: the decay of the mean of the gradients, in [0, 1). Default 0.9.
        beta_2: the decay of the mean of their squares, in [0, 1). Default 0.999.
        epsilon: added to the square root of the corrected mean square, above 0. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> Nadam(0.002)
        Nadam(learning_rate=0.002)

    Source:
        T. Dozat: Incorporating Nesterov Momentum into Adam, 2016.
    """

    learning_rate: Rate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, beta_1=is_fraction, beta_2=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return "m", "v"

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        now, following = (self.beta_1 * (1 - 0.5 * power(0.96, t)) for t in (step, step + 1))
        product = power(self.beta_1, step) * WARMUP[min(step, len(WARMUP) - 1)]
        of_m, of_gradient = following / (1 - product * following), (1 - now) / (1 - product)
        unbias = 1 / math.sqrt(1 - power(self.beta_2, step))
        return rate * of_m, rate * of_gradient, unbias, self.beta_1, self.beta_2, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        m, v = state
        kernels.update.nadam(value, gradient, m, v, self._settings)
