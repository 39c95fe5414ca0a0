"""Accuracies: how large a share of the predictions is right."""

from __future__ import annotations

from typing import Any

from .accuracies import (
    binary_accuracy,
    categorical_accuracy,
    equal,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .mean import MeanMetricWrapper


class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their targets: of labels, not of probabilities.

    (The name "accuracy" is another thing: it stands for the accuracy that fits the shapes, as in Keras.)

    Args:
        name: default "accuracy".
        dtype: as in Keras, without effect.

    Example:
        >>> Accuracy()([1, 2, 3], [1, 0, 3], sample_weight=[1.0, 2.0, 1.0])
        0.5
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(equal, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The share of outputs that are right, each on its own; see `binary_accuracy`.

    Args:
        name: default "binary_accuracy".
        dtype: as in Keras, without effect.
        threshold: above which an output means 1; default 0.5.

    Example:
        >>> BinaryAccuracy()([[1, 0], [1, 1]], [[0.9, 0.1], [0.8, 0.2]])
        0.75
    """

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest output is where their one-hot target is; see `categorical_accuracy`.

    Args:
        name: default "categorical_accuracy".
        dtype: as in Keras, without effect.

    Example:
        >>> CategoricalAccuracy()([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest output is at their label; see `sparse_categorical_accuracy`.

    Args:
        name: default "sparse_categorical_accuracy".
        dtype: as in Keras, without effect.

    Example:
        >>> SparseCategoricalAccuracy()([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose one-hot target is among the k largest outputs.

    Args:
        k: how many outputs; default 5.
        name: default "top_k_categorical_accuracy".
        dtype: as in Keras, without effect.

    Example:
        >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.5, 0.0, 0.1]])
        0.5
    """

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose label's output is among the k largest ones.

    Args:
        k: how many outputs; default 5.
        name: default "sparse_top_k_categorical_accuracy".
        dtype: as in Keras, without effect.

    Example:
        >>> SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.1, 0.9, 0.8], [0.5, 0.0, 0.1]])
        0.5
    """

    def __init__(
        self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)
