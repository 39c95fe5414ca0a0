"""Optimizers and learning-rate schedules, to be had from one place, and by their names.

To add an optimizer: a file in optimizers/, its kernel in kernels/update.py, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .optimizers.adam import Adam as Adam
from .optimizers.adam import AdamW as AdamW
from .optimizers.base import OPTIMIZERS as OPTIMIZERS
from .optimizers.base import Optimizer as Optimizer
from .optimizers.parameters import BLOCK as BLOCK
from .optimizers.parameters import Parameter as Parameter
from .optimizers.sgd import SGD as SGD
from .schedules import SCHEDULES as SCHEDULES
from .schedules import Constant as Constant
from .schedules import CosineDecay as CosineDecay
from .schedules import ExponentialDecay as ExponentialDecay
from .schedules import OneCycle as OneCycle
from .schedules import Schedule as Schedule
from .schedules import StepDecay as StepDecay


def get(optimizer: str | Mapping[str, Any] | Optimizer) -> Optimizer:
    """Return an optimizer given by its name or its configuration, or the given optimizer itself.

    Args:
        optimizer: a name such as "adam", what `Optimizer.config` returned, or an `Optimizer`.

    Returns:
        An `Optimizer`; of a name, with its default configuration.

    Raises:
        TypeError: none of these.
        ValueError: an unknown name.

    Example:
        >>> get("adam").learning_rate
        0.001
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str):
        return Optimizer.from_config({"name": optimizer})
    if isinstance(optimizer, Mapping):
        return Optimizer.from_config(optimizer)
    raise TypeError(f"An optimizer is a name or an object such as Adam(), not {optimizer!r}.")
