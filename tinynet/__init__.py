"""tinynet: a small, fast neural network library written from scratch on NumPy and Numba."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import (
    activations,
    callbacks,
    constraints,
    data,
    datasets,
    distributed,
    initializers,
    layers,
    lite,
    losses,
    metrics,
    optim,
    recipes,
    regularizers,
    utils,
)
from .execution.meeting import meet
from .execution.parallel import get_num_threads, set_num_threads
from .gradcheck import GradientError, gradcheck
from .images import ImageError
from .inference import (
    DigitReading,
    LabelReading,
    NumberReading,
    predict_image,
    predict_images,
    pretrained,
    read_number,
)
from .layers.symbols import Input
from .models import Model, Sequential, load_model
from .seeds import set_random_seed
from .training import History
from .version import __version__ as __version__

if TYPE_CHECKING:
    from . import keras as keras
    from . import plotting as plotting
    from . import sklearn as sklearn


__all__ = [
    "DigitReading",
    "GradientError",
    "History",
    "ImageError",
    "Input",
    "LabelReading",
    "Model",
    "NumberReading",
    "Sequential",
    "activations",
    "callbacks",
    "constraints",
    "data",
    "datasets",
    "distributed",
    "get_num_threads",
    "gradcheck",
    "initializers",
    "layers",
    "lite",
    "load_model",
    "losses",
    "meet",
    "metrics",
    "optim",
    "predict_image",
    "predict_images",
    "pretrained",
    "read_number",
    "recipes",
    "regularizers",
    "set_num_threads",
    "set_random_seed",
    "utils",
]
LAZY = ("keras", "plotting", "sklearn")  # modules that are imported on first use


def __getattr__(name: str) -> Any:
    """Return `keras`, `plotting`, `sklearn`, or what `import tinynet as tf` has beside it, on first use."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in LAZY:
        return importlib.import_module(f"tinynet.{name}")
    beside = importlib.import_module("tinynet.tensorflow")
    return getattr(beside, name) if name in beside.NAMES else beside.missing(__name__, name, __all__)


def __dir__() -> list[str]:
    return [*__all__, *LAZY, "__version__", "generators"]
