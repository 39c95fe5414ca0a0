"""Model files: weights, and mostly the model's description, in one .safetensors file, without pickle."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atomic import atomic_write

Array = NDArray[Any]

IN_FOLDERS = "model.safetensors"  # the name of the file of a model that is saved to a folder
FORMAT_VERSION = 1


def write_model_file(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Array],
    description: Mapping[str, Any],
    overwrite: bool = True,
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        tensors: the parameters by name.
        description: what rebuilds the model, as JSON can hold it.
        overwrite: whether an existing file is replaced; default True.

    Raises:
        FileExistsError: overwrite is False, and the file exists.
        OSError: the file cannot be written.
    """
    _write(path, tensors, {"model": json.dumps(description)}, overwrite)


def write_weights_file(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], overwrite: bool = True
) -> None:
    """Write a file that holds the weights of a model alone, whole or not at all; see `write_model_file`."""
    _write(path, tensors, {"holds": "weights"}, overwrite)


def file_in(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return the file that holds the model of a path, which may be a folder, as TensorFlow's models are."""
    name = os.fspath(path)
    is_folder = Path(name).is_dir() or name.endswith(("/", os.sep))
    return Path(name, IN_FOLDERS) if is_folder else path


def _write(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], content: Mapping[str, str], overwrite: bool
) -> None:
    """Write tensors and what there is to say about them."""
    from safetensors.numpy import save

    path = file_in(path)
    name = os.fspath(path)
    if not overwrite and os.path.lexists(name):
        raise FileExistsError(
            errno.EEXIST, "the file exists: give another path, or overwrite=True to replace it", name
        )
    if not Path(name).parent.exists():  # as Keras does
        Path(name).parent.mkdir(parents=True)
    metadata = {"format": "tinynet", "format_version": str(FORMAT_VERSION), **content}
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
        ValueError: the file is damaged, of another program, of a later version of the format, or holds
            weights alone.
    """
    tensors, metadata = read_tensors(path)
    if "model" not in metadata and metadata.get("holds") == "weights":
        raise ValueError(
            f"{os.fspath(path)!r} holds weights alone, as model.save_weights writes them: make the "
            "model, and call model.load_weights with this path."
        )
    try:
        description: dict[str, Any] = json.loads(metadata["model"])
        if not isinstance(description, dict):
            raise ValueError("it is no JSON object")
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} has a damaged description of its model: {error}.") from error
    return tensors, description


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the weights in a file, with or without a description of their model.

    Args:
        path: the file.

    Returns:
        The parameters by name, and what is said about them.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another program, or of a later version of the format.
    """
    from safetensors import SafetensorError, safe_open

    path = file_in(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model file {os.fspath(path)!r}.")
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
    return tensors, metadata
