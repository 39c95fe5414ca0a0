"""Layers with kernels and windows as ONNX's operators, which have the channels first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...layers.geometry import place_windows
from .activations import activated
from .building import Builder, Value


def dense(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Dense, on vectors or on the last of several axes."""
    kernel = layer.kernel.value
    bias = [builder.constant("bias", layer.bias.value)] if layer.use_bias else []
    if len(x.shape) == 1:
        if x.image is not None:  # the kernel's rows are turned to the order that the image has
            kernel = kernel[places(x.image)]
            x = Value(x.name, x.shape, x.order)
        name = builder.add("Gemm", [x.name, builder.constant("kernel", kernel), *bias])
        return activated(builder, layer, Value(name, builder.shape, x.order))
    x = builder.as_tinynet_has_it(x)
    y = Value(builder.add("MatMul", [x.name, builder.constant("kernel", kernel)]), builder.shape, x.order)
    return activated(builder, layer, builder.map("Add", y, *bias) if bias else y)


def places(image: Value) -> NDArray[Any]:
    """Return where in tinynet's order the elements of an image are, in the order that the image has."""
    numbers = np.arange(np.prod(image.shape)).reshape(1, *image.shape)  # type: ignore[arg-type]
    return numbers.transpose(image.order).reshape(-1)


def windows(layer: Any, x: Value, reach: Sequence[int]) -> dict[str, Any]:
    """Return how windows lie on an array, as attributes; a window reaches over so many rows and columns."""
    axes = slice(-layer.axes, None)
    attributes: dict[str, Any] = {"kernel_shape": layer.window[axes], "strides": layer.steps[axes]}
    if layer.padding == "causal":
        return attributes | {"pads": (layer.windows.left, 0)}
    around = place_windows(layer.title, layer.image, (reach[0], reach[1]), layer.steps, layer.padding)
    sides = [(around.top, max(around.bottom, 0)), (around.left, max(around.right, 0))][axes]
    for axis, (size, length, step) in enumerate(zip(x.shape, reach[axes], layer.steps[axes], strict=False)):
        if size is not None or step == 1 or layer.padding == "valid":
            continue
        if length > 2 or step < length:  # how much padding there is depends on the size
            if any(step > length for length, step in zip(reach, layer.steps, strict=True)):
                raise ValueError(
                    f"export: {layer.title} leaves gaps between its windows, with padding='same', and which "
                    "depends on sizes that are not known: give all sizes in Input."
                )
            return attributes | {"auto_pad": "SAME_UPPER"}
        sides[axis] = (0, length - 1)
    return attributes | {"pads": (*(before for before, _ in sides), *(after for _, after in sides))}


def convolve(
    builder: Builder, layer: Any, x: Value, kernel: str, bias: NDArray[Any] | None, groups: int
) -> str:
    """Add a convolution, whose kernel is (outputs, channels / groups, height, width)."""
    reach = [(size - 1) * gap + 1 for size, gap in zip(layer.window, layer.dilation, strict=True)]
    inputs = [builder.with_channels_first(x).name, kernel]
    if bias is not None:
        inputs.append(builder.constant("bias", bias))
    return builder.add(
        "Conv",
        inputs,
        **windows(layer, x, reach),
        dilations=layer.dilation[-layer.axes :],
        group=int(groups),
    )


def as_image(builder: Builder, name: str, channels: int) -> Value:
    """Return an image of the current layer's size, whose channels lie first."""
    rank = len(builder.shape) + 1
    return Value(name, (*builder.shape[:-1], channels), (0, rank - 1, *range(1, rank - 1)))


def convolution(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Conv2D and Conv1D."""
    kernel = layer.kernel.value.transpose(-1 % (layer.axes + 2), layer.axes, *range(layer.axes))
    bias = layer.bias.value if layer.use_bias else None
    name = convolve(builder, layer, x, builder.constant("kernel", kernel), bias, layer.groups)
    return activated(builder, layer, as_image(builder, name, layer.filters))


def depthwise(builder: Builder, layer: Any, x: Value, what: str, bias: NDArray[Any] | None) -> Value:
    """Return a convolution of each channel, which are as many groups."""
    kernel = getattr(layer, what).value
    kernel = kernel.reshape(*kernel.shape[:-2], layer.depth)[np.newaxis]
    kernel = kernel.transpose(layer.axes + 1, 0, *range(1, layer.axes + 1))
    name = convolve(builder, layer, x, builder.constant(what, kernel), bias, layer.image[-1])
    return as_image(builder, name, layer.depth)


def depthwise_convolution(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate DepthwiseConv2D."""
    bias = layer.bias.value if layer.use_bias else None
    return activated(builder, layer, depthwise(builder, layer, x, "kernel", bias))


def separable_convolution(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate SeparableConv2D: a depthwise convolution, and one of single pixels."""
    middle = depthwise(builder, layer, x, "depthwise_kernel", None)
    kernel = layer.pointwise_kernel.value.transpose(layer.axes + 1, layer.axes, *range(layer.axes))
    inputs = [middle.name, builder.constant("pointwise_kernel", kernel)]
    if layer.use_bias:
        inputs.append(builder.constant("bias", layer.bias.value))
    name = builder.add("Conv", inputs, kernel_shape=[1] * layer.axes)
    return activated(builder, layer, as_image(builder, name, layer.filters))


def pool(kind: str, **attributes: Any) -> Callable[[Builder, Any, Value], Value]:
    """Return the translation of pooling over windows."""

    def add(builder: Builder, layer: Any, x: Value) -> Value:
        image = builder.with_channels_first(x)
        name = builder.add(kind, [image.name], **windows(layer, x, layer.window), **attributes)
        return as_image(builder, name, layer.image[-1])

    return add


def global_pool(kind: str) -> Callable[[Builder, Any, Value], Value]:
    """Return the translation of pooling over whole images."""

    def add(builder: Builder, layer: Any, x: Value) -> Value:
        image = builder.with_channels_first(x)
        name = builder.add(kind, [image.name])
        if layer.keepdims:
            return Value(name, builder.shape, image.order)
        return Value(builder.add("Flatten", [name], axis=1), builder.shape, (0, 1))

    return add


CONVOLUTIONS = {
    "AveragePool1D": pool("AveragePool", count_include_pad=0),
    "AveragePool2D": pool("AveragePool", count_include_pad=0),
    "Conv1D": convolution,
    "Conv2D": convolution,
    "Dense": dense,
    "DepthwiseConv2D": depthwise_convolution,
    "GlobalAveragePool1D": global_pool("GlobalAveragePool"),
    "GlobalAveragePool2D": global_pool("GlobalAveragePool"),
    "GlobalMaxPool1D": global_pool("GlobalMaxPool"),
    "GlobalMaxPool2D": global_pool("GlobalMaxPool"),
    "MaxPool1D": pool("MaxPool"),
    "MaxPool2D": pool("MaxPool"),
    "SeparableConv2D": separable_convolution,
}
