"""Keras's `activations`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import activations as _core
from .places import hand_on

if TYPE_CHECKING:
    from ..activations import *

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
