"""The optimizers, one a file; `optim.py` hands them on, and this module for `import tinynet as tf`."""

from __future__ import annotations

from typing import Any

from .. import schedules as schedules
from ..names import unknown


def __getattr__(name: str) -> Any:
    from .base import OPTIMIZERS, Optimizer

    known: dict[str, Any] = {kind.__name__: kind for kind in OPTIMIZERS.values()}
    known["Optimizer"] = Optimizer
    if name in known:
        return known[name]
    raise AttributeError(f"tinynet.optimizers: {unknown('optimizer', name, known)}")
