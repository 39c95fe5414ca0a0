"""Winograd's F(2x2, 3x3): 3x3 convolutions and their gradients with 16 multiplications instead of 36.

A 2x2 tile y of the output comes from a 4x4 tile d of the input, channel by channel,

    V = B' d B      U = G g G'      M[k] = V[k] @ U[k] for each of the 16 places k      y = A' M A

         1  0 -1  0          1    0    0         1  1  1  0
    B' = 0  1  1  0     G = 1/2  1/2  1/2   A' = 0  1 -1 -1
         0 -1  1  0         1/2 -1/2  1/2
         0  1  0 -1          0    0    1

and the gradients go the same steps backward: dM = A dy A', dU[k] = V[k]' @ dM[k], dg = G' dU G,
dV[k] = dM[k] @ U[k]', dd = B dV B', which add up where tiles overlap. Bias, ReLU and 2x2 max-pooling are
computed before y leaves the registers: a tile is a window.

The products are the micro-kernel's work (register_tile.py), for as many rows of tiles at a time as V and M
fit into the cache; the rest is in winograd_transforms.py. Each sum runs in a fixed order, whatever rows are
together.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
"""

from __future__ import annotations

from typing import NamedTuple

from . import elementwise
from .gather_gemm import steps
from .jit import Array
from .register_tile import gather_gemm
from .winograd_transforms import (
    pool_products,
    transform_gradient,
    transform_input,
    transform_input_gradient,
    transform_kernel,
    transform_kernel_gradient,
    transform_products,
    unpool_gradient,
)

__all__ = ["Tiling", "convolution", "gradients", "planes", "transform_kernel"]

WORK_BYTES = 2**19  # of V and M at a time: half of a usual core's own cache


class Tiling(NamedTuple):
    """How the images of a convolution are cut into tiles.

    Args:
        rows, columns: how many tiles an image has, of 2x2 outputs each. Where nothing is pooled, they cover
            all outputs.
        top, left: rows and columns of zeros before the image.
    """

    rows: int
    columns: int
    top: int
    left: int

    def at_once(self, channels: int, filters: int, itemsize: int) -> int:
        """Return how many rows of tiles to work on at a time."""
        return max(1, WORK_BYTES // (16 * self.columns * (channels + filters) * itemsize))


def planes(rows: int, columns: int) -> tuple[int, int, int]:
    """Return the shape of an array of 16 matrices of so many rows.

    Their number is made odd: where the matrices lie a power of two apart, all 16 places of a tile belong to
    the same lines of the cache, and drive each other out.
    """
    return 16, rows | 1, columns


def convolution(
    x: Array,
    u: Array,
    bias: Array,
    y: Array,
    place: Array | None,
    tiling: Tiling,
    first: int,
    last: int,
    v: Array,
    m: Array,
    relu: bool,
) -> None:
    """Compute y = bias + the convolution of x, then ReLU if asked, then 2x2 max-pooling if asked.

    Args:
        x: (N, H, W, C).
        u: planes(C, F), the kernel as `transform_kernel` writes it.
        bias: (F,), or (0,) for none.
        y: (N, OH, OW, F), or pooled (N, rows, columns, F), written.
        place: None for a convolution that is not pooled; else as y, written: what `pool_products` says, or of
            size 0 if it is not wanted.
        tiling: of the images.
        first, last: which rows of tiles to compute, of all images' numbered through.
        v, m: planes(tiles, C) and planes(tiles, F) for whole rows of tiles, to work in.
        relu: whether negative results become 0.
    """
    for begin, end in parts(first, last, tiling, v):
        transform_input(x, v, begin, end, *tiling)
        multiply(v, u, m, (end - begin) * tiling.columns)
        if place is None:
            transform_products(m, bias, y, begin, end, tiling.rows, tiling.columns, relu)
        else:
            pool_products(m, bias, y, place, begin, end, tiling.columns, relu)


def gradients(
    x: Array, dy: Array, place: Array | None, dkernel: Array, u_back: Array, dx: Array, total: Array,
    tiling: Tiling, v: Array, m: Array, du: Array,
) -> None:  # fmt: skip
    """Compute the gradients of a convolution with respect to its kernel and its input.

    V is made again from x, which takes less time than to keep it, four times as large as x.

    Args:
        x: (N, H, W, C).
        dy: (N, OH, OW, F) upstream gradient of a convolution that is not pooled, or (N, rows, columns, F).
        place: None, or what `convolution` wrote.
        dkernel: (3, 3, C, F), written.
        u_back: planes(F, C), the kernel with its last two axes exchanged, as `transform_kernel` writes it.
        dx: (N, H, W, C), written; or of size 0, if it is not wanted.
        total: (F,), to which the sum of dy is added where place lets it pass; or (0,).
        tiling: of the images.
        v, m, du: planes(tiles, C), planes(tiles, F) and planes(C, F), to work in.
    """
    covered = 2 * tiling.rows + 2 - tiling.top, 2 * tiling.columns + 2 - tiling.left
    if dx.size and (covered[0] < dx.shape[1] or covered[1] < dx.shape[2]):
        elementwise.fill(dx.reshape(-1), 0.0)  # outputs that are not pooled may have had pixels to themselves
    for first, last in parts(0, len(x) * tiling.rows, tiling, v):
        if place is None:
            transform_gradient(dy, m, first, last, tiling.rows, tiling.columns)
        else:
            unpool_gradient(dy, place, m, first, last, tiling.columns, total)
        transform_input(x, v, first, last, *tiling)
        multiply_transposed(v, m, du, (last - first) * tiling.columns, first > 0)
        if dx.size:
            multiply(m, u_back, v, (last - first) * tiling.columns)
            transform_input_gradient(v, dx, first, last, *tiling)
    if len(x):
        transform_kernel_gradient(du, dkernel)
    else:
        elementwise.fill(dkernel.reshape(-1), 0.0)


def parts(first: int, last: int, tiling: Tiling, v: Array) -> list[tuple[int, int]]:
    """Return which of some rows of tiles are worked on at a time: as many as v holds."""
    size = v.shape[1] // tiling.columns
    return [(begin, min(begin + size, last)) for begin in range(first, last, max(size, 1))]


def multiply(v: Array, u: Array, m: Array, tiles: int) -> None:
    """Compute M[k] = V[k] @ U[k] of so many tiles.

    Args:
        v: planes(tiles or more, C).
        u: planes(C, F).
        m: planes(tiles or more, F), written.
        tiles: how many.
    """
    c, f = v.shape[2], u.shape[2]
    gather_gemm(
        v.reshape(-1), steps(tiles, c), steps(c, 1), u.reshape(-1), steps(c, f),
        m.reshape(-1), steps(tiles, f), f, u[0, 0, :0],
        False, False, 16, 1, v[0].size, u[0].size, m[0].size, False,
    )  # fmt: skip


def multiply_transposed(v: Array, m: Array, du: Array, tiles: int, accumulate: bool) -> None:
    """Compute dU[k] = V[k]' @ dM[k] over so many tiles.

    Args:
        v: planes(tiles or more, C).
        m: planes(tiles or more, F).
        du: planes(C, F), written.
        tiles: how many.
        accumulate: whether to add to what du holds.
    """
    c, f = v.shape[2], m.shape[2]
    gather_gemm(
        v.reshape(-1), steps(c, 1), steps(tiles, c), m.reshape(-1), steps(tiles, f),
        du.reshape(-1), steps(c, f), f, du[0, 0, :0],
        accumulate, False, 16, 1, v[0].size, m[0].size, du[0].size, False,
    )  # fmt: skip
