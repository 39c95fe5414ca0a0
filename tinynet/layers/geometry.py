"""Shapes: what a layer accepts as one, and where windows lie on an image."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
OpenShape = tuple[int | None, ...]  # None where any size is taken


def is_several(shapes: object) -> bool:
    """Return whether this is a sequence of shapes, and not one shape."""
    return isinstance(shapes, list | tuple) and any(isinstance(shape, list | tuple) for shape in shapes)


def shapes_in(shapes: Any) -> list[Any]:
    """Return one shape or several as a list of them."""
    return [*shapes] if is_several(shapes) else [shapes]


def as_shape(title: str, input_shape: Any) -> Shape:
    """Return an input shape as a tuple of positive integers, or raise; an integer is a shape of one axis.

    Several input shapes, in a list or a tuple, become a tuple of shapes.
    """
    try:
        sizes = [*input_shape] if is_sequence(input_shape) else [input_shape]
        if sizes and isinstance(input_shape, Sequence) and all(is_sequence(shape) for shape in sizes):
            return tuple(positive(shape) for shape in sizes)  # type: ignore[misc]
        return positive(sizes)
    except (TypeError, ValueError):
        raise ValueError(
            f"{title}: input_shape must be positive integers, without the batch axis, such as (28, 28, 1); "
            f"got {input_shape!r}."
        ) from None


def is_sequence(value: Any) -> bool:
    """Return whether a value may be a shape of any number of axes."""
    return (isinstance(value, Sequence) and not isinstance(value, str)) or getattr(value, "ndim", 0) > 0


def positive(sizes: Sequence[Any]) -> Shape:
    """Return sizes as positive integers, or raise."""
    shape = tuple(operator.index(size) for size in sizes)
    if any(size < 1 for size in shape):
        raise ValueError
    return shape


def open_shape(title: str, shape: Any) -> OpenShape:
    """Return a shape as a tuple of positive integers and None, or raise; an integer is one axis."""
    sizes = [*shape] if is_sequence(shape) else [shape]
    shown = (
        repr(shape) if np.ndim(shape) < 2 or len(repr(shape)) < 99 else f"an array of shape {np.shape(shape)}"
    )
    if all(size is None or (isinstance(size, int | np.integer) and size > 0) for size in sizes):
        return tuple(None if size is None else int(size) for size in sizes)
    raise ValueError(
        f"{title}: input_shape must be positive integers, or None where any size is taken, without the batch "
        f"axis, such as (28, 28, 1); got {shown}."
    )


def stand_in(shape: OpenShape, size: int) -> Shape:
    """Return a shape with a size in the place of each None."""
    return tuple(size if one is None else one for one in shape)


def image_shape(title: str, input_shape: Shape) -> tuple[int, int, int]:
    """Return an input shape as (height, width, channels), or raise if it is not an image's."""
    if len(input_shape) != 3:
        hint = f" Try {(*input_shape, 1)}." if len(input_shape) == 2 else ""
        raise ValueError(f"{title}: expected input_shape (height, width, channels); got {input_shape}.{hint}")
    height, width, channels = input_shape
    return height, width, channels


def positive_pair(title: str, what: str, value: int | Sequence[int]) -> tuple[int, int]:
    """Return a hyperparameter given as one integer or two, for (height, width), as two positive integers."""
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or not all(isinstance(size, int | np.integer) and size >= 1 for size in pair):
        raise ValueError(f"{title}: {what} must be a positive integer or two of them; got {value!r}.")
    return int(pair[0]), int(pair[1])


def as_image(title: str, input_shape: Shape, axes: int) -> tuple[int, int, int]:
    """Return an input shape as (height, width, channels); a sequence (steps, channels) is an image's row.

    Args:
        title: the layer, for error messages.
        input_shape: of one sample.
        axes: 2 for an image, 1 for a sequence.
    """
    if axes == 2:
        return image_shape(title, input_shape)
    if len(input_shape) != 2:
        raise ValueError(f"{title}: expected input_shape (steps, channels); got {input_shape}.")
    return (1, *input_shape)


def as_window(title: str, what: str, value: int | Sequence[int], axes: int) -> tuple[int, int]:
    """Return a hyperparameter for images, or for sequences (axes 1), as two positive integers."""
    if axes == 2:
        return positive_pair(title, what, value)
    size = value[0] if isinstance(value, Sequence) and len(value) == 1 else value
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"{title}: {what} must be a positive integer; got {value!r}.")
    return 1, int(size)


def lower(padding: Any) -> Any:
    """Return padding in lower case, as Keras takes it in any."""
    return padding.lower() if isinstance(padding, str) else padding


_default = {"data_format": "channels_last"}


def image_data_format() -> str:
    """Return "channels_last" or "channels_first": where images have them, in layers that are not told."""
    return _default["data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set what `image_data_format` returns, for layers that are made from now on."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first'; got {data_format!r}.")
    _default["data_format"] = data_format


def check_data_format(title: str, data_format: str | None) -> None:
    """Raise if images do not have their channels last."""
    data_format = data_format or image_data_format()
    if data_format != "channels_last":
        raise ValueError(
            f"{title}: data_format must be 'channels_last' (or None), as images are (N, height, width, "
            f"channels) here; got {data_format!r}. np.moveaxis(x, 1, -1) puts the channels last."
        )


@dataclass(frozen=True)
class Windows:
    """Where the windows of a convolution or pooling lie on an image.

    Args:
        height, width: how many windows there are: the size of the output.
        top, left: rows and columns of padding before the image.
        bottom, right: those after it; negative where the last window ends before the image does.
    """

    height: int
    width: int
    top: int
    left: int
    bottom: int
    right: int


def place_windows(
    title: str, image: Shape, window: tuple[int, int], strides: tuple[int, int], padding: str
) -> Windows:
    """Return where windows lie, as Keras defines it.

    "valid" windows lie inside the image; "same" makes ceil(size / stride) of them, with the padding that
    this takes divided between both sides, and the odd row or column after the image.

    Args:
        title: the layer or function, for error messages.
        image: (height, width, ...) of the input.
        window: (height, width) of the window.
        strides: (vertical, horizontal) steps between windows.
        padding: "valid" or "same".

    Returns:
        The windows' number and the padding around the image.

    Raises:
        ValueError: padding is neither, or it is "valid" and the window is larger than the image.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"{title}: padding must be 'valid' or 'same'; got {padding!r}.")
    counts, before, after = [], [], []
    for size, length, stride in zip(image, window, strides, strict=False):
        if padding == "valid" and length > size:
            raise ValueError(
                f"{title}: its window {window} is larger than its input {tuple(image[:2])}; use a smaller "
                "window, padding='same', or fewer pooling layers before it."
            )
        count = -(-size // stride) if padding == "same" else (size - length) // stride + 1
        missing = (count - 1) * stride + length - size
        before.append(max(missing, 0) // 2)
        after.append(missing - before[-1])
        counts.append(count)
    return Windows(counts[0], counts[1], before[0], before[1], after[0], after[1])
