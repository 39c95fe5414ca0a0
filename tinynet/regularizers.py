"""Penalties on weights, which a model adds to its loss: small weights generalize better than large ones."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import kernels
from .keywords import Spoken
from .names import unknown

__all__ = ["L1", "L1L2", "L2", "get", "l1", "l1_l2", "l2"]


@dataclasses.dataclass(frozen=True)
class L1L2(metaclass=Spoken):
    """The penalty l1 * the sum of abs(w) + l2 * the sum of w * w.

    Zou and Hastie, "Regularization and Variable Selection via the Elastic Net" (2005).

    Args:
        l1: factor of the sizes; default 0.
        l2: factor of the squares; default 0.

    Raises:
        ValueError: a factor is not a finite number of at least 0.

    Example:
        >>> L1L2(l1=0.5, l2=2.0)([1.0, -3.0])
        22.0
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.init and not _is_factor(getattr(self, field.name)):
                raise ValueError(
                    f"{type(self).__name__}: {field.name} must be a finite number of at least 0; got "
                    f"{getattr(self, field.name)!r}."
                )

    def __call__(self, weights: ArrayLike) -> float:
        """Return the penalty.

        Args:
            weights: of any shape.
        """
        array = np.asarray(weights)
        flat = np.ascontiguousarray(array, array.dtype if array.dtype == np.float32 else np.float64)
        return kernels.penalties.penalty(flat.reshape(-1), float(self.l1), float(self.l2))

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, as JSON can hold them; `get` makes an equal one of them."""
        arguments = {
            field.name: float(getattr(self, field.name)) for field in dataclasses.fields(self) if field.init
        }
        return {"class_name": type(self).__name__, "config": arguments}


@dataclasses.dataclass(frozen=True)
class L1(L1L2):
    """The penalty l1 * the sum of |w|, which makes many weights 0.

    Tibshirani, "Regression Shrinkage and Selection via the Lasso" (1996).

    Args:
        l1: the factor; default 0.01.

    Raises:
        ValueError: the factor is not a finite number of at least 0.

    Example:
        >>> L1(0.5)([1.0, -3.0])
        2.0
    """

    l1: float = 0.01
    l2: float = dataclasses.field(default=0.0, init=False, repr=False)


@dataclasses.dataclass(frozen=True)
class L2(L1L2):
    """The penalty l2 * the sum of w².

    With plain SGD it does what a weight decay of 2 * l2 does. Krogh and Hertz, "A Simple Weight Decay Can
    Improve Generalization" (1991).

    Args:
        l2: the factor; default 0.01.

    Raises:
        ValueError: the factor is not a finite number of at least 0.

    Example:
        >>> L2(0.5)([1.0, -3.0])
        5.0
    """

    l1: float = dataclasses.field(default=0.0, init=False, repr=False)
    l2: float = 0.01


l1, l2, l1_l2 = L1, L2, L1L2  # Keras has both names
BY_NAME: dict[str, type[L1L2]] = {
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "l1l2": L1L2,
    "L1": L1,
    "L2": L2,
    "L1L2": L1L2,
}


def _is_factor(value: object) -> bool:
    """Return whether a value is a finite number of at least 0."""
    numeric = isinstance(value, int | float | np.integer | np.floating)
    return numeric and not isinstance(value, bool) and 0 <= value < math.inf  # type: ignore[operator]


def get(regularizer: str | Mapping[str, Any] | L1L2 | None) -> L1L2 | None:
    """Return a regularizer by its name, or the object itself.

    Args:
        regularizer: "l1", "l2" or "l1_l2" (whose factors are 0, as in Keras), an object such as `L2(0.001)`,
            what `config` or Keras's `get_config` writes of one, or None.

    Returns:
        The regularizer, or None.

    Raises:
        TypeError: it is something else, such as a function, whose gradient is not known.
        ValueError: no regularizer has that name.

    Example:
        >>> get("l2")
        L2(l2=0.01)
    """
    if regularizer is None or type(regularizer) in BY_NAME.values():
        return regularizer  # type: ignore[return-value]
    name: object = regularizer
    arguments: dict[str, Any] = {}
    if isinstance(regularizer, Mapping):
        name, arguments = regularizer.get("class_name"), dict(regularizer.get("config") or {})
    if isinstance(name, str):
        if name not in BY_NAME:
            raise ValueError(unknown("regularizer", name, BY_NAME))
        return BY_NAME[name](**arguments)
    raise TypeError(
        "A regularizer is 'l1', 'l2', 'l1_l2', or an object such as regularizers.L2(0.001), whose gradient "
        f"is known; got {regularizer!r}."
    )


def __dir__() -> list[str]:
    return __all__
