"""Layers as Keras 1 called them."""

from __future__ import annotations

from typing import Any

from ..keywords import warn
from .conv2d import Conv2D


def Convolution2D(*arguments: Any, **keywords: Any) -> Conv2D:  # noqa: N802  (as in Keras)
    """Return a `Conv2D`; three numbers are, as in Keras 1, filters, and the rows and columns of a window.

    (In Keras 3 this is another name of Conv2D, and the third number is the strides.)

    Args:
        arguments: filters and kernel_size, and what else `Conv2D` takes; or filters, rows, columns.
        keywords: as of `Conv2D`.

    Returns:
        A `Conv2D`.

    Raises:
        TypeError, ValueError: as `Conv2D`; or more than three arguments in the order of Keras 1.

    Example:
        >>> Convolution2D(32, (3, 3))
        Conv2D(filters=32, kernel_size=(3, 3))
    """
    if len(arguments) > 2 and isinstance(arguments[1], int) and isinstance(arguments[2], int):
        filters, rows, columns, *others = arguments
        warn(
            f"Convolution2D({filters}, {rows}, {columns}) is Conv2D({filters}, ({rows}, {columns})) today; "
            f"Conv2D({filters}, {rows}, {columns}) takes the third number for the strides."
        )
        if others:
            raise TypeError("Convolution2D: give what comes after filters, rows and columns by name.")
        arguments = filters, (rows, columns)
    return Conv2D(*arguments, **keywords)
