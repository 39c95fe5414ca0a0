"""Keras's `preprocessing.image`."""

from __future__ import annotations

from ... import generators as _generators
from ... import utils as _core
from ..places import hand_on

__all__, __getattr__, __dir__ = hand_on(__name__, _core, _generators)
