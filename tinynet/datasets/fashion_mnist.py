"""Fashion-MNIST: pictures of clothes, 28 × 28, in 10 classes.

The data is by Zalando SE, under the MIT licence. Source: https://github.com/zalandoresearch/fashion-mnist
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.idx import content_of, decode_idx, decompress
from .places import cache_folder, fetch, keep, keras_folder, nowhere, users_folders

__all__ = ["load_data"]

NAME = "fashion-mnist"
SHA256 = {  # of the files as they are published
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
SAMPLES = {"train": 60_000, "t10k": 10_000}
SOURCES = [
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
]

UInt8Array = NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]


def load_data() -> tuple[Split, Split]:
    """Load Fashion-MNIST, as `keras.datasets.fashion_mnist.load_data` does, and fetch it the first time.

    Its four files are looked for, plain or .gz, in the folder fashion-mnist of the one that `TINYNET_DATA`
    names, of tinynet's cache and of Keras's cache (`~/.keras/datasets`, or that of `KERAS_HOME`). In the
    folder of `TINYNET_DATA` itself only the published .gz files count, because other datasets have the same
    names. What is fetched (31 MB) is verified by its checksum, and kept in tinynet's cache. The classes are:
    T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (60000, 28, 28) and (10000, 28, 28), black
        0 to white 255, and labels (60000,) and (10000,) from 0 to 9.

    Raises:
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import fashion_mnist
        >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))
    """
    failures: list[str] = []
    arrays: dict[str, UInt8Array] = {}
    fetched: dict[str, bytes] = {}
    for name, sha256 in SHA256.items():
        array = _find(name, failures)
        if array is None:
            data = fetch([source + name for source in SOURCES], sha256, failures)
            if data is None:
                raise nowhere(
                    "Fashion-MNIST",
                    failures,
                    f"these files, for example from {SOURCES[0]}, into {cache_folder(NAME)}, or into a "
                    f"folder {NAME} in the one that TINYNET_DATA names:\n"
                    + "\n".join(f"  {name}" for name in SHA256),
                )
            fetched[name], array = data, _decoded(name, data, name)
        arrays[name] = array
    if fetched:
        keep(cache_folder(NAME), fetched)
    x_train, y_train, x_test, y_test = arrays.values()
    return (x_train, y_train), (x_test, y_test)


def _find(name: str, failures: list[str]) -> UInt8Array | None:
    """Return the content of a file from the first folder that has it; say in failures why others do not."""
    for folder, sure in _folders():
        for path in [folder / name, *([folder / name.removesuffix(".gz")] if sure else [])]:
            try:
                data = content_of(path)
                if not sure and hashlib.sha256(data).hexdigest() != SHA256[name]:
                    raise ValueError(f"another SHA-256 than Fashion-MNIST's; a folder {NAME} makes it clear")
                return _decoded(name, data, path)
            except FileNotFoundError:
                failures.append(f"{path}: not there")
            except (OSError, ValueError) as error:
                failures.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    return None


def _folders() -> Iterator[tuple[Path, bool]]:
    """Yield the folders to look in, and whether what lies there is meant to be Fashion-MNIST."""
    for folder in users_folders():
        yield folder / NAME, True
        yield folder, folder.name == NAME
    yield cache_folder(NAME), True
    yield keras_folder() / NAME, True


def _decoded(name: str, data: bytes, source: str | Path) -> UInt8Array:
    """Return the array of a file, or raise if it cannot be Fashion-MNIST's."""
    array = decode_idx(decompress(data, source), source)
    samples = SAMPLES[name.split("-")[0]]
    shape = (samples, 28, 28) if "images" in name else (samples,)
    if array.dtype != np.uint8 or array.shape != shape or ("labels" in name and array.max() > 9):
        raise ValueError(
            f"{source}: expected uint8 of shape {shape}{'' if 'images' in name else ' from 0 to 9'}, got "
            f"{array.dtype} of shape {array.shape}: it is another dataset's"
        )
    return array


def __dir__() -> list[str]:
    return __all__
