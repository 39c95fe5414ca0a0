"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_fraction, require
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    velocity = momentum × velocity - learning_rate × gradient; value += velocity. (PyTorch has the learning
    rate outside of the velocity, which is the same as long as the rate is constant.)

    Args:
        learning_rate: a float or a schedule. Default 0.01.
        momentum: the share of the velocity that a step keeps, in [0, 1). Default 0.
        nesterov: look one step ahead, as Nesterov does: value += momentum × velocity - learning_rate ×
            gradient. Default False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
        SGD(learning_rate=0.1, momentum=0.9, nesterov=True)

    Source:
        I. Sutskever et al.: On the importance of initialization and momentum in deep learning, 2013; weight
        decay: I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    learning_rate: Rate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def _check(self) -> None:
        super()._check()
        require(self, momentum=is_fraction)
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs momentum above 0, such as momentum=0.9.")

    def _state_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.momentum, self.nesterov

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        if self.momentum:
            (velocity,) = state
            kernels.update.sgd_momentum(value, gradient, velocity, self._settings)
        else:
            kernels.update.sgd(value, gradient, self._settings)
