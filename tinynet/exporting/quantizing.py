"""Weights of 8 bits: a quarter of the size, rounded."""

from __future__ import annotations

import numpy as np

from ..files.tflite import Network, Operator, Tensor

FEWEST = 1024  # weights of an operator that are worth it, as in TensorFlow
VERSIONS = {"CONV_2D": 5, "FULLY_CONNECTED": 12}  # of operators that take them, a scale for each output


def quantize(network: Network) -> None:
    """Round the weights of convolutions and dense layers to 8 bits, each output's by a scale of its own.

    What they are multiplied with, the interpreter rounds to 8 bits, too, sample by sample, while it runs:
    TensorFlow's dynamic range quantization.
    """
    for operator in network.operators:
        weights = operator.inputs[1] if operator.kind in VERSIONS else None
        if weights is not None and weights.value is not None and weights.value.size >= FEWEST:
            round_weights(operator, weights)


def round_weights(operator: Operator, weights: Tensor) -> None:
    """Round the weights of an operator."""
    assert weights.value is not None
    value = weights.value
    largest = np.abs(value).max(tuple(range(1, value.ndim)), keepdims=True)
    scales = np.where(largest > 0, largest, 127) / np.float32(127)
    rounded = np.clip(np.rint(value / scales), -127, 127).astype(np.int8)
    operator.inputs[1] = Tensor(weights.name, weights.shape, rounded, scales.reshape(-1))
    operator.version = VERSIONS[operator.kind]
    if operator.kind == "FULLY_CONNECTED":
        operator.options["asymmetric_inputs"] = True
