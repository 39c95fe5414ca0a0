"""What all formats ask of a model and its layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..layers.base import Layer

# Layers that do nothing while predicting.
UNCHANGED = (
    "Dropout", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "SpatialDropout1D",
    "SpatialDropout2D",
)  # fmt: skip


def check_built(model: Any) -> None:
    """Raise if a model is not built."""
    if model.output_shape is None:
        raise ValueError(
            f"export: {model.title} is not built: an Input, model.build((None, ...)) or its first data "
            "builds it."
        )


def check_layer(layer: Layer, known: Collection[str], program: str) -> None:
    """Raise if a layer has no counterpart.

    Args:
        layer: of a model.
        known: the classes that have one.
        program: where, such as "TensorFlow Lite".
    """
    if not layer.is_ours:
        raise ValueError(
            f"export: {layer.title} is a class of your own, whose computation no file can describe: make the "
            "model of tinynet's layers."
        )
    if type(layer).__name__ not in known:
        raise ValueError(
            f"export: {layer.title} has no counterpart in {program} here; those that have are "
            f"{', '.join(sorted(known))}."
        )


def numbers_of(layer: Any) -> tuple[Any, Any]:
    """Return the means and the variances of a Normalization, given or found."""
    if layer.mean is not None:
        mean, variance = layer.given
        return mean, variance
    return layer.found_mean.value.reshape(-1), layer.found_variance.value.reshape(-1)
