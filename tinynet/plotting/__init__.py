"""Plots of training, of predictions and of models.

The modules here are the only ones that import matplotlib, and only when they draw. All functions return a
figure, which a notebook shows and `figure.savefig("picture.png")` writes; those of one panel take `ax=`.
Colours of text and paper are matplotlib's: `matplotlib.style.use("dark_background")` draws for the dark.
"""

from __future__ import annotations

from .evaluation import plot_calibration, plot_confusion_matrix
from .history import plot_history
from .images import plot_images, plot_mistakes, plot_predictions
from .inside import plot_activations, plot_filters, plot_occlusion
from .learning_rates import plot_learning_rates
from .model import plot_model

__all__ = [
    "plot_activations",
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_filters",
    "plot_history",
    "plot_images",
    "plot_learning_rates",
    "plot_mistakes",
    "plot_model",
    "plot_occlusion",
    "plot_predictions",
]


def __dir__() -> list[str]:
    return __all__
