"""The cosine of the angle between targets and predictions, negated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import EPSILON, Array, Floats
from .rows import RowLoss


@dataclass(frozen=True)
class CosineSimilarity(RowLoss):
    """Minus the cosine of the angle between target and predicted rows, averaged: −1 is best, 1 worst.

    A row shorter than 1e-7 counts as that long.

    Args:
        axis: along which rows lie: -1, the last (default).
        reduction, name: see `Loss`.

    Raises:
        ValueError: another axis.

    Example:
        >>> round(CosineSimilarity()([[0.0, 2.0]], [[1.0, 1.0]]), 4)
        -0.7071
    """

    axis: int = -1

    def __post_init__(self, reduction: str, name: str | None) -> None:
        super().__post_init__(reduction, name)
        if self.axis != -1:
            raise ValueError(f"CosineSimilarity: axis must be -1, the last; got {self.axis!r}.")

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        cosines: Floats = -(_unit(y_true)[0] * _unit(y_pred)[0]).sum(axis=-1)
        return cosines

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        (target, _), (unit, length) = _unit(y_true), _unit(y_pred)
        along = (target * unit).sum(axis=-1, keepdims=True) * unit
        # Where the length is at its limit it is constant.
        slopes: Array = np.where(length > EPSILON, along - target, -target) / length
        slopes *= y_pred.shape[-1] / y_pred.size
        return slopes


def _unit(rows: Array) -> tuple[Floats, Floats]:
    """Return rows of length 1, and how long they were, at least 1e-7."""
    rows = rows.astype(np.float64)
    length = np.maximum(np.sqrt(np.square(rows).sum(axis=-1, keepdims=True)), EPSILON)
    return rows / length, length
