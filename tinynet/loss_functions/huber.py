"""Losses that are squares for small errors and grow in a straight line for large ones."""

from __future__ import annotations

from dataclasses import KW_ONLY, InitVar, dataclass
from typing import ClassVar

import numpy as np

from ..elementary import exp, log1p, tanh
from .base import Floats
from .elementwise import ElementwiseLoss

LOG_2 = 0.6931471805599453


@dataclass(frozen=True)
class Huber(ElementwiseLoss):
    """Half the squared error where it is at most delta, else delta times the error less delta / 2; averaged.

    Args:
        delta: where the square ends. Default 1.
        reduction, name: see `Loss`; the default name is Keras's, "huber_loss".

    Raises:
        ValueError: delta is not a positive number.

    Example:
        >>> loss = Huber()
        >>> loss([[0.0, 0.0]], [[0.5, 3.0]])  # the mean of 0.125 and 2.5
        1.3125
        >>> loss.gradient([[0.0, 0.0]], [[0.5, 3.0]])
        array([[0.25, 0.5 ]])

    Source:
        P. Huber: Robust Estimation of a Location Parameter, 1964.
    """

    formula: ClassVar[int] = 3
    delta: float = 1.0
    _: KW_ONLY
    name: InitVar[str | None] = "huber_loss"

    def __post_init__(self, reduction: str, name: str | None) -> None:
        super().__post_init__(reduction, name)
        if not 0 < self.delta < float("inf"):
            raise ValueError(f"Huber: delta must be a positive number, not {self.delta!r}.")

    @property
    def setting(self) -> float:
        """The number that the kernel's formula depends on: delta."""
        return float(self.delta)

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        size = np.abs(p - t)
        large = self.delta * size - 0.5 * self.delta**2
        losses: Floats = np.where(size > self.delta, large, 0.5 * size * size)
        return losses

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        slopes: Floats = np.clip(p - t, -self.delta, self.delta)
        return slopes


@dataclass(frozen=True)
class LogCosh(ElementwiseLoss):
    """The logarithm of the hyperbolic cosine of the error, averaged over all elements.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> round(LogCosh()([[0.0, 0.0]], [[0.1, 100.0]]), 4)  # near 0.1² / 2 and 100 − log 2
        49.6559
    """

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        size = np.abs(p - t)  # the function is even, and this way the exponential cannot overflow
        losses: Floats = size + log1p(exp(-2 * size)) - LOG_2
        return losses

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return tanh(p - t)
