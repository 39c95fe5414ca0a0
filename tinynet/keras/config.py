"""Keras's `config`."""

from __future__ import annotations

from . import backend as _backend
from .places import hand_on

__all__, __getattr__, __dir__ = hand_on(__name__, _backend)
