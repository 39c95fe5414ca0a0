"""The numerical kernels: pure functions on arrays, the only modules that import numba.

Use them as ``kernels.pooling.max_pool(...)``. A module is imported on first use, because importing
numba takes longer than importing the rest of tinynet.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import elementwise, gather_gemm, im2col, picture, pooling, program, update, warp

__all__ = ["elementwise", "gather_gemm", "im2col", "picture", "pooling", "program", "update", "warp"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
