"""A row of layers, which is a layer itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer
from .geometry import Shape


@dataclass(eq=False, repr=False)
class Chain(Layer, only_kernels=True):
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
        self.layers = tuple(self.layers)
        if not self.layers:
            raise ValueError(f"{kind}: expected at least one layer.")
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                hint = " (write layers.ReLU(), with parentheses)" if isinstance(layer, type) else ""
                raise TypeError(f"{kind}: layer {position} is {layer!r}, not a layer{hint}.")
            if any(layer is other for other in self.layers[:position]):
                raise ValueError(f"{kind}: layer {position}, {layer.title}, is used twice: make a new layer.")

    def find_sublayers(self) -> dict[str, Layer]:
        """Return the layers by their names in this row, and what a class that derives from this adds."""
        named = dict(zip(names_for(self.layers), self.layers, strict=True))
        mine = {id(layer) for layer in self.layers}
        return named | {name: one for name, one in super().find_sublayers().items() if id(one) not in mine}

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Name the layers and build one after another; see `Layer.declare`."""
        nameless = [(name, layer) for name, layer in self.sublayers().items() if not layer.name]
        try:
            for name, layer in nameless:
                layer.remember(name=name)
            shape = input_shape
            for layer in self.layers:
                shape = layer.build(shape)
        except BaseException:
            for _, layer in nameless:
                vars(layer).pop("name", None)
            raise
        return shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Run the layers one after another, the whole batch at once on one thread.

        Args:
            x: (N, *input_shape).
            training: whether the layers remember what `backward` needs, and dropout drops.

        Returns:
            (N, *output_shape).

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.ReLU()], 2).forward([[-1.0, 1.0]])
            array([[0., 1.]], dtype=float32)
        """
        y = self.check_input(x)
        for layer in self.layers:
            y = layer.forward(y, training)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Run the layers' backward passes, last to first; the parameters' `grad` then holds all gradients.

        Args:
            dy: gradient of the loss with respect to the output, (N, *output_shape).

        Returns:
            The gradient with respect to the input, (N, *input_shape).

        Raises:
            RuntimeError: there was no `forward(x, training=True)` before.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.ReLU()], 2)
            >>> _ = model.forward([[-1.0, 1.0]], training=True)
            >>> model.backward([[3.0, 3.0]])
            array([[0., 3.]], dtype=float32)
        """
        _, dx = self.check_upstream(self.y, dy)
        for layer in reversed(self.layers):
            dx = layer.backward(dx)
        return dx

    def row(self) -> Iterator[Layer]:
        """Yield the layers, and in the place of a row inside of this one its layers.

        A class of one's own that derives from this one and does more than that is one layer.
        """
        if type(self).forward is not Chain.forward or type(self).backward is not Chain.backward:
            yield self
            return
        for layer in self.layers:
            if isinstance(layer, Chain):
                yield from layer.row()
            else:
                yield layer


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
        if own and layer.name and layer.name not in taken:
            names[position] = layer.name
            taken.add(layer.name)
        elif own and layer.name and layer.input_shape is None:
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
