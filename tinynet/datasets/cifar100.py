"""CIFAR-100: colour photographs, 32 × 32, in 100 classes, which 20 coarse ones hold.

The data is by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. Source:
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.geometry import image_data_format
from .opcodes import Reader, array_of
from .places import cache_folder, fetch, keep, keras_folder, nowhere, users_folders

URLS = ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"]
SHA256 = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
SAMPLES = {"train": 50_000, "test": 10_000}
PIXELS = 3 * 32 * 32
MODES = {"coarse": 20, "fine": 100}  # and how many classes they have, in the order of the binary version
BINARY = "cifar-100-binary"
FOLDERS = ["", BINARY, "cifar-100-python-target/cifar-100-python", "cifar-100-python"]
ARCHIVES = [
    "cifar-100-binary.tar.gz",
    "cifar-100-python.tar.gz",  # also by Keras 2
    "cifar-100-python-target_archive",  # by Keras 3
]

UInt8Array = NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]


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
    from tarfile import TarError

    if label_mode not in MODES:
        raise ValueError(f"cifar100.load_data: label_mode must be 'fine' or 'coarse'; got {label_mode!r}.")
    failures: list[str] = []
    cache = cache_folder("cifar100")
    for place in [*users_folders(), cache, keras_folder()]:
        count = len(failures)
        for path, source in _sources(place):
            try:
                return _splits(source(), label_mode)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, EOFError, zlib.error, TarError) as error:
                failures.append(f"{path}: {' '.join(str(error).split())}")
        if len(failures) == count:
            failures.append(f"{place}: not there")
    data = fetch(URLS, SHA256, failures)
    if data is None:
        raise nowhere(
            "CIFAR-100",
            failures,
            f"{ARCHIVES[0]} or {ARCHIVES[1]} from https://www.cs.toronto.edu/~kriz/cifar.html into {cache}, "
            "or into the folder that TINYNET_DATA names",
        )
    files = _from_archive(BytesIO(data))
    loaded = _splits(files, label_mode)
    keep(cache / BINARY, {f"{name}.bin": content for name, content in files.items()})
    return loaded


def _sources(place: Path) -> Iterator[tuple[Path, Callable[[], dict[str, bytes]]]]:
    """Yield what may hold the two files in a folder, and functions that read them there."""
    for inner in FOLDERS:
        yield place / inner, partial(_from_folder, place / inner)
    for name in ARCHIVES:
        yield place / name, partial(_from_archive, place / name)


def _from_folder(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder by their names, of its first version that begins."""
    for suffix in (".bin", ""):
        paths = {name: folder / f"{name}{suffix}" for name in SAMPLES}
        if paths["train"].is_file():
            return {name: path.read_bytes() for name, path in paths.items()}
    raise FileNotFoundError(folder)


def _from_archive(file: Path | BytesIO) -> dict[str, bytes]:
    """Return the files in a .tar.gz by their names; nothing is unpacked to the disk."""
    import tarfile

    files: dict[str, bytes] = {}
    with file.open("rb") if isinstance(file, Path) else file as raw, tarfile.open(fileobj=raw) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name.removesuffix(".bin")
            content = archive.extractfile(member) if name in SAMPLES and member.isreg() else None
            if content is not None:
                if member.size > 5 * SAMPLES[name] * PIXELS:
                    raise ValueError(f"its {name} is too large for CIFAR-100: {member.size} bytes")
                files[name] = content.read()
    missing = [name for name in SAMPLES if name not in files]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    return files


def _splits(files: dict[str, bytes], mode: str) -> tuple[Split, Split]:
    """Return the files as Keras's arrays."""
    found = []
    for name, samples in SAMPLES.items():
        try:
            labels, pixels = _read(files[name], samples, mode)
        except ValueError as error:
            raise ValueError(f"{name} is no file of CIFAR-100: {error}") from error
        x = pixels.reshape(-1, 3, 32, 32)
        if image_data_format() == "channels_last":
            x = x.transpose(0, 2, 3, 1)
        found.append((np.ascontiguousarray(x), labels.reshape(-1, 1).copy()))
    return found[0], found[1]


def _read(data: bytes, samples: int, mode: str) -> tuple[UInt8Array, UInt8Array]:
    """Return the labels and the pixels of a file of either version, told apart by their sizes."""
    if len(data) == samples * (2 + PIXELS):
        rows = np.frombuffer(data, np.uint8).reshape(samples, 2 + PIXELS)
        labels, pixels = rows[:, [*MODES].index(mode)], rows[:, 2:]
    elif data[:1] == b"\x80":
        labels, pixels = _pickled(data, mode)
    else:
        raise ValueError(
            f"expected {samples * (2 + PIXELS)} bytes, or the Python version; got {len(data)} bytes"
        )
    if pixels.shape != (samples, PIXELS) or labels.shape != (samples,) or labels.max() >= MODES[mode]:
        raise ValueError(
            f"expected pixels ({samples}, {PIXELS}) and labels ({samples},) from 0 to {MODES[mode] - 1}, got "
            f"{pixels.shape} and {labels.shape} from {labels.min(initial=0)} to {labels.max(initial=0)}"
        )
    return labels, pixels


def _pickled(data: bytes, mode: str) -> tuple[UInt8Array, UInt8Array]:
    content: Any = Reader(data).read()
    if not isinstance(content, dict):
        raise ValueError("expected a dict of labels and data")
    named = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
    labels = named.get(f"{mode}_labels")
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise ValueError(f"it has no list of {mode}_labels")
    return np.array(labels, np.uint8), array_of(named.get("data"))
