"""ReLU and LeakyReLU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .elementwise import ElementwiseLayer


def check_number(layer: str, name: str, value: Any) -> None:
    """Raise if a hyperparameter is not at least 0."""
    if not isinstance(value, int | float | np.number) or not value >= 0:
        raise ValueError(f"{layer}: {name} must be at least 0; got {value!r}.")


@dataclass(eq=False, repr=False)
class LeakyReLU(ElementwiseLayer, only_kernels=True):
    """y = x where x is positive, else negative_slope * x.

    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013).

    Args:
        negative_slope: at least 0; default 0.3, as in Keras.

    Raises:
        ValueError: negative_slope is negative.

    Example:
        >>> layer = LeakyReLU(0.1)
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 2.0]])
        array([[-0.1,  0. ,  2. ]], dtype=float32)
    """

    negative_slope: float = 0.3
    formula = "elementwise", "leaky_relu"
    from_output = True

    def __post_init__(self) -> None:
        check_number("LeakyReLU", "negative_slope", self.negative_slope)

    @property
    def numbers(self) -> tuple[float, ...]:  # type: ignore[override]
        """What the kernels take."""
        return (self.negative_slope,)


@dataclass(eq=False, repr=False)
class ReLU(ElementwiseLayer, only_kernels=True):
    """y = max(x, 0), and NaN where x is NaN; in general, see the arguments.

    Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines" (ICML 2010).

    Args:
        max_value: the most that y is; default None, for no limit.
        negative_slope: y is negative_slope * (x - threshold) below the threshold; at least 0, default 0.
        threshold: y is x above it; at least 0, default 0.

    Raises:
        ValueError: one of them is negative.

    Example:
        >>> layer = ReLU()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 2.0]])
        array([[0., 0., 2.]], dtype=float32)
        >>> layer = ReLU(max_value=6, negative_slope=0.5, threshold=1)
        >>> layer.build(4)
        (4,)
        >>> layer.forward([[-1.0, 1.0, 2.0, 7.0]])
        array([[-1.,  0.,  2.,  6.]], dtype=float32)
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        for name in ("max_value", "negative_slope", "threshold"):
            if name != "max_value" or self.max_value is not None:
                check_number("ReLU", name, getattr(self, name))

    @property
    def is_plain(self) -> bool:
        """Whether it is max(x, 0), which layers can apply to what they compute."""
        return self.max_value is None and self.negative_slope == self.threshold == 0

    @property
    def from_output(self) -> bool:  # type: ignore[override]
        """Whether the gradient follows from the output: if that has the sign of the input."""
        return self.max_value is None and self.threshold == 0

    @property
    def formula(self) -> tuple[str, str]:  # type: ignore[override]
        """The kernel."""
        return ("elementwise", "leaky_relu") if self.from_output else ("piecewise", "clipped_relu")

    @property
    def numbers(self) -> tuple[float, ...]:  # type: ignore[override]
        """What the kernels take."""
        if self.from_output:
            return (self.negative_slope,)
        most = np.inf if self.max_value is None else self.max_value
        return float(self.negative_slope), float(self.threshold), float(most)
