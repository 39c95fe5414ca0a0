"""Weights from a file of whatever kind, checked as a whole before any is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files.model_file import STATE, check_ours, file_in, open_tensors
from ...files.pytorch import is_pytorch, read_state_dict
from ...files.reading import ZIP, is_hdf5, read_description, refuse_others
from ...layers import Parameter
from ...names import listed
from ..trainable import Trainable
from .keras_weights import keras_assignments
from .saving import describe
from .state_dict import assignments

Array = NDArray[Any]


def read_weights(
    path: str | os.PathLike[str], model: Trainable, skip_mismatch: bool = False, by_name: bool = False
) -> list[tuple[Parameter, Array]]:
    """Return which parameter of a model gets which numbers of a file; its content tells of what kind it is.

    Args:
        path: a file with weights alone, or with a whole model; or one of PyTorch's.
        model: built.
        skip_mismatch, by_name: as in `keras_assignments`, for HDF5 files of Keras's; default False.

    Returns:
        Pairs; weights that the file's kind does not have are left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another program, or its weights are others.
    """
    path = file_in(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r} with weights.")
    data = Path(path).read_bytes()
    if is_hdf5(data):
        return from_keras(path, model, data, skip_mismatch, by_name)
    if skip_mismatch or by_name:
        raise ValueError(
            f"load_weights: skip_mismatch and by_name are for HDF5 files of Keras's alone, and not there for "
            f"{os.fspath(path)!r}, of which weights are loaded all or none: load the whole model by "
            "load_model, and give its layers' weights on by layer.set_weights(other.get_weights())."
        )
    if is_pytorch(data):
        return from_pytorch(path, model, data)
    if data.startswith(ZIP):
        return from_archive(path, model)
    if data[8:9] != b"{":
        refuse_as_weights(path, data)
    tensors, metadata = open_tensors(path)
    if metadata.get("format") == "tinynet":
        check_ours(path, metadata)
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(STATE)}
        return by_names(path, model, weights)
    return from_pytorch(path, model, tensors)


def refuse_as_weights(path: str | os.PathLike[str], data: bytes) -> None:
    """Raise if a file is of a kind that is known, and that weights are not loaded from."""
    try:
        refuse_others(data[:4096])
        if data[:1] == b"\x08" or Path(path).suffix.lower() == ".onnx":
            raise ValueError("of ONNX files whole models are loaded, by tinynet.load_model.")
    except ValueError as error:
        raise ValueError(f"load_weights: {os.fspath(path)!r}: {error}") from error


def from_keras(
    path: str | os.PathLike[str], model: Trainable, data: bytes, skip_mismatch: bool, by_name: bool
) -> list[tuple[Parameter, Array]]:
    """Return the pairs for an HDF5 file of Keras's, with or without a network."""
    from ...files.keras.hdf5 import read_weights_hdf5, weights_for  # on first use, as all formats but ours

    try:
        if skip_mismatch or by_name:
            return keras_assignments(model, read_weights_hdf5(data), by_name, skip_mismatch)
        try:
            config = describe(model, False).config
        except TypeError:  # a layer of one's own that is no dataclass, of which no description is needed here
            return keras_assignments(model, read_weights_hdf5(data))
        return pairs_of(model, weights_for(config, data), path)
    except ValueError as error:
        raise unfit(path, model, error) from error


def from_archive(path: str | os.PathLike[str], model: Trainable) -> list[tuple[Parameter, Array]]:
    """Return the pairs for a .keras file, whose layers may have other names: then they go by their order."""
    weights = read_description(path).weights
    ours = [place for place, part in model.parts() if part.own_parameters]
    if {*weights} != {*ours} and len(weights) == len(ours):
        weights = dict(zip(ours, weights.values(), strict=True))
    try:
        return pairs_of(model, weights, path)
    except ValueError as error:
        raise unfit(path, model, error) from error


def from_pytorch(
    path: str | os.PathLike[str], model: Trainable, content: bytes | Mapping[str, Array]
) -> list[tuple[Parameter, Array]]:
    """Return the pairs for a state dict, in a file of PyTorch's, or as the tensors of a .safetensors file."""
    try:
        if isinstance(content, bytes):
            return assignments(model, read_state_dict(content))
        return assignments(model, content, ordered=False)
    except ValueError as error:
        raise unfit(path, model, error) from error


def unfit(path: str | os.PathLike[str], model: Trainable, problem: object) -> ValueError:
    """Return the error that a file holds the weights of another model."""
    return ValueError(
        f"load_weights: {os.fspath(path)!r} does not hold the weights of {model.title}, which stays as it "
        f"is: {str(problem).rstrip('.')}."
    )


def by_names(
    path: str | os.PathLike[str], model: Trainable, tensors: Mapping[str, Array]
) -> list[tuple[Parameter, Array]]:
    """Return the pairs for a file of tinynet's own, which names all weights by their paths."""
    parameters = model.named_parameters()
    wanted = {name: parameter.value.shape for name, parameter in parameters.items()}
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
        hint = "Load it into a model of the same layers, with the same names"
        raise unfit(path, model, f"{'; '.join(problems)}. {hint}")
    return [(parameter, tensors[name]) for name, parameter in parameters.items()]


def pairs_of(
    model: Any, weights: Mapping[str, list[Array]], path: str | os.PathLike[str]
) -> list[tuple[Parameter, Array]]:
    """Return which parameter of a model gets which numbers, exactly those that it has.

    Args:
        model: the model.
        weights: as `Description` has them.
        path: the file's, for error messages.

    Raises:
        ValueError: there is no such layer, weights of other shapes or another dtype, or too few or many.
    """
    parts, named = dict(model.parts()), model.named_parameters()
    found: dict[int, Array] = {}
    for place, arrays in weights.items():
        if place in named:
            wanted = [named[place]]
        elif place in parts:
            wanted = [*parts[place].trainable_weights, *parts[place].non_trainable_weights]
        else:
            wanted = []
        shapes = [parameter.shape for parameter in wanted]
        again = any(id(parameter) in found for parameter in wanted)
        if [array.shape for array in arrays] != shapes or not wanted or again:
            raise ValueError(
                f"{os.fspath(path)!r} holds weights {[array.shape for array in arrays]} for {place!r}; its "
                f"model needs {shapes}."
            )
        if any(array.dtype not in (model.dtype, np.float16) for array in arrays):
            dtypes = sorted({array.dtype.name for array in arrays})
            raise ValueError(
                f"{os.fspath(path)!r} holds weights of dtypes {dtypes} for {place!r}; its model needs "
                f"{model.dtype} or float16."
            )
        found |= {id(parameter): array for parameter, array in zip(wanted, arrays, strict=True)}
    infinite = [name for name, one in named.items() if not np.isfinite(found.get(id(one), 0)).all()]
    if infinite:
        raise ValueError(
            f"{os.fspath(path)!r} holds NaN or infinity in {listed(infinite)}: its training had diverged."
        )
    missing = [name for name, parameter in named.items() if id(parameter) not in found]
    if missing:
        raise ValueError(f"{os.fspath(path)!r} lacks weights that its model needs: {listed(missing)}.")
    return [(parameter, found[id(parameter)]) for parameter in named.values()]
