"""Activations by name, and what Dense and Conv2D share in using them."""

from __future__ import annotations

import difflib

from .base import Array, Layer, Shape
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
        The layer, or None for "linear" and None.

    Raises:
        ValueError: no activation has that name.

    Example:
        >>> get("relu")
        ReLU()
    """
    if activation is None or activation == "linear":
        return None
    if isinstance(activation, Layer):
        return activation
    if activation in BY_NAME:
        return BY_NAME[activation]()
    names = ["linear", *BY_NAME]
    close = difflib.get_close_matches(str(activation), names, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"Unknown activation {activation!r}; the names are {', '.join(names)}.{hint}")


class ActivatedLayer(Layer):
    """The base of the layers whose matrix product a kernel computes, with ReLU applied on the way.

    Attributes:
        activation_layer: the layer that `activation` names, or None.
    """

    activation_layer: Layer | None = None

    def build_activation(self, output_shape: Shape) -> Shape:
        """Build the activation for this layer's output, and return its shape."""
        if self.activation_layer:
            self.activation_layer.build(output_shape, self.seed, self.dtype)
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

    def activation_gradient(self, dy: Array) -> Array:
        """Return the gradient with respect to the kernel's result."""
        return self.activation_layer.backward(dy) if self.activation_layer else dy
