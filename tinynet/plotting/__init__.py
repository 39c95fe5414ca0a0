"""Plots of training, of predictions and of models.

The modules here are the only ones that import matplotlib, and only when they draw. All functions return a
figure, which a notebook shows and `figure.savefig("picture.png")` writes.
"""

from __future__ import annotations

from .history import plot_history
from .images import plot_predictions
from .model import plot_model

__all__ = ["plot_history", "plot_model", "plot_predictions"]


def __dir__() -> list[str]:
    return __all__
