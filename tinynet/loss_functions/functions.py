"""Losses as functions: what each row of outputs costs, by Keras's names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from ..masked import unmasked
from .base import Array, Loss

DOCUMENTATION = """Return the loss of each row of outputs, of which `{kind}` is the mean.

    As `compile(loss=...)`, it stands for {kind}(), and it may be a metric.

    Args:
        y_true: the targets; see `{kind}`.
        y_pred: the predictions, (N, ..., outputs), of a floating type.{settings}

    Returns:
        (N, ...) in the type of the predictions; of a single row, (outputs,), a number.

    Raises:
        TypeError, ValueError: as {kind}.

    Example:
        >>> from tinynet import losses
        >>> losses.mean_squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 4.0]])
        array([2., 0.])
    """


def function_of(name: str, kind: type[Loss]) -> Callable[..., Array]:
    """Return the function whose mean is a loss.

    Args:
        name: the function's.
        kind: the loss; its arguments become the function's.
    """
    settings = arguments_of(kind)
    given = ", ".join(one.name for one in settings)
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(one, by_position) for one in ("y_true", "y_pred")]
    signature = inspect.Signature([*names, *settings])

    def function(*arguments: Any, **keywords: Any) -> Array:
        bound = signature.bind(*arguments, **keywords).arguments
        y_true, y_pred = (np.asarray(unmasked(bound.pop(name), name)) for name in ("y_true", "y_pred"))
        alone = y_pred.ndim == 1  # a row without the batch axis
        loss = kind(**bound)
        return loss.of_rows(y_true[None], y_pred[None])[0] if alone else loss.of_rows(y_true, y_pred)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = DOCUMENTATION.format(
        kind=kind.__name__, settings=f"\n        {given}: see `{kind.__name__}`." if given else ""
    )
    function.__module__ = "tinynet.losses"  # where it is found again after pickling
    vars(function).update(__signature__=signature, kind=kind)
    return function


def arguments_of(kind: type[Loss]) -> list[inspect.Parameter]:
    """Return the arguments by which a loss can be another: all but its reduction and its name."""
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY if field.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=field.default,
        )
        for field in fields(kind)
        if field.init
    ]


def loss_of(function: Any) -> type[Loss] | None:
    """Return the loss that a function of this page stands for; None of any other."""
    kind = getattr(function, "kind", None)
    return kind if isinstance(kind, type) and issubclass(kind, Loss) else None
