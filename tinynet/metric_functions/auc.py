"""The area under a curve of what is right against what is wrong, over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..elementary import exp, log
from .base import Array, Floats, Metric, divided
from .thresholds import EPSILON, Counts, checked_thresholds

MOST_THRESHOLDS = 1_000_000  # float32 tells hardly more apart


class AUC(Metric):
    """The area under the ROC curve or the precision-recall curve, approximated at thresholds.

    Args:
        num_thresholds: how many, in even steps; default 200.
        curve: "ROC" (default): the true against the false positives' share; "PR": precision against recall.
        summation_method: between two thresholds, "interpolation" (default) takes the curve's mean (for "PR"
            the interpolation of Davis and Goadrich), "minoring" the lower and "majoring" the higher end.
        name: default "auc", then "auc_1" and so on.
        dtype: as in Keras, without effect.
        thresholds: instead of even steps, those between 0 and 1.
        multi_label: whether each column has a curve of its own, of whose areas the result is the mean.
        num_labels: the number of columns; taken, and not needed.
        label_weights: how much each column counts; default all alike.
        from_logits: whether predictions are logits, to which sigmoid is applied.

    Raises:
        ValueError: an unknown curve or summation method, or too few thresholds.

    Example:
        >>> metric = AUC(num_thresholds=3)
        >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> metric.result()
        0.75

    Source:
        J. Davis, M. Goadrich: The Relationship Between Precision-Recall and ROC Curves, 2006.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: ArrayLike | None = None,
        from_logits: bool = False,
    ) -> None:
        if curve.upper() not in ("ROC", "PR"):
            raise ValueError(f"AUC: curve must be 'ROC' or 'PR', not {curve!r}.")
        if summation_method.lower() not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"AUC: summation_method must be 'interpolation', 'minoring' or 'majoring', not "
                f"{summation_method!r}."
            )
        whole = isinstance(num_thresholds, int | np.integer) and not isinstance(num_thresholds, bool)
        if thresholds is None and not (whole and 2 <= num_thresholds <= MOST_THRESHOLDS):
            raise ValueError(
                f"AUC: num_thresholds must be an integer from 2 to {MOST_THRESHOLDS}, not {num_thresholds!r}."
            )
        if num_labels and not multi_label:
            raise ValueError("AUC: num_labels goes with multi_label=True.")
        super().__init__(dtype, name)
        inner = [step / (num_thresholds - 1) for step in range(1, num_thresholds - 1)]
        if thresholds is not None:
            inner = sorted(checked_thresholds(thresholds, 0).tolist())
        self.curve, self.summation_method = curve.upper(), summation_method.lower()
        self.num_thresholds, self.multi_label, self.from_logits = len(inner) + 2, multi_label, from_logits
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        # The ends lie a little outside, so that all outputs are above the first and none is above the last.
        self._counts = Counts([-EPSILON, *inner, 1 + EPSILON], multi_label)

    def reset_state(self) -> None:
        """Forget what has been counted."""
        self._counts.reset()

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true: 0 or 1 for each output, of the shape of y_pred; for one output, (N, 1), also (N,).
            y_pred: probabilities, (N, ...).
            sample_weight: (N,), or up to the shape of y_pred; default None, all alike.

        Raises:
            ValueError: shapes that do not fit together, or no samples.
        """
        predictions: Array = np.asarray(y_pred, np.float64)
        if self.from_logits:
            small = exp(-np.abs(predictions))
            predictions = np.where(predictions < 0, small, 1) / (1 + small)
        weights = None if self.multi_label else self.label_weights
        self._counts.add(y_true, predictions, sample_weight, label_weights=weights)

    def result(self) -> float:
        """Return the area so far."""
        areas = self._interpolated() if self._is_davis_goadrich else self._rectangles()
        columns = areas.sum(axis=0)
        if self.multi_label and self.label_weights is not None:
            weights = self.label_weights
            return float(divided((columns * weights).sum(), weights.sum()))
        return float(columns.mean())

    @property
    def _is_davis_goadrich(self) -> bool:
        return self.curve == "PR" and self.summation_method == "interpolation"

    def _rectangles(self) -> Floats:
        """Return the areas between thresholds, (thresholds - 1, columns)."""
        counts = self._counts
        recall = divided(counts.true_positives, counts.true_positives + counts.false_negatives)
        if self.curve == "ROC":
            x, y = divided(counts.false_positives, counts.false_positives + counts.true_negatives), recall
        else:
            x, y = recall, divided(counts.true_positives, counts.true_positives + counts.false_positives)
        ends = y[:-1], y[1:]
        heights: Floats
        if self.summation_method == "interpolation":
            heights = (ends[0] + ends[1]) / 2
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(*ends)
        return (x[:-1] - x[1:]) * heights

    def _interpolated(self) -> Floats:
        """Return the areas between thresholds, where true positives follow all positives in lines."""
        counts = self._counts
        true, positives = counts.true_positives, counts.true_positives + counts.false_positives
        slope = divided(true[:-1] - true[1:], np.maximum(positives[:-1] - positives[1:], 0))
        intercept = true[1:] - slope * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        ratio = np.where(both, divided(positives[:-1], positives[1:]), 1)
        areas = slope * (true[:-1] - true[1:] + intercept * log(ratio))
        return divided(areas, true[1:] + counts.false_negatives[1:])
