"""Precision and recall."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from .base import Floats, Metric, divided
from .thresholds import LOWEST, Counts, checked_thresholds


class OfThresholds(Metric):
    """A metric of outputs that are positives if they exceed a threshold.

    Args:
        thresholds: a number, or several; default 0.5, or none at all with top_k.
        top_k: if given, only so many of the largest outputs of a row can be positives.
        class_id: if given, only this class counts.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else LOWEST)
        self.top_k, self.class_id = top_k, class_id
        self._counts = Counts(self.thresholds)

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
        self._counts.add(y_true, y_pred, sample_weight, self.top_k, self.class_id)

    @abstractmethod
    def share(self) -> Floats:
        """Return the metric at each threshold, (thresholds, 1)."""

    def result(self) -> Any:
        """Return the metric so far: a float, or an array, (thresholds,), if several were given."""
        share = self.share()[:, 0]
        return float(share[0]) if len(share) == 1 else share


class Precision(OfThresholds):
    """The share of positives that should be some: true positives over all positives; 0 of none.

    Args:
        thresholds: above which an output is a positive: a number, or several; default 0.5.
        top_k: if given, the k largest outputs of each row are the positives.
        class_id: if given, only this class counts.
        name: default "precision", then "precision_1" and so on.
        dtype: as in Keras, without effect.

    Raises:
        ValueError: a threshold outside of 0..1.

    Example:
        >>> metric = Precision()
        >>> metric.update_state([0, 1, 1, 0], [0.9, 0.8, 0.2, 0.1])
        >>> metric.result()
        0.5
    """

    def share(self) -> Floats:
        """Return the precision at each threshold, (thresholds, 1)."""
        counts = self._counts
        return divided(counts.true_positives, counts.true_positives + counts.false_positives)


class Recall(OfThresholds):
    """The share of what should be positives that is: true positives over all that should be; 0 of none.

    Args:
        thresholds: above which an output is a positive: a number, or several; default 0.5.
        top_k: if given, the k largest outputs of each row are the positives.
        class_id: if given, only this class counts.
        name: default "recall", then "recall_1" and so on.
        dtype: as in Keras, without effect.

    Raises:
        ValueError: a threshold outside of 0..1.

    Example:
        >>> metric = Recall(thresholds=[0.1, 0.5])
        >>> metric.update_state([0, 1, 1, 0], [0.9, 0.8, 0.2, 0.1])
        >>> metric.result()
        array([1. , 0.5])
    """

    def share(self) -> Floats:
        """Return the recall at each threshold, (thresholds, 1)."""
        counts = self._counts
        return divided(counts.true_positives, counts.true_positives + counts.false_negatives)
