"""Losses that are the mean over all outputs of a function of a target and a prediction."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import kernels
from .base import Array, Floats, Loss
from .means import mean_of_rows, total


@dataclass(frozen=True)
class ElementwiseLoss(Loss):
    """A mean over all outputs; a subclass writes `_of_elements` and `_slopes`.

    Attributes:
        formula: the number of its formula in kernels/losses.py; -1 if it has none there.
    """

    formula: ClassVar[int] = -1

    @property
    def only_kernels(self) -> bool:
        """Whether there is a kernel, and no class of one's own; see `Loss.only_kernels`."""
        return "formula" in vars(type(self))

    @property
    def kernel_formula(self) -> int:
        """Which of the kernel's formulas it is."""
        return self.formula

    @property
    def setting(self) -> float:
        """The number that the formula depends on."""
        return 0.0

    def prepare(self, y_true: Array) -> Array:
        """Return targets as float64; see `Loss.prepare`."""
        return np.ascontiguousarray(y_true, np.float64)

    def write(
        self,
        y_true: Array,
        y_pred: Array,
        share: float,
        gradient: Array,
        value: Array,
        weights: Array | None = None,
    ) -> None:
        """Write the mean loss, and its gradient times a share; see `Loss.write`."""
        if not self.only_kernels:
            super().write(y_true, y_pred, share, gradient, value, weights)
            return
        rows = -1, y_pred.shape[-1] if y_pred.ndim > 1 else 1
        kernels.losses.elementwise_loss(
            self.kernel_formula,
            y_true.reshape(rows),
            y_pred.reshape(rows),
            self.setting,
            share,
            gradient.reshape(rows),
            value,
            np.empty(0, y_pred.dtype) if weights is None else weights.reshape(-1),
        )

    @abstractmethod
    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        """Return the loss of each element, for float64 targets and predictions of one shape."""

    @abstractmethod
    def _slopes(self, t: Floats, p: Floats) -> Floats:
        """Return the derivative of each element's loss by its prediction."""

    def _value(self, y_true: Array, y_pred: Array) -> float:
        return total(self._of_elements(*_float64(y_true, y_pred))) / y_pred.size

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        return mean_of_rows(self._of_elements(*_float64(y_true, y_pred)))

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        slopes: Floats = self._slopes(*_float64(y_true, y_pred))
        return slopes * (1 / y_pred.size)


def _float64(y_true: Array, y_pred: Array) -> tuple[Floats, Floats]:
    return y_true.reshape(y_pred.shape).astype(np.float64, copy=False), y_pred.astype(np.float64)
