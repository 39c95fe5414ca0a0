"""Losses as metrics: their means over all batches."""

from __future__ import annotations

import inspect
from typing import Any

from ..loss_functions.functions import arguments_of
from ..losses import FUNCTIONS, LOSSES
from .base import snake_case
from .mean import MeanMetricWrapper

DOCUMENTATION = """The mean of {what} over all samples; see `losses.{kind}`.

    Args:
        name: default "{name}".
        dtype: as in Keras, without effect.{settings}

    Example:
        >>> from tinynet import metrics
        >>> metrics.MeanSquaredError()([[1.0], [5.0]], [[1.0], [3.0]])
        2.0
    """


def metric_of(loss: str, title: str = "", name: str = "", sign: int = 1) -> type[MeanMetricWrapper]:
    """Return the class of the metric that is the mean of a loss.

    Args:
        loss: its name; its arguments become the metric's, after name and dtype.
        title: the class's name; default: the loss's.
        name: the metric's; default: the title in lower case with underscores.
        sign: what the loss is multiplied by.
    """
    kind, function = LOSSES[loss], FUNCTIONS[loss]
    title = title or kind.__name__
    name = name or snake_case(title)
    arguments = arguments_of(kind)
    settings = [argument.name for argument in arguments]
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = [
        inspect.Parameter(which, by_position, default=default)
        for which, default in (("name", name), ("dtype", None))
    ]
    signature = inspect.Signature([*first, *arguments])

    def initialize(self: Any, *arguments: Any, **keywords: Any) -> None:
        bound = signature.bind(*arguments, **keywords)
        bound.apply_defaults()
        chosen = {key: bound.arguments[key] for key in settings}
        kind(**chosen)  # raises if one of them is wrong
        MeanMetricWrapper.__init__(
            self, function, bound.arguments["name"], bound.arguments["dtype"], **chosen
        )
        self.sign = sign

    def result(self: Any) -> float:
        """Return the mean so far; 0 of nothing."""
        return float(self.sign * MeanMetricWrapper.result(self))

    what = "the loss" if sign > 0 else "the cosines (the loss's, not negated)"
    given = f"\n        {', '.join(settings)}: see the loss." if settings else ""
    members = {
        "__init__": initialize,
        "__signature__": signature,
        "result": result,
        "__module__": "tinynet.metrics",
        "__doc__": DOCUMENTATION.format(what=what, kind=kind.__name__, name=name, settings=given),
    }
    return type(title, (MeanMetricWrapper,), members)
