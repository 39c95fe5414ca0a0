"""Keras's `callbacks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import callbacks as _core
from ..training import history as _history
from .places import hand_on

if TYPE_CHECKING:
    from ..callbacks import *
    from ..training.history import History as History

__all__, __getattr__, __dir__ = hand_on(__name__, _core, _history)
