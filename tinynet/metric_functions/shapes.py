"""Targets and predictions that have to fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..masked import unmasked
from ..order import ORDER

Array = NDArray[Any]


def of_one_shape(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets, in the shape of the predictions, and these; raise where they do not fit together."""
    targets = np.asarray(unmasked(y_true, "y_true"), dtype=np.float64)
    predictions = np.asarray(unmasked(y_pred, "y_pred"), dtype=np.float64)
    shape = predictions.shape
    # (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    same = targets.shape == shape or (shape[-1:] == (1,) and targets.shape == shape[:-1])
    if not (same and predictions.size):
        raise ValueError(
            f"Predictions of shape {shape} need targets of that shape, not {targets.shape}."
            f"{advice(targets, predictions)}"
        )
    return targets.reshape(shape), predictions


def advice(targets: Array, predictions: Array) -> str:
    """Return what to do where targets are numbers of classes, or look like predictions."""
    rows, classes = predictions.shape[:-1], predictions.shape[-1] if predictions.ndim else 0
    if classes > 1 and targets.shape in (rows, (*rows, 1)):
        return (
            f" utils.to_categorical(y, {classes}) makes such rows of numbers of classes; the loss is then "
            "categorical_crossentropy."
        )
    return turned(targets, predictions)


def turned(targets: Array, predictions: Array) -> str:
    """Return what to say where the shapes are as if targets and predictions had changed places."""
    rows = targets.shape[:-1]
    return f" {ORDER}" if targets.ndim > 1 and predictions.shape in (rows, (*rows, 1)) else ""
