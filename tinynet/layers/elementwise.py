"""Layers that compute a function of every element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..names import unknown
from .base import Array, Layer


class ElementwiseLayer(Layer):
    """The base of layers that compute a function of every element.

    Attributes:
        formula: the module and the name of its kernel; the name of the gradient's ends in "_gradient".
        numbers: what both kernels take besides arrays.
        from_output: whether the gradient follows from the output, and not from the input.
    """

    formula: tuple[str, str]
    numbers: tuple[float, ...] = ()
    from_output: bool = False

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function to every element; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        module, name = self.formula
        getattr(getattr(kernels, module), name)(x.reshape(-1), y.reshape(-1), *self.numbers)
        if training and self.from_output:
            self.y = y
        elif training:
            self.x = x
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Multiply by the function's derivative; see `Layer.backward`."""
        known, dy = self.check_upstream(self.y if self.from_output else self.x, dy)
        dx = self.empty("dx", known.shape)
        module, name = self.formula
        gradient = getattr(getattr(kernels, module), f"{name}_gradient")
        gradient(known.reshape(-1), dy.reshape(-1), dx.reshape(-1), *self.numbers)
        return dx


# Klambauer et al., "Self-Normalizing Neural Networks" (2017): SCALE * x above 0, SLOPE * (exp(x) - 1) below.
SCALE = 1.0507009873554805
SLOPE = SCALE * 1.6732632423543772

FORMULAS: dict[str, tuple[tuple[str, str], tuple[float, ...]]] = {
    "exponential": (("activation", "exponential"), ()),
    "gelu": (("activation", "gelu"), ()),
    "gelu_approximate": (("activation", "gelu_approximate"), ()),
    "hard_sigmoid": (("piecewise", "hard_sigmoid"), ()),
    "hard_silu": (("piecewise", "hard_silu"), ()),
    "mish": (("activation", "mish"), ()),
    "selu": (("piecewise", "elu"), (SCALE, SLOPE)),
    "silu": (("activation", "silu"), ()),
    "softplus": (("activation", "softplus"), ()),
    "softsign": (("activation", "softsign"), ()),
}


@dataclass(eq=False, repr=False)
class Elementwise(ElementwiseLayer, only_kernels=True):
    """y = one of the functions of `tinynet.activations` that need no layer of their own; see there.

    Args:
        function: the function's name, such as "gelu".

    Raises:
        ValueError: there is no such function.

    Example:
        >>> layer = Elementwise("softsign")
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 3.0]])
        array([[-0.5 ,  0.  ,  0.75]], dtype=float32)
    """

    function: str

    def __post_init__(self) -> None:
        if self.function not in FORMULAS:
            raise ValueError(unknown("function", self.function, FORMULAS))

    @property
    def formula(self) -> tuple[str, str]:  # type: ignore[override]
        """The kernel."""
        return FORMULAS[self.function][0]

    @property
    def numbers(self) -> tuple[float, ...]:  # type: ignore[override]
        """What the kernels take besides arrays."""
        return FORMULAS[self.function][1]

    @property
    def from_output(self) -> bool:  # type: ignore[override]
        """Whether the gradient follows from the output."""
        return self.function == "exponential"


@dataclass(eq=False, repr=False)
class Sigmoid(ElementwiseLayer, only_kernels=True):
    """y = 1 / (1 + exp(-x)).

    Rumelhart, Hinton and Williams, "Learning Representations by Back-Propagating Errors" (1986).

    Example:
        >>> layer = Sigmoid()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1000.0, 0.0, 1000.0]])
        array([[0. , 0.5, 1. ]], dtype=float32)
    """

    formula = "activation", "sigmoid"
    from_output = True


@dataclass(eq=False, repr=False)
class Tanh(ElementwiseLayer, only_kernels=True):
    """y = tanh(x), the hyperbolic tangent.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998).

    Example:
        >>> layer = Tanh()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1000.0, 0.0, 1000.0]])
        array([[-1.,  0.,  1.]], dtype=float32)
    """

    formula = "activation", "tanh"
    from_output = True


@dataclass(eq=False, repr=False)
class ELU(ElementwiseLayer, only_kernels=True):
    """y = x where x is positive, else alpha * (exp(x) - 1).

    Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units" (2016).

    Args:
        alpha: minus the value that y tends to; default 1.

    Raises:
        ValueError: alpha is no number.

    Example:
        >>> layer = ELU(2.0)
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1000.0, 0.0, 3.0]])
        array([[-2.,  0.,  3.]], dtype=float32)
    """

    alpha: float = 1.0
    formula = "piecewise", "elu"

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, int | float | np.number) or not np.isfinite(self.alpha):
            raise ValueError(f"ELU: alpha must be a number; got {self.alpha!r}.")

    @property
    def numbers(self) -> tuple[float, ...]:  # type: ignore[override]
        """What the kernels take besides arrays."""
        return 1.0, float(self.alpha)
