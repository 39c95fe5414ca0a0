"""Weights of fewer bits: files of a quarter or a half of the size, and results that are rounded."""

from __future__ import annotations

import numpy as np

from ...files.tflite import Network, Operator, Tensor

FEWEST = 1024  # weights of an operator that are worth 8 bits, as in TensorFlow
VERSIONS = {"CONV_2D": 5, "FULLY_CONNECTED": 12}  # of operators that take them, a scale for each output


def to_int8(network: Network) -> None:
    """Round the weights of convolutions and dense layers to 8 bits, each output's by a scale of its own.

    What they are multiplied with, the interpreter rounds to 8 bits, too, sample by sample, while it runs:
    TensorFlow's dynamic range quantization.
    """
    for operator in network.operators:
        weights = operator.inputs[1] if operator.kind in VERSIONS else None
        if weights is not None and weights.value is not None and weights.value.size >= FEWEST:
            round_weights(operator, weights)


def round_weights(operator: Operator, weights: Tensor) -> None:
    """Round the weights of an operator to 8 bits."""
    assert weights.value is not None
    value = weights.value
    largest = np.abs(value).max(tuple(range(1, value.ndim)), keepdims=True)
    scales = np.where(largest > 0, largest, 127) / np.float32(127)
    rounded = np.clip(np.rint(value / scales), -127, 127).astype(np.int8)
    operator.inputs[1] = Tensor(weights.name, weights.shape, rounded, scales.reshape(-1))
    operator.version = VERSIONS[operator.kind]
    if operator.kind == "FULLY_CONNECTED":
        operator.options["asymmetric_inputs"] = True


def to_float16(network: Network) -> None:
    """Round all constant floats to 16 bits, which operators that come first make 32 again."""
    first: list[Operator] = []
    for operator in network.operators:
        for place, tensor in enumerate(operator.inputs):
            if tensor is not None and tensor.value is not None and tensor.value.dtype == np.float32:
                first.append(widened(tensor))
                operator.inputs[place] = first[-1].output
    network.operators = first + network.operators


def widened(tensor: Tensor) -> Operator:
    """Return what makes a constant of 16 bits one of 32."""
    assert tensor.value is not None
    with np.errstate(over="ignore"):
        value = tensor.value.astype(np.float16)
    if np.isinf(value).any():
        raise ValueError(f"export: {tensor.name} has numbers beyond float16's 65504; use float32.")
    half = Tensor(f"{tensor.name}/float16", tensor.shape, value)
    return Operator("DEQUANTIZE", [half], Tensor(tensor.name, tensor.shape, of_batch=False))


ROUNDINGS = {"float16": to_float16, "int8": to_int8}
