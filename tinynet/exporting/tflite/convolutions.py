"""Layers with kernels and windows as operators of TensorFlow Lite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files.tflite import PADDINGS, Tensor
from .activations import activated
from .building import Builder


def bias_of(builder: Builder, layer: Any, outputs: int) -> Tensor:
    """Return a layer's bias, or zeros where it has none."""
    return builder.constant("bias", layer.bias.value if layer.use_bias else np.zeros(outputs))


def dense(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Dense: the kernel is (units, features) there."""
    several = len(x.shape) > 2
    y = builder.add(
        "FULLY_CONNECTED",
        [x, builder.constant("kernel", layer.kernel.value.T), bias_of(builder, layer, layer.units)],
        (*x.shape[1:-1], int(layer.units)),
        5 if several else 1,
        keep_num_dims=several,
    )
    return activated(builder, layer, y)


def placed(builder: Builder, layer: Any, x: Tensor) -> tuple[Tensor, dict[str, int]]:
    """Return the image that a convolution goes over, and where its windows lie, as options."""
    x, padding, around = builder.reshape(x, layer.image), layer.padding, layer.windows
    # TensorFlow 2.21's interpreter (its XNNPACK) misplaces "same" windows that have gaps between them.
    gaps = any(step > size for step, size in zip(layer.steps, layer.window, strict=True))
    if padding == "causal" or (padding == "same" and gaps):
        sides = [(0, 0), (around.top, max(around.bottom, 0)), (around.left, max(around.right, 0)), (0, 0)]
        shape = tuple(size + sum(side) for size, side in zip(layer.image, sides[1:], strict=True))
        x = builder.add("PAD", [x, builder.integers("sides", sides)], shape)
        padding = "valid"
    return x, {
        "padding": PADDINGS[padding],
        "stride_h": layer.steps[0],
        "stride_w": layer.steps[1],
        "dilation_h": layer.dilation[0],
        "dilation_w": layer.dilation[1],
    }


def convolution(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Conv2D and Conv1D: the kernel is (filters, height, width, channels) there."""
    x, options = placed(builder, layer, x)
    kernel = layer.weights_of(layer.kernel.value).transpose(3, 0, 1, 2)
    y = builder.add(
        "CONV_2D",
        [x, builder.constant("kernel", kernel), bias_of(builder, layer, layer.filters)],
        layer.result(int(layer.filters)),
        1 if layer.groups == 1 else 6,
        **options,
    )
    return activated(builder, layer, builder.reshape(y, layer.output_shape))


def depthwise(
    builder: Builder, layer: Any, x: Tensor, kernel: NDArray[Any], bias: NDArray[Any] | None
) -> Tensor:
    """Return a convolution of each channel: the kernel is (1, height, width, outputs) there."""
    x, options = placed(builder, layer, x)
    return builder.add(
        "DEPTHWISE_CONV_2D",
        [
            x,
            builder.constant("depthwise_kernel", layer.weights_of(kernel)[np.newaxis]),
            builder.constant("depthwise_bias", np.zeros(layer.depth) if bias is None else bias),
        ],
        layer.result(layer.depth),
        1 if max(layer.dilation) == 1 else 2,
        depth_multiplier=int(layer.depth_multiplier),
        **options,
    )


def depthwise_convolution(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate DepthwiseConv2D."""
    bias = layer.bias.value if layer.use_bias else None
    y = depthwise(builder, layer, x, layer.kernel.value, bias)
    return activated(builder, layer, builder.reshape(y, layer.output_shape))


def separable_convolution(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate SeparableConv2D."""
    kernel = layer.pointwise_kernel.value.reshape(1, 1, layer.depth, layer.filters).transpose(3, 0, 1, 2)
    y = builder.add(
        "CONV_2D",
        [
            depthwise(builder, layer, x, layer.depthwise_kernel.value, None),
            builder.constant("pointwise_kernel", kernel),
            bias_of(builder, layer, layer.filters),
        ],
        layer.result(int(layer.filters)),
        padding=PADDINGS["valid"],
        stride_h=1,
        stride_w=1,
        dilation_h=1,
        dilation_w=1,
    )
    return activated(builder, layer, builder.reshape(y, layer.output_shape))


def pool(kind: str) -> Callable[[Builder, Any, Tensor], Tensor]:
    """Return the translation of pooling over windows."""

    def add(builder: Builder, layer: Any, x: Tensor) -> Tensor:
        y = builder.add(
            kind,
            [builder.reshape(x, layer.image)],
            layer.pooled,
            padding=PADDINGS[layer.padding],
            stride_h=layer.steps[0],
            stride_w=layer.steps[1],
            filter_height=layer.window[0],
            filter_width=layer.window[1],
        )
        return builder.reshape(y, layer.output_shape)

    return add


def global_pool(kind: str) -> Callable[[Builder, Any, Tensor], Tensor]:
    """Return the translation of pooling over whole images."""

    def add(builder: Builder, layer: Any, x: Tensor) -> Tensor:
        axes = builder.integers("axes", [1, 2])
        y = builder.add(kind, [builder.reshape(x, layer.image), axes], layer.image[-1:], keep_dims=False)
        return builder.reshape(y, layer.output_shape)

    return add


CONVOLUTIONS = {
    "AveragePool1D": pool("AVERAGE_POOL_2D"),
    "AveragePool2D": pool("AVERAGE_POOL_2D"),
    "Conv1D": convolution,
    "Conv2D": convolution,
    "Dense": dense,
    "DepthwiseConv2D": depthwise_convolution,
    "GlobalAveragePool1D": global_pool("MEAN"),
    "GlobalAveragePool2D": global_pool("MEAN"),
    "GlobalMaxPool1D": global_pool("REDUCE_MAX"),
    "GlobalMaxPool2D": global_pool("REDUCE_MAX"),
    "MaxPool1D": pool("MAX_POOL_2D"),
    "MaxPool2D": pool("MAX_POOL_2D"),
    "SeparableConv2D": separable_convolution,
}
