"""The arrays in CIFAR-10's and CIFAR-100's pickled batches, made from the notes of files/opcodes.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.opcodes import Made, Name

ARRAY = {
    Name("numpy.core.multiarray", "_reconstruct"),
    Name("numpy._core.multiarray", "_reconstruct"),
}


def array_of(made: Any) -> NDArray[np.uint8]:
    """Return the array that a pickle describes.

    Args:
        made: what `Reader` read for it.

    Returns:
        A read-only array, uint8.

    Raises:
        ValueError: it is no array, or not of uint8.
    """
    match made:
        case Made(function, _, (_, tuple() as shape, Made(dtype, (kind, *_)), fortran, elements)) if (
            function in ARRAY and dtype == Name("numpy", "dtype") and kind in ("u1", b"u1")
        ) and all(type(size) is int for size in shape):
            order: Any = "F" if fortran is True else "C"
            return np.frombuffer(bytes_of(elements), np.uint8).reshape(shape, order=order)
    raise ValueError("it has no array of uint8 in its place")


def bytes_of(made: Any) -> bytes:
    """Return bytes that a pickle describes, as Python 2 or Python 3 writes them."""
    match made:
        case bytes():
            return made
        case Made(("_codecs", "encode"), (str() as text, "latin1")):
            return text.encode("latin1")
    raise ValueError("it has no bytes in their place")
