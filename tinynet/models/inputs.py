"""What a model is given: checked, and turned into arrays of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.geometry import OpenShape
from ..masked import unmasked

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


def without_list(x: Any, fits: Callable[[tuple[int, ...]], bool]) -> Any:
    """Return the only array of a list, as Keras takes inputs, targets and weights; x itself if it is none.

    Args:
        x: what a person gives.
        fits: tells from the shape of the array whether it holds all the samples, and is not one of them.
    """
    alone = isinstance(x, list | tuple) and len(x) == 1 and hasattr(x[0], "shape")
    return x[0] if alone and fits(tuple(x[0].shape)) else x


def numbers(x: Any, name: str = "x") -> Array:
    """Return what a person gives as an array of integers or floats, or raise; nothing is copied if it is one.

    Args:
        x: an array, a list, a table with columns of numbers.
        name: of the argument, for error messages.
    """
    if type(x) is np.ndarray and x.dtype.kind in "iufb":  # as nearly always, and then soon done
        return x
    if x is None or isinstance(x, Mapping | set | frozenset | str | bytes):
        raise TypeError(
            f"{name} must be an array of numbers; got {'None' if x is None else type(x).__name__}."
        )
    unmasked(x, name)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array of numbers, and its parts have different shapes: all samples must have "
            "the same (crop or pad them)."
        ) from error
    if array.dtype == object:  # a table whose columns have several types
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            kinds = (
                getattr(x, "dtypes", {}) if array.ndim == 2 else {}
            )  # a column alone has one type, no table
            columns = [str(c) for c, kind in kinds.items() if kind.kind not in "iufb"]
            which = f"; these columns have none: {', '.join(columns)}" if columns else f" ({error})"
            raise TypeError(
                f"{name} must hold numbers{which}. Turn text into numbers first, such as classes into 0, 1, "
                "2, and give all samples the same shape."
            ) from error
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{name} must be an array of numbers; got dtype {array.dtype}.")
    return array


def raw_input(x: Any, shape: OpenShape, taker: Callable[[], str]) -> Array:
    """Return x as an array (N, *shape) of integers or floats, or raise; see `Model.predict`.

    Args:
        x: what a person gives.
        shape: of one sample; None where any size is taken.
        taker: returns what takes it, for error messages.
    """
    array = numbers(x)
    if array.size == 0:
        raise ValueError(f"x is empty: its shape is {array.shape}; give at least one sample.")
    return as_batch(array, shape, taker)


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
    elif len(shape) == 3 and x.ndim == 4 and fits(np.moveaxis(x, -1, 1).shape[1:], shape):
        hint = "Likely fix: np.moveaxis(x, -1, 1), because channels come first."
    elif x.ndim >= 1 and None not in shape and int(np.prod(x.shape[1:])) == int(np.prod(shape)):  # type: ignore[arg-type]
        hint = f"Likely fix: x.reshape(-1, {', '.join(map(str, shape))})."
        if sorted(x.shape[1:]) == sorted(shape):  # type: ignore[type-var]
            hint = "Likely fix: np.transpose or np.moveaxis, because the axes have another order."
    raise ValueError(f"{taker()} expects x of shape (N, {', '.join(map(str, shape))}); got {x.shape}. {hint}")
