"""Activations by name, and what Dense and Conv2D share in using them."""

from __future__ import annotations

import copy

import numpy as np

from .. import kernels
from ..names import unknown
from .base import Array, Layer
from .geometry import Shape
from .relu import LeakyReLU, ReLU
from .sigmoid import Sigmoid
from .softmax import Softmax
from .tanh import Tanh

BY_NAME: dict[str, type[Layer]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softmax": Softmax,
}


def get(activation: str | Layer | None) -> Layer | None:
    """Return an activation layer by its name, or the object itself.

    Args:
        activation: "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "linear" or None for none, or an
            activation layer such as `LeakyReLU(0.1)`.

    Returns:
        A layer, or None for "linear" and None; an object is returned as it is.

    Raises:
        TypeError: the object is not an activation layer.
        ValueError: no activation has that name.

    Example:
        >>> get("relu")
        ReLU()
    """
    if activation is None or activation == "linear":
        return None
    if isinstance(activation, Layer):
        if type(activation) not in BY_NAME.values():
            raise TypeError(f"{activation!r} is not an activation: make it a layer of the model.")
        return activation
    if isinstance(activation, type):
        raise TypeError(f"The activation is the class {activation.__name__}: write {activation.__name__}().")
    if activation in BY_NAME:
        return BY_NAME[activation]()
    raise ValueError(unknown("activation", activation, ["linear", *BY_NAME]))


class ActivatedLayer(Layer):
    """The base of the layers whose matrix product a kernel computes, with ReLU applied on the way.

    Attributes:
        activation_layer: the layer that `activation` names, or None.
    """

    activation: str | Layer | None
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
        return isinstance(self.activation_layer, ReLU)

    def activate(self, y: Array, training: bool) -> Array:
        """Return the activation of the kernel's result, which a fused ReLU has already been applied to."""
        if self.activation_layer is None:
            return y
        if not self.fuses_relu:
            return self.activation_layer.forward(y, training)
        if training:
            self.activation_layer.y = y
        return y

    def result_gradient(self, dy: Array, gradient: Array, top: int, left: int, bias: Array) -> None:
        """Undo the activation: write the gradients with respect to the kernel's result and to the bias.

        Args:
            dy: (N, *output_shape) upstream gradient.
            gradient: (N, PH, PW, C), or (N, 1, 1, units), with respect to the result at [:, top:, left:],
                and zeros elsewhere; written.
            top, left: rows and columns of zeros before it.
            bias: (C,) with respect to the bias, written; (0,) if there is no bias.
        """
        y = dy
        if self.activation_layer and self.fuses_relu:
            y, dy = self.check_upstream(self.activation_layer.y, dy)
        elif self.activation_layer:
            y = dy = np.ascontiguousarray(self.activation_layer.backward(dy))
        shape = dy.shape if dy.ndim == 4 else (len(dy), 1, 1, dy.shape[1])
        kernels.elementwise.bias_gradient(
            y.reshape(shape), dy.reshape(shape), gradient, top, left, bias, self.fuses_relu
        )
