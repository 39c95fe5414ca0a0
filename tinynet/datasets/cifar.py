"""What CIFAR-10 and CIFAR-100 share: where their files lie, and what the files hold."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..files.opcodes import Reader
from .pickled_arrays import array_of
from .places import cache_folder, fetch, keep, keras_folder, nowhere, users_folders

PIXELS = 3 * 32 * 32

UInt8Array = NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Files:
    """The files of a dataset, and where they may lie.

    Args:
        title: of the dataset, such as "CIFAR-10".
        samples: in each file, by its name without a suffix.
        folders: in which they may lie, inside of the places where datasets are looked for; the second is
            what tinynet keeps.
        archives: which may hold them; the first is what is fetched.
        sha256: of that archive.
    """

    title: str
    samples: Mapping[str, int]
    folders: Sequence[str]
    archives: Sequence[str]
    sha256: str

    def load(self, read: Callable[[dict[str, bytes]], Loaded]) -> Loaded:
        """Return what a function makes of the first files that it can read; fetch them if there are none.

        Raises:
            ConnectionError: they are nowhere.
        """
        from tarfile import TarError

        failures: list[str] = []
        cache = cache_folder(self.title.lower().replace("-", ""))
        for place in [*users_folders(), cache, keras_folder()]:
            count = len(failures)
            for path, source in self.sources(place):
                try:
                    return read(source())
                except FileNotFoundError:
                    continue
                except (OSError, ValueError, EOFError, zlib.error, TarError) as error:
                    failures.append(f"{path}: {' '.join(str(error).split())}")
            if len(failures) == count:
                failures.append(f"{place}: not there")
        data = fetch([f"https://www.cs.toronto.edu/~kriz/{self.archives[0]}"], self.sha256, failures)
        if data is None:
            raise nowhere(
                self.title,
                failures,
                f"{self.archives[0]} or {self.archives[1]} from https://www.cs.toronto.edu/~kriz/cifar.html "
                f"into {cache}, or into the folder that TINYNET_DATA names",
            )
        files = self.from_archive(BytesIO(data))
        loaded = read(files)
        keep(cache / self.folders[1], {f"{name}.bin": content for name, content in files.items()})
        return loaded

    def sources(self, place: Path) -> Iterator[tuple[Path, Callable[[], dict[str, bytes]]]]:
        """Yield what may hold the files in a place, and functions that read them there."""
        for inner in self.folders:
            yield place / inner, partial(self.from_folder, place / inner)
        for name in self.archives:
            yield place / name, partial(self.from_archive, place / name)

    def from_folder(self, folder: Path) -> dict[str, bytes]:
        """Return the files in a folder by their names, of its first version that begins."""
        for suffix in (".bin", ""):
            paths = {name: folder / f"{name}{suffix}" for name in self.samples}
            if next(iter(paths.values())).is_file():
                return {name: path.read_bytes() for name, path in paths.items()}
        raise FileNotFoundError(folder)

    def from_archive(self, file: Path | BytesIO) -> dict[str, bytes]:
        """Return the files in a .tar.gz by their names; nothing is unpacked to the disk."""
        import tarfile

        files: dict[str, bytes] = {}
        with file.open("rb") if isinstance(file, Path) else file as raw, tarfile.open(fileobj=raw) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name.removesuffix(".bin")
                content = archive.extractfile(member) if name in self.samples and member.isreg() else None
                if content is not None:
                    if member.size > 5 * self.samples[name] * PIXELS:
                        raise ValueError(f"its {name} is too large for {self.title}: {member.size} bytes")
                    files[name] = content.read()
        missing = [name for name in self.samples if name not in files]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        return files


def samples_in(data: bytes, samples: int, columns: Mapping[str, int], wanted: str) -> Split:
    """Return the labels and the pixels in a file of either version, told apart by their sizes.

    Args:
        data: the file.
        samples: in it.
        columns: the kinds of labels, in the order of the binary version, by their names in the Python
            version; and how many classes they have.
        wanted: one of the kinds.

    Raises:
        ValueError: it is no such file.
    """
    size, classes = samples * (len(columns) + PIXELS), columns[wanted]
    if len(data) == size:
        rows = np.frombuffer(data, np.uint8).reshape(samples, -1)
        labels, pixels = rows[:, [*columns].index(wanted)], rows[:, len(columns) :]
    elif data[:1] == b"\x80":
        labels, pixels = pickled(data, wanted)
    else:
        raise ValueError(f"expected {size} bytes, or the Python version; got {len(data)} bytes")
    if pixels.shape != (samples, PIXELS) or labels.shape != (samples,) or labels.max() >= classes:
        raise ValueError(
            f"expected pixels ({samples}, {PIXELS}) and labels ({samples},) from 0 to {classes - 1}, got "
            f"{pixels.shape} and {labels.shape} from {labels.min(initial=0)} to {labels.max(initial=0)}"
        )
    return labels, pixels


def pickled(data: bytes, labels_name: str) -> Split:
    """Return the labels and the pixels in a file of the Python version, without unpickling it."""
    content: Any = Reader(data).read()
    if not isinstance(content, dict):
        raise ValueError("expected a dict of labels and data")
    named = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
    labels = named.get(labels_name)
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise ValueError(f"it has no list of {labels_name}")
    return np.array(labels, np.uint8), array_of(named.get("data"))
