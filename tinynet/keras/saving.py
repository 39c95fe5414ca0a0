"""Keras's `saving`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import models as _core
from .places import hand_on

if TYPE_CHECKING:
    from ..models import load_model as load_model

__all__, __getattr__, __dir__ = hand_on(__name__, _core)
