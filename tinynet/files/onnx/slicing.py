"""Parts of values, zeros around them, several of them side by side, and channels that become pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arithmetic import arranged, layout
from .folding import _split_sizes, axes_of, slices_of
from .graph import Node
from .network import MOST_LISTED, Network
from .resizing import by_places
from .shapes import checked_axes, reshaped
from .tensors import Array
from .values import BATCH, Value, shown


def slice_of(
    network: Network,
    node: Node,
    value: Value,
    starts: Any = None,
    ends: Any = None,
    axes: Any = None,
    steps: Any = None,
) -> Value:
    """Slice, of axes of a sample."""
    try:
        taken = slices_of(node, value.shape, starts, ends, axes, steps)
        ranges = [range(*one.indices(size)) for one, size in zip(taken, value.shape, strict=True)]
    except (ValueError, IndexError) as error:
        node.refuse(f"its starts, ends and axes do not fit {shown(value.shape)} ({error})")
    for axis, places in enumerate(ranges):
        if len(places) == value.shape[axis] and places[0] == 0:
            continue
        if axis == 0 and value.batched:
            if network.batch == 1 and places.start == 0 and value.shape[0] == BATCH:
                continue
            node.refuse("it takes some samples of a batch")
        if not places or places.step != 1:
            node.refuse(
                f"it takes {len(places)} elements of an axis, in steps of {places.step}: not a whole part"
            )
        value = cut(network, node, value, axis, -places.start, places.stop - value.shape[axis])
    return value


def cut(network: Network, node: Node, value: Value, axis: int, before: int, after: int) -> Value:
    """Return a value with zeros before and after an axis, or, where these are negative, less of it."""
    start = int(value.batched)
    if value.batched and value.groups[0]:
        node.refuse(f"its input is {shown(value.shape)}, whose samples are in parts")
    if value.samples + abs(before) + abs(after) > MOST_LISTED or value.shape[axis] + before + after < 1:
        node.refuse(f"{before} and {after} elements around an axis of {value.shape[axis]}")
    order = layout(value, value.rank)
    laid = arranged(network, node, value, value.rank, order)
    sizes = [value.shape[one] for one in order]
    place = order.index(axis)
    if value.rank - start == 3 and place < 2:  # an image
        image, sides = [*sizes], [[0, 0], [0, 0]]
        sides[place] = [before, after]
    else:
        lead = int(np.prod(sizes[:place]))
        image, sides = [lead, sizes[place], int(np.prod(sizes[place + 1 :]))], [[0, 0], [before, after]]
    number = network.reshaped(node, laid.number, image)
    for kind, what, sign in (("Cropping2D", "cropping", -1), ("ZeroPadding2D", "padding", 1)):
        amounts = [[max(sign * size, 0) for size in side] for side in sides]
        if any(size for side in amounts for size in side):
            for i, side in enumerate(amounts):
                image[i] += sign * sum(side)
            if int(np.prod(image)) > MOST_LISTED:
                node.refuse(f"a sample of what it gives would have the shape {tuple(image)}")
            number = network.call(node, {"class": kind, what: amounts}, number, [*image])
    sizes[place] += before + after
    number = network.reshaped(node, number, sizes)
    axes = [order.index(one) for one in range(start, value.rank)]
    found = Value.of(number, sizes, axes, value.batched)
    return found.computed(number, is_positive=value.is_positive)


def pad(
    network: Network, node: Node, value: Value, pads: Any = None, constant: Any = None, axes: Any = None
) -> Value:
    """Pad by zeros."""
    amounts = [
        int(one)
        for one in (
            (node.integers("pads") or node.integers("paddings") or ()) if pads is None else pads.reshape(-1)
        )
    ]
    number = (
        node.number("value", 0.0) if constant is None or not constant.size else float(constant.reshape(-1)[0])
    )
    mode = node.text("mode", "constant")
    places = axes_of(node, axes)
    places = checked_axes(node, range(value.rank) if places is None else places, value.rank)
    if len(amounts) != 2 * len(places):
        node.refuse(f"it has {len(amounts)} pads, for {len(places)} axes")
    if not any(amounts):
        return value
    if mode != "constant" or number != 0:
        node.refuse(f"it pads by {number if mode == 'constant' else mode}, and layers here by zeros alone")
    for place, axis in enumerate(places):
        before, after = amounts[place], amounts[place + len(places)]
        if axis == 0 and value.batched and (before or after):
            node.refuse("it adds samples to a batch")
    sides = {axis: [amounts[i], amounts[i + len(places)]] for i, axis in enumerate(places)}
    needed = [axis for axis, side in sides.items() if any(side)]
    positive = all(size >= 0 for side in sides.values() for size in side)
    if positive and len(needed) == 2 and value.rank == 4 and value.batched and not value.groups[0]:
        return both(network, node, value, needed, sides)
    for axis in needed:
        value = cut(network, node, value, axis, *sides[axis])
    return value


def both(
    network: Network, node: Node, value: Value, axes: Sequence[int], sides: dict[int, list[int]]
) -> Value:
    """Return images with zeros at all sides."""
    order = layout(value, value.rank)
    if {*order[:2]} != {*axes}:
        order = [*axes, next(axis for axis in (1, 2, 3) if axis not in axes)]
    laid = arranged(network, node, value, value.rank, order)
    around = [sides[axis] for axis in order[:2]]
    sizes = [value.shape[axis] for axis in order]
    sizes[:2] = [size + sum(side) for size, side in zip(sizes, around, strict=False)]
    if int(np.prod(sizes)) > MOST_LISTED:
        node.refuse(f"a sample of what it gives would have the shape {tuple(sizes)}")
    number = network.call(node, {"class": "ZeroPadding2D", "padding": around}, laid.number, sizes)
    found = Value.of(number, sizes, [order.index(axis) for axis in (1, 2, 3)])
    return found.computed(number, is_positive=value.is_positive)


def split(network: Network, node: Node, value: Value, given: Array | None = None) -> list[Value]:
    """Split: parts of an axis."""
    (axis,) = checked_axes(node, [node.integer("axis", 0)], value.rank)
    if axis == 0 and value.batched:
        node.refuse("it takes the samples of a batch apart")
    try:
        sizes = _split_sizes(node, value.shape[axis], given)
    except ValueError as error:
        node.refuse(str(error))
    starts = np.cumsum([0, *sizes]).tolist()
    return [
        cut(network, node, value, axis, -start, start + size - value.shape[axis])
        if len(sizes) > 1 else value
        for start, size in zip(starts, sizes, strict=False)
    ]  # fmt: skip


def gather(network: Network, node: Node, value: Value, indices: Array) -> Value:
    """Gather, of one index, or of some that follow each other."""
    (axis,) = checked_axes(node, [node.integer("axis", 0)], value.rank)
    if axis == 0 and value.batched:
        if network.batch == 1 and indices.size == 1 and indices.item() in (0, -1) and value.shape[0] == BATCH:
            return value if indices.ndim else reshaped(network, node, value, value.shape[1:])
        node.refuse("it takes some samples of a batch")
    resized = by_places(network, node, value, axis, indices)
    if resized is not None:
        return resized
    size = value.shape[axis]
    wanted = (
        [int(one) + size if one < 0 else int(one) for one in indices.reshape(-1)]
        if indices.size <= size
        else []
    )
    if (
        not wanted
        or indices.ndim > 1
        or wanted != [*range(wanted[0], wanted[0] + len(wanted))]
        or wanted[-1] >= size
    ):
        node.refuse("it takes elements of an axis that do not follow each other")
    found = (
        cut(network, node, value, axis, -wanted[0], wanted[-1] + 1 - size) if len(wanted) < size else value
    )
    if indices.ndim:
        return found
    return reshaped(network, node, found, [one for place, one in enumerate(found.shape) if place != axis])


def concat(network: Network, node: Node, *values: Any) -> Value:
    """Concat of values."""
    if not all(isinstance(value, Value) for value in values):
        node.refuse("it puts constants beside values, which no layer here does")
    (axis,) = checked_axes(node, [node.integer("axis", 1)], values[0].rank)
    if axis == 0 and values[0].batched:
        node.refuse("it makes one batch of several")
    shapes = {tuple(size for place, size in enumerate(value.shape) if place != axis) for value in values}
    if len(shapes) > 1 or any(value.batched and value.groups[0] for value in values):
        node.refuse(f"its inputs {', '.join(shown(value.shape) for value in values)} do not fit")
    if len(values) == 1:
        return values[0]  # type: ignore[no-any-return]
    whole = max(values, key=lambda value: value.samples)
    order = layout(whole, whole.rank)
    laid = [arranged(network, node, value, whole.rank, order) for value in values]
    place = order.index(axis)
    physical = [*laid[0].physical]
    physical[place] = sum(value.physical[place] for value in laid)
    config: dict[str, Any] = {"class": "Concatenate"}
    if place != len(order) - 1:
        config["axis"] = place + 1
    number = network.call(node, config, [value.number for value in laid], physical)
    start = int(whole.batched)
    found = Value.of(number, physical, [order.index(one) for one in range(start, whole.rank)], whole.batched)
    return found.computed(number, is_positive=all(value.is_positive for value in values))


def depth_to_space(network: Network, node: Node, value: Value) -> Value:
    """DepthToSpace: channels become pixels."""
    block = node.integer("blocksize", 1)
    if value.rank != 4 or block < 1 or value.shape[1] % block**2:
        node.refuse(f"its blocksize is {block}, for {shown(value.shape)}")
    samples, channels, height, width = value.shape
    first = (
        [block, block, channels // block**2]
        if node.text("mode", "DCR") == "DCR"
        else [channels // block**2, block, block]
    )
    order = [0, 3, 4, 1, 5, 2] if node.text("mode", "DCR") == "DCR" else [0, 1, 4, 2, 5, 3]
    parts = reshaped(network, node, value, [samples, *first, height, width])
    return reshaped(
        network, node, parts.transposed(order), [samples, channels // block**2, height * block, width * block]
    )
