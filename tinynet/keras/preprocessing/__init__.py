"""Keras's `preprocessing`."""

from __future__ import annotations

from ... import utils as _core
from ..places import hand_on
from . import image as image

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
__all__.append("image")
