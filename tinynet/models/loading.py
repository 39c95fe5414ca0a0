"""From a file, a text or another model to a model."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from typing import Any

from ..files.description import Description
from ..files.reading import read_description
from ..keywords import spoken, warn
from ..layers.allowance import at_most
from ..layers.config import kind_of, layer_config, layer_from_config
from ..seeds import next_seed
from .model import Model
from .sequential import Sequential
from .storage.optimizer_state import set_optimizer_state
from .storage.weights_file import pairs_of


@spoken
def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002  (as in Keras)
    safe_mode: bool = True,
) -> Model:
    """Read a model from a file: of tinynet, of Keras or of ONNX, told by its content, not by its name.

    Nothing that is in a file is ever run. TensorFlow, Keras and PyTorch are not needed.

    Args:
        filepath: the file: a .safetensors file of tinynet's; a .keras or .h5 file of any version of Keras; or
            an .onnx file, for which the package onnx has to be installed.
        custom_objects: taken, and not needed: classes of your own are found by their names once they are
            defined. Default None.
        compile: whether the model is compiled, if it was when it was saved; default True.
        safe_mode: taken, and not needed: a model file holds no code. Default True.

    Returns:
        The model with its weights, compiled if it was compiled when it was saved, with the optimizer's state.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the package that reads the format is not installed.
        ValueError: the file is damaged, of another program or of a later version of the format, or its model
            does what tinynet does not.

    Example:
        >>> import tempfile
        >>> from tinynet import layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     same = load_model(f"{folder}/model.safetensors")
        >>> bool((same.flat.value == model.flat.value).all())
        True
    """
    description = read_description(filepath)
    if not compile:
        description.config.pop("compile", None)
        description.compile_notes.clear()
    model = _build(description, filepath)
    for parameter, value in pairs_of(model, description.weights, filepath):
        parameter.value = value
    if description.iterations and "compile" in description.config:
        try:
            set_optimizer_state(model, description.iterations, description.slots)
        except ValueError as error:
            raise ValueError(f"{os.fspath(filepath)!r} has a damaged optimizer's state: {error}") from error
    for note in description.compile_notes + description.notes:
        warn(f"{os.fspath(filepath)!r}: {note}", UserWarning)
    return model


def _build(description: Description, path: str | os.PathLike[str]) -> Model:
    """Return the model that a file describes, with new initial weights."""
    config = dict(description.config)
    held = sum(array.size for arrays in description.weights.values() for array in arrays)
    try:
        kind: type[Model] = Model if "joins" in config else Sequential
        if config.get("class") not in (None, "Model", "Sequential"):
            kind = kind_of(config["class"])
        # A model is built up to three times: for symbols, for sizes and as a whole.
        with at_most(4 * held + 2**10):
            return kind.from_config(config)
    except Exception as error:  # a damaged description can raise anything
        said = str(error).removesuffix(".") if isinstance(error, ValueError) else repr(error)
        raise ValueError(
            f"{os.fspath(path)!r} describes no model that this tinynet can build: {said}."
        ) from error


@spoken
def save_model(
    model: Model, filepath: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True
) -> None:
    """Write a model to a file: `model.save`.

    Args:
        model: the model.
        filepath, overwrite, include_optimizer: see `Model.save`.

    Raises:
        TypeError, ValueError, OSError: as `Model.save`.

    Example:
        >>> import tempfile
        >>> from tinynet import layers
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(Sequential([layers.Dense(2)], 3), f"{folder}/model.keras")
        ...     load_model(f"{folder}/model.keras").output_shape
        (2,)
    """
    model.save(filepath, overwrite=overwrite, include_optimizer=include_optimizer)


@spoken
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that `Model.to_json` described, here or in Keras, with new initial weights.

    Args:
        json_string: as `to_json` returns it, of any version of Keras.
        custom_objects: taken, and not needed; see `load_model`. Default None.

    Returns:
        A new model, compiled if that one was.

    Raises:
        ValueError: the text is none of that, or names a class that is not defined, or that tinynet lacks.

    Example:
        >>> from tinynet import layers
        >>> model_from_json(Sequential([layers.Dense(2)], 3, name="pair").to_json())
        Sequential(name='pair', layers=1, parameters=8)
    """
    try:
        config = json.loads(json_string)
        if not isinstance(config, dict) or not {"class", "class_name"} & config.keys():
            raise ValueError("it says no class")
        if "class_name" in config:
            from ..files.keras.config import config_from_keras, take_notes  # on first use
            from ..files.keras.own import KEY, add_own

            config = add_own(config_from_keras(config), config.get(KEY))
            for note in itertools.chain(*take_notes(config)):
                warn(f"model_from_json: {note}", UserWarning)
        if not issubclass(kind_of(config["class"]), Model):
            raise ValueError(f"{config['class']} is no model")
        return layer_from_config(config)
    except Exception as error:  # a damaged description can raise anything
        raise ValueError(
            "model_from_json expects the text that model.to_json() returns, tinynet's or Keras's, of a model "
            f"that this tinynet can build: {str(error).removesuffix('.')}."
        ) from error


@spoken
def clone_model(model: Model, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """Return a model of new layers, of the same hyperparameters, with new initial weights.

    Args:
        model: the model, which stays as it is and shares nothing with the new one.
        input_tensors, clone_function: None (default).

    Returns:
        A model of the same class, names, dtype and `trainable`, not compiled, with the next seed of this
        process; built if the other one is.

    Raises:
        TypeError: it is no model, or a layer of your own is no dataclass, which could be described.
        ValueError: an argument is not there, or two of the model's layers share one.

    Example:
        >>> from tinynet import layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> other = clone_model(model)
        >>> other.set_weights(model.get_weights())
        >>> other.layers[0] is model.layers[0]
        False
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model expects a Model or a Sequential; got {model!r}.")
    if input_tensors is not None or clone_function is not None:
        raise ValueError(
            "clone_model: input_tensors and clone_function must be None: to change layers or inputs, make a "
            "new model of new layers."
        )
    if model.output_shape is None and isinstance(model, Sequential):
        return _clone_unbuilt(model)
    config = {**layer_config(model), "seed": next_seed(), "steps_trained": 0, "epochs_trained": 0}
    config.pop("compile", None)
    clone = layer_from_config(config)
    clone.temperature = 1.0  # the calibration was of the other one's weights
    return clone


def _clone_unbuilt(model: Sequential) -> Sequential:
    """Return a row of new layers, which is built when its shape is known, like the one given."""
    layers = [layer_from_config(layer_config(layer)) for layer in model.layers]
    for layer, mine in zip(layers, model.layers, strict=True):
        layer.trainable = mine.trainable
        if not mine.is_nameless:
            layer.name = mine.name
    return type(model)(layers, model._shape, None, model.dtype, model.name)
