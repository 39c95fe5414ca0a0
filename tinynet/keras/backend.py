"""Keras's `backend`: what scripts ask of it, which is the same always, and can be set to nothing else."""

from __future__ import annotations

from typing import Any

from ..keywords import warn
from ..layers.geometry import image_data_format as image_data_format
from ..layers.geometry import set_image_data_format as set_image_data_format
from .places import missing

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_value", "image_data_format", "image_dim_ordering",
    "int_shape", "set_epsilon", "set_floatx", "set_image_data_format", "set_image_dim_ordering", "set_value",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    return missing(__name__, name, __all__)


def backend() -> str:
    """Return "tinynet"."""
    return "tinynet"


def clear_session(free_memory: bool = True) -> None:
    """Do nothing: there is no state that all models share."""


def epsilon() -> float:
    """Return 1e-7, by which probabilities are kept away from 0."""
    return 1e-7


def set_epsilon(value: float) -> None:
    """Take 1e-7 alone."""
    _only(
        "set_epsilon", value, 1e-7, "give epsilon= to the optimizer or the layer that is to have another one"
    )


def floatx() -> str:
    """Return "float32"."""
    return "float32"


def set_floatx(value: str) -> None:
    """Take "float32" alone."""
    _only("set_floatx", value, "float32", 'give the model, or its Input, dtype="float64"')


def image_dim_ordering() -> str:
    """Return "tf" for "channels_last", "th" for "channels_first", as Keras 1 called them."""
    warn("backend.image_dim_ordering is called backend.image_data_format today.")
    return {"channels_last": "tf", "channels_first": "th"}[image_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Take "tf" for "channels_last", "th" for "channels_first", as Keras 1 called them."""
    warn("backend.set_image_dim_ordering is called backend.set_image_data_format today.")
    set_image_data_format({"tf": "channels_last", "th": "channels_first"}.get(dim_ordering, dim_ordering))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of an array or a symbol."""
    return tuple(x.shape)


def get_value(x: Any) -> Any:
    """Return the numbers of a parameter, and a number as it is."""
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    """Set the numbers of a parameter."""
    if not hasattr(x, "assign"):
        raise TypeError(
            "backend.set_value sets parameters; a learning rate is a number: write "
            "model.optimizer.learning_rate = value."
        )
    x.assign(value)


def _only(function: str, value: object, there_is: object, reason: str) -> None:
    """Raise if a setting is not the one that there is."""
    if value != there_is:
        raise ValueError(f"backend.{function}: only {there_is!r} is there; got {value!r}: {reason}.")
