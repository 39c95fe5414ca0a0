"""A row of layers, which is a layer itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Layer
from .geometry import Shape, is_several
from .graph import Graph
from .wiring import Join, Wiring


@dataclass(eq=False, repr=False)
class Chain(Graph, only_kernels=True):
    """Layers one after another.

    Args:
        layers: the layers, in order.

    Raises:
        TypeError: something is no layer.
        ValueError: there is no layer, one is used twice, or two have the same name.

    Example:
        >>> from tinynet.layers import Dense, Flatten
        >>> row = Chain([Flatten(), Dense(2, activation="relu")])
        >>> row.build((4, 4, 1))
        (2,)
        >>> row.forward(np.zeros((5, 4, 4, 1))).shape
        (5, 2)
    """

    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if not isinstance(self.layers, Sequence):
            raise TypeError(f"{kind}: expected a list of layers; got {self.layers!r}.")
        self.layers = Layers(self.layers)
        if not self.layers:
            raise ValueError(f"{kind}: expected at least one layer.")
        for position, layer in enumerate(self.layers):
            check_layer(kind, self.layers[:position], layer)

    def find_sublayers(self) -> dict[str, Layer]:
        """Return the layers by their names in this row, and what a class that derives from this adds."""
        layers = self.layers
        named = dict(zip(names_for(layers), layers, strict=True))
        if self.is_ours:
            return named
        mine = {id(layer) for layer in layers}
        return named | {name: one for name, one in Layer.find_sublayers(self).items() if id(one) not in mine}

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Name the layers and build one after another; see `Layer.declare`."""
        named = [(name, layer) for name, layer in self.sublayers().items() if layer.is_nameless]
        before = [(layer.name, layer._named_by_default) for _, layer in named]
        try:
            for name, layer in named:
                layer.remember(name=name, _named_by_default=False)
            shape = input_shape
            for layer in self.layers:
                shape = layer.build(shape)
            if is_several(shape):
                raise ValueError(f"{self.title}: its last layer has several outputs, and a row gives one.")
        except BaseException:
            for (_, layer), (name, by_default) in zip(named, before, strict=True):
                layer.remember(name=name, _named_by_default=by_default)
            raise
        return shape

    @property
    def joined(self) -> Wiring:
        """How the layers call each other: one after another."""
        count = len(self.layers)
        return Wiring(self.layers, [Join(i, (i,)) for i in range(count)], [count])


class Layers(tuple[Layer, ...]):
    """Layers, to be read like Keras's list; but to change it in place raises, as it would have no effect.

    Example:
        >>> from tinynet.layers import Dense, Flatten
        >>> row = Layers([Flatten(), Dense(2)])
        >>> row[:-1] + [Dense(3)]
        [Flatten(), Dense(units=3)]
    """

    def __getitem__(self, place: Any) -> Any:
        """Return a layer, or several as a list."""
        found = super().__getitem__(place)
        return [*found] if isinstance(place, slice) else found

    def __add__(self, others: Any) -> Any:
        """Return a list of these layers and others."""
        return [*self, *others]

    def __radd__(self, others: Any) -> Any:
        """Return a list of others and these layers."""
        return [*others, *self]


def check_layer(kind: str, before: Sequence[Layer], layer: Any) -> None:
    """Raise if something cannot be the next layer of a row."""
    if not isinstance(layer, Layer):
        hint = " (write layers.ReLU(), with parentheses)" if isinstance(layer, type) else ""
        raise TypeError(f"{kind}: layer {len(before)} is {layer!r}, not a layer{hint}.")
    if any(layer is other for other in before):
        raise ValueError(f"{kind}: layer {len(before)}, {layer.title}, is used twice: make a new layer.")


def names_for(layers: Sequence[Layer], own: bool = True) -> list[str]:
    """Return a name for each layer, no two the same: its own, or one as in Keras: conv2d, conv2d_1, dense.

    Args:
        layers: the layers. Of those that models share, two may have the same name, and the later one gets
            another.
        own: whether to use the names that layers have; default True.

    Raises:
        ValueError: two new layers were given the same name.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    for position, layer in enumerate(layers):
        if layer.is_nameless:
            continue
        if own and layer.name not in taken:
            names[position] = layer.name
            taken.add(layer.name)
        elif own and layer.output_shape is None:
            raise ValueError(f"Two layers have the name {layer.name!r}: give them different ones.")
    counts: dict[str, int] = {}
    for position, layer in enumerate(layers):
        while position not in names:
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(layer).__name__).lower()
            number = counts[kind] = counts.get(kind, -1) + 1
            name = f"{kind}_{number}" if number else kind
            if name not in taken:
                names[position] = name
                taken.add(name)
    return [names[position] for position in range(len(names))]
