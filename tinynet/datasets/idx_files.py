"""What Fashion-MNIST, KMNIST and EMNIST share: four idx files, where they lie, and what they hold."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ..data.idx import content_of, decode_idx, decompress
from ..data.places import idx_places
from .places import cache_folder, fetch, keep, keras_folder, nowhere, users_folders

UInt8Array = NDArray[np.uint8]
Split = tuple[UInt8Array, UInt8Array]

LARGEST_MEMBER = 2**30  # bytes of a file in an archive


@dataclass(frozen=True)
class IdxFiles:
    """The files of a dataset of grey images, 28 × 28, and where they may lie.

    Args:
        title: of the dataset, such as "KMNIST".
        folders: in which the files may lie, inside of the places where datasets are looked for; the first is
            what tinynet keeps.
        samples: of training and of the test, by what the files' names say of it: "train" and "t10k"; None
            where versions differ.
        classes: how many there are.
        prefix: what the names of the files begin with, if that is the dataset's own; default "".
        sources: URLs of folders that have the files, .gz.
        sha256: of the files as they are published, by their names, with .gz.
        content: SHA-256 of the same files unpacked, by their names, if they are known.
        archive: a .zip file that may hold them; default none.
        advice: what to do if they are nowhere; default: to fetch them from the first source.
    """

    title: str
    folders: Sequence[str]
    samples: Mapping[str, int | None]
    classes: int = 10
    prefix: str = ""
    sources: Sequence[str] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, str] = field(default_factory=dict)
    archive: str = ""
    advice: str = ""

    @property
    def names(self) -> dict[str, tuple[int | None, ...]]:
        """The files, and the shapes in them."""
        return {
            f"{self.prefix}{part}-{kind}-ubyte": shape
            for part, count in self.samples.items()
            for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,)))
        }

    def load(self) -> tuple[Split, Split]:
        """Return the dataset; fetch what is nowhere.

        Raises:
            ConnectionError: it is nowhere.
            ValueError: there are more images than labels, or fewer.
        """
        failures: list[str] = []
        arrays: dict[str, UInt8Array] = {}
        fetched: dict[str, bytes] = {}
        for name in self.names:
            array = self._find(name, failures)
            if array is None:
                urls = [f"{source}{name}.gz" for source in self.sources]
                data = fetch(urls, self.sha256.get(f"{name}.gz", ""), failures)
                if data is None:
                    raise nowhere(self.title, failures, self._advice())
                fetched[f"{name}.gz"], array = data, self._decoded(name, data, name)
            arrays[name] = array
        if fetched:
            keep(cache_folder(self.folders[0]), fetched)
        x_train, y_train, x_test, y_test = arrays.values()
        if (len(x_train), len(x_test)) != (len(y_train), len(y_test)):
            raise ValueError(
                f"{self.title}: expected a label for each image, got {len(x_train)} and {len(x_test)} "
                f"images, {len(y_train)} and {len(y_test)} labels: the files are of different versions"
            )
        return (x_train, y_train), (x_test, y_test)

    def _advice(self) -> str:
        """Return what to put where, after the word "Put"."""
        folder = self.folders[0]
        where = f"into {cache_folder(folder)}, or into a folder {folder} in the one that TINYNET_DATA names"
        names = "\n".join(f"  {name}.gz" for name in self.names)
        return f"{self.advice or f'these files, for example from {self.sources[0]},'} {where}:\n{names}"

    def _find(self, name: str, failures: list[str]) -> UInt8Array | None:
        """Return a file's content from the first place that has it; say in failures why others do not."""
        for folder, sure in self._places():
            before = len(failures)
            for path in (*idx_places(folder, name), *([folder / self.archive] if self.archive else [])):
                if not path.is_file():
                    continue
                try:
                    data = self._member(path, name) if path.name == self.archive else content_of(path)
                    if not sure and not self._is_known(name, data, path):
                        raise ValueError(
                            f"{path}: another SHA-256 than {self.title}'s; a folder {self.folders[0]} makes "
                            "it clear"
                        )
                    return self._decoded(name, data, path)
                except (OSError, ValueError) as error:
                    failures.append(str(error) if str(path) in str(error) else f"{path}: {error}")
            if len(failures) == before:
                failures.append(f"{folder / name}: not there, plain or .gz")
        return None

    def _member(self, path: Path, name: str) -> bytes:
        """Return a file of the archive."""
        from zipfile import BadZipFile, ZipFile

        try:
            with ZipFile(path) as archive:
                for member in archive.infolist():
                    if PurePosixPath(member.filename).name in (name, f"{name}.gz"):
                        if member.file_size > LARGEST_MEMBER:
                            raise ValueError(f"{path}: its {name} is too large: {member.file_size} bytes")
                        return archive.read(member)
        except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise ValueError(f"{path}: expected a whole .zip file ({error})") from error
        raise ValueError(f"{path}: it has no {name}.gz")

    def _is_known(self, name: str, data: bytes, path: Path) -> bool:
        """Return whether a file is one that was published, or that unpacked."""
        if hashlib.sha256(data).hexdigest() == self.sha256.get(f"{name}.gz"):
            return True
        content = decompress(data, path)
        return name in self.content and hashlib.sha256(content).hexdigest() == self.content[name]

    def _places(self) -> Iterator[tuple[Path, bool]]:
        """Yield the folders to look in, and whether what lies there is meant to be this dataset."""
        for place in users_folders():
            yield from ((place / folder, True) for folder in self.folders)
            yield place, bool(self.prefix) or place.name in self.folders
        yield cache_folder(self.folders[0]), True
        yield keras_folder() / self.folders[0], True

    def _decoded(self, name: str, data: bytes, source: str | Path) -> UInt8Array:
        """Return the array of a file, or raise if it cannot be this dataset's."""
        array = decode_idx(decompress(data, source), source)
        shape = self.names[name]  # whose None fits any number but 0
        labels = len(shape) == 1
        count = shape[0] if shape[0] is not None or not array.size else len(array)
        fits = array.dtype == np.uint8 and array.shape == (count, *shape[1:])
        if not fits or (labels and array.max() >= self.classes):
            raise ValueError(
                f"{source}: expected uint8 of shape {shape}{f' from 0 to {self.classes - 1}' * labels}, got "
                f"{array.dtype} of shape {array.shape}: it is another dataset's"
            )
        return array
