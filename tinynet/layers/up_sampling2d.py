"""UpSampling2D: larger images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Shape, check_data_format, image_shape, positive_pair
from .resampling import Resampling


@dataclass(eq=False, repr=False)
class UpSampling2D(Resampling, only_kernels=True):
    """Make images larger by whole factors.

    Args:
        size: factors of height and width, or one integer for both; default 2.
        data_format: None or "channels_last".
        interpolation: "nearest" (default: pixels are repeated), or "bilinear" (between the centres of pixels
            values are interpolated along rows and columns; beyond the outermost centres, they are as there).

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = UpSampling2D((1, 2))
        >>> layer.build((1, 2, 1))
        (1, 4, 1)
        >>> layer.forward(np.array([[[[1.0], [2.0]]]])).ravel()
        array([1., 1., 2., 2.], dtype=float32)
    """

    size: int | Sequence[int] = 2
    data_format: str | None = None
    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        self.factors = positive_pair("UpSampling2D", "size", self.size)
        check_data_format("UpSampling2D", self.data_format)
        self.check_interpolation()

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say where the new pixels lie; see `Layer.declare`."""
        height, width, _ = image_shape(self.title, input_shape)
        return self.resample(input_shape, (height * self.factors[0], width * self.factors[1]))
