"""What `summary` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summary(title: str, layers: Mapping[str, Any], shapes: Mapping[str, Any], model: Any) -> str:
    """Return a table of layers, their output shapes and their numbers of parameters.

    Args:
        title: the model's name.
        layers: by their names.
        shapes: of a sample of each layer's output, by the layer's name; None where it is not known.
        model: what they are parts of.
    """
    rows = [("Layer (type)", "Output Shape", "Param #")]
    for name, layer in layers.items():
        count = sum(parameter.value.size for parameter in layer.parameters)
        rows.append((f"{name} ({type(layer).__name__})", text_of(shapes[name]), f"{count:,}"))
    first, second = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
    lines = [f"{row[0]:<{first}}{row[1]:<{second}}{row[2]:>13}" for row in rows]
    rule = "-" * len(lines[0])
    trainable = sum(parameter.value.size for parameter in model.trainable_parameters())
    total = sum(parameter.value.size for parameter in model.parameters)
    counts = {"Total": total}
    if trainable != total:
        counts |= {"Trainable": trainable, "Non-trainable": total - trainable}
    size = model.dtype.itemsize / 1024
    totals = [f"{kind} params: {count:,} ({count * size:,.1f} KiB)" for kind, count in counts.items()]
    return "\n".join([f'Model: "{title}"', lines[0], rule, *lines[1:], rule, *totals])


def text_of(shape: Any) -> str:
    """Return a sample's shape as text, with the batch axis; "?" if it is not known."""
    return "?" if shape is None else f"({', '.join(['None', *map(str, shape)])})"
