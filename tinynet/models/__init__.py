"""Models: layers that can be compiled, trained, evaluated, used and saved."""

from __future__ import annotations

from .loading import clone_model as clone_model
from .loading import load_model as load_model
from .loading import model_from_json as model_from_json
from .loading import save_model as save_model
from .model import Model as Model
from .sequential import Sequential as Sequential
