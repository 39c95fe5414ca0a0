"""What a picture of a model shows: a box for each call of a layer, and the arrows between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..layers import Layer
from ..layers.geometry import shapes_in
from ..layers.graph import Graph
from .model import Model


@dataclass
class Box:
    """A box of a picture.

    Args:
        layer: whose call it shows.
        name: of the layer in its model.
        takes, gives: the shapes of a sample of what it takes and gives.
        inner: what is in it; None (the default) where it is not opened.
    """

    layer: Any
    name: str
    takes: list[Any]
    gives: list[Any]
    inner: Diagram | None = None


@dataclass
class Diagram:
    """The boxes of a picture, in an order in which each comes after those that it takes its inputs from.

    Args:
        boxes: one for each call.
        edges: the numbers of two boxes, of which the second takes what the first gives.
    """

    boxes: list[Box]
    edges: list[tuple[int, int]]


def diagram_of(model: Graph, opens: Callable[[Layer], bool]) -> Diagram:
    """Return what a picture of a model, or of a row of layers, shows.

    Args:
        model: which is built.
        opens: whether the layers in a layer of layers are shown, too.
    """
    names = {id(layer): name for name, layer in model.sublayers().items()}
    symbols = model._symbols() if isinstance(model, Model) else []
    boxes: list[Box] = []
    edges: dict[tuple[int, int], None] = {}
    origins: list[int | None] = []  # of the values: the number of the box
    shapes: list[Any] = [*model.built_shapes]
    for number, shape in enumerate(model.built_shapes):
        layer = symbols[number].call.layer if symbols else None
        origins.append(None)
        if symbols:
            shapes[number] = symbols[number].sample_shape
        if id(layer) in names:
            origins[number] = len(boxes)
            boxes.append(Box(layer, names[id(layer)], [shapes[number] or shape], [shapes[number] or shape]))
    joined = model.joined
    for join in joined.joins:
        layer = joined.layers[join.layer]
        given = shapes_in(layer.output_shape)
        if symbols:
            given = [symbols[len(origins) + i].sample_shape for i in range(len(given))]
        box = Box(layer, names[id(layer)], [shapes[number] for number in join.inputs], given)
        if isinstance(layer, Graph) and layer.wiring is not None and opens(layer):
            box.inner = diagram_of(layer, opens)
        for number in join.inputs:
            if (origin := origins[number]) is not None:
                edges[origin, len(boxes)] = None
        origins += [len(boxes)] * len(given)
        shapes += given
        boxes.append(box)
    return Diagram(boxes, [*edges])
