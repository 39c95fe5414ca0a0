"""Datasets, each a module with `load_data`, as in `keras.datasets`; and pictures of your own.

A module is imported on first use, so that `import tinynet` does not wait for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import cifar10, cifar100, emnist, fashion_mnist, kmnist, mnist
    from .folder import image_folder

__all__ = ["cifar10", "cifar100", "emnist", "fashion_mnist", "image_folder", "kmnist", "mnist"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(
            f"tinynet.datasets has no {name!r}; it has {', '.join(__all__)}; all but image_folder are "
            "modules with load_data()"
        )
    if name == "image_folder":
        return importlib.import_module(f"{__name__}.folder").image_folder
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__
