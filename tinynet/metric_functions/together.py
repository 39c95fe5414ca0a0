"""The metrics that a model is compiled with."""

from __future__ import annotations

import copy
from collections.abc import ItemsView, Iterator, Sequence
from typing import Any

import numpy as np

from ..loss_functions.targets import like_predictions
from .base import Array, Metric
from .mean import MeanMetricWrapper


class Metrics:
    """Metrics by the names under which logs and histories list them, as Keras names them, in order.

    Args:
        metrics: those that count all samples alike.
        weighted: those that samples' weights are given to.

    Example:
        >>> from tinynet.metrics import Mean, Precision
        >>> list(Metrics([Precision(name="p"), Precision(name="p")], [Precision(name="p")]))
        ['p', 'p_1', 'weighted_p']
    """

    def __init__(self, metrics: Sequence[Metric] = (), weighted: Sequence[Metric] = ()) -> None:
        self.plain: dict[str, Metric] = {}
        self.weighted: dict[str, Metric] = {}
        used: dict[str, int] = {}
        for metric in metrics:
            self.plain[self._numbered(metric.name, used)] = metric
        for metric in weighted:
            taken = metric.name in used
            self.weighted[self._numbered(f"weighted_{metric.name}" if taken else metric.name, used)] = metric

    @staticmethod
    def _numbered(name: str, used: dict[str, int]) -> str:
        """Return the name, or where it is used, the name with a number."""
        if name == "loss":
            raise ValueError(
                "A metric may not be called 'loss': that is the name of the loss in the history."
            )
        number = used.get(name, 0)
        used[name] = number + 1
        return f"{name}_{number}" if number else name

    def __iter__(self) -> Iterator[str]:
        return iter([*self.plain, *self.weighted])

    def __len__(self) -> int:
        return len(self.plain) + len(self.weighted)

    def items(self) -> ItemsView[str, Metric]:
        """Return all metrics and their names."""
        return (self.plain | self.weighted).items()

    def reset(self) -> None:
        """Forget what has been counted."""
        for metric in [*self.plain.values(), *self.weighted.values()]:
            metric.reset_state()

    def update(self, y_true: Array, y_pred: Array, weights: Array | None = None) -> None:
        """Count a batch.

        Args:
            y_true: (N, ...) the targets, which metrics get in the shape of the predictions; see
                `like_predictions`.
            y_pred: (N, ...) the predictions.
            weights: (N,) how much each sample counts in the weighted metrics; default None, all alike.
        """
        y_true = like_predictions(y_true, y_pred.shape)
        for metric in self.plain.values():
            metric.update_state(y_true, y_pred)
        for metric in self.weighted.values():
            metric.update_state(y_true, y_pred, weights)

    def result(self) -> dict[str, Any]:
        """Return what all metrics say, by name: floats, or arrays of those that have several numbers."""
        return {name: number(metric.result()) for name, metric in self.items()}

    def fresh(self) -> Metrics:
        """Return copies that have counted nothing, so that several threads may count at once.

        Functions are not copied: they may be objects that note what they are called with.
        """
        copies = copy.copy(self)
        copies.plain, copies.weighted = (
            {
                name: copy.copy(metric) if isinstance(metric, MeanMetricWrapper) else copy.deepcopy(metric)
                for name, metric in metrics.items()
            }
            for metrics in (self.plain, self.weighted)
        )
        copies.reset()
        return copies

    def follow(self, copies: Metrics) -> None:
        """Take over what copies have counted, for people who read their metrics' results."""
        for own, others in ((self.plain, copies.plain), (self.weighted, copies.weighted)):
            for name, metric in own.items():
                vars(metric).update(vars(others[name]))


def number(result: Any) -> Any:
    """Return a result as a float, or as an array, if it has several numbers."""
    return result if type(result) is float else float(result) if np.ndim(result) == 0 else np.asarray(result)
