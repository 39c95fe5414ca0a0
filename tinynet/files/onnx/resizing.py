"""Images of another size: where ONNX's operators put the pixels, which must be where layers here put them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .folding import axes_of
from .graph import Node
from .network import MOST_LISTED, Network
from .shapes import checked_axes
from .tensors import Array
from .values import BATCH, Value, shown
from .windows import image_of, of_image

ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "ceil": lambda places: np.ceil(places),
    "floor": lambda places: np.floor(places),
    "round_prefer_ceil": lambda places: np.floor(places + np.float32(0.5)),
    "round_prefer_floor": lambda places: np.ceil(places - np.float32(0.5)),
}

# Ways to take, of two pixels that are equally near, the second one, as layers here do.
TIES_GO_UP = (
    ("half_pixel", "round_prefer_ceil"), ("pytorch_half_pixel", "round_prefer_ceil"),
    ("tf_half_pixel_for_nn", "floor"),
)  # fmt: skip


def places_of(how: str, size: int, new: int, factor: float) -> Array | None:
    """Return where on an axis the pixels of a new size lie, in float32, as ONNX Runtime computes it.

    Args:
        how: the operator's coordinate_transformation_mode.
        size: of the axis.
        new: its new size.
        factor: new / size, or what a file says in its place.

    Returns:
        (new,), with 0 for the first pixel's centre; None if how is not known.
    """
    pixels, factor = np.arange(new, dtype=np.float32), float(np.float32(factor))  # which keeps float32
    if how == "pytorch_half_pixel" and new == 1:
        return np.zeros(1, np.float32)
    if how in ("half_pixel", "pytorch_half_pixel"):
        return (pixels + np.float32(0.5)) / factor - np.float32(0.5)
    if how == "tf_half_pixel_for_nn":
        return (pixels + np.float32(0.5)) / factor
    if how == "asymmetric":
        return pixels / factor
    if how == "align_corners":
        return pixels * np.float32((size - 1) / max(new - 1, 1))
    return None


def nearest(how: str, rounding: str, size: int, new: int, factor: float) -> Array | None:
    """Return which pixels of an axis ONNX Runtime takes for a new size; None if it does not know such a way.

    Args:
        how, size, new, factor: see `places_of`.
        rounding: the operator's nearest_mode.
    """
    places = places_of(how, size, new, factor)
    if places is None or rounding not in ROUNDINGS:
        return None
    found: Array = ROUNDINGS[rounding](places).clip(0, size - 1).astype(np.int64)
    return found


def taken(size: int, new: int) -> Array:
    """Return which pixels of an axis layers here take for a new size, as TensorFlow does."""
    pixels = np.arange(new, dtype=np.float32) + np.float32(0.5)
    return np.minimum((pixels * (np.float32(size) / np.float32(new))).astype(np.int64), size - 1)


def resize(network: Network, node: Node, value: Value, *given: Any) -> Value:
    """Upsample and Resize."""
    image = image_of(network, node, value)
    former = node.operator == "Upsample" or node.opset < 11
    new, factors, by_size = sizes_of(network, node, value, former, given)
    have, channels = [*image.physical[:2]], image.physical[2]
    mode = node.text("mode", "nearest")
    if mode not in ("nearest", "linear"):
        node.refuse(f"its mode is {mode!r}")
    whole = [made // size for made, size in zip(new, have, strict=True)]
    is_whole = [size * factor for size, factor in zip(have, whole, strict=True)] == new
    if network.is_open and not is_whole and not by_size:
        node.refuse(f"it makes images of any size larger by {factors}, which are no whole factors")
    check_places(
        node, mode, former, [*zip(have, new, factors, strict=True)], network.is_open and not is_whole
    )
    if by_size:
        network.resized.append((*whole, 0, 0) if is_whole else (0, 0, *new))
    if new == have:
        return value
    config: dict[str, Any] = {"class": "UpSampling2D", "size": whole}
    if not is_whole:
        config = {"class": "Resizing", "height": new[0], "width": new[1]}
    config["interpolation"] = "bilinear" if mode == "linear" else "nearest"
    shape = (*new, channels)
    return of_image(network.call(node, config, image.number, shape), shape, value.is_positive)


def by_places(network: Network, node: Node, value: Value, axis: int, places: Array) -> Value | None:
    """Return images with these of their rows or columns, if that is how they are resized; else None."""
    if value.rank != 4 or axis < 2 or places.ndim != 1 or not value.batched or network.is_open:
        return None
    if len(places) * value.samples // value.shape[axis] > MOST_LISTED:
        return None
    if not np.array_equal(places, taken(value.shape[axis], len(places))):
        return None
    image = image_of(network, node, value)
    shape = [*image.physical]
    shape[axis - 2] = len(places)
    config = {"class": "Resizing", "height": shape[0], "width": shape[1], "interpolation": "nearest"}
    return of_image(network.call(node, config, image.number, shape), tuple(shape), value.is_positive)


def sizes_of(
    network: Network, node: Node, value: Value, former: bool, given: Sequence[Any]
) -> tuple[list[int], list[float], bool]:
    """Return the new height and width, how many times the old ones they are, and if the file gives sizes."""
    scales, sizes = (*given[1:3], None, None)[:2]
    if former:
        scales, sizes = given[0] if given else node.attributes.get("scales"), None
    by_size = sizes is not None and sizes.size > 0
    numbers = np.asarray(sizes if by_size else () if scales is None else scales).reshape(-1)
    axes = axes_of(node, None)
    axes = checked_axes(node, range(value.rank) if axes is None else axes, value.rank)
    if value.rank != 4 or len(numbers) != len(axes):
        node.refuse(f"it gives {len(numbers)} sizes or scales for {shown(value.shape)}")
    if by_size and node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        node.refuse("it keeps the proportions of images, which no layer here does")
    said = dict(zip(axes, numbers.tolist(), strict=True))
    same = ((BATCH, network.batch), value.shape[1:2]) if by_size else ((1,), (1,))
    if any(said.get(axis, allowed[0]) not in allowed for axis, allowed in enumerate(same)):
        node.refuse("it gives batches or channels another size")
    have = value.shape[2:]
    if by_size:
        new = [int(said.get(axis, size)) for axis, size in enumerate(have, 2)]
        factors = [made / size for made, size in zip(new, have, strict=True)]
    else:
        factors = [float(said.get(axis, 1)) for axis in (2, 3)]
        new = [int(np.float32(factor) * np.float32(size)) for factor, size in zip(factors, have, strict=True)]
    if min(new) < 1 or int(np.prod([*new, value.shape[1]], dtype=object)) > MOST_LISTED:
        node.refuse(f"a sample of what it gives would have the shape {(*new, value.shape[1])}")
    return new, factors, by_size


def check_places(
    node: Node, mode: str, former: bool, axes: Sequence[tuple[int, int, float]], any_size: bool
) -> None:
    """Refuse if pixels come from elsewhere than where layers here take them from.

    Args:
        node: of the graph.
        mode: "nearest" or "linear".
        former: whether it has the defaults of opset 10.
        axes: size, new size and factor of each.
        any_size: whether other sizes become these, too.
    """
    how = node.text("coordinate_transformation_mode", "asymmetric" if former else "half_pixel")
    rounding = node.text("nearest_mode", "floor" if former else "round_prefer_floor")
    if mode == "nearest" and any_size and (how, rounding) not in TIES_GO_UP:
        node.refuse(f"it takes the nearest pixel as {how!r} and {rounding!r} say, of images of any size")
    if mode == "linear" and node.integer("antialias", 0) and any(factor < 1 for *_, factor in axes):
        node.refuse("it smooths images that become smaller (antialias), which no layer here does")
    for size, new, factor in axes:
        if mode == "nearest":
            found = nearest(how, rounding, size, new, factor)
            if found is None or (found != taken(size, new)).any():
                node.refuse(
                    f"it takes the nearest pixel as {how!r} and {rounding!r} say, and layers here as "
                    "'half_pixel' and 'round_prefer_ceil' do"
                )
        else:
            found = places_of(how, size, new, factor)
            wanted = (np.arange(new) + 0.5) * (size / new) - 0.5
            if found is None or np.abs(found.clip(0, size - 1) - wanted.clip(0, size - 1)).max() > 1e-3:
                node.refuse(f"it interpolates as {how!r} says, and layers here between the centres of pixels")
