"""Adagrad: gradients by the root of the sum of their squares."""

from __future__ import annotations

from dataclasses import dataclass

from .. import kernels
from ..arguments import by_position, is_positive, is_rate, require
from .arguments import Rate
from .base import Optimizer
from .parameters import Array


@by_position
@dataclass(eq=False, repr=False)
class Adagrad(Optimizer):
    """Adagrad: for each element a step size of its own, which falls with the sum of its gradients' squares.

    sum += gradient²; value -= learning_rate × gradient / √(sum + epsilon).

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        initial_accumulator_value: what the sum begins with, not negative. Default 0.1.
        epsilon: added to the sum, above 0. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name and others: see `Optimizer`.

    Raises:
        TypeError: an unknown argument.
        ValueError: an invalid value.

    Example:
        >>> Adagrad(0.01)
        Adagrad(learning_rate=0.01)

    Source:
        J. Duchi, E. Hazan, Y. Singer: Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization, 2011.
    """

    learning_rate: Rate = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, initial_accumulator_value=is_rate, epsilon=is_positive)

    @property
    def _initial_state(self) -> float:
        return self.initial_accumulator_value

    def _state_names(self) -> tuple[str, ...]:
        return ("sum",)

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        (total,) = state
        kernels.update.adagrad(value, gradient, total, self._settings)
