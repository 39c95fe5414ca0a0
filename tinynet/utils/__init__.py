"""What scripts do around a model, under Keras's names: labels, scaled rows, seeds, pictures of models."""

from __future__ import annotations

from ..plotting import plot_model
from ..seeds import set_random_seed
from .arrays import normalize, to_categorical

__all__ = [
    "normalize",
    "plot_model",
    "set_random_seed",
    "to_categorical",
]
