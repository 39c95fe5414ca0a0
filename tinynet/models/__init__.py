"""Models: layers that can be compiled, trained, evaluated, used and saved."""

from __future__ import annotations

from .loading import clone_model, load_model, model_from_json, save_model
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def __dir__() -> list[str]:
    return __all__
