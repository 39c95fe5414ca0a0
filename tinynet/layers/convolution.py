"""What convolutions share: where their windows lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from .activation import ActivatedLayer
from .base import Array
from .channels import EitherFormat
from .geometry import Shape, Windows, as_image, as_window, check_data_format, lower, place_windows


class Convolution(ActivatedLayer, EitherFormat):
    """The base of convolutions, which have these hyperparameters, and `kernel_size`.

    Attributes:
        axes: 2 of images, 1 of sequences, which are images of one row.
        either_format: whether images may have their channels first.
        window, steps, dilation: kernel_size, strides and dilation_rate, as (vertical, horizontal).
        image: (height, width, channels) of a sample.
        windows: where the windows lie on it.
    """

    kernel_size: int | Sequence[int]
    strides: int | Sequence[int]
    padding: str
    data_format: str | None
    dilation_rate: int | Sequence[int]
    axes: ClassVar[int] = 2
    either_format: ClassVar[bool] = False
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def check_windows(self) -> None:
        """Check the hyperparameters, and note them as pairs."""
        name = type(self).__name__
        self.window = as_window(name, "kernel_size", self.kernel_size, self.axes)
        self.steps = as_window(name, "strides", self.strides, self.axes)
        self.dilation = as_window(name, "dilation_rate", self.dilation_rate, self.axes)
        self.padding = lower(self.padding)
        if self.padding not in self.paddings:
            expected = " or ".join(map(repr, self.paddings))
            raise ValueError(f"{name}: padding must be {expected}; got {self.padding!r}.")
        if self.either_format:
            self.settle_format()
        else:
            check_data_format(name, self.data_format)

    def place(self, input_shape: Shape) -> None:
        """Place the windows on a sample."""
        self.image = as_image(self.title, input_shape, self.axes)
        reach = tuple((size - 1) * gap + 1 for size, gap in zip(self.window, self.dilation, strict=True))
        padding, before = self.padding, 0
        if padding == "causal":  # all of it before the sequence
            padding, before = "valid", reach[1] - 1
        height, width, _ = self.image
        around = place_windows(
            self.title, (height, before + width), (reach[0], reach[1]), self.steps, padding
        )
        if before:
            around = Windows(around.height, around.width, 0, before, around.bottom, around.right)
        self.windows = around

    def result(self, filters: int) -> Shape:
        """Return the output's shape, as an image's."""
        return self.windows.height, self.windows.width, filters

    def padded_shape(self, x: Array) -> Shape:
        """Return the shape of x with the zeros that the windows need around it."""
        samples, height, width, channels = x.shape
        around = self.windows
        return (
            samples,
            around.top + height + max(around.bottom, 0),
            around.left + width + max(around.right, 0),
            channels,
        )
