"""Losses of distributions and of counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..elementary import log
from .base import EPSILON, Array, Floats
from .elementwise import ElementwiseLoss
from .rows import RowLoss


@dataclass(frozen=True)
class KLDivergence(RowLoss):
    """The Kullback–Leibler divergence of predicted from target distributions, Σ t log(t / p), averaged.

    Targets and predictions below 1e-7 count as 1e-7, those above 1 as 1.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 4)
        0.1438

    Source:
        S. Kullback, R. Leibler: On Information and Sufficiency, 1951.
    """

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        t, p = _clipped(y_true), _clipped(y_pred)
        losses: Floats = np.add.reduce(t * log(t / p), axis=-1)
        return losses

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        flat = (y_pred < EPSILON) | (y_pred > 1)
        slopes: Array = np.where(flat, 0, -_clipped(y_true) / _clipped(y_pred))
        slopes *= y_pred.shape[-1] / y_pred.size
        return slopes


@dataclass(frozen=True)
class Poisson(ElementwiseLoss):
    """p − t log(p + 1e-7), averaged: how unlikely counts t are if p is their mean, but for a constant.

    Args:
        reduction, name: see `Loss`.

    Example:
        >>> round(Poisson()([[2.0]], [[1.0]]), 4)
        1.0
    """

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        return p - t * log(p + EPSILON)

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        return 1 - t / (p + EPSILON)


def _clipped(array: Array) -> Floats:
    return np.clip(array.astype(np.float64), EPSILON, 1)
