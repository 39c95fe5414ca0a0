"""Parameters of what an estimator is made of: `model__units`, `optimizer__learning_rate`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .. import optim
from ..names import unknown

PARTS = ("model", "optimizer")


def is_nested(name: str) -> bool:
    """Return whether a name is that of a parameter of a part, such as `model__units`."""
    part, _, inner = name.partition("__")
    return part in PARTS and bool(inner)


def of_part(parameters: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the parameters of one part, by their names there."""
    return {
        name.partition("__")[2]: value
        for name, value in parameters.items()
        if is_nested(name) and name.startswith(f"{part}__")
    }


def takes(function: Callable[..., Any], name: str) -> bool:
    """Return whether a function has an argument of this name, or takes any."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def check_arguments(owner: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise unless a function that builds a model takes all the arguments it is to get.

    Raises:
        ValueError: one of them it does not take.
    """
    known = [*inspect.signature(function).parameters]
    for name in arguments:
        if not takes(function, name):
            title = getattr(function, "__name__", repr(function))
            raise ValueError(f"{owner}: {unknown(f'argument of {title}', name, known)}")


def optimizer_of(owner: str, optimizer: Any, arguments: Mapping[str, Any]) -> optim.Optimizer:
    """Return a new optimizer of a name, a configuration or an optimizer, with some arguments of one's own.

    Raises:
        ValueError: an argument that it does not take.
    """
    made = optim.get(optimizer)
    config = made.get_config()
    for name in arguments:
        if name not in config:
            raise ValueError(f"{owner}: {unknown(f'argument of {type(made).__name__}', name, config)}")
    return type(made).from_config(config | dict(arguments))
