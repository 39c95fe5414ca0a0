"""What a model's outputs say: the probabilities of its classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calibration import calibrated
from .elementary import exp
from .layers import Dropout, Elementwise, Flatten, Reshape, Sigmoid
from .layers.activation import ActivatedLayer
from .models import Model

Array = NDArray[Any]


def probabilities_of(model: Model, x: Array) -> NDArray[np.float32]:
    """Return how likely each class is, calibrated by the model's temperature.

    Args:
        model, x: see `uncalibrated`.

    Returns:
        (N, classes).

    Raises:
        ValueError: the outputs are not finite.
    """
    return calibrated(uncalibrated(model, x), model.temperature)


def uncalibrated(model: Model, x: Array) -> Array:
    """Return how likely each class is, as the model has it.

    Probabilities are taken as they are, and so are their logarithms. Sigmoids, one for each class, are
    divided by their sum. All else are logits, of which softmax makes probabilities. One output alone is a
    sigmoid, or its logit, and says how likely the second of two classes is.

    Args:
        model: of one output for each class, or one for two.
        x: (N, ...) what it takes.

    Returns:
        (N, classes).

    Raises:
        ValueError: the outputs are not finite.
    """
    outputs = np.asarray(model.predict(x)).astype(np.float64).reshape(len(x), -1)
    if not np.isfinite(outputs).all():
        raise ValueError(f"{model.title} gives NaN or infinite numbers for the picture: is it trained?")
    return _probabilities(outputs, ends_in_sigmoid(model))


def _probabilities(outputs: Array, sigmoid: bool) -> Array:
    """Return the probabilities (N, classes) that outputs (N, classes or 1) mean."""
    if outputs.shape[1] == 1:
        if not sigmoid:
            outputs = 1 / (1 + exp(-outputs.clip(-500, 500)))
        return np.concatenate([1 - outputs, outputs], axis=1)
    if _are_probabilities(outputs):
        return outputs
    if (outputs <= 0).all() and _are_probabilities(exp(outputs)):
        return np.asarray(exp(outputs))
    if sigmoid:
        return np.asarray(outputs / np.maximum(outputs.sum(axis=1, keepdims=True), 1e-30))
    powers = exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _are_probabilities(rows: Array) -> bool:
    return bool((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3))


def ends_in_sigmoid(model: Model) -> bool:
    """Return whether the last layer that computes something new is a sigmoid, or ends in one."""
    flow = model.flow()
    call = flow.maker(flow.outputs[0])
    while call is not None and isinstance(call.layer, Flatten | Reshape | Dropout):
        call = flow.maker(call.inputs[0])
    last = None if call is None else call.layer
    if isinstance(last, ActivatedLayer):
        last = last.activation_layer
    return isinstance(last, Sigmoid) or (isinstance(last, Elementwise) and last.function == "hard_sigmoid")
