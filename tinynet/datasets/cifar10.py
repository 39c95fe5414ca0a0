"""CIFAR-10: colour photographs, 32 × 32, in 10 classes.

The data is by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. Source:
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.geometry import image_data_format
from .opcodes import Reader, array_of
from .places import cache_folder, fetch, keep, keras_folder, nowhere, users_folders

URLS = ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
BATCHES = [*TRAIN, "test_batch"]
SAMPLES = 10_000  # in a batch
PIXELS = 3 * 32 * 32
BINARY = "cifar-10-batches-bin"
FOLDERS = ["", BINARY, "cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"]
ARCHIVES = [
    "cifar-10-binary.tar.gz",
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py-target_archive",  # by Keras 3
    "cifar-10-batches-py.tar.gz",  # by Keras 2
]

UInt8Array = NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]


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
    from tarfile import TarError

    failures: list[str] = []
    cache = cache_folder("cifar10")
    for place in [*users_folders(), cache, keras_folder()]:
        count = len(failures)
        for path, source in _sources(place):
            try:
                return _joined(source())
            except FileNotFoundError:
                continue
            except (OSError, ValueError, EOFError, zlib.error, TarError) as error:
                failures.append(f"{path}: {' '.join(str(error).split())}")
        if len(failures) == count:
            failures.append(f"{place}: not there")
    data = fetch(URLS, SHA256, failures)
    if data is None:
        raise nowhere(
            "CIFAR-10",
            failures,
            f"{ARCHIVES[0]} or {ARCHIVES[1]} from https://www.cs.toronto.edu/~kriz/cifar.html into {cache}, "
            "or into the folder that TINYNET_DATA names",
        )
    files = _from_archive(BytesIO(data))
    loaded = _joined(files)
    keep(cache / BINARY, {f"{name}.bin": content for name, content in files.items()})
    return loaded


def _sources(place: Path) -> Iterator[tuple[Path, Callable[[], dict[str, bytes]]]]:
    """Yield what may hold the batches in a folder, and functions that read them there."""
    for inner in FOLDERS:
        yield place / inner, partial(_from_folder, place / inner)
    for name in ARCHIVES:
        yield place / name, partial(_from_archive, place / name)


def _from_folder(folder: Path) -> dict[str, bytes]:
    """Return the batches in a folder by their names, of its first version that is complete."""
    for suffix in (".bin", ""):
        paths = {name: folder / f"{name}{suffix}" for name in BATCHES}
        if paths[BATCHES[0]].exists():
            return {name: path.read_bytes() for name, path in paths.items()}
    raise FileNotFoundError(folder)


def _from_archive(file: Path | BytesIO) -> dict[str, bytes]:
    """Return the batches in a .tar.gz by their names; nothing is unpacked to the disk."""
    import tarfile

    files: dict[str, bytes] = {}
    with file.open("rb") if isinstance(file, Path) else file as raw, tarfile.open(fileobj=raw) as archive:
        for member in archive:
            batch = PurePosixPath(member.name).name.removesuffix(".bin")
            content = archive.extractfile(member) if batch in BATCHES and member.isreg() else None
            if content is not None:
                if member.size > 5 * SAMPLES * PIXELS:
                    raise ValueError(f"its {batch} is too large for CIFAR-10: {member.size} bytes")
                files[batch] = content.read()
    missing = [batch for batch in BATCHES if batch not in files]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    return files


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
    """Return the labels and the pixels of a batch of either version, told apart by their sizes."""
    if len(data) == SAMPLES * (1 + PIXELS):
        rows = np.frombuffer(data, np.uint8).reshape(SAMPLES, 1 + PIXELS)
        labels, pixels = rows[:, 0], rows[:, 1:]
    elif data[:1] == b"\x80":
        labels, pixels = _pickled_batch(data)
    else:
        raise ValueError(
            f"expected {SAMPLES * (1 + PIXELS)} bytes, or the Python version; got {len(data)} bytes"
        )
    if pixels.shape != (SAMPLES, PIXELS) or labels.shape != (SAMPLES,) or labels.max() > 9:
        raise ValueError(
            f"expected pixels ({SAMPLES}, {PIXELS}) and labels ({SAMPLES},) from 0 to 9, got "
            f"{pixels.shape} and {labels.shape} from {labels.min(initial=0)} to {labels.max(initial=0)}"
        )
    return labels, pixels


def _pickled_batch(data: bytes) -> tuple[UInt8Array, UInt8Array]:
    content: Any = Reader(data).read()
    if not isinstance(content, dict):
        raise ValueError("expected a dict of labels and data")
    named = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
    labels = named.get("labels")
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise ValueError("it has no list of labels")
    return np.array(labels, np.uint8), array_of(named.get("data"))
