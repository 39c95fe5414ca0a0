"""Arrays of pixels and labels in NumPy's .npz files, as Keras keeps MNIST."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt


def read_npz_array(path: Path, name: str) -> npt.NDArray[np.uint8]:
    """Return one array of an .npz file, without unpickling anything.

    Raises:
        OSError, ValueError: it cannot be read, or is no array of pixels or labels.
    """
    from zipfile import BadZipFile

    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            array: npt.NDArray[np.uint8] = archive[name]
    except (KeyError, EOFError, AttributeError, TypeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: expected an .npz file with an array {name} ({error})") from error
    if array.dtype != np.uint8:
        raise ValueError(f"{path}: expected uint8 in {name}, got {array.dtype}")
    return array
