"""From a model to the content of a file: in which format, and what there is to say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...files.description import Description
from ...files.model_file import safetensors_bytes, weights_bytes
from ...keywords import warn
from ...layers.chain import names_for
from ...training.divergence import not_finite
from ..trainable import Trainable
from .optimizer_state import optimizer_state

Array = NDArray[Any]

HDF5 = (".h5", ".hdf5")
EXPORTED = (".onnx", ".tflite")

# What stands for the format of another library or program, and never for ours.
OTHERS = (".ckpt.index", ".joblib", ".json", ".npy", ".npz", ".pb", ".pickle", ".pkl", ".pt", ".pth", ".yaml")


def content_of(
    model: Trainable,
    path: str | os.PathLike[str],
    include_optimizer: bool = True,
    dtype: DTypeLike | None = None,
) -> bytes:
    """Return the content of a model's file, in the format that the file's name ends in; see `Model.save`.

    Args:
        model: the model.
        path: the file's.
        include_optimizer: whether to say how the model was compiled, and the optimizer's state; default True.
        dtype: of the weights; default: that of the model.

    Raises:
        TypeError, ValueError: as `Model.save`.
    """
    suffix = suffix_of("save", path)
    description = describe(model, include_optimizer, suffix == ".safetensors")
    if dtype is not None and np.dtype(dtype) != model.dtype:
        store_as(description, np.dtype(dtype), model.dtype, suffix)
    if suffix == ".keras":
        from ...files.keras.writing import keras_zip_bytes  # on first use, as all formats but ours

        return keras_zip_bytes(description)
    if suffix in HDF5:
        from ...files.keras.writing import keras_hdf5_bytes

        return keras_hdf5_bytes(description)
    return safetensors_bytes(description)


def weights_content(model: Trainable, path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file of a model's weights alone; see `Model.save_weights`."""
    suffix = suffix_of("save_weights", path)
    if suffix == ".keras":
        raise ValueError(
            f"save_weights: {os.fspath(path)!r} promises a whole model, as all .keras files: use model.save, "
            "or let the name end in .weights.h5 or .safetensors."
        )
    if suffix in HDF5:
        from ...files.keras.writing import keras_weights_bytes

        return keras_weights_bytes(describe(model, False, False))
    return weights_bytes({name: parameter.value for name, parameter in model.named_parameters().items()})


def warn_of_nan(method: str, model: Trainable) -> None:
    """Warn if a model that is to be written holds NaN or infinite weights.

    Args:
        method: for the warning.
        model: the model.
    """
    if path := not_finite(model):
        warn(
            f"{method}: {path} holds NaN or infinite weights, as after a training that diverged; the file is "
            "written, and load_model refuses it.",
            UserWarning,
        )


def suffix_of(method: str, path: str | os.PathLike[str]) -> str:
    """Return the suffix that stands for a file's format, ".safetensors" where its name promises no other.

    Args:
        method: for error messages.
        path: the file's.

    Raises:
        ValueError: the name promises a format that the method does not write.
    """
    name = Path(path).name.lower()
    for suffix in (*EXPORTED, *OTHERS):
        if name.endswith(suffix):
            how = f"model.export writes {suffix}" if suffix in EXPORTED else "another name ends otherwise"
            raise ValueError(
                f"{method}: writes .safetensors, .keras and .h5, by the name's ending, and not {suffix}, "
                f"which {os.fspath(path)!r} promises ({how})."
            )
    return next((suffix for suffix in (".keras", *HDF5) if name.endswith(suffix)), ".safetensors")


def describe(model: Trainable, include_optimizer: bool = True, by_parameter: bool = False) -> Description:
    """Return a model as plain data and arrays, which are the model's own, not copies.

    Args:
        model: the model.
        include_optimizer: whether to say how the model was compiled, and the optimizer's state; default True.
        by_parameter: whether weights are there by the paths of parameters and not of layers; default False.

    Raises:
        TypeError: a layer of your own is no dataclass, which a file could describe.
        ValueError: the model is not built.
    """
    config: dict[str, Any] = model.config()  # type: ignore[attr-defined]
    config = {"class": "Model" if "joins" in config else "Sequential", **config}
    if model.wiring is None:  # a class of one's own, which does more than to call its layers
        config["class"] = type(model).__name__
    if not by_parameter:
        config = with_names(config, model)
    if not include_optimizer:
        config.pop("compile", None)
    state = optimizer_state(model) if "compile" in config and model.optimizer.iterations else (0, {})
    weights: dict[str, list[Array]] = {}
    for path, part in model.parts():
        ordered = [*part.trainable_weights, *part.non_trainable_weights]
        if not by_parameter and part.own_parameters and len(ordered) == len(part.own_parameters):
            weights[path] = [parameter.value for parameter in ordered]
            continue
        for parameter in part.own_parameters:
            weights[f"{path}/{parameter.name}" if path else parameter.name] = [parameter.value]
    return Description(config, weights, *state)


def with_names(config: dict[str, Any], network: Any) -> dict[str, Any]:
    """Return a description that names all layers, also those in networks within."""
    if "layers" not in config:
        return config
    layers = [with_names(one, layer) for one, layer in zip(config["layers"], network.layers, strict=True)]
    return config | {"names": names_for(network.layers), "layers": layers}


def store_as(description: Description, stored: Any, dtype: Any, suffix: str) -> None:
    """Round a model's weights to float16.

    Args:
        description: the model; its weights change.
        stored, dtype: what was asked for, and the model's.
        suffix: of the file.

    Raises:
        ValueError: another dtype, a weight that is too large for it, or a format that cannot say so.
    """
    if stored != np.float16 or suffix != ".safetensors":
        raise ValueError(
            f"save: dtype is {dtype.name!r} or, in a .safetensors file, 'float16'; got {stored.name!r}."
        )
    for path, (array,) in description.weights.items():
        with np.errstate(over="ignore"):
            description.weights[path] = [array.astype(stored)]
        if np.isinf(description.weights[path][0]).any():
            raise ValueError(f"save: {path} has weights beyond float16's 65504; use the model's dtype.")
