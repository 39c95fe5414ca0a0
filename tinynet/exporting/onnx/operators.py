"""Layers as ONNX's operators: for each class a function that adds what computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...files.onnx.resizing import nearest as nearest_of
from ...layers.base import Layer
from ...layers.resampling import nearest
from ..checks import UNCHANGED, check_layer, numbers_of
from .activations import ACTIVATIONS
from .building import Builder, Value
from .convolutions import CONVOLUTIONS

LIKE_KERAS = "half_pixel", "round_prefer_ceil"  # where Resize has pixels, and which of the nearest it takes


def translate(builder: Builder, layer: Layer, inputs: list[Value]) -> Value:
    """Add what computes a layer, and return its output.

    Args:
        builder: what was added before; it knows the name and the output's shape.
        layer: built.
        inputs: what it takes.

    Raises:
        ValueError: ONNX's operators cannot do what it does.
    """
    check_layer(layer, SINGLE | SEVERAL, "ONNX")
    kind = type(layer).__name__
    if kind not in AS_THEY_LIE:
        inputs = [x if x.image is None else builder.as_tinynet_has_it(x) for x in inputs]
    if kind in SEVERAL:
        return SEVERAL[kind](builder, layer, inputs)
    if not getattr(layer, "channels_first", False):
        return SINGLE[kind](builder, layer, inputs[0])
    rank = len(inputs[0].shape) + 1
    x = inputs[0].permuted((0, *range(2, rank), 1))
    builder.shape = layer.shape_inside(builder.shape)  # type: ignore[attr-defined]
    y = SINGLE[kind](builder, layer, x)
    return y if kind == "Flatten" else y.permuted((0, rank - 1, *range(1, rank - 1)))


def unchanged(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate what does nothing while predicting."""
    return x


def flatten(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Flatten: vectors that have the image's order, which a Dense after it takes as it is."""
    if len(x.shape) == 1:
        return x
    moved = [axis for axis in x.order[1:] if x.shape[axis - 1] != 1]
    image = x if moved != sorted(moved) else None
    return Value(builder.add("Flatten", [x.name], axis=1), builder.shape, (0, 1), image)


def reshape(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Reshape: 0 stands for the batch's size."""
    x = builder.as_tinynet_has_it(x)
    sizes = layer.target_shape if None in builder.shape else builder.shape
    if x.shape == builder.shape:
        return x
    name = builder.add("Reshape", [x.name, builder.integers("shape", [0, *sizes])])
    return Value(name, builder.shape, (0, *range(1, len(builder.shape) + 1)))


def permute(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Permute, which moves nothing before somebody asks for another order."""
    return x.permuted((0, *layer.dims))


def sides_of(layer: Any, x: Value) -> tuple[list[int], list[int]]:
    """Return rows and columns before and after an image, for each axis as it lies."""
    sides = [(0, 0), *layer.sides, (0, 0)]
    return [sides[axis][0] for axis in x.order], [sides[axis][1] for axis in x.order]


def zero_padding(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate ZeroPadding2D."""
    before, after = sides_of(layer, x)
    name = builder.add("Pad", [x.name, builder.integers("pads", before + after)])
    return Value(name, builder.shape, x.order)


def cropping(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Cropping2D."""
    before, after = sides_of(layer, x)
    axes = [place for place, axis in enumerate(x.order) if axis in (1, 2)]
    ends = [-after[place] or np.iinfo(np.int64).max for place in axes]
    limits = builder.integers("starts", [before[place] for place in axes]), builder.integers("ends", ends)
    name = builder.add("Slice", [x.name, *limits, builder.integers("axes", axes)])
    return Value(name, builder.shape, x.order)


def up_sampling(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate UpSampling2D."""
    image = builder.with_channels_first(x)
    scales = builder.constant("scales", [1, 1, *layer.factors])
    if layer.interpolation == "bilinear":
        options: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    else:
        options = {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        }
    return Value(builder.add("Resize", [image.name, "", scales], **options), builder.shape, image.order)


def resizing(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Resizing."""
    image = builder.with_channels_first(x)
    if layer.interpolation == "nearest" and None not in x.shape:
        axes = [*zip(layer.input_shape[:2], layer.size, strict=True)]
        rows, columns = (nearest(size, new) for size, new in axes)
        theirs = [nearest_of(*LIKE_KERAS, size, new, new / size) for size, new in axes]
        if (rows != theirs[0]).any() or (columns != theirs[1]).any():  # of two equally near, the other
            name = builder.add("Gather", [image.name, builder.integers("rows", rows)], axis=2)
            name = builder.add("Gather", [name, builder.integers("columns", columns)], axis=3)
            return Value(name, builder.shape, image.order)
    how, rounding = LIKE_KERAS
    shape = builder.add("Shape", [image.name], True)
    limits = (builder.integers(name, [place]) for name, place in (("start", 0), ("end", 2)))
    same = builder.add("Slice", [shape, *limits], True)
    sizes = builder.add("Concat", [same, builder.integers("size", layer.size)], True, axis=0)
    name = builder.add(
        "Resize",
        [image.name, "", "", sizes],
        mode="nearest" if layer.interpolation == "nearest" else "linear",
        coordinate_transformation_mode=how,
        nearest_mode=rounding,
    )
    return Value(name, builder.shape, image.order)


def rescaling(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Rescaling."""
    factors, shifts = (one.reshape(layer.input_shape) for one in (layer.factors, layer.shifts))
    return builder.shift(builder.scale(x, factors), shifts)


def normalization(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate Normalization: the file holds the variance as it is, and its root is taken there."""
    mean, variance = (one[layer.group].reshape(layer.input_shape) for one in numbers_of(layer))
    shift = builder.numbers("mean", mean, x)
    deviation = builder.add("Sqrt", [builder.numbers("variance", variance, x)], True)
    if variance.min() < 1e-14:
        deviation = builder.add("Max", [deviation, builder.constant("least", 1e-7)], True)
    if layer.invert:
        return builder.map("Add", builder.map("Mul", x, deviation), shift)
    return builder.map("Div", builder.map("Sub", x, shift), deviation)


def batch_normalization(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate BatchNormalization, as it predicts."""
    mean, variance = layer.moving_mean.value, layer.moving_variance.value
    gamma = ("gamma", layer.gamma.value) if layer.scale else ("ones", np.ones(len(mean)))
    beta = ("beta", layer.beta.value) if layer.center else ("zeros", np.zeros(len(mean)))
    constants = [gamma, beta, ("moving_mean", mean), ("moving_variance", variance)]
    return builder.map(
        "BatchNormalization",
        builder.with_channels_first(x, int(layer.axis)),
        *(builder.constant(*one) for one in constants),
        epsilon=float(layer.epsilon),
    )


def layer_normalization(builder: Builder, layer: Any, x: Value) -> Value:
    """Translate LayerNormalization."""
    x, size = builder.as_tinynet_has_it(x), x.shape[-1]
    gamma = ("gamma", layer.gamma.value) if layer.scale else ("ones", np.ones(size or 0))
    constants = [gamma, *([("beta", layer.beta.value)] if layer.center else [])]
    return builder.map(
        "LayerNormalization",
        x,
        *(builder.constant(*one) for one in constants),
        axis=-1,
        epsilon=float(layer.epsilon),
    )


def side_by_side(builder: Builder, inputs: list[Value]) -> list[Value]:
    """Return arrays whose axes lie in one order, that of most of them."""
    orders = [x.order for x in inputs]
    order = max(orders, key=orders.count)
    return [Value(builder.name_of(x, order), x.shape, order) for x in inputs]


def aligned(builder: Builder, inputs: list[Value]) -> list[Value]:
    """Return arrays with equally many axes: samples are aligned at the right, the batch axis is not."""
    rank = max(len(x.shape) for x in inputs)
    if all(len(x.shape) == rank for x in inputs):
        return side_by_side(builder, inputs)
    plain = [builder.as_tinynet_has_it(x) for x in inputs]
    return [x if len(x.shape) == rank else widened(builder, x, rank) for x in plain]


def widened(builder: Builder, x: Value, rank: int) -> Value:
    """Return samples with axes of one element before their own."""
    new = rank - len(x.shape)
    name = builder.add("Unsqueeze", [x.name, builder.integers("axes", range(1, new + 1))], True)
    return Value(name, (*[1] * new, *x.shape), tuple(range(rank + 1)))


def merge(two: str, more: str = "") -> Callable[[Builder, Any, list[Value]], Value]:
    """Return the translation of a layer that works element by element.

    Args:
        two: the operator of two inputs.
        more: that of any number; default: there is none.
    """

    def add(builder: Builder, layer: Any, inputs: list[Value]) -> Value:
        if len(inputs) == 1:
            return inputs[0]
        x = aligned(builder, inputs)
        if more and (len(x) > 2 or not two):
            return Value(builder.add(more, [one.name for one in x]), builder.shape, x[0].order)
        name = x[0].name
        for one in x[1:]:
            name = builder.add(two, [name, one.name])
        return Value(name, builder.shape, x[0].order)

    return add


def concatenate(builder: Builder, layer: Any, inputs: list[Value]) -> Value:
    """Translate Concatenate."""
    if len(inputs) == 1:
        return inputs[0]
    x = side_by_side(builder, inputs)
    axis = x[0].order.index(int(layer.axis) % len(x[0].order))
    return Value(builder.add("Concat", [one.name for one in x], axis=axis), builder.shape, x[0].order)


SINGLE = {  # those of one input
    **ACTIVATIONS,
    **CONVOLUTIONS,
    **dict.fromkeys(UNCHANGED, unchanged),
    "BatchNormalization": batch_normalization,
    "Cropping2D": cropping,
    "Flatten": flatten,
    "LayerNormalization": layer_normalization,
    "Normalization": normalization,
    "Permute": permute,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Resizing": resizing,
    "UpSampling2D": up_sampling,
    "ZeroPadding2D": zero_padding,
}
SEVERAL = {
    "Add": merge("Add", "Sum"),
    "Average": merge("", "Mean"),
    "Concatenate": concatenate,
    "Maximum": merge("", "Max"),
    "Multiply": merge("Mul"),
    "Subtract": merge("Sub"),
}
AS_THEY_LIE = ("Dense", "Flatten", *UNCHANGED)  # which take flattened images in whatever order they lie
