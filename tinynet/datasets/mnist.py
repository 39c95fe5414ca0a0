"""MNIST: handwritten digits, 28 × 28, in 10 classes.

The data is by Yann LeCun and Corinna Cortes, under CC BY-SA 3.0. Source: http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import data
from ..data.idx import encode_idx
from ..data.mnist import SHA256
from .places import keras_folder, users_folders

__all__ = ["load_data"]

Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]
ARRAYS = {  # in mnist.npz, and the idx files that hold the same
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


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
    own = data.mnist_directory()
    if not by_path and all((own / name).exists() or (own / f"{name}.gz").exists() for name in SHA256):
        with suppress(OSError, ValueError):  # what is wrong with it is said at last
            return data.load_mnist()
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
    from zipfile import BadZipFile

    try:
        with file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAYS}
    except (KeyError, EOFError, AttributeError, TypeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"expected an .npz file of {', '.join(ARRAYS)} ({error})") from error
    for name, array in arrays.items():
        if array.dtype != np.uint8 or hashlib.sha256(encode_idx(array)).hexdigest() != SHA256[ARRAYS[name]]:
            raise ValueError(f"{name} is not MNIST's: it is damaged, or another dataset")
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def __dir__() -> list[str]:
    return __all__
