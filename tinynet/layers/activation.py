"""Activations by name, and the layers that apply one to what they compute."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..names import unknown
from .base import Array, Layer
from .elementwise import ELU, FORMULAS, Elementwise, Sigmoid, Tanh
from .geometry import Shape
from .relu import LeakyReLU, ReLU
from .softmax import LogSoftmax, Softmax
from .wiring import Join, Symbol, Wiring

# Those that are activations.
LAYERS: tuple[type[Layer], ...] = (ReLU, LeakyReLU, ELU, Elementwise, Sigmoid, Tanh, Softmax, LogSoftmax)

BY_NAME: dict[str, Callable[[], Layer]] = {
    "relu": ReLU,
    "relu6": partial(ReLU, 6.0),
    "leaky_relu": partial(LeakyReLU, 0.2),  # as in Keras, whose layer has 0.3
    "elu": ELU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
    **{name: partial(Elementwise, name) for name in FORMULAS},
    "swish": partial(Elementwise, "silu"),
    "hard_swish": partial(Elementwise, "hard_silu"),
}

# The functions of functions.py, such as `activations.relu`, which may be given in the place of their names.
FUNCTIONS: dict[Callable[..., Any], str] = {}


def get(activation: Any) -> Layer | None:
    """Return an activation layer by its name, or the object itself.

    Args:
        activation: a name, such as "relu"; a function of `tinynet.activations`, which means its name; an
            activation layer such as `LeakyReLU(0.1)`; "linear" or None for none.

    Returns:
        A layer, or None for "linear" and None; an object is returned as it is.

    Raises:
        TypeError: the object is not an activation layer, or a function that is not tinynet's.
        ValueError: no activation has that name.

    Example:
        >>> get("relu")
        ReLU()
    """
    if type(activation) is Activation:
        return get(activation.activation)
    if isinstance(activation, Layer):
        if type(activation) not in LAYERS:
            raise TypeError(f"{activation!r} is not an activation: make it a layer of the model.")
        return activation
    if isinstance(activation, type):
        raise TypeError(f"The activation is the class {activation.__name__}: write {activation.__name__}().")
    name = name_of(activation)
    if name == "linear":
        return None
    if isinstance(name, str) and name in BY_NAME:
        return BY_NAME[name]()
    raise ValueError(unknown("activation", name, ["linear", *BY_NAME]))


def name_of(activation: Any) -> Any:
    """Return the name of a function of `tinynet.activations`, or a name as it is, or raise."""
    if activation is None:
        return "linear"
    if not callable(activation):
        return activation
    name = next((name for function, name in FUNCTIONS.items() if function is activation), None)
    if name is None:
        raise TypeError(
            f"The activation {getattr(activation, '__name__', activation)!r} is a function that cannot be "
            "differentiated here: give a name such as 'relu', or a function of tinynet.activations. For one "
            "of your own, write a layer, a class that derives from tinynet.layers.Layer and defines "
            "forward(self, x, training=False) and backward(self, dy), and put it after this one."
        )
    return name


class ActivatedLayer(Layer):
    """The base of the layers whose matrix product a kernel computes, with ReLU applied on the way.

    Attributes:
        activation_layer: the layer that `activation` names, or None.
    """

    activation: Any
    activation_layer: Layer | None = None

    def find_sublayers(self) -> dict[str, Layer]:
        """Return the activation, the layer's own copy, and what a class that derives from this adds."""
        found = {} if self.activation_layer is None else {"activation": self.activation_layer}
        given = {id(self.activation), id(self.activation_layer)}
        return found | {name: one for name, one in super().find_sublayers().items() if id(one) not in given}

    def build_activation(self, output_shape: Shape) -> Shape:
        """Build an activation for this layer's output, and return its shape."""
        self.activation_layer = copy.copy(get(self.activation))  # one object may serve several layers
        if self.activation_layer:
            self.activation_layer.remember(input_shape=None, in_model=False, name="")
            self.activation_layer.build(output_shape)
        return output_shape

    @property
    def fuses_relu(self) -> bool:
        """Whether the kernel applies the activation while it stores its results."""
        return isinstance(self.activation_layer, ReLU) and self.activation_layer.is_plain

    def activate(self, y: Array, training: bool) -> Array:
        """Return the activation of the kernel's result, which a fused ReLU has already been applied to."""
        if self.activation_layer is None:
            return y
        if not self.fuses_relu:
            return self.activation_layer.forward(y, training)
        if training:
            self.activation_layer.y = y
        return y

    def result_gradient(
        self, dy: Array, image: Shape, gradient: Array, top: int, left: int, bias: Array
    ) -> None:
        """Undo the activation: write the gradients with respect to the kernel's result and to the bias.

        Args:
            dy: (N, *output_shape) upstream gradient.
            image: (H, W, C), the output's shape as an image's.
            gradient: (N, PH, PW, C), with respect to the result at [:, top:, left:],
                and zeros elsewhere; written.
            top, left: rows and columns of zeros before it.
            bias: (C,) with respect to the bias, written; (0,) if there is no bias.
        """
        y = dy
        if self.activation_layer and self.fuses_relu:
            y, dy = self.activation_layer.check_upstream(self.activation_layer.y, dy)
        elif self.activation_layer:
            y = dy = np.ascontiguousarray(self.activation_layer.backward(dy))
        shape = (len(dy), *image)
        kernels.elementwise.bias_gradient(
            y.reshape(shape), dy.reshape(shape), gradient, top, left, bias, self.fuses_relu
        )


@dataclass(eq=False, repr=False)
class Activation(ActivatedLayer, only_kernels=True):
    """y = activation(x).

    In a model it is the activation's own layer that runs, so that `Activation("relu")` joins the layer before
    it, and `Activation("softmax")` the loss after it, as `ReLU()` and `Softmax()` do.

    Args:
        activation: a name ("relu", "softmax", ...), a function of `tinynet.activations`, an activation layer,
            or None for none.

    Raises:
        TypeError, ValueError: it is none of these.

    Example:
        >>> layer = Activation("relu")
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 2.0]])
        array([[0., 0., 2.]], dtype=float32)
    """

    activation: Any

    def __post_init__(self) -> None:
        get(self.activation)  # raises if it is none

    @property
    def wiring(self) -> Wiring:
        """It is nothing but its activation."""
        if self.activation_layer is None:
            return Wiring((), (), (0,))
        return Wiring((self.activation_layer,), (Join(0, (0,)),), (1,))

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Apply the activation to an array of any shape, or join a symbol's graph; see `Layer.__call__`."""
        if self.activation_layer is None or training or isinstance(x, Symbol):
            return super().__call__(x, training)
        return self.activation_layer(x)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Build the activation; see `Layer.declare`."""
        return self.build_activation(input_shape)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the activation; see `Layer.forward`."""
        x = self.check_input(x)
        if training:
            self.y = x
        return x if self.activation_layer is None else self.activation_layer.forward(x, training)

    def backward(self, dy: ArrayLike) -> Array:
        """Undo the activation; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        return dy if self.activation_layer is None else self.activation_layer.backward(dy)
