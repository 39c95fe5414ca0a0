"""Conv: convolutions of images and sequences, also in groups and of each channel alone."""

from __future__ import annotations

from typing import Any

from .graph import Node
from .network import Network
from .tensors import Array
from .values import Value
from .windows import image_of, keras_padding, of_image, single, windows, zeros_around


def convolution(
    network: Network, node: Node, value: Value, kernel: Array, bias: Array | None = None
) -> Value:
    """Conv, with kernel (filters, channels / groups, ...)."""
    image = image_of(network, node, value)
    *sizes, channels = image.physical
    groups = node.integer("group", 1)
    if kernel.ndim != len(sizes) + 2 or kernel.size == 0:
        node.refuse(f"its kernel has the shape {kernel.shape}, and its input {len(sizes) + 2} axes")
    filters, each, *window = kernel.shape
    if groups < 1 or filters % groups or each * groups != channels:
        node.refuse(f"its kernel {kernel.shape} does not fit {channels} channels in {groups} groups")
    if bias is not None and bias.size != filters:
        node.refuse(f"its bias has the shape {bias.shape}, for {filters} filters")
    if tuple(node.integers("kernel_shape") or window) != tuple(window):
        node.refuse(f"its kernel_shape is not that of its kernel {kernel.shape}")
    axes = windows(node, sizes, window, is_open=network.is_open)
    depthwise = groups == channels > 1 and len(sizes) == 2
    padding = keras_padding(axes, causal=len(sizes) == 1)
    if padding is None:
        image = zeros_around(network, node, image, [axis.padding for axis in axes])
        padding = "valid"
    strides, dilations = [axis.stride for axis in axes], [*(node.integers("dilations") or (1,) * len(sizes))]
    every = max(strides) > 1 and max(dilations) > 1  # which no layer does at once
    if every and padding == "same":
        image = zeros_around(network, node, image, [axis.padding for axis in axes])
        padding = "valid"
    config: dict[str, Any] = {"class": "DepthwiseConv2D" if depthwise else f"Conv{len(sizes)}D"}
    if not depthwise:
        config["filters"] = filters
    config["kernel_size"] = single(window)
    if max(strides) > 1 and not every:
        config["strides"] = single(strides)
    if padding != "valid":
        config["padding"] = padding
    if max(dilations) > 1:
        config["dilation_rate"] = single(dilations)
    if depthwise and filters > channels:
        config["depth_multiplier"] = filters // channels
    if groups > 1 and not depthwise:
        config["groups"] = groups
    config["use_bias"] = bias is not None
    weights = [kernel.transpose(*range(2, kernel.ndim), 1, 0)]
    if depthwise:
        weights = [weights[0].reshape(*window, channels, filters // channels)]
    if bias is not None:
        weights.append(bias.reshape(-1))
    counts = [axis.places for axis in axes]
    if every:
        counts = [(axis.places - 1) * axis.stride + 1 for axis in axes]
        taken = [
            size if padding == "causal" else size - axis.reach + 1
            for size, axis in zip(image.physical, axes, strict=False)
        ]
        counts = taken
    number = network.call(node, config, image.number, (*counts, filters), weights)
    found = of_image(number, (*counts, filters))
    return every_other(network, node, found, strides, [axis.places for axis in axes]) if every else found


def every_other(network: Network, node: Node, value: Value, strides: list[int], counts: list[int]) -> Value:
    """Return every second pixel of an image, or third, and so on: the largest of windows of one pixel."""
    axes = len(counts)
    config = {"class": f"MaxPool{axes}D", "pool_size": 1, "strides": single(strides)}
    node = Node("Slice", "", "", [], node.outputs, {})
    shape = (*counts, value.physical[-1])
    return of_image(network.call(node, config, value.number, shape), shape, value.is_positive)
