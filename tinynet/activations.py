"""Activations as functions: `activations.relu(x)`, `Dense(10, activation=activations.relu)`.

The functions are in layers/functions.py and smooth_functions.py; this page hands them on by their names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layers import activation as _activation
from .layers.functions import hard_sigmoid as hard_sigmoid
from .layers.functions import hard_silu as hard_silu
from .layers.functions import hard_silu as hard_swish
from .layers.functions import leaky_relu as leaky_relu
from .layers.functions import linear as linear
from .layers.functions import log_softmax as log_softmax
from .layers.functions import relu as relu
from .layers.functions import relu6 as relu6
from .layers.functions import softmax as softmax
from .layers.smooth_functions import elu as elu
from .layers.smooth_functions import exponential as exponential
from .layers.smooth_functions import gelu as gelu
from .layers.smooth_functions import mish as mish
from .layers.smooth_functions import selu as selu
from .layers.smooth_functions import sigmoid as sigmoid
from .layers.smooth_functions import silu as silu
from .layers.smooth_functions import silu as swish
from .layers.smooth_functions import softplus as softplus
from .layers.smooth_functions import softsign as softsign
from .layers.smooth_functions import tanh as tanh
from .names import unknown


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
