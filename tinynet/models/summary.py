"""What `summary` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..layers.geometry import shapes_in
from ..layers.graph import Graph
from ..layers.symbols import SymbolicTensor
from ..layers.view import text_of
from ..views import View

Row = tuple[str, str, str, str, str]  # a layer and its class, a shape, a count, what it takes, what trains

SHORTEST = 20  # characters of a line


def summary(
    model: Graph,
    values: Sequence[SymbolicTensor],
    line_length: int | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> list[str]:
    """Return the lines of a table of layers, their output shapes and their numbers of parameters.

    Args:
        model: whose layers.
        values: the symbols of what it takes, and of what each call gives, in order; none if it is not built.
            Where not every layer takes what the one before it gives, a column says what each takes.
        line_length, expand_nested, show_trainable, layer_range: see `Model.summary`.

    Raises:
        ValueError: line_length is too small, or layer_range is not two names of layers.
    """
    if line_length is not None and not (
        isinstance(line_length, int | np.integer) and line_length >= SHORTEST
    ):
        raise ValueError(f"summary: line_length is a number of at least {SHORTEST}; got {line_length!r}.")
    rows = table_of(model, values, between(model.sublayers(), layer_range), expand_nested)
    first, second = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
    lines = []
    for row in rows:
        text = f"{row[0]:<{first}}{row[1]:<{second}}{row[2]:>13}   "
        lines.append((text + (f"{row[4]:<12}" if show_trainable else "") + row[3]).rstrip())
    rule = "-" * (max(map(len, lines)) if line_length is None else line_length)
    table = [f'Model: "{model.name}"', lines[0], rule, *lines[1:], rule, *totals_of(model, values)]
    if line_length is None:
        return table
    return [line if len(line) <= line_length else f"{line[: line_length - 1]}…" for line in table]


def view_of(model: Graph, values: Sequence[SymbolicTensor]) -> View:
    """Return the same for a notebook, with each layer's share of the parameters."""
    named = model.sublayers()
    (*head, _), *rows = table_of(model, values, named, False)
    total = sum(parameter.value.size for parameter in model.parameters)
    sizes = [sum(parameter.value.size for parameter in layer.parameters) for layer in named.values()]
    shares = [size / total if values and total else 0.0 for size in sizes]
    cells = [
        [label, shape, count, f"{share:.1%}" if values else "?", taken]
        for (label, shape, count, taken, _), share in zip(rows, shares, strict=True)
    ]
    width = 5 if head[-1] else 4  # whether layers branch
    title = f"{type(model).__name__} {model.name!r}"
    head = [*head[:3], "Share", "Connected to"]
    table = [row[:width] for row in cells]
    return View(title, head[:width], table, "llrrl"[:width], totals_of(model, values), shares)


def table_of(
    model: Graph, values: Sequence[SymbolicTensor], chosen: Mapping[str, Any], expand_nested: bool
) -> list[Row]:
    """Return the head and the rows of the table for some of the layers, by their names."""
    names = {id(layer): name for name, layer in model.sublayers().items()}
    shapes, sources = calls_of(model, values, names)
    branches = any(taken != [before] for taken, before in zip([*sources.values()][1:], sources, strict=False))
    rows: list[Row] = [
        ("Layer (type)", "Output Shape", "Param #", "Connected to" if branches else "", "Trainable")
    ]
    for name, layer in chosen.items():
        connected = ", ".join(sources.get(name, [])) if branches else ""
        rows += rows_of(name, layer, shapes.get(name), connected, expand_nested)
    if not values:
        rows[1:] = [(label, shape, "?", taken, trains) for label, shape, _, taken, trains in rows[1:]]
    return rows


def between(named: Mapping[str, Any], layer_range: Sequence[str] | None) -> dict[str, Any]:
    """Return the layers from the first one that a pattern fits to the last one that another fits."""
    if layer_range is None:
        return dict(named)
    if isinstance(layer_range, str) or [*map(type, layer_range)] != [str, str]:
        raise ValueError(f"summary: layer_range is the names of two layers; got {layer_range!r}.")
    places = [[i for i, name in enumerate(named) if re.match(pattern, name)] for pattern in layer_range]
    if not all(places):
        raise ValueError(f"summary: layer_range {layer_range!r} is not of the layers {', '.join(named)}.")
    first, last = min(places[0]), max(places[1])
    return dict([*named.items()][min(first, last) : max(first, last) + 1])


def rows_of(name: str, layer: Any, shape: Any, connected: str, expand: bool, depth: int = 0) -> list[Row]:
    """Return a layer's row of the table, and those of the layers of a model or a row."""
    built = layer.output_shape is not None
    count = f"{sum(parameter.value.size for parameter in layer.parameters):,}" if built else "?"
    label = f"{'  ' * depth}{name} ({type(layer).__name__})"
    rows: list[Row] = [(label, text_of(shape), count, connected, "Y" if layer.trainable else "N")]
    if expand and isinstance(layer, Graph):
        for inner, part in layer.find_sublayers().items():
            rows += rows_of(inner, part, part.output_shape, "", expand, depth + 1)
    return rows


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
            origins += [name] * len(shapes_in(layer.output_shape))
    return shapes, sources


def totals_of(model: Graph, values: Sequence[SymbolicTensor]) -> list[str]:
    """Return the lines that say how many parameters there are."""
    if not values:
        return ["Not built yet: an Input, model.build or the first data says what it takes."]
    trainable = sum(parameter.value.size for parameter in model.trainable_parameters())
    total = sum(parameter.value.size for parameter in model.parameters)
    counts = {"Total": total}
    if trainable != total:
        counts |= {"Trainable": trainable, "Non-trainable": total - trainable}
    size = model.dtype.itemsize
    return [f"{kind} params: {count:,} ({bytes_of(count * size)})" for kind, count in counts.items()]


def bytes_of(count: int) -> str:
    """Return a number of bytes as text."""
    return f"{count} B" if count < 1024 else f"{count / 1024:,.1f} KiB"
