"""Keras's `constraints`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import constraints as _core
from .places import hand_on

if TYPE_CHECKING:
    from ..constraints import *

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
