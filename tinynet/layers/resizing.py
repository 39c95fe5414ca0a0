"""Resizing: images of another size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Shape, check_data_format, positive_pair
from .resampling import Resampling


@dataclass(eq=False, repr=False)
class Resizing(Resampling, only_kernels=True):
    """Give images another size, larger or smaller, whatever their proportions.

    Args:
        height: of the output, in pixels.
        width: of the output, in pixels.
        interpolation: "bilinear" (default: the value at the centre of a new pixel is interpolated between the
            centres of the four around it; beyond the outermost centres, values are as there), or "nearest"
            (the pixel that it lies in). Where images become much smaller, pixels between are left out.
        crop_to_aspect_ratio, pad_to_aspect_ratio, antialias: False; nothing else is there.
        fill_mode, fill_value: "constant" and any number; without effect, because nothing is padded.
        data_format: None or "channels_last".

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = Resizing(1, 4)
        >>> layer.build((1, 2, 1))
        (1, 4, 1)
        >>> layer.forward(np.array([[[[1.0], [5.0]]]])).ravel()
        array([1., 2., 4., 5.], dtype=float32)
    """

    height: int
    width: int
    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float = 0.0
    antialias: bool = False
    data_format: str | None = None

    def __post_init__(self) -> None:
        self.size = positive_pair("Resizing", "(height, width)", (self.height, self.width))
        self.check_interpolation()
        for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
            if getattr(self, name):
                raise ValueError(
                    f"Resizing: {name}={getattr(self, name)!r} is not there, only False: prepare the images "
                    "before, or leave it out."
                )
        if self.fill_mode != "constant":
            raise ValueError(f"Resizing: fill_mode must be 'constant'; got {self.fill_mode!r}.")
        check_data_format("Resizing", self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say where the new pixels lie; see `Layer.declare`."""
        return self.resample(input_shape, self.size)
