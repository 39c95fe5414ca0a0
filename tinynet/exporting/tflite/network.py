"""Models as networks of operators."""

from __future__ import annotations

from typing import Any

from ...files.tflite import Network, Tensor, tflite_bytes
from ..checks import check_built
from ..signature import inputs_of
from .building import Builder
from .joining import join
from .operators import translate
from .rounding import ROUNDINGS


def to_tflite(model: Any, weights: str = "float32", signature: Any = None) -> bytes:
    """Return what computes a model's predictions, as the content of a .tflite file.

    Args:
        model: a built model, or any built graph of layers.
        weights: "float32" (default), or what to round them to: "float16" or "int8"; see `rounding.py`.
        signature: sizes and names of what the network takes; see `inputs_of`.

    Raises:
        ValueError: the model is not built, takes inputs of any size, or has a layer that TensorFlow Lite's
            operators cannot do; or a weight is too large for float16.
    """
    network = network_of(model, signature)
    join(network)
    if weights != "float32":
        ROUNDINGS[weights](network)
    return tflite_bytes(network)


def network_of(model: Any, signature: Any) -> Network:
    """Return a model as operators, a layer after another; see `to_tflite`."""
    check_built(model)
    inputs = inputs_of(model, signature)
    if any(None in one.shape for one in inputs):
        raise ValueError(
            f"export: {model.title} takes inputs of any size, "
            f"{', '.join(str(one.shape) for one in inputs)}, and a .tflite file needs to know it: give all "
            "sizes in Input, or in input_signature."
        )
    builder, flow = Builder(), model.flow([one.shape for one in inputs])
    given = [Tensor(f"serving_default_{one.name}:0", (1, *one.shape)) for one in inputs]  # type: ignore[arg-type]
    values = dict(enumerate(given))
    for call in flow.calls:
        values[call.output] = translate(builder, call.layer, [values[number] for number in call.inputs])
    outputs = {f"output_{place}": values[number] for place, number in enumerate(flow.outputs)}
    return Network({one.name: x for one, x in zip(inputs, given, strict=True)}, outputs, builder.operators)
