"""Metrics: numbers for people to read; unlike losses, nothing is trained through them.

A metric is an object that counts batch after batch, and then says what is true of all of them. Many are means
of functions of (y_true, y_pred), which are here, too, and return a number for each sample. They are in
metric_functions/; this page hands them on and knows their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .loss_functions.functions import loss_of
from .losses import SHORT, Loss, mean_absolute_error, mean_squared_error
from .metric_functions.accuracies import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    right,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .metric_functions.accuracy_metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from .metric_functions.auc import AUC
from .metric_functions.base import Metric, snake_case
from .metric_functions.confusion_matrix import confusion_matrix, most_confused
from .metric_functions.f_score import F1Score, FBetaScore
from .metric_functions.mean import Mean, MeanMetricWrapper, Sum
from .metric_functions.of_losses import metric_of
from .metric_functions.precision_recall import Precision, Recall
from .metric_functions.regression import R2Score, RootMeanSquaredError
from .metric_functions.together import Metrics
from .names import unknown
from .order import check_order

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "F1Score", "FBetaScore", "Hinge",
    "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanMetricWrapper", "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric", "Metrics",
    "Poisson", "Precision", "R2Score", "Recall", "RootMeanSquaredError", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SquaredHinge", "Sum",
    "TopKCategoricalAccuracy", "accuracy", "binary_accuracy", "categorical_accuracy", "confusion_matrix",
    "get", "mean_absolute_error", "mean_squared_error", "most_confused", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "together", "top_k_categorical_accuracy",
]  # fmt: skip

MeanSquaredError = metric_of("mean_squared_error")
MeanAbsoluteError = metric_of("mean_absolute_error")
MeanAbsolutePercentageError = metric_of("mean_absolute_percentage_error")
MeanSquaredLogarithmicError = metric_of("mean_squared_logarithmic_error")
LogCoshError = metric_of("log_cosh", "LogCoshError", "logcosh")
CosineSimilarity = metric_of("cosine_similarity", sign=-1)
Hinge = metric_of("hinge")
SquaredHinge = metric_of("squared_hinge")
CategoricalHinge = metric_of("categorical_hinge")
KLDivergence = metric_of("kl_divergence")
Poisson = metric_of("poisson")
BinaryCrossentropy = metric_of("binary_crossentropy")
CategoricalCrossentropy = metric_of("categorical_crossentropy")
SparseCategoricalCrossentropy = metric_of("sparse_categorical_crossentropy")

CLASSES: tuple[type[Metric], ...] = (
    BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, Precision, Recall, AUC, F1Score, FBetaScore, MeanSquaredError,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, RootMeanSquaredError,
    R2Score, LogCoshError, CosineSimilarity, Hinge, SquaredHinge, CategoricalHinge, KLDivergence, Poisson,
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, Accuracy, Mean, Sum,
)  # fmt: skip
BY_CLASS = {kind.__name__: kind for kind in CLASSES}
METRICS: dict[str, type[Metric]] = {snake_case(name): kind for name, kind in BY_CLASS.items()}
METRICS |= {short: METRICS[name] for short, name in SHORT.items() if short != "kld"}
METRICS |= {short.upper(): METRICS[name] for short, name in SHORT.items() if short != "kld"}
ACCURACY = ("accuracy", "acc")  # stand for the accuracy that fits the shapes


def get(metric: str | Metric | type[Metric] | Callable[..., Any]) -> Metric:
    """Return a metric given by its Keras name, its class or a function, or the given metric itself.

    Args:
        metric: one of Keras's names, such as "accuracy", "mse", "auc" or "AUC", a class, a `Metric`, a
            `Loss`, or a function of (y_true, y_pred) that returns a value for each sample, (N, ...), or one
            number for a batch, which counts as one value.

    Returns:
        A `Metric`; of a name or a function, one that is called so.

    Raises:
        TypeError: none of these, or a function whose arguments are named in the other order.
        ValueError: an unknown name.

    Example:
        >>> get("accuracy")([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
        >>> get(mean_absolute_error).name
        'mean_absolute_error'
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, type) and issubclass(metric, Metric):
        return metric()
    if isinstance(metric, str):
        if metric.lower() not in ACCURACY and metric not in METRICS | BY_CLASS:
            raise ValueError(unknown("metric", metric, [*ACCURACY, *METRICS]))
        fits_shapes = metric.lower() in ACCURACY
        made = MeanMetricWrapper(right, metric) if fits_shapes else (METRICS | BY_CLASS)[metric](name=metric)
        made.given = metric
        return made
    name = getattr(metric, "name" if isinstance(metric, Loss) else "__name__", None)
    if name is None or not callable(metric) or isinstance(metric, type):
        raise TypeError(
            "A metric is a name, a Metric or a function that has a __name__; metrics are a list of them; got "
            f"{metric!r}."
        )
    if loss_of(metric) is None and not isinstance(metric, Loss):
        check_order(metric, f"The metric {name!r}")
    return MeanMetricWrapper(metric, name)


def together(metrics: Any = (), weighted_metrics: Any = ()) -> Metrics:
    """Return the metrics that a model is compiled with.

    Args:
        metrics, weighted_metrics: one of what `get` takes, or a list or dictionary of them, or None.

    Returns:
        The metrics, by their names.

    Example:
        >>> list(together(["accuracy", "mse"]))
        ['accuracy', 'mse']
    """
    return Metrics([get(metric) for metric in _flat(metrics)], [get(one) for one in _flat(weighted_metrics)])


def _flat(metrics: Any) -> list[Any]:
    if metrics is None:
        return []
    if isinstance(metrics, Mapping):
        metrics = metrics.values()
    elif isinstance(metrics, str | Metric | type) or callable(metrics) or not isinstance(metrics, Iterable):
        return [metrics]
    return [one for metric in metrics for one in _flat(metric)]


def __dir__() -> list[str]:
    return __all__
