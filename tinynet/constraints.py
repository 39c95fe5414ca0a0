"""What weights must fulfil: after each training step, those that do not are changed until they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .keywords import Spoken
from .names import unknown

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "Norms", "UnitNorm", "get", "max_norm",
    "min_max_norm", "non_neg", "unit_norm",
]  # fmt: skip

Array = NDArray[Any]
EPSILON = 1e-7  # added to norms, as in Keras


@dataclasses.dataclass(frozen=True)
class Constraint(metaclass=Spoken):
    """The base of all constraints: call one with weights to get those that fulfil it.

    Example:
        >>> class Bounded(Constraint):
        ...     def __call__(self, weights):
        ...         return np.clip(weights, -1, 1)
        >>> Bounded()([-3.0, 0.5])
        array([-1. ,  0.5])
    """

    def __call__(self, weights: ArrayLike) -> Array:
        """Return the weights, changed where they do not fulfil the constraint.

        Args:
            weights: of any shape.

        Returns:
            A new array of that shape and dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(self, weights).")

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, as JSON can hold them; `get` makes an equal one of them."""
        if type(self) not in BY_NAME.values():
            raise TypeError(
                f"A model file can hold tinynet's own constraints; {type(self).__name__} is none."
            )
        arguments = dataclasses.asdict(self)
        return {
            "class_name": type(self).__name__,
            "config": {key: [*one] if isinstance(one, tuple) else one for key, one in arguments.items()},
        }


@dataclasses.dataclass(frozen=True)
class NonNeg(Constraint):
    """Negative weights become 0.

    Example:
        >>> NonNeg()([-1.0, 2.0])
        array([0., 2.])
    """

    def __call__(self, weights: ArrayLike) -> Array:
        """Return the weights, with 0 for negative ones; see `Constraint`."""
        return np.maximum(weights, 0)


class Norms(Constraint):
    """The base of constraints on norms along some axes.

    Example:
        >>> isinstance(MaxNorm(2.0, axis=0), Norms)
        True
    """

    axis: int | Sequence[int]

    def __post_init__(self) -> None:
        axes = (self.axis,) if isinstance(self.axis, int | np.integer) else self.axis
        if not isinstance(axes, Sequence) or not all(isinstance(axis, int | np.integer) for axis in axes):
            raise ValueError(
                f"{type(self).__name__}: axis must be an integer or several, such as 0 for a Dense kernel "
                f"and [0, 1, 2] for a convolution's; got {self.axis!r}."
            )
        for name in ("min_value", "max_value", "rate"):
            value = getattr(self, name, 0.0)
            if not isinstance(value, int | float | np.integer | np.floating) or not value >= 0:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a number of at least 0; got {value!r}."
                )

    def rescaled(self, weights: ArrayLike, low: float, high: float, rate: float = 1.0) -> Array:
        """Return weights whose norms lie between low and high, or a part of the way to that.

        Args:
            weights: of any shape with these axes.
            low, high: bounds of the norms.
            rate: how much of the way to go; default: all.
        """
        array = np.asarray(weights)
        axes = (self.axis,) if isinstance(self.axis, int | np.integer) else tuple(self.axis)
        norms = np.sqrt(np.square(array, dtype=np.float64).sum(axes, keepdims=True))
        wanted = rate * np.clip(norms, low, high) + (1 - rate) * norms
        result: Array = (array * (wanted / (EPSILON + norms))).astype(array.dtype)
        return result


@dataclasses.dataclass(frozen=True)
class MaxNorm(Norms):
    """Weights whose norm is above max_value are scaled down to it.

    Srebro and Shraibman, "Rank, Trace-Norm and Max-Norm" (2005).

    Args:
        max_value: the largest norm; default 2.
        axis: what the norm is taken along: 0 (default) for each unit of a Dense layer, [0, 1, 2] for each
            filter of a Conv2D.

    Raises:
        ValueError: max_value is negative, or axis no axes.

    Example:
        >>> MaxNorm(1.0)([[3.0, 0.5], [4.0, 0.0]]).round(6)
        array([[0.6, 0.5],
               [0.8, 0. ]])
    """

    max_value: float = 2
    axis: int | Sequence[int] = 0

    def __call__(self, weights: ArrayLike) -> Array:
        """Return the weights, scaled down; see `Constraint`."""
        return self.rescaled(weights, 0.0, self.max_value)


@dataclasses.dataclass(frozen=True)
class UnitNorm(Norms):
    """Weights are scaled to a norm of 1.

    Args:
        axis: as for `MaxNorm`.

    Raises:
        ValueError: axis is no axes.

    Example:
        >>> UnitNorm()([[3.0], [4.0]]).round(6)
        array([[0.6],
               [0.8]])
    """

    axis: int | Sequence[int] = 0

    def __call__(self, weights: ArrayLike) -> Array:
        """Return the weights, scaled; see `Constraint`."""
        return self.rescaled(weights, 1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class MinMaxNorm(Norms):
    """Weights are scaled so that their norm lies between two bounds, or comes nearer to that.

    Args:
        min_value, max_value: the bounds; default 0 and 1.
        rate: how much of the way to go in each step; default 1: all.
        axis: as for `MaxNorm`.

    Raises:
        ValueError: a number is negative, or axis no axes.

    Example:
        >>> MinMaxNorm(rate=0.5)([[6.0], [8.0]]).round(6)
        array([[3.3],
               [4.4]])
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: int | Sequence[int] = 0

    def __call__(self, weights: ArrayLike) -> Array:
        """Return the weights, scaled; see `Constraint`."""
        return self.rescaled(weights, self.min_value, self.max_value, self.rate)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
BY_NAME: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
    "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm,
}  # fmt: skip


def get(constraint: str | Mapping[str, Any] | Constraint | None) -> Constraint | None:
    """Return a constraint by its name, or the object itself.

    Args:
        constraint: "max_norm", "non_neg", "unit_norm" or "min_max_norm", an object such as `MaxNorm(3)`, or
            one of a class that derives from `Constraint`, what `config` or Keras's `get_config` writes of
            one, or None.

    Returns:
        The constraint, or None.

    Raises:
        TypeError: it is something else.
        ValueError: no constraint has that name.

    Example:
        >>> get("max_norm")
        MaxNorm(max_value=2, axis=0)
    """
    if constraint is None or isinstance(constraint, Constraint):
        return constraint
    name: object = constraint
    arguments: dict[str, Any] = {}
    if isinstance(constraint, Mapping):
        name, arguments = constraint.get("class_name"), dict(constraint.get("config") or {})
    if isinstance(name, str):
        if name not in BY_NAME:
            raise ValueError(unknown("constraint", name, BY_NAME))
        return BY_NAME[name](**arguments)
    raise TypeError(
        "A constraint is a name such as 'max_norm', an object such as constraints.MaxNorm(3), or one of a "
        f"class that derives from constraints.Constraint; got {constraint!r}."
    )


def __dir__() -> list[str]:
    return __all__
