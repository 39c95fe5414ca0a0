"""im2col and col2im for everybody: the checks and the allocation around the kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .geometry import Shape, Windows, place_windows, positive_pair


def im2col(
    x: ArrayLike, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid"
) -> Array:
    """Lay the patch under every position of a window out as a row of a matrix.

    A convolution is then one matrix product: im2col(x) @ kernel.reshape(-1, filters). Chellapilla, Puri
    and Simard, "High Performance Convolutional Neural Networks for Document Processing" (2006).

    Args:
        x: (N, H, W, C) images.
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default) or "same", as for `Conv2D`.

    Returns:
        (N * OH * OW, KH * KW * C): a row for each position of the window, in the order of the output.

    Raises:
        ValueError: x is not four-dimensional, or the window does not fit.

    Example:
        >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> im2col(x, 2)
        array([[0., 1., 3., 4.],
               [1., 2., 4., 5.],
               [3., 4., 6., 7.],
               [4., 5., 7., 8.]])
    """
    images = _images(np.asarray(x))
    window, steps, around = _placement("im2col", images.shape, kernel_size, strides, padding)
    samples, channels = images.shape[0], images.shape[3]
    columns = np.empty((samples, around.height, around.width, *window, channels), images.dtype)
    kernels.im2col.im2col(images, columns, *steps, around.top, around.left)
    return columns.reshape(samples * around.height * around.width, window[0] * window[1] * channels)


def col2im(
    columns: ArrayLike,
    shape: Sequence[int],
    kernel_size: int | Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
) -> Array:
    """Add every row of columns back to the patch that it came from: the transpose of `im2col`.

    Args:
        columns: (N * OH * OW, KH * KW * C), as `im2col` returns.
        shape: (N, H, W, C) of the images.
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default) or "same", as for `Conv2D`.

    Returns:
        (N, H, W, C): at each pixel, the sum of all that `im2col` copied from there.

    Raises:
        ValueError: the shapes do not belong together.

    Example:
        >>> col2im(np.ones((4, 4)), (1, 3, 3, 1), 2)[0, :, :, 0]
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]])
    """
    array = np.asarray(columns)
    if len(shape) != 4:
        raise ValueError(f"col2im: expected shape (N, H, W, C); got {tuple(shape)}.")
    samples, height, width, channels = (int(size) for size in shape)
    window, steps, around = _placement(
        "col2im", (samples, height, width, channels), kernel_size, strides, padding
    )
    expected = (samples * around.height * around.width, window[0] * window[1] * channels)
    if array.shape != expected:
        raise ValueError(
            f"col2im: expected columns of shape {expected} for images {tuple(shape)}; got {array.shape}."
        )
    array = np.ascontiguousarray(array, np.result_type(array, np.float32))
    images = np.empty((samples, height, width, channels), array.dtype)
    patches = array.reshape(samples, around.height, around.width, *window, channels)
    kernels.im2col.col2im(patches, images, *steps, around.top, around.left)
    return images


def _images(x: Array) -> Array:
    if x.ndim != 4:
        raise ValueError(f"im2col: expected x of shape (N, H, W, C); got {x.shape}.")
    return np.ascontiguousarray(x, np.result_type(x, np.float32))


def _placement(
    title: str, shape: Shape, kernel_size: int | Sequence[int], strides: int | Sequence[int], padding: str
) -> tuple[tuple[int, int], tuple[int, int], Windows]:
    window = positive_pair(title, "kernel_size", kernel_size)
    steps = positive_pair(title, "strides", strides)
    return window, steps, place_windows(title, shape[1:], window, steps, padding)
