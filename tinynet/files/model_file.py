"""Model files: weights, and mostly the model's description, in one .safetensors file, without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .description import Description

Array = NDArray[Any]

IN_FOLDERS = "model.safetensors"  # the name of the file of a model that is saved to a folder
FORMAT_VERSION = 2
READABLE = ("1", "2")  # version 1, of tinynet 0.1, had no optimizer's state

# Before the names of the optimizer's arrays: "/optimizer/m/0" is m of the first parameter that trains. No
# parameter's path begins with a slash.
STATE = "/optimizer/"


def safetensors_bytes(description: Description) -> bytes:
    """Return the content of a model file.

    Args:
        description: the model, with its weights by the paths of parameters, such as "dense/kernel".
    """
    tensors = {path: array for path, (array,) in description.weights.items()}
    for name, arrays in description.slots.items():
        tensors |= {f"{STATE}{name}/{number}": array for number, array in enumerate(arrays)}
    content = {"model": json.dumps(description.config)}
    if description.slots or description.iterations:
        content["iterations"] = str(description.iterations)
    return tensors_bytes(tensors, content)


def weights_bytes(tensors: Mapping[str, Array]) -> bytes:
    """Return the content of a file that holds the weights of a model alone."""
    return tensors_bytes(tensors, {"holds": "weights"})


def file_in(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return the file that holds the model of a path, which may be a folder, as TensorFlow's models are."""
    name = os.fspath(path)
    is_folder = Path(name).is_dir() or name.endswith(("/", os.sep))
    return Path(name, IN_FOLDERS) if is_folder else path


def tensors_bytes(tensors: Mapping[str, Array], content: Mapping[str, str]) -> bytes:
    """Return the content of a file of tensors, and of what there is to say about them."""
    from safetensors.numpy import save

    metadata = {"format": "tinynet", "format_version": str(FORMAT_VERSION), **content}
    return save({name: np.asarray(array, order="C") for name, array in tensors.items()}, metadata)


def read_safetensors(path: str | os.PathLike[str]) -> Description:
    """Read a model file.

    Args:
        path: the file.

    Returns:
        The model, with its weights by the paths of parameters.

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
        config: dict[str, Any] = json.loads(metadata["model"])
        if not isinstance(config, dict):
            raise ValueError("it is no JSON object")
        description = Description(config, {}, int(metadata.get("iterations", 0)))
        description.weights = {name: [array] for name, array in tensors.items() if name[:1] != "/"}
        for name in sorted(tensors.keys() - description.weights.keys(), key=lambda name: (len(name), name)):
            slot, number = name.removeprefix(STATE).split("/")
            arrays = description.slots.setdefault(slot, [])
            arrays.append(tensors[name])
            if number != str(len(arrays) - 1):
                raise ValueError(f"of the optimizer's {slot}, there is no array {len(arrays) - 1}")
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} has a damaged description of its model: {error}.") from error
    return description


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
    path = file_in(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model file {os.fspath(path)!r}.")
    tensors, metadata = open_tensors(path)
    check_ours(path, metadata)
    return tensors, metadata


def open_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a .safetensors file of any program.

    Returns:
        The arrays by name, BFloat16 as float32; and what is said about them.

    Raises:
        ValueError: the file is damaged, or no .safetensors file.
    """
    from safetensors import SafetensorError, deserialize, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            halves = [name for name in file.keys() if file.get_slice(name).get_dtype() == "BF16"]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in file.keys() if name not in halves}  # noqa: SIM118
    except (SafetensorError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{os.fspath(path)!r} is not a whole .safetensors file ({error}): it is truncated, damaged or of "
            "another kind. Save the model again."
        ) from error
    if halves:  # which NumPy does not have
        found = dict(deserialize(Path(path).read_bytes()))  # type: ignore[no-untyped-call]
        for name in halves:
            bits = np.frombuffer(found[name]["data"], "<u2").astype(np.uint32) << 16
            tensors[name] = bits.view(np.float32).reshape(found[name]["shape"])
    return tensors, metadata


def check_ours(path: str | os.PathLike[str], metadata: Mapping[str, str]) -> None:
    """Raise if tinynet did not write a .safetensors file, or a later version of it did."""
    if metadata.get("format") != "tinynet":
        raise ValueError(
            f"{os.fspath(path)!r} is a .safetensors file, but not one that tinynet wrote: it has no "
            "description of a model. Load files that model.save() made; or, if it holds the weights of a "
            "network in PyTorch, make the model, and call model.load_weights with this path."
        )
    if metadata.get("format_version") not in READABLE:
        raise ValueError(
            f"{os.fspath(path)!r} has format version {metadata.get('format_version')}; this tinynet reads "
            f"{' and '.join(READABLE)}. Install the tinynet that wrote it, or save the model again."
        )
