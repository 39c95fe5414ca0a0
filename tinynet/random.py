"""TensorFlow's `random`, for `import tinynet as tf`: seeds."""

from __future__ import annotations

from typing import Any

from .keras.places import missing
from .seeds import set_random_seed as set_random_seed
from .seeds import set_random_seed as set_seed

__all__ = ["set_random_seed", "set_seed"]


def __getattr__(name: str) -> Any:
    return missing(__name__, name, __all__)


def __dir__() -> list[str]:
    return __all__
