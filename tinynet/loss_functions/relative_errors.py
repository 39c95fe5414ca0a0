"""Means of errors that are measured against the size of the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..elementary import log1p
from .base import EPSILON, Floats
from .elementwise import ElementwiseLoss


@dataclass(frozen=True)
class MeanAbsolutePercentageError(ElementwiseLoss):
    """The absolute difference in percent of the target's size, 100 |p − t| / max(|t|, 1e-7), averaged.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> MeanAbsolutePercentageError()([[1.0, 10.0]], [[1.5, 9.0]])
        30.0
    """

    formula: ClassVar[int] = 2

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return 100 / np.maximum(np.abs(t), EPSILON) * np.abs(p - t)

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return 100 / np.maximum(np.abs(t), EPSILON) * np.sign(p - t)


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(ElementwiseLoss):
    """The squared difference of log(1 + p) and log(1 + t), where both are at least 1e-7, averaged.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[1.0]], [[3.0]]), 4)  # log(4 / 2) squared
        0.4805
    """

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return self._difference(t, p) ** 2

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        # Below the limit the loss is flat; a NaN is passed on.
        return np.where(p < EPSILON, 0, 2 * self._difference(t, p) / (1 + np.maximum(p, EPSILON)))

    def _difference(self, t: Floats, p: Floats) -> Floats:
        difference: Floats = log1p(np.maximum(p, EPSILON)) - log1p(np.maximum(t, EPSILON))
        return difference
