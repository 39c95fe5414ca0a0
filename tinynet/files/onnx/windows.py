"""Where the windows of convolutions and poolings lie: ONNX's padding in Keras's words, or as zeros around."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .graph import Node
from .network import MOST_LISTED, Network
from .values import Shape, Value

Pair = tuple[int, int]


class Axis(NamedTuple):
    """The windows along one axis.

    Args:
        size: of the input.
        reach: of a window, from its first to its last element.
        stride: between two windows.
        before: the padding before the first element.
        places: how many windows there are.
        after: the padding that they need after the last element.
        declared: the padding after it that the file names.
        is_open: whether the size stands for others, too, for which Keras's "same" may give other windows.
    """

    size: int
    reach: int
    stride: int
    before: int
    places: int
    after: int
    declared: int
    is_open: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether Keras's "valid" gives these windows."""
        if self.is_open and (self.declared or self.after):
            return False
        return self.before == 0 and self.places == (self.size - self.reach) // self.stride + 1

    @property
    def is_same(self) -> bool:
        """Whether Keras's "same" gives these windows."""
        if self.is_open:
            return False
        count = -(-self.size // self.stride)
        missing = max((count - 1) * self.stride + self.reach - self.size, 0)
        return self.places == count and self.before == missing // 2

    @property
    def padding(self) -> Pair:
        """How many zeros the windows need before and after the axis."""
        return self.before, max(self.declared, self.after) if self.is_open else self.after

    @property
    def is_causal(self) -> bool:
        """Whether Keras's "causal" gives these windows."""
        return self.before == self.reach - 1 and self.places == (self.size - 1) // self.stride + 1


def windows(
    node: Node, sizes: Sequence[int], kernel: Sequence[int], ceil: bool = False, is_open: bool = False
) -> list[Axis]:
    """Return where the windows lie along each axis.

    Args:
        node: a convolution's or pooling's, with strides, dilations, pads and auto_pad.
        sizes: of the input's axes.
        kernel: the sizes of a window.
        ceil: whether the last windows may reach over the end.
        is_open: whether the sizes stand for others, too.

    Raises:
        ValueError: an attribute does not fit the others.
    """
    rank = len(sizes)
    strides = node.integers("strides") or (1,) * rank
    dilations = node.integers("dilations") or (1,) * rank
    pads = node.integers("pads") or (0,) * 2 * rank
    auto = node.text("auto_pad", "NOTSET") or "NOTSET"
    if not (len(strides) == len(dilations) == len(kernel) == rank and len(pads) == 2 * rank):
        node.refuse(f"its strides, dilations, pads and kernel_shape do not fit an input of {rank} axes")
    if min(*strides, *dilations, *kernel) < 1 or min(pads) < 0 or max(*strides, *pads) > 2**20:
        node.refuse(
            f"its strides {strides}, dilations {dilations}, pads {pads}, kernel_shape {tuple(kernel)}"
        )
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        node.refuse(f"its auto_pad is {auto!r}")
    found = []
    for place, size in enumerate(sizes):
        stride, reach = strides[place], (kernel[place] - 1) * dilations[place] + 1
        before, declared = (pads[place], pads[place + rank]) if auto == "NOTSET" else (0, 0)
        if auto.startswith("SAME"):
            missing = max((-(-size // stride) - 1) * stride + reach - size, 0)
            before = missing // 2 if auto == "SAME_UPPER" else missing - missing // 2
            declared = missing - before
        left = before + size + declared - reach
        count = (-(-left // stride) if ceil else left // stride) + 1
        if ceil and (count - 1) * stride >= size + before:  # a window begins inside of the input or before it
            count -= 1
        if count < 1 or left < 0:
            node.refuse(f"its window of {reach} is larger than its input of {size}")
        after = max((count - 1) * stride + reach - before - size, 0)
        known = auto != "NOTSET" or stride == 1
        found.append(Axis(size, reach, stride, before, count, after, declared, is_open and not known))
    return found


def keras_padding(axes: Sequence[Axis], causal: bool = False) -> str | None:
    """Return what Keras calls these windows, or None."""
    if all(axis.is_valid for axis in axes):
        return "valid"
    if all(axis.is_same for axis in axes):
        return "same"
    return "causal" if causal and all(axis.is_causal for axis in axes) else None


def single(sizes: Sequence[int]) -> int | list[int]:
    """Return sizes as one integer, if they are equal, as people write them."""
    return sizes[0] if len({*sizes}) == 1 else [*sizes]


def image_of(network: Network, node: Node, value: Value) -> Value:
    """Return a value (N, channels, ...) with its channels last in the network."""
    if value.rank not in (3, 4) or not value.batched or value.groups[0]:
        node.refuse(
            f"its input must be (N, channels, height, width) or (N, channels, steps); got {value.rank} axes"
        )
    groups = value.groups
    return network.laid_out(node, value, [*groups[2:], groups[1]])


def of_image(number: int, physical: Shape, is_positive: bool = False) -> Value:
    """Return what a layer gives, channels last, as ONNX sees it: channels first."""
    last = len(physical) - 1
    return Value.of(number, physical, [last, *range(last)]).computed(number, is_positive=is_positive)


def zeros_around(network: Network, node: Node, value: Value, sides: Sequence[Pair]) -> Value:
    """Return an image or a sequence, channels last, with zeros before and after each of its axes."""
    if not any(before or after for before, after in sides):
        return value
    node = Node("Pad", "", "", [], node.outputs, {})
    shape = [size + sum(side) for size, side in zip(value.physical, sides, strict=False)]
    image = [*shape, *[1] * (2 - len(sides)), value.physical[-1]]
    number = value.number
    if len(sides) == 1:  # a sequence is an image of one column
        number, sides = (
            network.reshaped(node, number, [value.physical[0], 1, value.physical[1]]),
            [*sides, (0, 0)],
        )
    if math.prod(image) > MOST_LISTED:
        node.refuse(f"a sample with the zeros around it would have the shape {tuple(image)}")
    config = {"class": "ZeroPadding2D", "padding": [[*side] for side in sides]}
    number = network.call(node, config, number, image)
    physical = (*shape, value.physical[-1])
    return of_image(network.reshaped(node, number, physical), physical, value.is_positive)
