"""The regularizers and constraints of a layer's parameters: checked, and handed to the parameters."""

from __future__ import annotations

from typing import Any

from .. import constraints, regularizers

WHOSE = ("kernel", "bias", "depthwise", "pointwise")


def check_restraints(layer: Any) -> None:
    """Let a layer's `kernel_regularizer`, `kernel_constraint` and the like be objects, or raise."""
    name = type(layer).__name__
    if layer.activity_regularizer is not None:
        raise ValueError(
            f"{name}: activity_regularizer penalizes outputs, which is not there; got "
            f"{layer.activity_regularizer!r}. kernel_regularizer penalizes weights."
        )
    for whose in WHOSE:
        for what, get in (("regularizer", regularizers.get), ("constraint", constraints.get)):
            field = f"{whose}_{what}"
            if hasattr(layer, field):
                try:
                    setattr(layer, field, get(getattr(layer, field)))
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{name}: {field}: {error}") from None


def restraints(layer: Any, whose: str) -> dict[str, Any]:
    """Return what `add_parameter` takes of a parameter's regularizer and constraint.

    Args:
        layer: after `check_restraints`.
        whose: what their fields begin with, such as "kernel".
    """
    return {what: getattr(layer, f"{whose}_{what}") for what in ("regularizer", "constraint")}
