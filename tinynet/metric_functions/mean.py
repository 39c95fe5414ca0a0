"""Means and sums of values, over all batches that were counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..masked import unmasked
from .base import Array, Floats, Metric, same_rank


class Mean(Metric):
    """The mean of values, weighted if samples have weights: the sum of w v over the sum of w.

    Args:
        name: default "mean".
        dtype: as in Keras, without effect.

    Example:
        >>> metric = Mean()
        >>> metric.update_state([1.0, 3.0])
        >>> metric.update_state([8.0])
        >>> metric.result()
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what has been counted."""
        self.total = self.count = 0.0

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Count values.

        Args:
            values: (N, ...), of which the mean over all axes but the first counts, or a number.
            sample_weight: (N,), or up to the shape of the values; default None, all 1.
        """
        counted, weights = of_samples(values, sample_weight, np.mean)
        self.total += float(counted.sum())
        self.count += float(counted.size if weights is None else weights.sum())

    def result(self) -> float:
        """Return the mean so far; 0 of nothing."""
        return self.total / self.count if self.count else 0.0


class Sum(Metric):
    """The sum of values, each times its weight.

    Args:
        name: default "sum".
        dtype: as in Keras, without effect.

    Example:
        >>> metric = Sum()
        >>> metric([1.0, 3.0], sample_weight=[1.0, 0.5])
        2.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what has been counted."""
        self.total = 0.0

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Count values (N, ...), or a number, with weights as `Mean` takes them."""
        self.total += float(of_samples(values, sample_weight, np.sum)[0].sum())

    def result(self) -> float:
        """Return the sum so far."""
        return self.total


class MeanMetricWrapper(Mean):
    """The mean of what a function of (y_true, y_pred) returns.

    Args:
        fn: returns a value for each sample, (N, ...), or one number for a batch, which counts as one value,
            however large the batch, as in Keras.
        name: default "mean_metric_wrapper".
        dtype: as in Keras, without effect.
        keywords: further arguments of the function.

    Example:
        >>> metric = MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")
        >>> metric(np.array([1.0, 2.0]), np.array([1.0, 5.0]))
        1.5
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **keywords: Any
    ) -> None:
        super().__init__(name, dtype)
        self._function, self._keywords = fn, keywords

    def update_state(  # type: ignore[override]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true: (N, ...) the targets.
            y_pred: (N, ...) the predictions.
            sample_weight: (N,) how much each sample counts; default None, all alike.
        """
        super().update_state(self._function(y_true, y_pred, **self._keywords), sample_weight)


def of_samples(
    values: ArrayLike, sample_weight: ArrayLike | None, reduce: Callable[..., Any]
) -> tuple[Floats, Floats | None]:
    """Return one value for each sample, times its weight, and the weights, as Keras reduces them.

    Args:
        values: (N, ...), or a number.
        sample_weight: None, or of as many axes as the values, or fewer.
        reduce: np.mean or np.sum, over all axes but the first.
    """
    array: Array = np.asarray(unmasked(values, "values"), np.float64)
    if sample_weight is None:
        return np.asarray(over_rest(array, reduce)), None
    array, weights = same_rank(array, np.asarray(unmasked(sample_weight, "sample_weight"), np.float64))
    if array.ndim > weights.ndim:
        array = reduce(array, axis=tuple(range(weights.ndim, array.ndim)))
    weights = np.broadcast_to(weights, array.shape)
    return over_rest(array * weights, reduce), over_rest(weights, reduce)


def over_rest(array: Array, reduce: Callable[..., Any]) -> Array:
    """Return an array reduced over all axes but the first."""
    result: Array = reduce(array, axis=tuple(range(1, array.ndim))) if array.ndim > 1 else array
    return result
