"""The harmonic mean of precision and recall."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .base import Metric, divided, number_or_array
from .shapes import of_one_shape


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall: (1 + β²) p r / (β² p + r).

    Args:
        average: over the classes: None (default) leaves them; "micro" counts all as one; "macro" takes the
            mean; "weighted" weighs classes by how often they are right.
        beta: how much more recall counts than precision; default 1.0.
        threshold: above which an output is a positive, in 0..1; default None: the largest of each row is.
        name: default "fbeta_score".
        dtype: as in Keras, without effect.

    Raises:
        ValueError: an argument out of range.

    Example:
        >>> metric = FBetaScore(beta=2.0, threshold=0.5)
        >>> metric.update_state([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.4], [0.7, 0.2]])
        >>> metric.result().round(4)
        array([0.7143, 0.5556])
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"average must be None, 'micro', 'macro' or 'weighted', not {average!r}.")
        if not beta > 0:
            raise ValueError(f"beta must be a positive number, not {beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, or None; got {threshold!r}.")
        super().__init__(dtype, name)
        self.average, self.beta, self.threshold = average, beta, threshold
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what has been counted."""
        self.true_positives = self.false_positives = self.false_negatives = self.should = np.zeros(())

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true: 0 or 1 for each class, (N, classes), such as one-hot rows.
            y_pred: probabilities, (N, classes).
            sample_weight: (N,) how much each sample counts; default None, all alike.

        Raises:
            ValueError: shapes that do not fit together.
        """
        targets, predictions = of_one_shape(y_true, y_pred)
        if predictions.ndim != 2:
            raise ValueError(
                f"{type(self).__name__} compares predictions (N, classes), not {predictions.shape}."
            )
        if self.threshold is None:
            largest = predictions >= predictions.max(axis=-1, keepdims=True)
            positives = (largest & (np.abs(predictions) > 1e-9)).astype(np.float64)
        else:
            positives = (predictions > self.threshold).astype(np.float64)
        weights = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64)[:, None]
        axis = None if self.average == "micro" else 0
        self.true_positives = self.true_positives + (weights * positives * targets).sum(axis)
        self.false_positives = self.false_positives + (weights * positives * (1 - targets)).sum(axis)
        self.false_negatives = self.false_negatives + (weights * (1 - positives) * targets).sum(axis)
        self.should = self.should + (weights * targets).sum(axis)

    def result(self) -> Any:
        """Return the score so far: a float, or an array, (classes,), without an average."""
        epsilon, square = 1e-7, self.beta**2
        precision = self.true_positives / (self.true_positives + self.false_positives + epsilon)
        recall = self.true_positives / (self.true_positives + self.false_negatives + epsilon)
        score = (1 + square) * precision * recall / (square * precision + recall + epsilon)
        if self.average == "weighted":
            score = (score * divided(self.should, self.should.sum() + epsilon)).sum()
        elif self.average is not None:
            score = score.mean()
        return number_or_array(np.asarray(score))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: over the classes: None (default) leaves them; "micro" counts all as one; "macro" takes the
            mean; "weighted" weighs classes by how often they are right.
        threshold: above which an output is a positive, in 0..1; default None: the largest of each row is.
        name: default "f1_score".
        dtype: as in Keras, without effect.

    Raises:
        ValueError: an argument out of range.

    Example:
        >>> metric = F1Score(average="macro", threshold=0.5)
        >>> round(metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.4], [0.7, 0.2]]), 4)
        0.7333
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
