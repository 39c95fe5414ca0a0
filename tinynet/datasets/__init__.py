"""The datasets of Keras's examples, each a module with `load_data`, as in `keras.datasets`.

A module is imported on first use, so that `import tinynet` does not wait for it.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import cifar10, cifar100, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(
            f"tinynet.datasets has no {name!r}; it has {', '.join(__all__)}, each with load_data()"
        )
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__
