"""Pooling of sequences, as of images of one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .global_pool2d import GlobalAveragePool2D, GlobalMaxPool2D
from .pool2d import AveragePool2D, MaxPool2D


@dataclass(eq=False, repr=False)
class MaxPool1D(MaxPool2D, only_kernels=True):
    """The largest value of each window of steps, for each channel of sequences (N, steps, channels).

    Args:
        pool_size: steps of the window; default 2.
        strides: steps between windows; default: pool_size.
        padding, data_format: as for `MaxPool2D`.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = MaxPool1D()
        >>> layer.build((4, 1))
        (2, 1)
        >>> layer.forward([[[1], [3], [2], [0]]]).ravel()
        array([3., 2.], dtype=float32)
    """

    axes: ClassVar[int] = 1


@dataclass(eq=False, repr=False)
class AveragePool1D(AveragePool2D, only_kernels=True):
    """The mean of each window of steps, for each channel of sequences (N, steps, channels).

    Args:
        pool_size, strides, padding, data_format: as for `MaxPool1D`.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = AveragePool1D()
        >>> layer.build((4, 1))
        (2, 1)
        >>> layer.forward([[[1], [3], [2], [0]]]).ravel()
        array([2., 1.], dtype=float32)
    """

    axes: ClassVar[int] = 1


@dataclass(eq=False, repr=False)
class GlobalMaxPool1D(GlobalMaxPool2D, only_kernels=True):
    """The largest value of each channel over all steps: (steps, C) becomes (C,).

    Args:
        data_format: None or "channels_last".
        keepdims: whether the output is (1, C); default False.

    Raises:
        ValueError: the channels are not last.

    Example:
        >>> layer = GlobalMaxPool1D()
        >>> layer.build((3, 1))
        (1,)
        >>> layer.forward([[[1], [3], [2]]])
        array([[3.]], dtype=float32)
    """

    axes: ClassVar[int] = 1


@dataclass(eq=False, repr=False)
class GlobalAveragePool1D(GlobalAveragePool2D, only_kernels=True):
    """The mean of each channel over all steps: (steps, C) becomes (C,).

    Args:
        data_format, keepdims: as for `GlobalMaxPool1D`.

    Raises:
        ValueError: the channels are not last.

    Example:
        >>> layer = GlobalAveragePool1D()
        >>> layer.build((3, 1))
        (1,)
        >>> layer.forward([[[1], [3], [2]]])
        array([[2.]], dtype=float32)
    """

    axes: ClassVar[int] = 1


# Keras has several names.
MaxPooling1D, AveragePooling1D = MaxPool1D, AveragePool1D
AvgPool1D = AveragePool1D
GlobalMaxPooling1D, GlobalAveragePooling1D = GlobalMaxPool1D, GlobalAveragePool1D
GlobalAvgPool1D = GlobalAveragePool1D
