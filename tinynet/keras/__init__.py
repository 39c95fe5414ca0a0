"""Keras's modules and names: `tinynet.keras` stands where `keras` stood in a script; see docs/keras.md.

The files here hand names on from the core: `tinynet.keras.layers.Dense` is `tinynet.layers.Dense`.
"""

from __future__ import annotations

from typing import Any

from ..initializers import Initializer
from ..layers import Input, Layer
from ..losses import Loss
from ..models import Model, Sequential
from ..optim import Optimizer
from . import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    preprocessing,
    regularizers,
    saving,
    utils,
    wrappers,
)
from .places import missing, open_places

# That of Keras whose names and arguments these are, as scripts compare it; what runs is tinynet.
__version__ = "3.15.1+tinynet"

__all__ = [
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Model",
    "Optimizer",
    "Sequential",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "regularizers",
    "saving",
    "utils",
    "wrappers",
]


def __getattr__(name: str) -> Any:
    return missing(__name__, name, __all__)


def __dir__() -> list[str]:
    return __all__


open_places()
