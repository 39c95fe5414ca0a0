"""What layers share that give images another size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .geometry import Shape, image_shape
from .moving import Moving

INTERPOLATIONS = ("nearest", "bilinear")
MOST_PIXELS = 2**26  # of an image: a file of a stranger's may name any size


class Resampling(Moving, only_kernels=True):
    """The base of layers whose output's pixels lie between the input's.

    `declare` of a subclass calls `resample`. Pixel i of a new size lies at
    (i + 0.5) * size / new_size - 0.5 of the input's, so that the images' borders coincide.

    Attributes:
        interpolation: "nearest" or "bilinear".
    """

    interpolation: str
    interpolates = False  # between pixels; each is taken as it is where the size stays, too

    def check_interpolation(self) -> None:
        """Raise if it is none."""
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"{type(self).__name__}: interpolation must be 'nearest' or 'bilinear'; "
                f"got {self.interpolation!r}."
            )

    def resample(self, input_shape: Shape, new: tuple[int, int]) -> Shape:
        """Note which pixels are taken for a new (height, width), and return the output's shape."""
        height, width, channels = image_shape(self.title, input_shape)
        if new[0] * new[1] > MOST_PIXELS:
            raise ValueError(
                f"{self.title}: images of {new[0]}x{new[1]} are too large; expected at most "
                f"{MOST_PIXELS} pixels."
            )
        rows, columns = nearest(height, new[0]), nearest(width, new[1])
        self.interpolates = self.interpolation == "bilinear" and new != (height, width)
        return self.move(input_shape, rows[:, np.newaxis] * width + columns, channels)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take or interpolate pixels; see `Layer.forward`."""
        if not self.interpolates:
            return super().forward(x, training)
        x = self.check_input(x)
        assert self.output_shape is not None
        y = self.empty("y", (len(x), *self.output_shape), training)
        kernels.moving.interpolate(x, y)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Give each dy back to the pixels that it came from; see `Layer.backward`."""
        if not self.interpolates:
            return super().backward(dy)
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.input_shape))
        kernels.moving.interpolate_gradient(dy, dx)
        return dx


def nearest(size: int, new: int) -> Array:
    """Return the nearest pixel of an axis for each of its new ones.

    Where two are equally near, Keras's backends take the one that float32 leads to; so it is done here.

    Example:
        >>> nearest(4, 2), nearest(2, 5)
        (array([1, 3]), array([0, 0, 1, 1, 1]))
    """
    centres = np.arange(new, dtype=np.float32) + np.float32(0.5)
    return np.minimum((centres * (np.float32(size) / np.float32(new))).astype(np.int64), size - 1)
