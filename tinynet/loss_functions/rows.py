"""Losses that are the mean of what rows of outputs cost."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from numpy.typing import ArrayLike

from .base import Array, Floats, Loss
from .means import total
from .targets import check_finite, check_rows


@dataclass(frozen=True)
class RowLoss(Loss):
    """A mean over all rows; a subclass writes `_losses` and `_gradient`."""

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are no finite rows of the predictions' shape; see `Loss`."""
        check_rows(y_true, shape)
        check_finite(y_true)

    def _value(self, y_true: Array, y_pred: Array) -> float:
        losses = self._losses(y_true, y_pred)
        return total(losses) / losses.size

    @abstractmethod
    def _losses(self, y_true: Array, y_pred: Array) -> Floats: ...
