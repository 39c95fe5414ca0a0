"""Models: layers that can be compiled, trained, evaluated, used and saved."""

from __future__ import annotations

from .loading import load_model as load_model
from .model import Model as Model
from .sequential import Sequential as Sequential
