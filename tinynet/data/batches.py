"""What happens between images in memory and a training step: scale, split, and cut into batches."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["batches", "scale_pixels", "train_validation_split"]

Array = npt.NDArray[Any]


ORDER = 2  # the last word of the seeds of the order: keeps its random numbers apart from those of the weights


def scale_pixels(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn uint8 pixels into what a network takes: float32 in [0, 1], always with batch and channel axes.

    Args:
        images: uint8; grey images (N, height, width), one grey image (height, width), or images that have
            their channels (N, height, width, channels).

    Returns:
        A new float32 array (N, height, width, channels): N is 1 for one image, channels is 1 for grey.

    Raises:
        TypeError: the pixels are not uint8, for example because they were scaled already.
        ValueError: the array has no such number of axes, or looks like rows (N, 784) or like one image with
            its channels.

    Example:
        >>> import numpy as np
        >>> scale_pixels(np.full((5, 28, 28), 255, np.uint8)).shape
        (5, 28, 28, 1)
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(
            f"scale_pixels: expected uint8 pixels from 0 to 255, got {images.dtype}; give pixels that are in "
            "[0, 1] already to the model as they are, and convert other integers with .astype(np.uint8)"
        )
    if images.ndim not in (2, 3, 4):
        raise ValueError(
            "scale_pixels: expected images of shape (N, height, width), (height, width) or "
            f"(N, height, width, channels), got {images.shape}; reshape them first"
        )
    if images.ndim == 2 and images.shape[1] == 784 != images.shape[0]:
        raise ValueError(
            f"scale_pixels: expected images, got {images.shape}, which looks like rows of images of 28 by "
            "28; reshape them first, with .reshape(-1, 28, 28), or, if the model takes rows, divide by 255"
        )
    if images.ndim == 3 and images.shape[2] in (1, 3, 4) and images.shape[1] > 4:
        raise ValueError(
            f"scale_pixels: expected images of shape (N, height, width), got {images.shape}, which looks "
            "like one image with its channels; give a batch of one, images[np.newaxis]"
        )
    if images.ndim == 2:
        images = images[np.newaxis]
    if images.ndim == 3:
        images = images[..., np.newaxis]
    return np.divide(images, 255, dtype=np.float32)


def train_validation_split(
    x: Array, y: Array, validation_split: float = 0.1
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Keep the last fraction of the samples for validation, as Keras does; shuffle first if they are sorted.

    Args:
        x: samples, (N, ...).
        y: their labels or targets, (N, ...).
        validation_split: the fraction to keep for validation, between 0 and 1; 0.1 by default. A part of a
            sample goes to validation.

    Returns:
        ``(x_train, y_train), (x_validation, y_validation)``: views, nothing is copied.

    Raises:
        ValueError: the counts of x and y differ, the fraction is not between 0 and 1, or a side is empty.

    Example:
        >>> import numpy as np
        >>> (x_train, y_train), (x_val, y_val) = train_validation_split(np.arange(10), np.arange(10), 0.2)
        >>> len(x_train), y_val
        (8, array([8, 9]))
    """
    if len(x) != len(y):
        raise ValueError(
            f"train_validation_split: expected as many samples as labels, got {len(x)} and {len(y)}; "
            "check that x and y belong together"
        )
    if not 0 < validation_split < 1:
        raise ValueError(
            f"train_validation_split: expected a validation_split between 0 and 1, got {validation_split}; "
            "0.1 keeps a tenth of the samples for validation"
        )
    # Rounded, because 100 * 0.07 is 7.000000000000001, and 8 samples would be kept.
    train_count = len(x) - math.ceil(round(len(x) * validation_split, 6))
    if not 0 < train_count < len(x):
        raise ValueError(
            f"train_validation_split: expected samples on both sides, got {len(x)} samples with "
            f"validation_split={validation_split}; give more samples or another fraction"
        )
    return (x[:train_count], y[:train_count]), (x[train_count:], y[train_count:])


def batches(
    count: int, batch_size: int, *, shuffle: bool, seed: int, epoch: int
) -> Iterator[npt.NDArray[np.intp]]:
    """Cut samples into batches: every index from 0 to count − 1 once, in an order that (seed, epoch) fixes.

    Args:
        count: number of samples.
        batch_size: samples in a batch; the last batch may have fewer.
        shuffle: permute the samples (not just the batches); False keeps them in order.
        seed: not negative; another seed, another order.
        epoch: not negative; another epoch, another order.

    Returns:
        An iterator over integer arrays (batch_size,), to index samples and labels with.

    Raises:
        ValueError: count or batch_size is less than 1, or seed or epoch is negative.

    Example:
        >>> list(batches(5, 2, shuffle=False, seed=0, epoch=0))
        [array([0, 1]), array([2, 3]), array([4])]
    """
    if count < 1:
        raise ValueError(
            f"batches: expected at least 1 sample, got {count}; check that the data is not empty"
        )
    count, batch_size = operator.index(count), operator.index(batch_size)  # np.int8(100) + 100 would be -56
    if batch_size < 1:
        raise ValueError(f"batches: expected a batch_size of at least 1, got {batch_size}; 128 is usual")
    if seed < 0 or epoch < 0:
        raise ValueError(f"batches: expected seed and epoch from 0, got seed={seed} and epoch={epoch}")
    order = np.random.default_rng((seed, epoch, ORDER)).permutation(count) if shuffle else np.arange(count)
    return (order[start : start + batch_size] for start in range(0, count, batch_size))
