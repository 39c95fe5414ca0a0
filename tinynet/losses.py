"""Losses: one number for how wrong the predictions are, and its gradient.

A loss is a frozen dataclass without state, so that shards of a batch can share one. All of them compute in
float64 whatever the predictions' type: next to the layers this costs little, and neither the largest float32
logit nor a confident wrong answer overflows.

Each is there as a class, whose objects `compile` takes, and as a function of (y_true, y_pred) that returns
what each row of outputs costs. They are in loss_functions/; this page hands them on and knows their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .loss_functions.base import Loss
from .loss_functions.binary_crossentropy import BinaryCrossentropy
from .loss_functions.cosine_similarity import CosineSimilarity
from .loss_functions.crossentropy import CategoricalCrossentropy, SparseCategoricalCrossentropy
from .loss_functions.divergences import KLDivergence, Poisson
from .loss_functions.functions import function_of, loss_of
from .loss_functions.hinge import CategoricalHinge, Hinge, SquaredHinge
from .loss_functions.huber import Huber, LogCosh
from .loss_functions.mean_absolute_error import MeanAbsoluteError
from .loss_functions.mean_squared_error import MeanSquaredError
from .loss_functions.relative_errors import MeanAbsolutePercentageError, MeanSquaredLogarithmicError
from .names import unknown

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge",
    "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy",
    "SquaredHinge", "binary_crossentropy", "categorical_crossentropy", "categorical_hinge",
    "cosine_similarity", "get", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
    "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip

LOSSES: dict[str, type[Loss]] = {
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "kl_divergence": KLDivergence,
    "poisson": Poisson,
    "cosine_similarity": CosineSimilarity,
}
SHORT = {
    "bce": "binary_crossentropy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
}
FUNCTIONS: dict[str, Callable[..., Any]] = {name: function_of(name, kind) for name, kind in LOSSES.items()}
LOSSES |= {short: LOSSES[name] for short, name in SHORT.items()}
LOSSES |= {short.upper(): LOSSES[name] for short, name in SHORT.items()}

sparse_categorical_crossentropy = FUNCTIONS["sparse_categorical_crossentropy"]
categorical_crossentropy = FUNCTIONS["categorical_crossentropy"]
binary_crossentropy = FUNCTIONS["binary_crossentropy"]
mean_squared_error = FUNCTIONS["mean_squared_error"]
mean_absolute_error = FUNCTIONS["mean_absolute_error"]
mean_absolute_percentage_error = FUNCTIONS["mean_absolute_percentage_error"]
mean_squared_logarithmic_error = FUNCTIONS["mean_squared_logarithmic_error"]
huber = FUNCTIONS["huber"]
log_cosh = FUNCTIONS["log_cosh"]
hinge = FUNCTIONS["hinge"]
squared_hinge = FUNCTIONS["squared_hinge"]
categorical_hinge = FUNCTIONS["categorical_hinge"]
kl_divergence = FUNCTIONS["kl_divergence"]
poisson = FUNCTIONS["poisson"]
cosine_similarity = FUNCTIONS["cosine_similarity"]


def get(loss: str | Mapping[str, Any] | Loss | type[Loss] | Callable[..., Any]) -> Loss:
    """Return a loss given by its Keras name, class, function or configuration, or the given loss itself.

    Args:
        loss: one of Keras's names, such as "sparse_categorical_crossentropy", "mse" or "MeanSquaredError", a
            class or a function of this page, a dictionary of "name" and the loss's arguments, or a `Loss`.

    Returns:
        A `Loss`; of a name, a class or a function, with its default configuration.

    Raises:
        TypeError: none of these, such as a function of one's own, which has no gradient here.
        ValueError: an unknown name.

    Example:
        >>> get("sparse_categorical_crossentropy")
        SparseCategoricalCrossentropy(from_logits=False, label_smoothing=0.0)
        >>> get({"name": "binary_crossentropy", "from_logits": True})
        BinaryCrossentropy(from_logits=True, label_smoothing=0.0)
        >>> get(mean_squared_error)
        MeanSquaredError()
    """
    if isinstance(loss, Loss):
        return loss
    kind: Any = loss if isinstance(loss, type) and issubclass(loss, Loss) else loss_of(loss)
    if kind is not None:
        return kind()  # type: ignore[no-any-return]
    if callable(loss) and not isinstance(loss, type):
        raise TypeError(
            f"The loss {getattr(loss, '__name__', loss)!r} is a function, which cannot be differentiated "
            "here: use a name such as 'mse', or a class of your own that derives from tinynet.losses.Loss "
            "and defines _value and _gradient. (A function of (y_true, y_pred) may be a metric.)"
        )
    arguments = {"name": loss} if isinstance(loss, str) else loss
    if not isinstance(arguments, Mapping) or "name" not in arguments:
        raise TypeError(f"A loss is a name or an object such as MeanSquaredError(), not {loss!r}.")
    name, arguments = arguments["name"], {key: arguments[key] for key in arguments if key != "name"}
    known = LOSSES | {kind.__name__: kind for kind in LOSSES.values()}
    if name not in known:
        raise ValueError(unknown("loss", name, LOSSES))
    return known[name](**arguments)


def __dir__() -> list[str]:
    return __all__
