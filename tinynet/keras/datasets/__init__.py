"""Keras's `datasets`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..places import missing

if TYPE_CHECKING:
    from . import cifar10 as cifar10
    from . import cifar100 as cifar100
    from . import fashion_mnist as fashion_mnist
    from . import mnist as mnist

NAMES = ["cifar10", "cifar100", "fashion_mnist", "mnist"]
__all__ = [*NAMES]  # imported when they are used


def __getattr__(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}") if name in NAMES else missing(__name__, name, NAMES)
