"""MNIST: handwritten digits, 28 × 28, in 10 classes.

The data is by Yann LeCun and Corinna Cortes, under CC BY-SA 3.0. Source: http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import data
from ..data.idx import encode_idx
from ..data.mnist import ARRAYS, SHA256, read_folder
from ..data.npz import read_npz_array
from .places import keras_folder, users_folders

__all__ = ["load_data"]

Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> tuple[Split, Split]:
    """Load MNIST, as `keras.datasets.mnist.load_data` does, and fetch it the first time.

    It is looked for as four idx files in the folder that `TINYNET_DATA` names and in tinynet's cache, as
    Keras's mnist.npz in the folder that `TINYNET_DATA` names and in Keras's cache (`~/.keras/datasets`, or
    that of `KERAS_HOME`), and then fetched as by `tinynet.data.load_mnist`. Its checksums are verified.

    Args:
        path: the name of the .npz file in those folders, or a path to one; "mnist.npz" by default.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (60000, 28, 28) and (10000, 28, 28), black
        0 to white 255, and labels (60000,) and (10000,) from 0 to 9.

    Raises:
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import mnist
        >>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))
    """
    given, failures = Path(path).expanduser(), []
    by_path = given.name != os.fspath(path)
    if not by_path:
        with suppress(OSError, ValueError):  # what is wrong with it is said at last
            return read_folder()
    places = [*users_folders(), keras_folder()]
    for file in dict.fromkeys([*([given] if by_path else []), *(place / given for place in places)]):
        try:
            return _read_npz(file)
        except FileNotFoundError:
            failures.append(f"{file}: not there")
        except (OSError, ValueError) as error:
            failures.append(f"{file}: {error}")
    try:
        return data.load_mnist()
    except ConnectionError as error:
        tried = "".join(f"  {failure}\n" for failure in failures)
        raise ConnectionError(
            f"{error}\nOr put Keras's mnist.npz into {places[-1]}. Tried:\n{tried}"
        ) from None


def _read_npz(file: Path) -> tuple[Split, Split]:
    """Return MNIST from Keras's .npz file, or raise an OSError or ValueError."""
    arrays = {name: read_npz_array(file, array) for name, array in ARRAYS.items()}
    for name, array in arrays.items():
        if hashlib.sha256(encode_idx(array)).hexdigest() != SHA256[name]:
            raise ValueError(f"{ARRAYS[name]} is not MNIST's: it is damaged, or another dataset")
    x_train, y_train, x_test, y_test = arrays.values()
    return (x_train, y_train), (x_test, y_test)


def __dir__() -> list[str]:
    return __all__
