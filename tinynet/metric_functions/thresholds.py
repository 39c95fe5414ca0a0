"""Counts of right and wrong answers at thresholds, of which precision, recall and areas are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..masked import unmasked
from .base import Array, Floats, same_rank
from .shapes import advice

EPSILON = 1e-7  # Keras's
LOWEST = -1e10  # what is not among the largest outputs becomes this


class Counts:
    """How many outputs are above each threshold, and how many not, of those that should be and of the others.

    An output is taken for a positive if it is greater than the threshold. As in Keras, all is compared in
    float32, and where the thresholds are even steps from 0 to 1, outputs are sorted into the steps between.

    Args:
        thresholds: in order.
        by_label: whether each column is counted on its own.

    Attributes:
        true_positives, false_positives, true_negatives, false_negatives: weighted, (thresholds, columns).
    """

    def __init__(self, thresholds: ArrayLike, by_label: bool = False) -> None:
        self.thresholds, self.by_label = np.array(thresholds), by_label
        steps = np.arange(len(self.thresholds)) / max(len(self.thresholds) - 1, 1)
        self.even = len(self.thresholds) > 2 and np.allclose(self.thresholds, steps, atol=2 * EPSILON)
        self.order = np.argsort(self.thresholds, kind="stable")
        self.reset()

    def reset(self) -> None:
        """Forget what has been counted."""
        zeros = np.zeros((len(self.thresholds), 1))
        self.true_positives = self.false_positives = self.true_negatives = self.false_negatives = zeros

    def add(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        label_weights: Array | None = None,
    ) -> None:
        """Count a batch.

        Args:
            y_true: 0 for what should be a negative, else 1; of the shape of y_pred; for one output also (N,).
            y_pred: (N, ...) probabilities.
            sample_weight: (N,), or up to the shape of y_pred; default None, all 1.
            top_k: if given, only so many of the largest outputs of a row can be positives.
            class_id: if given, only this column counts.
            label_weights: (columns,) how much each column counts; default None, all alike.
        """
        predictions = np.asarray(unmasked(y_pred, "y_pred"), np.float32)
        predictions, targets = same_rank(predictions, np.asarray(unmasked(y_true, "y_true")))
        if predictions.shape != targets.shape or not predictions.size:
            raise ValueError(
                f"Targets {np.shape(y_true)} and predictions {np.shape(y_pred)} do not fit together: each "
                f"output needs a target of 0 or 1.{advice(np.asarray(y_true), np.asarray(y_pred))}"
            )
        positives, weights = targets.astype(bool), np.ones(predictions.shape)
        if sample_weight is not None:
            given = np.asarray(unmasked(sample_weight, "sample_weight"), np.float64)
            given = given.reshape(given.shape + (1,) * (predictions.ndim - given.ndim))
            weights = np.broadcast_to(given, predictions.shape)
        if top_k is not None:
            predictions = only_largest(predictions, top_k)
        if label_weights is not None:
            weights = weights * label_weights
        if class_id is not None:
            if predictions.ndim < 2 or not 0 <= class_id < predictions.shape[-1]:
                raise ValueError(
                    f"class_id={class_id} needs predictions (N, classes) of more classes than that, not "
                    f"{predictions.shape}."
                )
            predictions, positives = predictions[..., [class_id]], positives[..., [class_id]]
            weights = weights[..., [class_id]]
        columns = predictions.shape[-1] if self.by_label else 1
        self.count(
            predictions.reshape(-1, columns), positives.reshape(-1, columns), weights.reshape(-1, columns)
        )

    def count(self, predictions: Array, positives: Array, weights: Array) -> None:
        """Count predictions, what they should be, and how much they count, (M, columns) each."""
        size, columns = len(self.thresholds), predictions.shape[1]
        if self.even:
            below = np.ceil(np.clip(predictions, 0, 1) * np.float32(size - 1))
            if self.thresholds[0] < 0:  # all are above the first
                below = np.maximum(below, 1)
        else:
            ordered = self.thresholds[self.order].astype(np.float32)
            below = np.searchsorted(ordered, predictions, side="left")
        # below: how many thresholds an output exceeds; a NaN exceeds none.
        below = np.where(np.isnan(predictions), 0, below).astype(np.int64)
        places = below * columns + np.arange(columns)
        found = []
        for chosen in (positives, ~positives):
            sums = np.bincount(places[chosen], weights[chosen], (size + 1) * columns).reshape(
                size + 1, columns
            )
            above = np.cumsum(sums[::-1], axis=0)[::-1]  # of outputs that exceed at least so many thresholds
            counts = np.empty((size, columns))
            counts[self.order] = above[1:]
            found.append((counts, above[0] - counts))
        (true_positives, false_negatives), (false_positives, true_negatives) = found
        self.true_positives = self.true_positives + true_positives
        self.false_positives = self.false_positives + false_positives
        self.true_negatives = self.true_negatives + true_negatives
        self.false_negatives = self.false_negatives + false_negatives


def only_largest(predictions: Array, k: int) -> Array:
    """Return predictions with all but the k largest of each row made smaller than any threshold."""
    places = np.argsort(-predictions, axis=-1, kind="stable")[..., :k]
    kept = np.full(predictions.shape, LOWEST, predictions.dtype)
    np.put_along_axis(kept, places, np.take_along_axis(predictions, places, axis=-1), axis=-1)
    return kept


def checked_thresholds(thresholds: float | Sequence[float] | None, default: float) -> Floats:
    """Return thresholds as an array, or the default alone; raise if one is outside of 0..1."""
    if thresholds is None:
        return np.array([default])
    array = np.atleast_1d(np.asarray(thresholds, np.float64))
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(f"Thresholds must be in 0..1, not {thresholds!r}.")
    return array
