"""TensorFlow's `nn`, for `import tinynet as tf`: activations as functions, those of `tinynet.activations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .keras import activations
from .keras.places import missing

if TYPE_CHECKING:
    from .activations import *  # noqa: F403

NAMES = [name for name in activations.__all__ if name not in ("deserialize", "get", "linear", "serialize")]
__all__ = [*NAMES]


def __getattr__(name: str) -> Any:
    return getattr(activations, name) if name in NAMES else missing(__name__, name, NAMES)


def __dir__() -> list[str]:
    return NAMES
