"""Losses: one number for how wrong the predictions are, and its gradient.

A loss is a frozen dataclass without state, so that shards of a batch can share one. All of them compute in
float64 whatever the predictions' type: next to the layers this costs little, and neither the largest float32
logit nor a confident wrong answer overflows.

The losses themselves are in loss_functions/; this page hands them on and knows their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .loss_functions.base import Loss as Loss
from .loss_functions.binary_crossentropy import BinaryCrossentropy as BinaryCrossentropy
from .loss_functions.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from .loss_functions.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from .loss_functions.mean_squared_error import MeanSquaredError as MeanSquaredError
from .names import unknown

LOSSES: dict[str, type[Loss]] = {
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
}


def get(loss: str | Mapping[str, Any] | Loss) -> Loss:
    """Return a loss given by its Keras name or its configuration, or the given loss itself.

    Args:
        loss: one of Keras's names, such as "sparse_categorical_crossentropy", "mse" or "MeanSquaredError", a
            dictionary of "name" and the loss's arguments, or a `Loss`.

    Returns:
        A `Loss`; of a name, with its default configuration.

    Raises:
        TypeError: none of these, such as a plain function, which has no gradient here.
        ValueError: an unknown name.

    Example:
        >>> get("sparse_categorical_crossentropy")
        SparseCategoricalCrossentropy(from_logits=False, label_smoothing=0.0)
        >>> get({"name": "binary_crossentropy", "from_logits": True})
        BinaryCrossentropy(from_logits=True, label_smoothing=0.0)
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss) and not isinstance(loss, type):
        raise TypeError(
            f"The loss {getattr(loss, '__name__', loss)!r} is a function, which cannot be differentiated "
            "here: use a name such as 'mse', or a class of your own that derives from tinynet.losses.Loss "
            "and defines check, _value and _gradient. (A function of (y_true, y_pred) may be a metric.)"
        )
    arguments = {"name": loss} if isinstance(loss, str) else loss
    if not isinstance(arguments, Mapping) or "name" not in arguments:
        raise TypeError(f"A loss is a name or an object such as MeanSquaredError(), not {loss!r}.")
    name, arguments = arguments["name"], {key: arguments[key] for key in arguments if key != "name"}
    known = LOSSES | {kind.__name__: kind for kind in LOSSES.values()}
    if name not in known:
        raise ValueError(unknown("loss", name, LOSSES))
    return known[name](**arguments)
