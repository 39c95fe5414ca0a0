"""Softmax: scores to probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer


@dataclass(eq=False, repr=False)
class Softmax(Layer, only_kernels=True):
    """y[..., k] = exp(x[..., k]) / sum over m of exp(x[..., m]).

    A model that ends in softmax and trains with a cross-entropy skips this layer's backward pass: there
    the gradient with respect to the logits is simply (probabilities - targets) / N. Bridle,
    "Probabilistic Interpretation of Feedforward Classification Network Outputs" (1990).

    Raises:
        ValueError: `build` got a shape without an axis of classes.

    Example:
        >>> layer = Softmax()
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[0.0, 0.0], [1000.0, 0.0]])
        array([[0.5, 0.5],
               [1. , 0. ]], dtype=float32)
    """

    def declare(self, input_shape: tuple[int, ...], random: np.random.Generator) -> tuple[int, ...]:
        """Check that there is an axis of classes; see `Layer.declare`."""
        if not input_shape:
            raise ValueError(f"{self.title}: expected an input_shape with an axis of classes; got ().")
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Turn scores into probabilities along the last axis; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        classes = x.shape[-1]
        kernels.elementwise.softmax(x.reshape(-1, classes), y.reshape(-1, classes))
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Multiply by the Jacobian: dx = y * (dy - sum of dy * y); see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        dx, classes = self.empty("dx", y.shape), y.shape[-1]
        kernels.elementwise.softmax_gradient(
            y.reshape(-1, classes), dy.reshape(-1, classes), dx.reshape(-1, classes)
        )
        return dx
