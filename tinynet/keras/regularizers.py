"""Keras's `regularizers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import regularizers as _core
from .places import hand_on

if TYPE_CHECKING:
    from ..regularizers import *

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
