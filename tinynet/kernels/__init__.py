"""The numerical kernels: pure functions on arrays, the only modules that import numba.

Use them as ``kernels.pooling.max_pool(...)``. A module is imported on first use, because importing
numba takes longer than importing the rest of tinynet.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import TYPE_CHECKING

from ..waiting import apart, hold_over_fork

if TYPE_CHECKING:
    from . import (
        activation,
        affine,
        canary,
        convolution_normalization,
        cpu,
        depthwise,
        elementary,
        elementwise,
        gather_gemm,
        im2col,
        jit,
        layer_normalization,
        losses,
        merging,
        moving,
        normalization,
        normalization_gradients,
        penalties,
        picture,
        piecewise,
        pooled_convolution,
        pooling,
        program,
        register_tile,
        rescaling,
        softmax,
        transforms,
        update,
        warp,
        window_normalization,
        winograd,
    )

__all__ = [
    "activation", "affine", "canary", "convolution_normalization", "cpu", "depthwise", "elementary",
    "elementwise", "gather_gemm", "im2col", "jit", "layer_normalization", "losses", "merging", "moving",
    "normalization", "normalization_gradients", "penalties", "picture", "piecewise",
    "pooled_convolution", "pooling", "program", "register_tile", "rescaling", "softmax", "transforms",
    "update", "warp", "window_normalization", "winograd",
]  # fmt: skip

_importing = threading.RLock()
hold_over_fork(_importing)


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return apart(lambda: _import(name))  # Ctrl-C in the midst of importing numba would break it for good


def _import(name: str) -> ModuleType:
    with _importing:
        return importlib.import_module(f"{__name__}.{name}")
