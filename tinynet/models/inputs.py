"""What a model is given: checked, and turned into arrays that its layers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import kernels
from ..layers.geometry import OpenShape

Array = NDArray[Any]


def as_inputs(x: Any, names: Sequence[str]) -> list[Any]:
    """Return what each input of a model gets, of one input or a list, a tuple or a dict of several.

    Args:
        x: what a person gives.
        names: of the inputs.

    Raises:
        ValueError: x holds another number of inputs, or other names.
    """
    if len(names) == 1 and not isinstance(x, Mapping):
        return [x]
    if isinstance(x, Mapping) and set(x) == set(names):
        return [x[name] for name in names]
    if isinstance(x, list | tuple) and len(x) == len(names):
        return [*x]
    got = f"the keys {sorted(map(str, x))}" if isinstance(x, Mapping) else f"{type(x).__name__}"
    raise ValueError(
        f"The model takes {len(names)} inputs: give a list of so many arrays, or a dict with the keys "
        f"{', '.join(names)}; got {got}."
    )


def checked_input(x: ArrayLike, shape: OpenShape, dtype: np.dtype[Any], taker: Callable[[], str]) -> Array:
    """Return x as a contiguous (N, *shape) array, or raise; see `Model.predict`.

    Args:
        x: what a person gives.
        shape: of one sample; None where any size is taken.
        dtype: that of the model.
        taker: returns what takes it, for error messages.
    """
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        raise TypeError(
            f"The model computes with numbers like 0.5, and got x of dtype {array.dtype}: scale pixels "
            "with tinynet.data.scale_pixels(x), or convert other data with x.astype('float32')."
        )
    if array.dtype.kind != "f":
        raise TypeError(f"x must be an array of floats; got dtype {array.dtype}.")
    if array.size == 0:
        raise ValueError(f"x is empty: its shape is {array.shape}; give at least one sample.")
    array = as_batch(array, shape, taker)
    if array.dtype != dtype or not array.flags.c_contiguous:
        # What is too large for the dtype becomes infinite, and is refused by `finite`.
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(array, dtype)
    return array if array.flags.writeable and array.flags.aligned else array.copy()


def finite(array: Array) -> Array:
    """Return an array, or raise if it holds NaN or infinite values."""
    if not kernels.elementwise.all_finite(array.reshape(-1)):
        bad = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"x holds NaN or infinite values, the first at {tuple(map(int, bad))}; clean the data first."
        )
    return array


def fits(shape: Sequence[int], wanted: OpenShape) -> bool:
    """Return whether a shape is the wanted one, in which None stands for any size."""
    return len(shape) == len(wanted) and all(b is None or a == b for a, b in zip(shape, wanted, strict=True))


def as_batch(x: Array, shape: OpenShape, taker: Callable[[], str]) -> Array:
    """Return x with the batch axis that one may leave out, and with or without a last axis of 1."""
    if fits(x.shape[1:], shape):
        return x
    if x.ndim == len(shape) + 2 and x.shape[-1] == 1 and fits(x.shape[1:-1], shape):
        return x[..., 0]
    thin = shape[:-1] if shape and shape[-1] == 1 else None
    if fits(x.shape, shape):
        return x[np.newaxis]
    if thin is not None and fits(x.shape, thin):
        return x[np.newaxis, ..., np.newaxis]
    if thin is not None and fits(x.shape[1:], thin):
        return x[..., np.newaxis]
    hint = f"Likely fix: pass samples of shape {shape}, or build the model with another input_shape."
    if len(shape) == 3 and x.ndim == 4 and fits(np.moveaxis(x, 1, -1).shape[1:], shape):
        hint = "Likely fix: np.moveaxis(x, 1, -1), because channels come last."
    elif x.ndim >= 1 and None not in shape and int(np.prod(x.shape[1:])) == int(np.prod(shape)):  # type: ignore[arg-type]
        hint = f"Likely fix: x.reshape(-1, {', '.join(map(str, shape))})."
    raise ValueError(f"{taker()} expects x of shape (N, {', '.join(map(str, shape))}); got {x.shape}. {hint}")
