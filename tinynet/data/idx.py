"""The idx format of the MNIST files: every element type, every rank, plain or gzip.

A file is two zero bytes, one byte for the element type, one for the rank, the size of each axis as four
bytes, and the elements in C order; all of it big-endian. Source: http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..files import atomic_write

__all__ = ["decode_idx", "decompress", "encode_idx", "read_idx", "write_idx"]

TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
CODES = {name: code for code, name in TYPES.items()}
LARGEST_AXIS = 2**32 - 1
MOST_UNPACKED, MOST_TIMES = 2**30, 100  # bytes, and times the size of the file, that gzip may unpack to
GREATEST_RATIO = 1032  # of what gzip unpacks to what it packed


def read_idx(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read an idx file, plain or gzip (told apart by content, not by name).

    Args:
        path: the file.

    Returns:
        A new array of the file's shape and element type, in the machine's byte order: uint8 of shape
        (60000, 28, 28) for MNIST's training images.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: the content is not one whole idx array: truncated, too long, another format, corrupt;
            or the path is a pipe or a device, which may have no end.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_idx(folder + "/labels.gz", np.array([7, 2, 1], np.uint8))
        ...     read_idx(folder + "/labels.gz")
        array([7, 2, 1], dtype=uint8)
    """
    return decode_idx(decompress(content_of(path), path), path)


def write_idx(path: str | os.PathLike[str], array: npt.ArrayLike) -> None:
    """Write an array to an idx file, compressed if its name ends in ``.gz``: equal arrays, equal bytes.

    Args:
        path: the file to create or replace.
        array: any shape, contiguous or not, in any byte order; uint8, int8, int16, int32, float32 or float64.

    Raises:
        TypeError: idx has no such element type.
        ValueError: an axis is longer than idx can say (2³² − 1).
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_idx(folder + "/images", np.zeros((2, 28, 28), np.uint8))
        ...     read_idx(folder + "/images").shape
        (2, 28, 28)
    """
    data = encode_idx(np.asarray(array))
    if Path(path).suffix.lower() == ".gz":
        data = gzip.compress(data, mtime=0)  # a time of writing would make equal arrays unequal files
    atomic_write(path, data)


def encode_idx(array: npt.NDArray[Any]) -> bytes:
    """Give an array's idx form.

    Args:
        array: any shape; uint8, int8, int16, int32, float32 or float64.

    Returns:
        The bytes of an uncompressed idx file.

    Raises:
        TypeError: idx has no such element type.
        ValueError: an axis is longer than idx can say (2³² − 1).

    Example:
        >>> import numpy as np
        >>> encode_idx(np.array([1, 2], np.uint8)).hex(" ")
        '00 00 08 01 00 00 00 02 01 02'
    """
    code = CODES.get(array.dtype.name)
    if code is None:
        raise TypeError(
            f"expected an array of {', '.join(CODES)}, got {array.dtype}: idx has no other types; "
            "convert it first, for example with array.astype(np.uint8)"
        )
    if max(array.shape, default=0) > LARGEST_AXIS:
        raise ValueError(
            f"expected at most {LARGEST_AXIS} elements along each axis, got the shape {array.shape}: "
            "idx has four bytes for each size; split the array"
        )
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    elements = array.astype(array.dtype.newbyteorder(">"), copy=False).tobytes()
    return bytes([0, 0, code, array.ndim]) + sizes + elements


def decode_idx(data: bytes, name: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Give the array of an idx file's bytes.

    Args:
        data: the bytes of an uncompressed idx file.
        name: what to call them in an error, usually the file's path.

    Returns:
        A new array in the machine's byte order.

    Raises:
        ValueError: the bytes are not one whole idx array.

    Example:
        >>> decode_idx(bytes.fromhex("00 00 08 01 00 00 00 02 01 02"), "two bytes")
        array([1, 2], dtype=uint8)
    """
    if len(data) < 4:
        raise ValueError(
            f"{name}: expected an idx file of at least 4 bytes, got {len(data)}: it is empty or truncated; "
            "fetch or write it again"
        )
    code, rank = data[2:4]
    if data[:2] != b"\0\0" or code not in TYPES:
        raise ValueError(
            f"{name}: expected an idx file (bytes 00 00, then one of {bytes(TYPES).hex(' ')}), got "
            f"{data[:4].hex(' ')}: it is another format or damaged; check that it is the file you meant"
        )
    start = 4 + 4 * rank
    shape, expected = _header(data)
    dtype = np.dtype(TYPES[code])
    if len(data) < start:
        raise ValueError(
            f"{name}: expected a header of {start} bytes for rank {rank}, got {len(data)} bytes: it is "
            "truncated; fetch or write it again"
        )
    if len(data) != expected:
        problem = "truncated" if len(data) < expected else "too long"
        raise ValueError(
            f"{name}: expected {expected} bytes for {dtype} of shape {shape}, got {len(data)}: it is "
            f"{problem}, or its header is damaged; fetch or write it again"
        )
    try:
        elements = np.frombuffer(data, dtype.newbyteorder(">"), offset=start).reshape(shape)
    except ValueError as error:  # more axes, or longer empty ones, than NumPy can have
        raise ValueError(
            f"{name}: expected a shape that NumPy can hold, got {shape} of rank {rank} ({error}); "
            "store it with fewer axes"
        ) from error
    return elements.astype(dtype)


def _header(data: bytes) -> tuple[tuple[int, ...], int]:
    """Return the shape that the first bytes of an idx file say, and how many bytes the file then has."""
    start = 4 + 4 * data[3]
    # Python integers, and before anything is allocated: a damaged header may ask for exabytes.
    shape = tuple(int.from_bytes(data[place : place + 4], "big") for place in range(4, start, 4))
    return shape, start + math.prod(shape) * np.dtype(TYPES[data[2]]).itemsize


def content_of(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file, or raise as `read_idx` does."""
    file = Path(path)
    if file.exists() and not file.is_file() and not file.is_dir():
        raise ValueError(
            f"{path}: expected a file, got a pipe or a device: write its content to a file first"
        )
    return file.read_bytes()


def decompress(data: bytes, name: str | os.PathLike[str]) -> bytes:
    """Undo gzip, as far as the idx file's header says, and leave anything else as it is.

    A small file may unpack to a thousand times its size: so its header is looked at first.

    Args:
        data: the bytes of a file.
        name: what to call them in an error, usually the file's path.

    Returns:
        The content; of what is no idx file, at most its first 64 KiB.

    Raises:
        ValueError: the bytes begin as gzip and are truncated or corrupt, go on after what the header says,
            or would be far larger than the file.

    Example:
        >>> decompress(gzip.compress(b"pixels"), "a file"), decompress(b"pixels", "another")
        (b'pixels', b'pixels')
    """
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(4)
            if content[:2] != b"\0\0" or len(content) < 4 or content[2] not in TYPES:
                return content + file.read(2**16 - 4)  # which decoding refuses
            content += file.read(4 * content[3])
            expected = _header(content)[1]
            if expected > max(MOST_UNPACKED, MOST_TIMES * len(data)):
                raise ValueError(
                    f"{name}: expected a file that unpacks to at most {MOST_TIMES} times its {len(data)} "
                    f"bytes, or to {MOST_UNPACKED}, got a header that says {expected}; check it, and if you "
                    "trust it, unpack it first, for example with gunzip"
                )
            content += file.read(min(expected + 1, GREATEST_RATIO * (len(data) + 1)) - len(content))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name}: expected a whole gzip file, got one that is truncated or corrupt ({error}); "
            "fetch or write it again"
        ) from error
    if len(content) > expected:
        raise ValueError(
            f"{name}: expected {expected} bytes in it, as its header says, got more: it is too long, or its "
            "header is damaged; fetch or write it again"
        )
    return content
