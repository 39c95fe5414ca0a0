"""Losses that ask for a margin, as support vector machines do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Array, Floats
from .elementwise import ElementwiseLoss
from .rows import RowLoss


class SignedLoss(ElementwiseLoss):
    """A loss of targets -1 and 1; where all of a batch are 0 or 1, as in Keras, 0 means -1."""

    def prepare(self, y_true: Array) -> Array:
        """Return the targets in float64, with -1 for 0 where they are all 0 or 1."""
        targets = np.ascontiguousarray(y_true, np.float64)
        return 2 * targets - 1 if ((targets == 0) | (targets == 1)).all() else targets


@dataclass(frozen=True)
class Hinge(SignedLoss):
    """How far t p falls short of 1, max(1 − t p, 0), averaged over all elements.

    Targets t are −1 or 1; 0 or 1 are taken, too.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> Hinge()([[-1, 1]], [[0.5, 0.75]])  # the mean of 1.5 and 0.25
        0.875
    """

    formula: ClassVar[int] = 4

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return np.maximum(1 - t * p, 0)

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return np.where(1 - t * p <= 0, 0, -t)


@dataclass(frozen=True)
class SquaredHinge(SignedLoss):
    """The square of how far t p falls short of 1, max(1 − t p, 0)², averaged over all elements.

    Targets t are −1 or 1; 0 or 1 are taken, too.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> SquaredHinge()([[0, 1]], [[0.5, 0.5]])  # the mean of 2.25 and 0.25
        1.25
    """

    formula: ClassVar[int] = 5

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return np.maximum(1 - t * p, 0) ** 2

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return -2 * t * np.maximum(1 - t * p, 0)


@dataclass(frozen=True)
class CategoricalHinge(RowLoss):
    """How far the right class's output is from 1 above the largest other one, averaged over the rows.

    For a target row t (one-hot) and an output row p, max(max over k of (1 − t) p − Σ t p + 1, 0).

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> CategoricalHinge()([[0, 1, 0]], [[0.25, 0.75, 0.5]])
        0.75
    """

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        t, p = y_true.astype(np.float64), y_pred.astype(np.float64)
        right, other = (t * p).sum(axis=-1), ((1 - t) * p).max(axis=-1)
        losses: Floats = np.maximum(other - right + 1, 0)
        return losses

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        t, p = y_true.astype(np.float64), y_pred.astype(np.float64)
        others = (1 - t) * p
        largest = others == others.max(axis=-1, keepdims=True)
        slopes = largest * (1 - t) / np.maximum(largest.sum(axis=-1, keepdims=True), 1) - t
        losses = self._losses(y_true, y_pred)
        kept: Array = np.where(losses[..., None] <= 0, 0, slopes) / losses.size
        return kept
