"""Metrics of numbers: errors of predictions that are no classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .base import Metric, number_or_array
from .mean import Mean
from .shapes import of_one_shape


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences.

    Args:
        name: default "root_mean_squared_error".
        dtype: as in Keras, without effect.

    Example:
        >>> RootMeanSquaredError()([[0.0], [0.0]], [[1.0], [7.0]])
        5.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true: the targets, of the shape of y_pred; for one output, (N, 1), also (N,).
            y_pred: the predictions, (N, ...).
            sample_weight: (N,) how much each sample counts; default None, all alike.
        """
        targets, predictions = of_one_shape(y_true, y_pred)
        super().update_state((predictions - targets) ** 2, sample_weight)

    def result(self) -> float:
        """Return the root of the mean so far; 0 of nothing."""
        return float(np.sqrt(super().result()))


class R2Score(Metric):
    """The coefficient of determination: 1 − the squared errors over the squares around the targets' mean.

    Args:
        class_aggregation: how several outputs become one number: "uniform_average" (default),
            "variance_weighted_average", or None, which leaves them.
        num_regressors: the number of the model's inputs, for the adjusted score; default 0, not adjusted.
        name: default "r2_score".
        dtype: as in Keras, without effect.

    Raises:
        ValueError: another aggregation, or a negative number.

    Example:
        >>> R2Score()([[0.0], [4.0], [8.0]], [[2.0], [4.0], [8.0]])
        0.875
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"R2Score: class_aggregation must be one of {known}, not {class_aggregation!r}.")
        if num_regressors < 0:
            raise ValueError(f"R2Score: num_regressors must not be negative; got {num_regressors!r}.")
        super().__init__(dtype, name)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what has been counted."""
        self.elements = 0
        self.sum = self.squared_sum = self.residual = self.count = np.zeros(1)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true: the targets, (N, outputs); for one output also (N,).
            y_pred: the predictions, (N, outputs).
            sample_weight: (N,) how much each sample counts; default None, all alike.

        Raises:
            ValueError: shapes that do not fit together.
        """
        targets, predictions = of_one_shape(y_true, y_pred)
        if predictions.ndim != 2:
            raise ValueError(f"R2Score compares predictions (N, outputs), not {predictions.shape}.")
        weights = np.asarray(1.0 if sample_weight is None else sample_weight, np.float64)
        weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, targets.shape)
        self.sum = self.sum + (weights * targets).sum(axis=0)
        self.squared_sum = self.squared_sum + (weights * targets**2).sum(axis=0)
        self.residual = self.residual + (weights * (targets - predictions) ** 2).sum(axis=0)
        self.count = self.count + weights.sum(axis=0)
        self.elements += targets.size

    def result(self) -> Any:
        """Return the score so far: a float, or an array, (outputs,), without aggregation."""
        with np.errstate(divide="ignore", invalid="ignore"):
            around_mean = self.squared_sum - self.sum * (self.sum / self.count)
            scores = 1 - self.residual / around_mean
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (around_mean * scores).sum() / around_mean.sum()
        if self.num_regressors and self.num_regressors < self.elements - 1:
            n = float(self.elements)
            scores = 1 - (1 - scores) * (n - 1) / (n - self.num_regressors - 1)
        elif self.num_regressors:
            warnings.warn(
                "R2Score: there are too few samples to adjust the score; it is the plain one.", stacklevel=2
            )
        return number_or_array(np.asarray(scores))
