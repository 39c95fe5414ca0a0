"""Models as networks of operators."""

from __future__ import annotations

from typing import Any

from ..files.tflite import Network, Tensor, tflite_bytes
from ..layers.geometry import shapes_in
from .building import Builder
from .checks import check_built
from .joining import join
from .operators import translate
from .rounding import ROUNDINGS


def to_tflite(model: Any, weights: str = "float32") -> bytes:
    """Return what computes a model's predictions, as the content of a .tflite file.

    Args:
        model: a built model, or any built graph of layers.
        weights: "float32" (default), or what to round them to: "float16" or "int8"; see `rounding.py`.

    Raises:
        ValueError: the model is not built, takes inputs of any size, or has a layer that TensorFlow Lite's
            operators cannot do; or a weight is too large for float16.
    """
    network = network_of(model)
    join(network)
    if weights != "float32":
        ROUNDINGS[weights](network)
    return tflite_bytes(network)


def network_of(model: Any) -> Network:
    """Return a model as operators, a layer after another; see `to_tflite`."""
    check_built(model)
    shapes = shapes_in(model.input_shape)
    if any(None in shape for shape in shapes):
        raise ValueError(
            f"export: {model.title} takes inputs of any size, {', '.join(map(str, shapes))}, and a .tflite "
            "file needs to know it: give all sizes in Input."
        )
    builder, flow = Builder(), model.flow()
    given = [
        Tensor(f"serving_default_{name}:0", (1, *shape))
        for name, shape in zip(model.input_names, shapes, strict=True)
    ]
    values = dict(enumerate(given))
    for call in flow.calls:
        values[call.output] = translate(builder, call.layer, [values[number] for number in call.inputs])
    outputs = {f"output_{place}": values[number] for place, number in enumerate(flow.outputs)}
    return Network(dict(zip(model.input_names, given, strict=True)), outputs, builder.operators)
