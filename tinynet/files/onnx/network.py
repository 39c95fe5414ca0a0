"""The network that an ONNX graph becomes: calls of layers, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .graph import Node
from .tensors import Array
from .values import Groups, Shape, Value

MOST_ELEMENTS = 2**26  # of a sample of a value
MOST_LISTED = 2**23  # of all samples of which layers keep a list of their elements
LISTING = (
    "Cropping2D", "DepthwiseConv2D", "Normalization", "Permute", "PReLU", "Rescaling", "Resizing",
    "UpSampling2D", "ZeroPadding2D",
)  # fmt: skip
MOST_CALLS = 2048
STAND_IN = 67  # for sizes of images that are not known: a prime, so that it can be seen in shapes
SECOND_STAND_IN = 94  # which shows what depends on the first; even, as halves of sizes are rounded


@dataclass
class Call:
    """A layer's call.

    Args:
        config: the layer's, as `tinynet.layers.config.layer_config` writes it, without what is as by default.
        inputs: the numbers of the values that it takes.
        shape: of a sample of what it gives.
        weights: in the layer's order.
        name: what it may be called, "" for nothing.
        sources: the names of what its weights were made of.
    """

    config: dict[str, Any]
    inputs: list[int]
    shape: Shape
    weights: list[Array] = field(default_factory=list)
    name: str = ""
    sources: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The layer's class."""
        return str(self.config["class"])


class Network:
    """Layers and how they call each other, as it grows.

    Args:
        inputs: the shapes of a sample of each input.
        batch: how many samples the file was made for, None for any number.
        most_weights: how many numbers the layers may hold.
        is_open: whether sizes in these shapes stand for others, too.
        stand_in: that stands for them.

    Attributes:
        calls: of layers, in order. The values that they give are numbered after the inputs.
        weights: how many numbers the layers hold.
        roots: by the names of constants what they are the square root of.
        listed: how many elements have a place in a list of a layer's.
        resized: the factors or the sizes by which images become others, where the file gives sizes.
    """

    def __init__(
        self,
        inputs: Sequence[Shape],
        batch: int | None,
        most_weights: float,
        is_open: bool = False,
        stand_in: int = STAND_IN,
    ) -> None:
        self.inputs, self.batch, self.most_weights = [*inputs], batch, most_weights
        self.calls: list[Call] = []
        self.weights = self.listed = 0
        self.is_open, self.stand_in = is_open, stand_in
        self.resized: list[tuple[int, ...]] = []
        self.roots: dict[str, Array] = {}
        self._moved: dict[Any, int] = {}

    def shape_of(self, number: int) -> Shape:
        """Return the shape of a sample of a value."""
        count = len(self.inputs)
        return self.inputs[number] if number < count else self.calls[number - count].shape

    def maker_of(self, number: int) -> Call | None:
        """Return the call that gives a value; None for an input."""
        return self.calls[number - len(self.inputs)] if number >= len(self.inputs) else None

    def call(
        self,
        node: Node,
        config: dict[str, Any],
        inputs: int | Sequence[int],
        shape: Sequence[int],
        weights: Sequence[Array] = (),
    ) -> int:
        """Add a layer's call, and return the number of what it gives."""
        numbers = [inputs] if isinstance(inputs, int) else [*inputs]
        if math.prod(shape) > MOST_ELEMENTS or any(size < 1 for size in shape):
            node.refuse(f"a sample of what it gives would have the shape {tuple(shape)}")
        if len(self.calls) >= MOST_CALLS:
            node.refuse(f"the model needs more than {MOST_CALLS} layers")
        if config["class"] in LISTING:
            self.listed += max(math.prod(shape), *(math.prod(self.shape_of(number)) for number in numbers))
        if self.listed > MOST_LISTED:
            node.refuse("the samples in the model are too large to be padded, moved or scaled by element")
        self.weights += sum(array.size for array in weights)
        if self.weights > self.most_weights:
            node.refuse("it repeats the file's numbers too often")
        self.calls.append(Call(config, numbers, tuple(shape), [*weights], node.name, tuple(node.inputs[1:])))
        return len(self.inputs) + len(self.calls) - 1

    def apply(self, node: Node, config: dict[str, Any], value: Value, is_positive: bool = False) -> Value:
        """Add a layer that computes a function of each element."""
        return value.computed(self.call(node, config, value.number, value.physical), is_positive=is_positive)

    def laid_out(self, node: Node, value: Value, axes: Groups) -> Value:
        """Return a value with these factors as its axes in the network, moved if they lie otherwise."""
        wanted = value.ordered(axes)
        flat = [factor for axis in axes for factor in axis]
        if flat == sorted(flat):
            return wanted.computed(
                self.reshaped(node, value.number, wanted.physical), wanted.physical, value.is_positive
            )
        key = (value.number, value.fine, tuple(flat), wanted.physical)
        if key not in self._moved:
            self._moved[key] = self._permuted(node, value, axes, wanted.physical)
        return wanted.computed(self._moved[key], wanted.physical, value.is_positive)

    def _permuted(self, node: Node, value: Value, axes: Groups, shape: Shape) -> int:
        """Move a value's axes, and return the number of the result."""
        moved = Node("Transpose", "", "", [], node.outputs, {})
        have = value.physical_groups
        if sorted(have) == sorted(axes):  # in which case a layer does it alone
            left, dims = [*have], []
            for axis in axes:
                dims.append(left.index(axis) + 1)
                left[dims[-1] - 1] = [-1]
            return self.call(moved, {"class": "Permute", "dims": dims}, value.number, shape)
        ends = {group[-1] for group in [*have, *axes] if group}
        runs: Groups = []
        for factor in (factor for axis in axes for factor in axis):
            if runs and runs[-1][-1] + 1 == factor and runs[-1][-1] not in ends:
                runs[-1].append(factor)
            else:
                runs.append([factor])
        lying = sorted(runs)
        number = self.reshaped(moved, value.number, [value.size_of(run) for run in lying])
        dims = [lying.index(run) + 1 for run in runs]
        sizes = [value.size_of(run) for run in runs]
        number = self.call(moved, {"class": "Permute", "dims": dims}, number, sizes)
        return self.reshaped(moved, number, shape)

    def reshaped(self, node: Node, number: int, shape: Sequence[int]) -> int:
        """Return the number of a value in another shape, which may be the value itself."""
        shape = tuple(shape)
        maker = self.maker_of(number)
        while maker is not None and maker.kind in ("Reshape", "Flatten") and self.shape_of(number) != shape:
            number = maker.inputs[0]
            maker = self.maker_of(number)
        if self.shape_of(number) == shape:
            return number
        key = (number, shape)
        if key not in self._moved:
            shaping = Node("Reshape", "", node.name if node.operator in NAMED else "", [], node.outputs, {})
            sizes = [*shape]
            if self.is_open and sum(size % self.stand_in == 0 for size in shape) == 1:
                sizes = [-1 if size % self.stand_in == 0 else size for size in shape]
            config = {"class": "Flatten"} if len(shape) == 1 else {"class": "Reshape", "target_shape": sizes}
            self._moved[key] = self.call(shaping, config, number, shape)
        return self._moved[key]


NAMED = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
