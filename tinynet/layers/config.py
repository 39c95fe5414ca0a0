"""Layers as plain data, for model files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .. import initializers
from .base import Layer
from .conv2d import Conv2D
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .pool2d import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from .relu import LeakyReLU, ReLU
from .sigmoid import Sigmoid
from .softmax import Softmax
from .tanh import Tanh

KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        AveragePool2D,
        Conv2D,
        Dense,
        Dropout,
        Flatten,
        GlobalAveragePool2D,
        LeakyReLU,
        MaxPool2D,
        ReLU,
        Sigmoid,
        Softmax,
        Tanh,
    )
}


def layer_config(layer: Layer) -> dict[str, Any]:
    """Return a layer's class and hyperparameters, as JSON can hold them.

    Args:
        layer: one of tinynet's layers.

    Returns:
        "class", and each hyperparameter under its name.

    Raises:
        TypeError: the layer is of another class, which a model file could not rebuild.

    Example:
        >>> layer_config(Dropout(0.5))
        {'class': 'Dropout', 'rate': 0.5}
    """
    kind = type(layer)
    if KINDS.get(kind.__name__) is not kind:
        raise TypeError(
            f"{layer.title} is not one of tinynet's layers, so a model file could not rebuild it: add its "
            "class to tinynet.layers.config.KINDS, before saving and before loading."
        )
    config: dict[str, Any] = {"class": kind.__name__}
    for field in dataclasses.fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if isinstance(value, Layer):
            value = layer_config(value)
        elif isinstance(value, initializers.Initializer):
            value = initializers.name_of(value)
        elif isinstance(value, tuple | list):
            value = [int(size) for size in value]
        elif hasattr(value, "item"):  # a NumPy number
            value = value.item()
        config[field.name] = value
    return config


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
    kind = KINDS.get(str(arguments.pop("class", None)))
    if kind is None:
        raise ValueError(f"Unknown layer class {config.get('class')!r}; the classes are {', '.join(KINDS)}.")
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            arguments[name] = layer_from_config(value)
        elif isinstance(value, list):
            arguments[name] = tuple(value)
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Cannot rebuild {kind.__name__} from {dict(config)}: {error}.") from error
