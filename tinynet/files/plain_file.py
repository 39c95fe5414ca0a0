"""Plain data with arrays in it, as one .safetensors file: what a training in progress is kept in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model_file import read_tensors, tensors_bytes

Array = NDArray[Any]

# In the JSON text, what stands for an array is an object with this only key, and its number.
ARRAY, NUMBER = "/array", "/number"


def is_plain(value: Any) -> bool:
    """Return whether a file can hold a value: None, a number, a text, an array, lists and dicts of such."""
    if value is None or isinstance(value, bool | int | float | str):
        return True
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biuf" and value.dtype.itemsize <= 8
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return isinstance(value, list | tuple) and all(map(is_plain, value))


def plain_bytes(value: Any) -> bytes:
    """Return the content of a file.

    Args:
        value: what `is_plain` says can be held; tuples come back as lists.

    Raises:
        TypeError: something in it is something else.
    """
    tensors: dict[str, Array] = {}

    def written(one: Any) -> Any:
        if isinstance(one, list | tuple):
            return [written(item) for item in one]
        if isinstance(one, dict) and all(isinstance(key, str) for key in one):
            return {key: written(item) for key, item in one.items()}
        if not is_plain(one):
            raise TypeError(f"a file can hold numbers, texts, arrays, lists and dicts of them, not {one!r}.")
        if not isinstance(one, np.ndarray | np.generic):
            return one
        tensors[str(len(tensors))] = np.asarray(one)
        return {NUMBER if isinstance(one, np.generic) else ARRAY: len(tensors) - 1}

    text = json.dumps(written(value))
    sha256 = digest(text, tensors)
    return tensors_bytes(tensors, {"holds": "plain data", "data": text, "sha256": sha256})


def digest(text: str, tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 of all that a file holds, by which a single wrong bit is found."""
    found = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()


def read_plain(path: str | os.PathLike[str]) -> Any:
    """Read a file that holds what `plain_bytes` returned.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or holds something else.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("holds") != "plain data":
        raise ValueError(f"{os.fspath(path)!r} is no backup of a training, but a model file.")
    if metadata.get("sha256") != digest(metadata.get("data", ""), tensors):
        raise ValueError(f"{os.fspath(path)!r} is damaged: its content is not what was written.")

    def read(found: dict[str, Any]) -> Any:
        if [*found] == [ARRAY]:
            return tensors[str(found[ARRAY])]
        return tensors[str(found[NUMBER])][()] if [*found] == [NUMBER] else found

    try:
        return json.loads(metadata["data"], object_hook=read)
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} is damaged: {error!r}.") from error
