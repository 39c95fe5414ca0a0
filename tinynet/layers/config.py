"""Layers as plain data, for model files."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from .. import initializers
from ..constraints import Constraint
from ..regularizers import L1L2
from .activation import name_of
from .base import Layer, hyperparameters
from .chain import Chain, names_for
from .geometry import image_data_format
from .tree import KINDS


def layer_config(layer: Layer) -> dict[str, Any]:
    """Return a layer's class and hyperparameters, as JSON can hold them.

    Args:
        layer: one of tinynet's layers, or of a class of your own, a dataclass; a layer that has a method
            `config`, as a model does, describes itself.

    Returns:
        "class", and each hyperparameter under its name.

    Raises:
        TypeError: a model file could not rebuild the layer.

    Example:
        >>> from tinynet.layers import Dropout
        >>> layer_config(Dropout(0.5))
        {'class': 'Dropout', 'rate': 0.5, 'noise_shape': None, 'seed': None}
    """
    kind = type(layer)
    known = KINDS[kind.__name__]  # a cell of a notebook may have defined the class again
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise TypeError(
            f"{layer.title}: another layer's class has the same name, {kind.__name__}, so that a model file "
            "could not tell them apart: rename yours."
        )
    config: dict[str, Any] = {"class": kind.__name__}
    if kind.describes_itself:
        return config | layer.config()  # type: ignore[attr-defined, no-any-return]
    if not dataclasses.is_dataclass(kind) or (
        "__init__" in vars(kind) and "__dataclass_fields__" not in vars(kind)
    ):
        raise TypeError(
            f"{layer.title}: a model file can describe a layer that is a dataclass, whose fields are its "
            "hyperparameters: decorate its class with @dataclass(eq=False, repr=False)."
        )
    for field in hyperparameters(layer):
        config[field.name] = as_data(layer.hyperparameter(field.name))
    if isinstance(layer, Chain):
        config |= names_config(layer)
    return config


def names_config(chain: Chain) -> dict[str, Any]:
    """Return the names of a row's layers, where they are not those that they would get anyway."""
    names = names_for(chain.layers)
    return {} if names == names_for(chain.layers, own=False) else {"names": names}


def as_data(value: Any) -> Any:
    """Return a hyperparameter as JSON can hold it."""
    if isinstance(value, Layer):
        return layer_config(value)
    if isinstance(value, initializers.Initializer):
        return initializers.config_of(value)
    if isinstance(value, L1L2 | Constraint):
        return value.config()
    if isinstance(value, tuple | list):
        return [as_data(item) for item in value]
    if isinstance(value, dict) and "class_name" in value:  # of an initializer, as Keras writes it
        return value
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"A model file can hold dictionaries whose keys are strings; got {value!r}.")
        return {"class": "dict", "items": {key: as_data(item) for key, item in value.items()}}
    if inspect.isfunction(value):  # an activation
        return name_of(value)
    return value.item() if hasattr(value, "item") else value  # a NumPy number


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Return the layer that `layer_config` described.

    Args:
        config: "class", and each hyperparameter under its name.

    Returns:
        A new layer, not built.

    Raises:
        ValueError: the class or a hyperparameter is unknown or invalid.

    Example:
        >>> layer_from_config({"class": "Dropout", "rate": 0.5})
        Dropout(rate=0.5)
    """
    arguments = dict(config)
    kind = kind_of(arguments.pop("class", None), arguments.get("name"))
    if kind.describes_itself:
        return kind.from_config(arguments)  # type: ignore[no-any-return]
    names = arguments.pop("names", None)
    values = {name: from_data(value) for name, value in arguments.items()}
    if image_data_format() == "channels_first" and values.get("data_format", "") is None:
        values["data_format"] = "channels_last"  # what it was when the layer was made
    try:
        layer: Layer = kind(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Cannot rebuild {kind.__name__} from {dict(config)}: {error}.") from error
    if names is not None and isinstance(layer, Chain):
        give_names(layer.layers, names)
    return layer


def kind_of(name: Any, layer: Any = None) -> Any:
    """Return the class of layers that has a name, or raise.

    Args:
        name: of the class.
        layer: what a layer of it is called, for the error; default: nobody says.
    """
    kind: Any = KINDS.get(str(name))
    if kind is None:
        raise ValueError(
            f"Unknown layer class {name!r}{'' if layer is None else f' (layer {layer!r})'}: tinynet has none "
            "of this name. A class of your own, derived from tinynet.layers.Layer, has to be defined, or "
            "imported, first, under this name; nothing in a file is executed."
        )
    return kind


def give_names(layers: Any, names: Any) -> None:
    """Give layers the names that `names_config` noted."""
    for layer, name in zip(layers, names, strict=True):
        if not layer.in_model:
            layer.name = str(name)


def from_data(value: Any) -> Any:
    """Return the hyperparameter that `as_data` described."""
    if isinstance(value, Mapping) and value.get("class") == "dict":
        return {key: from_data(item) for key, item in value["items"].items()}
    if isinstance(value, Mapping) and "class_name" in value:
        return dict(value)
    if isinstance(value, Mapping):
        return layer_from_config(value)
    if isinstance(value, list):
        return tuple(from_data(item) for item in value)
    return value
