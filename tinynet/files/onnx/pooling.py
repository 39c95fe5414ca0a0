"""Poolings: of windows, of whole images, and means and maxima over axes."""

from __future__ import annotations

from typing import Any

from .convolutions import every_other
from .folding import axes_of
from .graph import Node
from .network import Network
from .shapes import checked_axes, reshaped
from .tensors import Array
from .values import BATCH, Value
from .windows import image_of, keras_padding, of_image, single, windows, zeros_around


def pool(network: Network, node: Node, value: Value) -> Value:
    """MaxPool and AveragePool."""
    image = image_of(network, node, value)
    *sizes, channels = image.physical
    window = node.integers("kernel_shape")
    if window is None or len(window) != len(sizes):
        node.refuse(f"its kernel_shape is {window}, and its input has {len(sizes) + 2} axes")
    if max(node.integers("dilations") or (1,)) > 1:
        node.refuse("its windows have gaps (dilations), which no pooling layer here has")
    axes = windows(node, sizes, window, bool(node.integer("ceil_mode", 0)), network.is_open)
    largest = node.operator == "MaxPool"
    kind = f"{'MaxPool' if largest else 'AveragePool'}{len(sizes)}D"
    config: dict[str, Any] = {"class": kind, "pool_size": single(window)}
    strides = [axis.stride for axis in axes]
    counts = [axis.places for axis in axes]
    padding = keras_padding(axes)
    zeros_count = not largest and bool(node.integer("count_include_pad", 0))
    padded = any(axis.before or axis.after for axis in axes)
    if padded and (zeros_count or (padding is None and largest and value.is_positive)):
        if zeros_count and any(axis.after > axis.declared for axis in axes):
            node.refuse(
                "its last windows reach over the padding (ceil_mode), which counts (count_include_pad)"
            )
        image = zeros_around(network, node, image, [axis.padding for axis in axes])
        padding = "valid"
    if padding is not None:
        if tuple(strides) != tuple(window):
            config["strides"] = single(strides)
        if padding == "same":
            config["padding"] = padding
        number = network.call(node, config, image.number, (*counts, channels))
        return of_image(number, (*counts, channels), value.is_positive)
    for axis in axes:
        fits = axis.before == (axis.reach - 1) // 2 and (axis.places - 1) * axis.stride < axis.size
        if not fits:
            node.refuse(
                f"its padding, {axis.before} before and {axis.after} after {axis.size} elements, is none "
                "that a pooling layer here has"
            )
    config |= {"strides": 1, "padding": "same"}  # all windows, of which some are taken
    number = network.call(node, config, image.number, image.physical)
    every = of_image(number, image.physical, value.is_positive)
    return every_other(network, node, every, strides, counts)


def global_pool(network: Network, node: Node, value: Value) -> Value:
    """GlobalMaxPool and GlobalAveragePool, which keep axes of size 1."""
    image = image_of(network, node, value)
    axes = value.rank - 2
    kind = "GlobalMaxPool" if node.operator == "GlobalMaxPool" else "GlobalAveragePool"
    channels = image.physical[-1:]
    number = network.call(node, {"class": f"{kind}{axes}D"}, image.number, channels)
    found = Value.of(number, channels).computed(number, is_positive=value.is_positive)
    return reshaped(network, node, found, [BATCH, *channels, *[1] * axes])


def reduce(network: Network, node: Node, value: Value, axes: Array | None = None) -> Value:
    """ReduceMean, ReduceMax and ReduceSum over axes of a sample."""
    places = axes_of(node, axes)
    if places is None or not places:
        if node.integer("noop_with_empty_axes", 0):
            return value
        places = tuple(range(value.rank))
    places = checked_axes(node, places, value.rank)
    groups = value.groups
    if value.batched and (0 in places or groups[0]):
        node.refuse("it goes over the samples of a batch")
    kept = [place for place in range(int(value.batched), value.rank) if place not in places]
    spatial = [groups[place] for place in places if groups[place]]
    rest = [groups[place] for place in kept]
    as_image = len(places) == 2 and len(kept) == 1
    layout = [*(groups[place] for place in sorted(places)), *rest] if as_image else [
        [factor for group in spatial for factor in group],
        [factor for group in rest for factor in group],
    ]  # fmt: skip
    laid = network.laid_out(node, value, layout)
    kind = "GlobalMaxPool" if node.operator == "ReduceMax" else "GlobalAveragePool"
    channels = laid.physical[-1:]
    number = network.call(node, {"class": f"{kind}{len(layout) - 1}D"}, laid.number, channels)
    if node.operator == "ReduceSum":
        count = float(value.size_of(factor for group in spatial for factor in group))
        number = network.call(node, {"class": "Rescaling", "scale": count}, number, channels)
    keep = bool(node.integer("keepdims", 1))
    shape = [
        (1 if place in places else size)
        for place, size in enumerate(value.shape)
        if keep or place not in places
    ]
    found = Value.of(number, channels, batched=value.batched)
    return reshaped(network, node, found.computed(number, is_positive=value.is_positive), shape)
