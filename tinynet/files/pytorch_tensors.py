"""PyTorch's tensors, made from the notes of a pickle: views of storages, which many may share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .opcodes import Made, Name, Outside

Array = NDArray[Any]

DTYPES = {  # of the storages' numbers; BFloat16 are the first halves of float32
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": "u2",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
}  # fmt: skip
TENSORS = {Name("torch._utils", "_rebuild_tensor"), Name("torch._utils", "_rebuild_tensor_v2")}
PARAMETER = Name("torch._utils", "_rebuild_parameter")
MOST_AXES = 32


class Storages:
    """The storages in a file, each read once.

    Args:
        read: returns the bytes of one by its key.
        big: whether the most significant byte of each number comes first; default False.
    """

    def __init__(self, read: Callable[[str], memoryview], big: bool = False) -> None:
        self.read, self.big = read, big
        self.content: dict[str, memoryview] = {}
        self.known: dict[tuple[str, str], Array] = {}

    def __call__(self, note: Any) -> Array:
        """Return the numbers of a storage, flat and read-only.

        Args:
            note: of what lies outside of the pickle.
        """
        kind, key, count, view = parts_of(note)
        if (key, kind) not in self.known:
            if key not in self.content:
                self.content[key] = self.read(key)
            raw, dtype = self.content[key], np.dtype((">" if self.big else "<") + DTYPES[kind])
            if len(raw) != count * dtype.itemsize:
                raise ValueError(
                    f"its storage {key!r} has {len(raw)} bytes, and should have {count} numbers of "
                    f"{dtype.itemsize}"
                )
            numbers = np.frombuffer(raw, dtype)
            if kind == "BFloat16Storage":
                numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
            self.known[key, kind] = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
        numbers = self.known[key, kind]
        return numbers if view is None else numbers[view[0] : view[0] + view[1]]


def parts_of(note: Any) -> tuple[str, str, int, tuple[int, int] | None]:
    """Return a storage's kind, its key, how many numbers it has, and which part of it is meant."""
    match note:
        case Outside(("storage" | b"storage", Name("torch" | "torch.cuda", kind), key, _, int() as count)):
            view = None
        case Outside(
            ("storage" | b"storage", Name("torch" | "torch.cuda", kind), key, _, int() as count, None as view)
        ):
            pass
        case Outside(
            (
                "storage" | b"storage", Name("torch" | "torch.cuda", kind), key, _, int() as count,
                (_, int() as begin, int() as size),
            )
        ) if begin >= 0 and size >= 0:  # fmt: skip
            view = (begin, size)
        case _:
            raise ValueError("it has no storage of numbers in its place")
    if kind not in DTYPES or count < 0:
        raise ValueError(
            f"it has a storage of the kind {kind!r}; those that are read are {', '.join(DTYPES)}"
        )
    return kind, text_of(key), count, view


def sizes_of(notes: Iterable[Outside]) -> dict[str, int]:
    """Return how many bytes each number of a storage takes, by its key."""
    sizes = {}
    for note in notes:
        match note:
            case Outside(("module" | b"module", *_)):  # where a class's source lies
                continue
        kind, key, *_ = parts_of(note)
        sizes[key] = np.dtype(DTYPES[kind]).itemsize
    return sizes


def text_of(value: Any) -> str:
    """Return a text, which Python 2 wrote as bytes.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise ValueError(f"it has {type(value).__name__} where a text should be")
    return value


def is_tensor(value: Any) -> bool:
    """Return whether a note is that of a tensor or a parameter."""
    return isinstance(value, Made) and (value.function in TENSORS or value.function == PARAMETER)


def tensor_of(name: str, made: Made, storages: Storages) -> Array:
    """Return a tensor's array.

    Args:
        name: for error messages.
        made: its note.
        storages: of the file.

    Returns:
        A view of a storage, read-only.

    Raises:
        ValueError: it is damaged, or of a kind that is not read.
    """
    if made.function == PARAMETER and made.arguments and is_tensor(made.arguments[0]):
        made = made.arguments[0]
    match made:
        case Made(function, (note, int() as begin, tuple() as shape, tuple() as strides, *_)) if (
            function in TENSORS
        ):
            return view_of(name, storages(note), begin, shape, strides)
    raise ValueError(f"its tensor {name!r} is damaged")


def view_of(name: str, numbers: Array, begin: int, shape: tuple[Any, ...], strides: tuple[Any, ...]) -> Array:
    """Return a part of a storage as a tensor lays it out, after checks that it lies within."""
    whole = [begin, *shape, *strides]
    if not all(type(one) is int and 0 <= one < 2**48 for one in whole) or len(shape) != len(strides):
        raise ValueError(
            f"its tensor {name!r} is damaged: it has the shape {shape} and the strides {strides}"
        )
    size = math.prod(shape)
    last = begin + sum((one - 1) * stride for one, stride in zip(shape, strides, strict=True))
    if len(shape) > MOST_AXES or size > len(numbers) or (size and last >= len(numbers)):
        raise ValueError(
            f"its tensor {name!r} is damaged: it has the shape {shape}, the strides {strides} and the place "
            f"{begin} in a storage of {len(numbers)} numbers"
        )
    if not size:
        return np.empty([min(one, 2**20) for one in shape], numbers.dtype)
    steps = [stride * numbers.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers[begin:], shape, steps, writeable=False)
