"""Model files: weights and the model's description in one .safetensors file, without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atomic import atomic_write

Array = NDArray[Any]

FORMAT_VERSION = 1


def write_model_file(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], description: Mapping[str, Any]
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file; an existing one is replaced.
        tensors: the parameters by name.
        description: what rebuilds the model, as JSON can hold it.

    Raises:
        OSError: the file cannot be written.
    """
    from safetensors.numpy import save

    metadata = {
        "format": "tinynet",
        "format_version": str(FORMAT_VERSION),
        "model": json.dumps(description),
    }
    atomic_write(
        path, save({name: np.asarray(array, order="C") for name, array in tensors.items()}, metadata)
    )


def read_model_file(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read a model file.

    Args:
        path: the file.

    Returns:
        The parameters by name, and the model's description.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another program, or of a later version of the format.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        folder = " (it is a folder)" if Path(path).is_dir() else ""
        raise FileNotFoundError(f"There is no model file {os.fspath(path)!r}{folder}.")
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{os.fspath(path)!r} is not a whole .safetensors file ({error}): it is truncated, damaged or of "
            "another kind. Save the model again."
        ) from error
    if metadata.get("format") != "tinynet":
        raise ValueError(
            f"{os.fspath(path)!r} is a .safetensors file, but not one that tinynet wrote: it has no "
            "description of a model. Load files that model.save() made."
        )
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise ValueError(
            f"{os.fspath(path)!r} has format version {metadata.get('format_version')}; this tinynet reads "
            f"{FORMAT_VERSION}. Install the version of tinynet that wrote it, or save the model again."
        )
    try:
        description: dict[str, Any] = json.loads(metadata["model"])
        if not isinstance(description, dict):
            raise ValueError("it is no JSON object")
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} has a damaged description of its model: {error}.") from error
    return tensors, description
