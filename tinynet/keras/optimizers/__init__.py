"""Keras's `optimizers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import optim as _core
from ..places import hand_on
from . import schedules as schedules

if TYPE_CHECKING:
    from ...optim import *

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
