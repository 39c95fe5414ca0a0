"""Where files of datasets lie in a folder: as they are published, and as others put them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


def idx_places(folder: Path, name: str, inside: Sequence[str] = ("",)) -> Iterator[Path]:
    """Yield where an idx file may lie in a folder, plain or .gz.

    Args:
        folder: the folder.
        name: of the file as it is published, such as "train-images-idx3-ubyte".
        inside: folders in the folder that may hold it, in order.
    """
    dotted = name.replace("-idx", ".idx")  # some programs that unpack write it so
    for place in inside:
        for one in (name, dotted):
            yield folder / place / one
            yield folder / place / f"{one}.gz"
            yield folder / place / one / one  # Kaggle has a folder of the same name
