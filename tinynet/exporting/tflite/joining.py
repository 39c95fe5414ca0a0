"""Operators that are done by the one before them: activations, and the scales and offsets of channels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ...files.tflite import ACTIVATIONS, KINDS, Network, Operator, Tensor

# Their inputs are x, weights and bias (outputs,); on which axis of the weights the outputs lie.
WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


def join(network: Network) -> None:
    """Leave out operators that the one before them, whose output nobody else takes, can do as well."""
    taken = Counter(network.outputs.values())
    for operator in network.operators:
        taken.update(one for one in operator.inputs if one is not None)
    made: dict[Tensor | None, Operator] = {}
    for operator in network.operators:
        before = made.get(operator.inputs[0])
        if before is not None and taken[before.output] == 1 and absorb(before, operator):
            del made[before.output]
            before.output = operator.output
            made[operator.output] = before
        else:
            made[operator.output] = operator
    network.operators = [*made.values()]


def absorb(before: Operator, after: Operator) -> bool:
    """Let an operator do what the one after it does, if it can, and return whether it does."""
    if before.options.get("activation"):
        return False
    if after.kind in ACTIVATIONS:
        if "activation" not in KINDS[before.kind].fields or before.kind == "CONCATENATION":
            return False
        before.options["activation"] = ACTIVATIONS[after.kind]
        return True
    constant = after.inputs[-1]
    if before.kind not in WEIGHTED or constant is None or constant.value is None:
        return False
    if after.kind in ("ADD", "MUL") and constant.shape in ((1,), (before.output.shape[-1],)):
        x, weights, bias = before.inputs
        factor, offset = (constant.value, 0) if after.kind == "MUL" else (1, constant.value)
        before.inputs = [
            x,
            changed(weights, WEIGHTED[before.kind], factor, 0),
            changed(bias, 0, factor, offset),
        ]
        return True
    return False


def changed(tensor: Tensor | None, axis: int, factor: Any, offset: Any) -> Tensor:
    """Return constants, those at each place of an axis times a factor and shifted."""
    assert tensor is not None
    assert tensor.value is not None
    sizes = [size if place == axis else 1 for place, size in enumerate(tensor.shape)]
    factors, offsets = (np.broadcast_to(one, tensor.shape[axis]).reshape(sizes) for one in (factor, offset))
    value = tensor.value.astype(np.float64) * factors + offsets
    return Tensor(tensor.name, tensor.shape, value.astype(np.float32))
