"""Arrays of labels and of samples, made ready for a model."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..keywords import spoken

__all__ = ["normalize", "to_categorical"]


@spoken
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]:
    """Turn class numbers into one-hot rows, as `keras.utils.to_categorical` does.

    Args:
        x: class numbers from 0, of any shape; a last axis of length 1 is dropped, and fractions are cut off.
        num_classes: the length of a row; None (the default) or 0 for the largest class number plus 1.

    Returns:
        A float64 array of 0 and 1, whose last axis is the classes: (N, num_classes) for N labels.

    Raises:
        TypeError: `num_classes` is no integer.
        ValueError: a label is no number, is negative or is not below `num_classes`; or there are no labels
            to count the classes of. (Keras takes −1 for the last class.)

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
        >>> to_categorical(np.zeros((5, 1), np.uint8), 10).shape
        (5, 10)
    """
    labels = _class_numbers(x)
    if num_classes is not None:
        try:
            num_classes = operator.index(num_classes)
        except TypeError:
            raise TypeError(
                f"to_categorical: num_classes must be an integer or None, got {num_classes!r}; "
                "int(...) makes one"
            ) from None
        if num_classes < 0:
            raise ValueError(f"to_categorical: num_classes must be at least 1, or None; got {num_classes}")
    if not num_classes and not labels.size:
        raise ValueError("to_categorical: there are no labels to count the classes of; give num_classes")
    classes = num_classes or int(labels.max(initial=0)) + 1
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"to_categorical: labels must be from 0 to num_classes - 1 = {classes - 1}, got {wrong[0]}; "
            f"{'subtract the smallest label' if wrong[0] < 0 else 'give a larger num_classes'}, "
            "or check the labels"
        )
    rows = np.zeros((labels.size, classes))
    rows[np.arange(labels.size), labels.ravel()] = 1
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    return rows.reshape(*shape, classes)


def _class_numbers(x: ArrayLike) -> NDArray[np.int64]:
    try:
        given = np.asarray(x)
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise ValueError("some are NaN or infinite")
        return given.astype(np.int64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"to_categorical: labels must be class numbers, got {type(x).__name__} ({error}); names of "
            "classes become numbers with np.unique(names, return_inverse=True)[1]"
        ) from None


@spoken
def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> NDArray[Any]:
    """Divide by the norm along an axis, as `keras.utils.normalize` does; what is all zero stays zero.

    Args:
        x: numbers of any shape. A single row (n,) gives (1, n), as in Keras.
        axis: along which the norms are; the last one by default. (With 0, Keras divides along the wrong
            axis or raises.)
        order: of the norm: 2 (the default) for the Euclidean one, 1, np.inf, ...

    Returns:
        A new array; float64 for integers, and for floats their own dtype.

    Raises:
        ValueError: `x` are no numbers, or have no such axis.

    Example:
        >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    values = np.asarray(x)
    if values.dtype.kind not in "biufc":
        raise ValueError(
            f"normalize: x must be an array of numbers, got {type(x).__name__} of {values.dtype}; "
            "np.asarray(x, np.float32) makes one, if all rows are of one length"
        )
    if values.ndim < 2:
        values = values.reshape(1, -1)
        axis = -1 if axis in (0, -1) else axis
    try:
        norm = np.linalg.norm(values, order, axis, keepdims=True)
    except ValueError as error:
        raise ValueError(
            f"normalize: expected an axis of x, whose shape is {np.shape(x)}, and an order that NumPy has; "
            f"got axis={axis} and order={order} ({error})"
        ) from None
    norm[norm == 0] = 1
    result: NDArray[Any] = values / norm
    return result
