"""Keras's `utils`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import utils as _core
from . import backend as _backend
from .places import hand_on

if TYPE_CHECKING:
    from ..utils import *
    from .backend import clear_session as clear_session

__all__, __getattr__, __dir__ = hand_on(__name__, _core, _backend)
