"""The order of what is measured, (y_true, y_pred), and what to say where it is the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

ORDER = "The order is (y_true, y_pred) since tinynet 0.2; before, it was the other."

PREDICTIONS = {
    "forecast", "logits", "out", "output", "outputs", "pred", "predicted", "prediction", "predictions",
    "preds", "probabilities", "probability", "probs", "scores", "shape", "yhat", "ypred", "ypredicted",
}  # fmt: skip
TARGETS = {
    "actual", "expected", "groundtruth", "label", "labels", "target", "targets", "true", "truth", "ytrue",
}  # fmt: skip


def check_order(function: Callable[..., Any], title: str, method: bool = False) -> None:
    """Raise if the names of a function's arguments say that it takes predictions first, or targets second.

    Args:
        function: of (y_true, y_pred); one whose arguments are not known, as of some in C, is taken as it is.
        title: what it is called in the error.
        method: whether the first argument is `self`. Default False.

    Raises:
        TypeError: the first argument is called like predictions (or their shape), or the second like targets.

    Example:
        >>> def error(predictions, targets): ...
        >>> check_order(error, "The metric 'error'")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        TypeError: The metric 'error' takes (predictions, targets). The order is (y_true, y_pred) since ...
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in by_position][method : method + 2]
    plain = [name.lower().replace("_", "") for name in names]
    if not PREDICTIONS.isdisjoint(plain[:1]) or not TARGETS.isdisjoint(plain[1:]):
        raise TypeError(f"{title} takes ({', '.join(names)}). {ORDER}")
