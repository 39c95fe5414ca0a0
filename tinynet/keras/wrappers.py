"""Keras's `wrappers`, and `wrappers.scikit_learn` of Keras 1 and 2, for which scikit-learn is needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .places import missing

if TYPE_CHECKING:
    from ..sklearn.former import KerasClassifier as KerasClassifier
    from ..sklearn.former import KerasRegressor as KerasRegressor
    from ..sklearn.former import SKLearnClassifier as SKLearnClassifier
    from ..sklearn.former import SKLearnRegressor as SKLearnRegressor

NAMES = ["KerasClassifier", "KerasRegressor", "SKLearnClassifier", "SKLearnRegressor"]
__all__ = [*NAMES]  # imported when they are used


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        return missing(__name__, name, NAMES)
    return getattr(importlib.import_module("tinynet.sklearn.former"), name)


def __dir__() -> list[str]:
    return __all__
