"""ReLU with slopes that are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from .base import Array, Layer
from .geometry import Shape


@dataclass(eq=False, repr=False)
class PReLU(Layer, only_kernels=True):
    """y = x where x is positive, else alpha * x, with an alpha that is learned for each element of a sample.

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015).

    Args:
        alpha_initializer: alpha's first values; default "zeros".
        shared_axes: the axes along which alpha is the same, as a list, where 0 counts the samples: [1, 2] for
            one alpha for each channel of images; default None, for none.

    Raises:
        ValueError: the initializer is unknown, or `build` got a shape without these axes.

    Example:
        >>> layer = PReLU(shared_axes=[1, 2])
        >>> layer.build((28, 28, 3))
        (28, 28, 3)
        >>> layer.alpha.value.shape
        (1, 1, 3)
    """

    alpha_initializer: str | initializers.Initializer = "zeros"
    shared_axes: Any = None

    def __post_init__(self) -> None:
        self.initialize_alpha = initializers.get(self.alpha_initializer)
        if isinstance(self.shared_axes, int | np.integer):
            self.shared_axes = [int(self.shared_axes)]

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make alpha, of the input's shape with 1 for shared axes; see `Layer.declare`."""
        shape, axes = [*input_shape], self.shared_axes or ()
        for axis in axes:
            if axis not in range(1, len(shape) + 1):
                raise ValueError(
                    f"{self.title}: shared_axes must be among 1 to {len(shape)}, for an input_shape "
                    f"{input_shape}; got {self.shared_axes!r}."
                )
            shape[axis - 1] = 1
        self.alpha = self.add_parameter("alpha", tuple(shape), self.initialize_alpha, random)
        places = np.arange(self.alpha.value.size).reshape(shape)
        self.place = np.broadcast_to(places, input_shape).reshape(-1).astype(np.int64)
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function to every element; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        rows = len(x), self.place.size
        kernels.piecewise.prelu(x.reshape(rows), self.alpha.value.reshape(-1), self.place, y.reshape(rows))
        if training:
            self.x = x
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute dx, and dalpha = the sum of dy * x where x is negative; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        dx, rows = self.empty("dx", x.shape), (len(x), self.place.size)
        kernels.piecewise.prelu_gradient(
            x.reshape(rows), self.alpha.value.reshape(-1), self.place,
            dy.reshape(rows), dx.reshape(rows), self.alpha.grad.reshape(-1),
        )  # fmt: skip
        return dx if self.needs_input_gradient else np.empty(0, self.dtype)
