"""Keras's `metrics`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from .. import losses as _losses
from .. import metrics as _core
from .places import hand_on

if TYPE_CHECKING:
    from ..metrics import *

# Keras's functions of losses are its functions of metrics, too: what each sample costs.
__all__, __getattr__, __dir__ = hand_on(__name__, SimpleNamespace(**_losses.FUNCTIONS), _core)
