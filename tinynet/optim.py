"""Optimizers and learning-rate schedules, to be had from one place, and by their names.

To add an optimizer: a file in optimizers/, its kernel in kernels/update.py, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import unknown
from .optimizers.adadelta import Adadelta
from .optimizers.adagrad import Adagrad
from .optimizers.adam import Adam, AdamW
from .optimizers.adamax import Adamax
from .optimizers.base import OPTIMIZERS as OPTIMIZERS
from .optimizers.base import Optimizer
from .optimizers.nadam import Nadam
from .optimizers.parameters import BLOCK as BLOCK
from .optimizers.parameters import Parameter
from .optimizers.rmsprop import RMSprop
from .optimizers.sgd import SGD
from .schedules import SCHEDULES as SCHEDULES
from .schedules import (
    Constant,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Constant", "CosineDecay",
    "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule", "Nadam",
    "OneCycle", "Optimizer", "Parameter", "PiecewiseConstantDecay", "PolynomialDecay", "RMSprop",
    "StepDecay", "get", "serialize",
]  # fmt: skip


def get(optimizer: str | Mapping[str, Any] | Optimizer) -> Optimizer:
    """Return an optimizer given by its name or its configuration, or the given optimizer itself.

    Args:
        optimizer: a name such as "adam" or "RMSprop", what `serialize` returned, or an `Optimizer`.

    Returns:
        An `Optimizer`; of a name, with its default configuration.

    Raises:
        TypeError: none of these, or an unknown argument.
        ValueError: an unknown name, or an invalid value.

    Example:
        >>> get("adam").learning_rate
        0.001
        >>> get({"class_name": "SGD", "config": {"learning_rate": 0.5}})
        SGD(learning_rate=0.5)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str):
        optimizer = {"class_name": optimizer, "config": {}}
    if not isinstance(optimizer, Mapping):
        raise TypeError(f"An optimizer is a name or an object such as Adam(), not {optimizer!r}.")
    if "class_name" not in optimizer:
        optimizer = _of_version_0_1(optimizer)
    name, config = optimizer["class_name"], optimizer.get("config", {})
    kind = OPTIMIZERS.get(name.lower()) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(unknown("optimizer", name, OPTIMIZERS))
    return kind.from_config(config)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer's class and arguments, as JSON can hold them; its state is not part of it.

    Args:
        optimizer: one of tinynet's.

    Returns:
        {"class_name": ..., "config": ...}, from which `get` makes an equal optimizer.

    Raises:
        TypeError: the learning rate is a function that is not one of tinynet's schedules.

    Example:
        >>> serialize(SGD(0.5))["class_name"]
        'SGD'
    """
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def _of_version_0_1(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what model files of tinynet 0.1 say of an optimizer in today's words.

    Args:
        config: the optimizer's name and its arguments, of which clipnorm limited the joint norm.
    """
    arguments = dict(config)
    name = arguments.pop("name", None)
    if "clipnorm" in arguments:
        arguments["global_clipnorm"] = arguments.pop("clipnorm")
    return {"class_name": name, "config": arguments}


def __dir__() -> list[str]:
    return __all__
