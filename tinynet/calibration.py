"""The temperature, which makes a model's confidence what it says: how it is found, and what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .elementary import exp, log
from .losses import SparseCategoricalCrossentropy
from .models import Model

LEAST_PROBABILITY = 1e-30  # keeps logarithms finite


def calibrate(model: Model, x: ArrayLike, y: ArrayLike) -> float:
    """Set a model's temperature so that its confidence is right on average.

    The logits are divided by the temperature with the least negative log-likelihood; which class is the
    likeliest does not change. `Model.save` stores it.

    Args:
        model: ends in softmax.
        x: (N, ...) what it takes, which it was not trained on.
        y: (N,) the right classes.

    Returns:
        The temperature, from 0.05 to 20: above 1 for a model that is too sure of itself.

    Raises:
        TypeError, ValueError: the classes are not (N,) integers that the model has.

    Example:
        >>> import numpy as np
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(2, activation="softmax")], 2)
        >>> model.layers[0].parameters[0].value = np.eye(2)
        >>> round(calibrate(model, [[1.1, 0.0]] * 4, [0, 0, 0, 1]), 2)     # right three times in four
        1.0

    Paper:
        Guo, Pleiss, Sun, Weinberger. "On calibration of modern neural networks." ICML 2017.
    """
    probabilities = model.predict(x).astype(np.float64)
    SparseCategoricalCrossentropy().check(y, probabilities.shape)
    logits = log(np.maximum(probabilities, LEAST_PROBABILITY))
    right = np.asarray(y).reshape(-1).astype(np.int64)

    def loss(log_temperature: float) -> float:
        scaled = logits / exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(log(exp(scaled).sum(axis=1)) - scaled[np.arange(len(right)), right]))

    low, high = float(log(0.05)), float(log(20))
    for _ in range(60):  # the loss has one minimum in 1 / temperature: close in on it from both sides
        left, middle = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, middle) if loss(left) < loss(middle) else (left, high)
    model.temperature = float(exp((low + high) / 2))
    return model.temperature


def calibrated(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """Return probabilities (N, classes) as a temperature makes them: above 1 nearer to each other."""
    powers = exp(log(np.maximum(probabilities, LEAST_PROBABILITY)) / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
