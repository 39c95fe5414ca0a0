"""The mean of squared differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Array, Floats
from .elementwise import ElementwiseLoss
from .targets import look_turned


@dataclass(frozen=True)
class MeanSquaredError(ElementwiseLoss):
    """The square of the difference between predictions and targets, averaged over all elements.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> import numpy as np
        >>> loss = MeanSquaredError()
        >>> predictions = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> loss([[1, 2], [3, 2]], predictions)
        1.0
        >>> loss.gradient([[1, 2], [3, 2]], predictions)
        array([[0., 0.],
               [0., 1.]])
    """

    formula: ClassVar[int] = 0

    def _turned(self, targets: Array, predictions: Array) -> bool:
        return look_turned(targets, predictions, rows=True)

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return (p - t) ** 2

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return 2 * (p - t)
