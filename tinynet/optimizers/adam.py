"""Adam, and Adam with weight decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_fraction, is_positive, require
from ..elementary import power
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class Adam(Optimizer):
    """Adam: momentum, and for each element a step size of its own.

    With the decaying means m of the gradients and v of their squares, value -= learning_rate × √(1 -
    beta_2^step) / (1 - beta_1^step) × m / (√v + epsilon): epsilon stands where Keras has it (the paper's
    Algorithm 1 and PyTorch add it after the correction of v).

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: the decay of the mean of the gradients, in [0, 1). Default 0.9.
        beta_2: the decay of the mean of their squares, in [0, 1). Default 0.999.
        epsilon: added to the square root of the mean square, above 0. Default 1e-7.
        amsgrad: take the largest mean square so far in the place of the last one. Default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> Adam(amsgrad=True)
        Adam(learning_rate=0.001, amsgrad=True)

    Source:
        D. Kingma, J. Ba: Adam: A Method for Stochastic Optimization, 2015, section 2; amsgrad: S. Reddi,
        S. Kale, S. Kumar: On the Convergence of Adam and Beyond, 2018; weight decay: I. Loshchilov,
        F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    learning_rate: Rate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False

    def _check(self) -> None:
        super()._check()
        require(self, beta_1=is_fraction, beta_2=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return ("m", "v", "largest") if self.amsgrad else ("m", "v")

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        corrected = rate * math.sqrt(1 - power(self.beta_2, step)) / (1 - power(self.beta_1, step))
        return corrected, self.beta_1, self.beta_2, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        if self.amsgrad:
            m, v, largest = state
            kernels.update.amsgrad(value, gradient, m, v, largest, self._settings)
        else:
            m, v = state
            kernels.update.adam(value, gradient, m, v, self._settings)


@by_position
@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam with weight decay by default; every optimizer here decays weights in this decoupled way.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        weight_decay: each step first multiplies the weights by 1 - learning_rate × weight_decay. Default
            0.004.
        beta_1, beta_2, epsilon, amsgrad: as for `Adam`.
        clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> AdamW(0.001, 0.02).weight_decay
        0.02

    Source:
        I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    weight_decay: float | None = 0.004

    def _check(self) -> None:
        super()._check()
        if self.weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; for none, take Adam.")
