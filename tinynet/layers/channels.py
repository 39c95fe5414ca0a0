"""Where images have their channels: last, or, for scripts written so, first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Layer
from .geometry import Shape, image_data_format

Array = NDArray[Any]

FORMATS = (None, "channels_last", "channels_first")


class EitherFormat(Layer):
    """The base of layers that take images with their channels first, too; they compute with channels last.

    Attributes:
        data_format: None for channels last, "channels_last", or "channels_first".
    """

    data_format: str | None

    def settle_format(self) -> None:
        """Check `data_format`, and take what `set_image_data_format` says where it is None."""
        if self.data_format not in FORMATS:
            raise ValueError(
                f"{type(self).__name__}: data_format must be 'channels_last', 'channels_first' or None; got "
                f"{self.data_format!r}."
            )
        if self.data_format is None and image_data_format() == "channels_first":
            self.data_format = "channels_first"

    @property
    def channels_first(self) -> bool:
        """Whether the images have their channels first."""
        return self.data_format == "channels_first"

    @property
    def only_kernels(self) -> bool:
        """Whether only kernels are called: not where NumPy moves the channels."""
        return super().only_kernels and not self.channels_first

    def shape_inside(self, shape: Shape) -> Shape:
        """Return a sample's shape with the channels last."""
        return (*shape[1:], shape[0]) if self.channels_first else shape

    def shape_outside(self, shape: Shape) -> Shape:
        """Return a sample's shape as the layer is to give it."""
        return (shape[-1], *shape[:-1]) if self.channels_first else shape

    def inside(self, x: Array) -> Array:
        """Return an array that the layer got, with the channels last."""
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if self.channels_first else x

    def outside(self, y: Array) -> Array:
        """Return an array with the channels last as the layer is to give it."""
        return np.ascontiguousarray(np.moveaxis(y, -1, 1)) if self.channels_first else y
