"""Keras's `regularizers`."""

from __future__ import annotations

from .places import hand_on

__all__, __getattr__, __dir__ = hand_on(__name__)
