"""CIFAR-10: colour photographs, 32 × 32, in 10 classes.

The data is by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. Source:
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..layers.geometry import image_data_format
from .cifar import Files, Split, UInt8Array, samples_in

__all__ = ["load_data"]

SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
BATCHES = [*TRAIN, "test_batch"]
SAMPLES = 10_000  # in a batch
FOLDERS = [
    "",
    "cifar-10-batches-bin",
    "cifar-10-batches-py-target/cifar-10-batches-py",
    "cifar-10-batches-py",
]
ARCHIVES = [
    "cifar-10-binary.tar.gz",
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py-target_archive",  # by Keras 3
    "cifar-10-batches-py.tar.gz",  # by Keras 2
]


def load_data() -> tuple[Split, Split]:
    """Load CIFAR-10, as `keras.datasets.cifar10.load_data` does, and fetch it the first time.

    It is looked for in the folder that `TINYNET_DATA` names, in tinynet's cache and in Keras's cache
    (`~/.keras/datasets`, or that of `KERAS_HOME`): the batches of its binary or of its Python version,
    unpacked or in their archive. (The Python version is pickled; it is read without unpickling, so that a
    file cannot run anything.) What is fetched (170 MB) is verified by its checksum, and kept unpacked in
    tinynet's cache. The classes are: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (50000, 32, 32, 3) and (10000, 32, 32, 3),
        and labels (50000, 1) and (10000, 1) from 0 to 9.

    Raises:
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import cifar10
        >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((50000, 32, 32, 3), (50000, 1))
    """
    return Files("CIFAR-10", dict.fromkeys(BATCHES, SAMPLES), FOLDERS, ARCHIVES, SHA256).load(_joined)


def _joined(files: Mapping[str, bytes]) -> tuple[Split, Split]:
    """Return the batches as Keras's arrays."""
    splits = []
    for names in (TRAIN, ["test_batch"]):
        x = np.empty((len(names) * SAMPLES, 32, 32, 3), np.uint8)
        y = np.empty((len(names) * SAMPLES, 1), np.uint8)
        for start, name in zip(range(0, len(x), SAMPLES), names, strict=True):
            try:
                labels, pixels = _batch(files[name])
            except ValueError as error:
                raise ValueError(f"{name} is no batch of CIFAR-10: {error}") from error
            x[start : start + SAMPLES] = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            y[start : start + SAMPLES, 0] = labels
        splits.append((x if image_data_format() == "channels_last" else np.moveaxis(x, -1, 1), y))
    return splits[0], splits[1]


def _batch(data: bytes) -> tuple[UInt8Array, UInt8Array]:
    """Return the labels and the pixels of a batch of either version."""
    return samples_in(data, SAMPLES, {"labels": 10}, "labels")


def __dir__() -> list[str]:
    return __all__
