"""Activations as functions: `activations.relu(x)`, `Dense(10, activation=activations.relu)`.

The functions are in layers/functions.py and smooth_functions.py; this page hands them on by their names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layers import activation as _activation
from .layers.functions import hard_sigmoid, hard_silu, leaky_relu, linear, log_softmax, relu, relu6, softmax
from .layers.functions import hard_silu as hard_swish
from .layers.smooth_functions import (
    elu,
    exponential,
    gelu,
    mish,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
)
from .layers.smooth_functions import silu as swish
from .names import unknown

__all__ = [
    "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "hard_silu", "hard_swish",
    "leaky_relu", "linear", "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid",
    "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


def get(identifier: Any) -> Callable[..., Any]:
    """Return an activation as a function.

    Args:
        identifier: a name such as "relu", None for "linear", or a function or layer, which is returned as it
            is.

    Returns:
        A function of an array.

    Raises:
        ValueError: no activation has that name.

    Example:
        >>> get("relu")([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier  # type: ignore[no-any-return]
    named = {name: function for function, name in _activation.FUNCTIONS.items()}
    named |= {"swish": swish, "hard_swish": hard_swish}
    if identifier not in named:
        raise ValueError(unknown("activation", identifier, named))
    return named[identifier]


def serialize(activation: Any) -> Any:
    """Return an activation as data, as model files hold it.

    Args:
        activation: a function of this module, or a name.

    Returns:
        Its name.

    Raises:
        TypeError: a function that is not tinynet's.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return _activation.name_of(activation)


def deserialize(config: Any) -> Callable[..., Any]:
    """Return the activation that `serialize` described.

    Args:
        config: a name.

    Returns:
        A function of an array.

    Raises:
        ValueError: no activation has that name.

    Example:
        >>> deserialize("tanh") is tanh
        True
    """
    return get(config)


def __dir__() -> list[str]:
    return __all__
