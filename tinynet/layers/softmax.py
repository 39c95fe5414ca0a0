"""Softmax: scores to probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer


@dataclass(eq=False, repr=False)
class Softmax(Layer):
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
        with np.errstate(over="ignore", invalid="ignore"):  # infinite scores give NaN, without a warning
            y: Array = x - x.max(axis=-1, keepdims=True)  # the same result, and exp cannot overflow
        np.exp(y, out=y)
        y /= y.sum(axis=-1, keepdims=True)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Multiply by the Jacobian: dx = y * (dy - sum of dy * y); see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(y * (dy - np.sum(dy * y, axis=-1, keepdims=True)))
