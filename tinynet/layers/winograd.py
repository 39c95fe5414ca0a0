"""What a convolution needs to be computed by Winograd's algorithm."""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..execution.parallel import get_num_threads
from ..execution.recording import each
from .base import Array
from .convolution import Convolution
from .parameter import Parameter, bias_of

# From here on it is faster, in training and on batches, whatever the rest (docs/speed.md).
LEAST_CHANNELS, LEAST_FILTERS, LEAST_OUTPUTS = 16, 8, 36
BAND_TILES = 14  # of a part, at least: each of them reads all of the kernel
BAND_FLOPS = 1e6  # of a single image: then it pays that another thread takes a part of it


class WinogradConvolution(Convolution):
    """The base of convolutions that can multiply less; see kernels/winograd.py.

    Attributes:
        method: "auto", or how people want it.
        uses_winograd: whether it does: a matter of the layer's shapes alone, never of the batch or the
            threads, of which no bit may depend.
    """

    filters: int
    groups: int
    use_bias: bool
    method: str
    kernel: Parameter
    bias: Parameter
    uses_winograd: bool = False

    @property
    def can_use_winograd(self) -> bool:
        """Whether the hyperparameters let it."""
        plain = self.steps == self.dilation == (1, 1) and self.groups == 1
        return plain and self.window == (3, 3) and self.padding in ("valid", "same")

    def choose_winograd(self) -> bool:
        """Return whether to use it, where the windows lie: if it is faster, or is asked for."""
        outputs = self.windows.height * self.windows.width
        pays = self.image[2] >= LEAST_CHANNELS and self.filters >= LEAST_FILTERS and outputs >= LEAST_OUTPUTS
        return self.can_use_winograd and (self.method == "winograd" or (self.method == "auto" and pays))

    def tiling(self, pooled: bool) -> Any:
        """Return how images are cut into tiles: all outputs, or only those of whole windows of 2x2."""
        around, extra = self.windows, 0 if pooled else 1
        rows, columns = (around.height + extra) // 2, (around.width + extra) // 2
        return kernels.winograd.Tiling(rows, columns, around.top, around.left)

    def exchanged_kernel(self) -> Array:
        """Return the kernel with its last two axes exchanged, as the input's gradient needs it."""
        height, width, channels, filters = self.weights_of(self.kernel.value).shape
        kernel = self.for_now("exchanged kernel", (height, width, filters, channels))
        kernels.elementwise.exchange(
            self.kernel.value.reshape(-1, channels, filters), kernel.reshape(-1, filters, channels)
        )
        return kernel

    def weights_of(self, kernel: Array) -> Array:
        """Return the kernel, or its gradient, as an image's: (KH, KW, channels / groups, filters)."""
        return kernel.reshape(*self.window, *kernel.shape[-2:])

    def planes(self, name: str, rows: int, columns: int, training: bool = True) -> Array:
        """Return an array of 16 matrices to work in."""
        return self.for_now(name, kernels.winograd.planes(rows, columns), training)

    def transformed(self, kernel: Array, name: str, training: bool = True) -> Array:
        """Return a kernel as it is multiplied: made again in each call, because weights change in place."""
        channels, filters = kernel.shape[2:]
        u = self.planes(name, channels, filters, training)
        kernels.winograd.transform_kernel(kernel, u)
        return u

    def rows_at_once(self, tiling: Any, rows: int) -> int:
        """Return how many of so many rows of tiles to work on at a time."""
        size: int = tiling.at_once(self.image[2], self.filters, self.dtype.itemsize)
        return min(size, rows)

    def winograd_forward(self, x: Array, y: Array, place: Array | None, relu: bool, training: bool) -> None:
        """Compute the output y, pooled if `place` is given; see `kernels.winograd.convolution`."""
        tiling, channels, filters = self.tiling(place is not None), self.image[2], self.filters
        bias = bias_of(self)
        rows, parts = len(x) * tiling.rows, 1
        if len(x) == 1 and not training:
            tiles = rows * tiling.columns
            wanted = math.ceil(32 * channels * filters * tiles / BAND_FLOPS)
            parts = min(wanted, max(tiles // BAND_TILES, 1), rows, get_num_threads())

        def part(number: int) -> None:
            # Each makes it for itself: sooner done than to get it from another core, four times as large.
            u = self.transformed(self.kernel.value, "u", training)
            first, last = (rows * n // parts for n in (number, number + 1))
            tiles = self.rows_at_once(tiling, last - first) * tiling.columns
            v, m = self.planes("v", tiles, channels, training), self.planes("m", tiles, filters, training)
            kernels.winograd.convolution(x, u, bias, y, place, tiling, first, last, v, m, relu)

        each(part, parts)

    def winograd_backward(self, x: Array, dy: Array, place: Array | None, total: Array, dx: Array) -> None:
        """Compute the kernel's gradient and dx, if its size is not 0; see `kernels.winograd.gradients`."""
        tiling, channels, filters = self.tiling(place is not None), self.image[2], self.filters
        u = self.transformed(self.exchanged_kernel(), "u") if dx.size else self.planes("u", 0, channels)
        tiles = self.rows_at_once(tiling, len(x) * tiling.rows) * tiling.columns
        v, m = self.planes("v", tiles, channels), self.planes("m", tiles, filters)
        du = self.planes("du", channels, filters)
        kernels.winograd.gradients(x, dy, place, self.kernel.grad, u, dx, total, tiling, v, m, du)
