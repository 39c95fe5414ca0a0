"""What `summary` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..layers.geometry import is_several
from ..layers.graph import Graph
from ..layers.symbols import SymbolicTensor


def summary(model: Graph, values: Sequence[SymbolicTensor]) -> str:
    """Return a table of layers, their output shapes and their numbers of parameters.

    Args:
        model: whose layers.
        values: the symbols of what it takes, and of what each call gives, in order; none if it is not built.
            Where not every layer takes what the one before it gives, a column says what each takes.
    """
    named = model.sublayers()
    names = {id(layer): name for name, layer in named.items()}
    shapes, sources = calls_of(model, values, names)
    branches = any(taken != [before] for taken, before in zip([*sources.values()][1:], sources, strict=False))
    rows = [("Layer (type)", "Output Shape", "Param #", "Connected to" if branches else "")]
    for name, layer in named.items():
        count = f"{sum(parameter.value.size for parameter in layer.parameters):,}" if values else "?"
        connected = ", ".join(sources.get(name, [])) if branches else ""
        rows.append((f"{name} ({type(layer).__name__})", text_of(shapes.get(name)), count, connected))
    first, second = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
    lines = [f"{row[0]:<{first}}{row[1]:<{second}}{row[2]:>13}   {row[3]}".rstrip() for row in rows]
    rule = "-" * max(map(len, lines))
    end = (
        totals_of(model)
        if values
        else ["Not built yet: an Input, model.build or the first data says what it takes."]
    )
    return "\n".join([f'Model: "{model.name}"', lines[0], rule, *lines[1:], rule, *end])


def calls_of(
    model: Graph, values: Sequence[SymbolicTensor], names: Mapping[int, str]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the shape of a sample of each layer's output, and where each takes its inputs from, by its name.

    Args:
        model, values: see `summary`.
        names: of the layers, by their ids.
    """
    shapes: dict[str, Any] = {}
    sources: dict[str, list[str]] = {}
    origins: list[str] = []  # of the values
    if values:
        joined = model.joined
        for symbol in values[: len(model.built_shapes)]:
            name = names.get(id(symbol.call.layer), "")
            origins.append(name)
            if name:
                shapes[name], sources[name] = symbol.sample_shape, []
        for join in joined.joins:
            layer = joined.layers[join.layer]
            name = names[id(layer)]
            shapes.setdefault(name, values[len(origins)].sample_shape)
            sources.setdefault(name, []).extend(origins[number] for number in join.inputs)
            origins += [name] * (len(layer.output_shape) if is_several(layer.output_shape) else 1)
    return shapes, sources


def totals_of(model: Graph) -> list[str]:
    """Return the lines that say how many parameters there are."""
    trainable = sum(parameter.value.size for parameter in model.trainable_parameters())
    total = sum(parameter.value.size for parameter in model.parameters)
    counts = {"Total": total}
    if trainable != total:
        counts |= {"Trainable": trainable, "Non-trainable": total - trainable}
    size = model.dtype.itemsize
    return [f"{kind} params: {count:,} ({bytes_of(count * size)})" for kind, count in counts.items()]


def text_of(shape: Any) -> str:
    """Return a sample's shape as text, with the batch axis; "?" if it is not known."""
    return "?" if shape is None else f"({', '.join(['None', *map(str, shape)])})"


def bytes_of(count: int) -> str:
    """Return a number of bytes as text."""
    return f"{count} B" if count < 1024 else f"{count / 1024:,.1f} KiB"
