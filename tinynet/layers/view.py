"""What a notebook shows of a layer."""

from __future__ import annotations

from typing import Any

from ..views import View
from .geometry import shapes_in


def view_of(layer: Any) -> View:
    """Return a layer's hyperparameters, shapes and parameters."""
    title = f"{layer.name}: {layer!r}" if layer.name else repr(layer)
    if layer.output_shape is None or layer.input_shape is None:
        return View(title, [], [], "", ["Not built yet: its shapes and parameters come with what it takes."])
    given = layer.input_shape if layer.takes_several else [layer.input_shape]
    named = layer.named_parameters()
    total = sum(parameter.value.size for parameter in named.values())
    trained = {id(one) for one in layer.trainable_parameters()}
    rows = [
        [path, str(one.value.shape), f"{one.value.size:,}", "yes" if id(one) in trained else "no"]
        for path, one in named.items()
    ]
    flow = f"{', '.join(map(text_of, given))} → {', '.join(map(text_of, shapes_in(layer.output_shape)))}"
    count = f"{total:,} parameter{'' if total == 1 else 's'}, {layer.dtype}"
    return View(title, ["Parameter", "Shape", "Size", "Trains"], rows, "llrl", [count], above=[flow])


def text_of(shape: Any) -> str:
    """Return a sample's shape as text, with the batch axis; "?" if it is not known."""
    return "?" if shape is None else f"({', '.join(['None', *map(str, shape)])})"
