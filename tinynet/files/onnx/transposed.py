"""ConvTranspose: a convolution of an image between whose pixels there are zeros."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Node
from .network import Network
from .slicing import cut
from .tensors import Array
from .values import Shape, Value
from .windows import image_of, of_image, single, zeros_around


def transposed_convolution(
    network: Network, node: Node, value: Value, kernel: Array, bias: Array | None = None
) -> Value:
    """ConvTranspose, with kernel (channels, filters / groups, ...)."""
    image = image_of(network, node, value)
    *sizes, channels = image.physical
    groups, rank = node.integer("group", 1), len(sizes)
    if kernel.ndim != rank + 2 or kernel.size == 0 or groups < 1 or channels % groups:
        node.refuse(f"its kernel {kernel.shape} does not fit {channels} channels in {groups} groups")
    window, filters = kernel.shape[2:], kernel.shape[1] * groups
    if len(kernel) != channels or (bias is not None and bias.size != filters):
        node.refuse(f"its kernel {kernel.shape} or its bias does not fit {channels} channels")
    if network.is_open:
        node.refuse("sizes of its input are not known")
    strides = node.integers("strides") or (1,) * rank
    dilations = node.integers("dilations") or (1,) * rank
    if len(strides) != rank or len(dilations) != rank or not 1 <= min(*strides, *dilations) <= 2**10:
        node.refuse(f"its strides {strides} and dilations {dilations} do not fit {rank} axes")
    reaches = [(size - 1) * gap + 1 for size, gap in zip(window, dilations, strict=True)]
    pads, more = _padding(node, sizes, strides, reaches)
    sparse = zeros_between(network, node, image, strides)
    sides = [
        (reach - 1 - pads[axis], reach - pads[axis + rank] + more[axis] - strides[axis])
        for axis, reach in enumerate(reaches)
    ]
    framed = _framed(network, node, sparse, sides)
    if any(size < reach for size, reach in zip(framed.physical, reaches, strict=False)):
        node.refuse(f"its padding leaves nothing of {tuple(sizes)}")
    config: dict[str, Any] = {"class": f"Conv{rank}D", "filters": filters, "kernel_size": single(window)}
    if max(dilations) > 1:
        config["dilation_rate"] = single(dilations)
    if groups > 1:
        config["groups"] = groups
    config["use_bias"] = bias is not None
    each = kernel.reshape(groups, channels // groups, filters // groups, *window)
    flipped = np.flip(each, tuple(range(3, 3 + rank)))
    turned = flipped.transpose(*range(3, 3 + rank), 1, 0, 2)
    weights = [turned.reshape(*window, channels // groups, filters)]
    if bias is not None:
        weights.append(bias.reshape(-1))
    shape = [size - reach + 1 for size, reach in zip(framed.physical, reaches, strict=False)]
    physical = (*shape, filters)
    return of_image(network.call(node, config, framed.number, physical, weights), physical)


def _padding(node: Node, sizes: list[int], strides: Shape, reaches: list[int]) -> tuple[Shape, Shape]:
    """Return what is left out of the result, before and after each axis, and what is added to its end."""
    rank, auto = len(sizes), node.text("auto_pad", "NOTSET")
    pads = node.integers("pads") or (0,) * 2 * rank
    more = node.integers("output_padding") or (0,) * rank
    wanted = node.integers("output_shape")
    if len(pads) != 2 * rank or len(more) != rank or min(*pads, *more) < 0 or max(*pads, *more) > 2**20:
        node.refuse(f"its pads {pads} and output_padding {more} do not fit {rank} axes")
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        node.refuse(f"its auto_pad is {auto!r}")
    if auto.startswith("SAME") and wanted is None:
        wanted = tuple(size * stride for size, stride in zip(sizes, strides, strict=True))
    if wanted is None:
        return pads, more
    whole = [
        (size - 1) * stride + reach + extra
        for size, stride, reach, extra in zip(sizes, strides, reaches, more, strict=True)
    ]
    left = [size - one for size, one in zip(whole, wanted[-rank:], strict=True)]
    if min(left) < 0:
        node.refuse(f"its output_shape {wanted} is larger than what it computes")
    first = [size - size // 2 if auto == "SAME_LOWER" else size // 2 for size in left]
    if auto == "NOTSET" and any(size % 2 for size in left):
        node.refuse(f"its output_shape {wanted} does not say at which side it leaves more out")
    return (*first, *(size - one for size, one in zip(left, first, strict=True))), more


def zeros_between(network: Network, node: Node, image: Value, strides: Shape) -> Value:
    """Return an image with zeros after each pixel, so that it is larger by these factors."""
    if max(strides) == 1:
        return image
    moved = Node("Pad", "", "", [], node.outputs, {})
    shape, number = [*image.physical], image.number
    for axis, stride in enumerate(strides):
        if stride > 1:
            before, after = math.prod(shape[: axis + 1]), math.prod(shape[axis + 1 :])
            number = network.reshaped(moved, number, [before, 1, after])
            config = {"class": "ZeroPadding2D", "padding": [[0, 0], [0, stride - 1]]}
            number = network.call(moved, config, number, [before, stride, after])
            shape[axis] *= stride
    return of_image(network.reshaped(moved, number, shape), tuple(shape), image.is_positive)


def _framed(network: Network, node: Node, image: Value, sides: list[tuple[int, int]]) -> Value:
    """Return an image with zeros around it, or, where these numbers are negative, without its borders."""
    cropped = [(max(-before, 0), max(-after, 0)) for before, after in sides]
    if any(before or after for before, after in cropped):
        for axis, (before, after) in enumerate(cropped):
            if before or after:
                image = cut(network, node, image, axis + 2, -before, -after)
        image = image_of(network, node, image)
    padding = [(max(before, 0), max(after, 0)) for before, after in sides]
    return zeros_around(network, node, image, padding)
