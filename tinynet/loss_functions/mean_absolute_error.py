"""The mean of absolute differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Floats
from .elementwise import ElementwiseLoss


@dataclass(frozen=True)
class MeanAbsoluteError(ElementwiseLoss):
    """The absolute difference between predictions and targets, averaged over all elements.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> loss = MeanAbsoluteError()
        >>> loss([[1, 2]], [[1.5, 5.0]])
        1.75
        >>> loss.gradient([[1, 2]], [[1.5, 5.0]])
        array([[0.5, 0.5]])
    """

    formula: ClassVar[int] = 1

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return np.abs(p - t)

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return np.sign(p - t)
