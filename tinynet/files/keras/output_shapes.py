"""The shapes that layers give, as Keras's descriptions hold them; None are sizes that are not known."""

from __future__ import annotations

import math
from typing import Any

Shape = list[Any]  # of a sample: integers and None
Data = dict[str, Any]

CONVOLUTIONS = ("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D")
SAME = (
    "Activation", "BatchNormalization", "Dropout", "ELU", "Elementwise", "InputLayer", "LayerNormalization",
    "LeakyReLU", "LogSoftmax", "Normalization", "PReLU", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "ReLU", "Rescaling", "Sigmoid", "Softmax", "SpatialDropout1D",
    "SpatialDropout2D", "Tanh",
)  # fmt: skip
SEVERAL = ("Add", "Average", "Maximum", "Multiply", "Subtract")
POOLS = ("AveragePool1D", "AveragePool2D", "MaxPool1D", "MaxPool2D")


def output_shapes(data: Data, shapes: list[Shape]) -> list[Shape]:
    """Return the shapes of a sample of all that a layer gives.

    Args:
        data: a layer, as tinynet describes it.
        shapes: of a sample of each of its inputs.

    Example:
        >>> output_shapes({"class": "Dense", "units": 2}, [[28, 3]])
        [[28, 2]]
    """
    if "joins" in data:
        return graph_shapes(data, shapes)[1]
    if is_network(data):
        for layer in data["layers"]:
            shapes = output_shapes(layer, shapes)
        return shapes
    kind, shape = data["class"], shapes[0]
    if kind == "Concatenate":
        return [concatenated(data["axis"], shapes)]
    if kind in SEVERAL:
        return [broadcast(shapes)]
    if kind == "Dense":
        return [[*shape[:-1], data["units"]]]
    if kind == "Flatten":
        return [[product(shape)]]
    if kind == "Permute":
        return [[shape[place - 1] for place in data["dims"]]]
    if kind == "Reshape":
        return [reshaped(shape, data["target_shape"])]
    if kind.startswith("Global"):
        channels = shape[0] if is_first(data) else shape[-1]
        ones = [1] * (len(shape) - 1)
        kept = [channels, *ones] if is_first(data) else [*ones, channels]
        return [kept if data.get("keepdims") else [channels]]
    if kind in (*CONVOLUTIONS, *POOLS, "Resizing", "UpSampling2D", "ZeroPadding2D", "Cropping2D"):
        return [moved(data, shape)]
    return [shape if kind in SAME else [None] * len(shape)]


def is_network(data: Data) -> bool:
    """Return whether a layer is a row or a graph of layers."""
    return "joins" in data or ("layers" in data and ("dtype" in data or data["class"] == "Chain"))


def graph_shapes(data: Data, shapes: list[Shape]) -> tuple[list[Shape], list[Shape]]:
    """Return the shapes of all values of a graph, and of its outputs."""
    values = [*shapes]
    for place, numbers in data["joins"]:
        values += output_shapes(data["layers"][place], [values[number] for number in numbers])
    return values, [values[number] for number in data["outputs"]]


def is_first(data: Data) -> bool:
    """Return whether a layer has its channels first."""
    return data.get("data_format") == "channels_first"


def product(sizes: Shape) -> Any:
    """Return the product of sizes; None if one is not known."""
    return None if None in sizes else math.prod(sizes)


def broadcast(shapes: list[Shape]) -> Shape:
    """Return the shape that several have together, as NumPy broadcasts."""
    rank = max(len(shape) for shape in shapes)
    padded = [[1] * (rank - len(shape)) + shape for shape in shapes]
    return [next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True)]


def concatenated(axis: int, shapes: list[Shape]) -> Shape:
    """Return the shape of several side by side."""
    place = axis - 1 if axis > 0 else axis
    found = [*shapes[0]]
    sizes = [shape[place] for shape in shapes]
    found[place] = None if None in sizes else sum(sizes)
    return found


def reshaped(shape: Shape, target: list[int]) -> Shape:
    """Return a target shape, with what is left over in the place of -1."""
    elements, known = product(shape), math.prod(size for size in target if size != -1)
    return [size if size != -1 else None if elements is None else elements // known for size in target]


def several(value: Any, axes: int) -> list[Any]:
    """Return one number for each axis."""
    found = [*value] if isinstance(value, list | tuple) else [value] * axes
    return found * axes if len(found) == 1 else found


def moved(data: Data, shape: Shape) -> Shape:
    """Return the shape of what layers of windows, and those that only move pixels, give."""
    kind = data["class"]
    *sides, channels = [*shape[1:], shape[0]] if is_first(data) else shape
    if kind in CONVOLUTIONS:
        if kind == "DepthwiseConv2D":
            channels = None if channels is None else channels * data.get("depth_multiplier", 1)
        else:
            channels = data["filters"]
    if kind == "UpSampling2D":
        factors = several(data.get("size", 2), 2)
        sides = [size and size * factor for size, factor in zip(sides, factors, strict=True)]
    elif kind == "Resizing":
        sides = [data["height"], data["width"]]
    elif kind in ("ZeroPadding2D", "Cropping2D"):
        around = pairs(data.get("padding", 1) if kind == "ZeroPadding2D" else data.get("cropping", 0))
        sign = 1 if kind == "ZeroPadding2D" else -1
        sides = [size and size + sign * sum(pair) for size, pair in zip(sides, around, strict=True)]
    else:
        sides = windows(data, sides)
    return [channels, *sides] if is_first(data) else [*sides, channels]


def pairs(value: Any) -> list[list[int]]:
    """Return what lies at the sides, as ((top, bottom), (left, right)), in all spellings."""
    return [several(one, 2) for one in several(value, 2)]


def windows(data: Data, sides: Shape) -> Shape:
    """Return how many windows there are along each axis."""
    axes = len(sides)
    size = several(data["kernel_size"] if "kernel_size" in data else data.get("pool_size", 2), axes)
    steps = data.get("strides")
    steps = several((size if "kernel_size" not in data else 1) if steps is None else steps, axes)
    gaps = several(data.get("dilation_rate", 1), axes)
    found = []
    for side, width, step, gap in zip(sides, size, steps, gaps, strict=True):
        reach = (width - 1) * gap + 1 if data.get("padding", "valid") == "valid" else 1
        found.append(None if side is None else (side - reach) // step + 1)
    return found
