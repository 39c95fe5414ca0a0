"""CIFAR-100: colour photographs, 32 × 32, in 100 classes, which 20 coarse ones hold.

The data is by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. Source:
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..layers.geometry import image_data_format
from .cifar import Files, Split, samples_in

__all__ = ["load_data"]

SHA256 = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
SAMPLES = {"train": 50_000, "test": 10_000}
CLASSES = {"coarse": 20, "fine": 100}  # in the order of the binary version
FOLDERS = ["", "cifar-100-binary", "cifar-100-python-target/cifar-100-python", "cifar-100-python"]
ARCHIVES = [
    "cifar-100-binary.tar.gz",
    "cifar-100-python.tar.gz",  # also by Keras 2
    "cifar-100-python-target_archive",  # by Keras 3
]


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """Load CIFAR-100, as `keras.datasets.cifar100.load_data` does, and fetch it the first time.

    It is looked for, and kept, where CIFAR-10 is; see `cifar10.load_data`. What is fetched (169 MB) is
    verified by its checksum.

    Args:
        label_mode: "fine" (default) for the 100 classes, "coarse" for the 20.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (50000, 32, 32, 3) and (10000, 32, 32, 3),
        and labels (50000, 1) and (10000, 1), from 0 to 99 or 19.

    Raises:
        ValueError: another label_mode.
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import cifar100
        >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((50000, 32, 32, 3), (50000, 1))
    """
    if label_mode not in CLASSES:
        raise ValueError(f"cifar100.load_data: label_mode must be 'fine' or 'coarse'; got {label_mode!r}.")
    return Files("CIFAR-100", SAMPLES, FOLDERS, ARCHIVES, SHA256).load(partial(_splits, mode=label_mode))


def _splits(files: dict[str, bytes], mode: str) -> tuple[Split, Split]:
    """Return the files as Keras's arrays."""
    found = []
    for name, samples in SAMPLES.items():
        try:
            columns = {f"{kind}_labels": count for kind, count in CLASSES.items()}
            labels, pixels = samples_in(files[name], samples, columns, f"{mode}_labels")
        except ValueError as error:
            raise ValueError(f"{name} is no file of CIFAR-100: {error}") from error
        x = pixels.reshape(-1, 3, 32, 32)
        if image_data_format() == "channels_last":
            x = x.transpose(0, 2, 3, 1)
        found.append((np.ascontiguousarray(x), labels.reshape(-1, 1).copy()))
    return found[0], found[1]


def __dir__() -> list[str]:
    return __all__
