"""Weights from a file, checked as a whole before any is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..files.model_file import read_tensors
from ..layers.geometry import Shape

Array = NDArray[Any]

MOST_LISTED = 5  # weights of each kind, in an error message


def read_weights(path: str | os.PathLike[str], wanted: Mapping[str, Shape], title: str) -> dict[str, Array]:
    """Return the weights in a file, if they are exactly those that are wanted.

    Args:
        path: a file with weights alone, or with a whole model.
        wanted: the shapes by the weights' names.
        title: of the model, for error messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another program, or its weights are others.
    """
    tensors, _ = read_tensors(path)
    missing = [f"{name} {shape}" for name, shape in wanted.items() if name not in tensors]
    unknown = [f"{name} {tensor.shape}" for name, tensor in tensors.items() if name not in wanted]
    differing = [
        f"{name} is {tensors[name].shape} and should be {shape}"
        for name, shape in wanted.items()
        if name in tensors and tensors[name].shape != shape
    ]
    differing += [
        f"{name} is of {tensor.dtype} and should be floats"
        for name, tensor in tensors.items()
        if tensor.dtype.kind != "f"
    ]
    found = (("it lacks", missing), ("it holds, in excess,", unknown), ("in it,", differing))
    problems = [f"{what} {listed(names)}" for what, names in found if names]
    if problems:
        raise ValueError(
            f"load_weights: {os.fspath(path)!r} does not hold the weights of {title}, which stays as it is: "
            f"{'; '.join(problems)}. Load the file into a model of the same layers, with the same names."
        )
    return tensors


def listed(names: list[str]) -> str:
    """Return names as text, the first few of many."""
    rest = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {rest} more" if rest > 0 else "")
