"""What scripts do around a model, under Keras's names: one-hot labels, scaled rows, seeds."""

from __future__ import annotations

from ..seeds import set_random_seed
from .arrays import normalize, to_categorical

__all__ = [
    "normalize",
    "set_random_seed",
    "to_categorical",
]
