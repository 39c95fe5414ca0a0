"""The transforms of winograd.py, from arrays to what is multiplied and back; see there for the formulas.

Each is a loop over tiles and vectors of channels that holds a whole tile in registers. All is addition, in a
fixed order, and halving, so that no bit depends on the CPU, the batch or the threads. Outside of an image are
zeros, which are not read from memory.

In all kernels x and dx are (N, H, W, C), y and dy (N, OH, OW, F), kernel and dkernel (3, 3, C, F), v
(16, TILES, C), m (16, TILES, F), u and du (16, ROWS, F) with ROWS >= C. The rows of tiles_x tiles of all
images are numbered through, tiles_y of each image; v and m hold those from `first` to `last`. Tile (ty, tx)
has the outputs from (2 * ty, 2 * tx) on, and the inputs from (2 * ty - top, 2 * tx - left) on.
"""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .tiles import (
    across,
    add_to_all,
    both_ways,
    columns_of,
    down,
    largest_of,
    load_column,
    load_tile,
    put_at,
    store_column,
    store_tile,
)
from .vector import add, broadcast, larger, load, store, where_greater

A = np.array([[1, 0], [1, 1], [1, -1], [0, -1]])
B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])

load_9, load_16 = load_tile(9), load_tile(16)
kernel_tile, kernel_gradient_tile = both_ways(G), both_ways(G.T)
input_down, input_across, input_gradient_tile = down(B.T), across(B.T), both_ways(B)
output_tile, output_gradient_tile = both_ways(A.T), both_ways(A)


@kernel
def transform_kernel(kernel: Array, u: Array) -> None:
    """Write U = G g G' of each channel and filter."""
    size, plane = kernel.size // 9, u.size // 16
    for i in range(0, size, VECTOR_BYTES // u.itemsize):
        store_tile(u, i, plane, size - i, kernel_tile(load_9(kernel, i, size, size - i)))


@kernel
def transform_kernel_gradient(du: Array, dkernel: Array) -> None:
    """Write dg = G' dU G of each channel and filter."""
    size, plane = dkernel.size // 9, du.size // 16
    for i in range(0, size, VECTOR_BYTES // du.itemsize):
        store_tile(dkernel, i, size, size - i, kernel_gradient_tile(load_16(du, i, plane, size - i)))


@kernel
def transform_input(
    x: Array, v: Array, first: int, last: int, tiles_y: int, tiles_x: int, top: int, left: int
) -> None:
    """Write V = B' d B of each tile; tiles side by side share two columns."""
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    plane, step = v.shape[1] * channels, width * channels
    whole = (width + left) // 2 - 1  # so many tiles of a row do not go beyond the image
    for row in range(first, last):
        n, y = row // tiles_y, row % tiles_y * 2 - top
        for c in range(0, channels, VECTOR_BYTES // x.itemsize):
            count, i = channels - c, ((n * height + y) * width - left) * channels + c
            t, tx = (row - first) * tiles_x * channels + c, 0
            column2 = input_down(load_column(x, i, step, count * (left == 0), y, height))
            column3 = input_down(load_column(x, i + channels, step, count, y, height))
            while tx < tiles_x:
                stop = min(whole, tiles_x) if tx < whole else tx + 1  # all of them have the same masks
                count2, count3 = count * (2 * tx + 2 < width + left), count * (2 * tx + 3 < width + left)
                for _ in range(tx, stop):
                    column0, column1, i = column2, column3, i + 2 * channels
                    column2 = input_down(load_column(x, i, step, count2, y, height))
                    column3 = input_down(load_column(x, i + channels, step, count3, y, height))
                    store_tile(v, t, plane, count, input_across((column0, column1, column2, column3)))
                    t += channels
                tx = stop


@kernel
def transform_input_gradient(
    v: Array, dx: Array, first: int, last: int, tiles_y: int, tiles_x: int, top: int, left: int
) -> None:
    """Write to dx the sums of the tiles' B dV B'; rows of tiles that share an image go in their order.

    Pixels that no tile covers are not written.
    """
    height, width, channels = dx.shape[1], dx.shape[2], dx.shape[3]
    plane, step = v.shape[1] * channels, width * channels
    zero = broadcast(dx.dtype.type(0))
    for row in range(first, last):
        n, y = row // tiles_y, row % tiles_y * 2 - top
        old = row % tiles_y > 0  # the row of tiles above has written to the upper two rows of pixels
        for c in range(0, channels, VECTOR_BYTES // dx.itemsize):
            count, i = channels - c, ((n * height + y) * width - left) * channels + c
            t, tx = (row - first) * tiles_x * channels + c, 0
            column2 = column3 = (zero, zero, zero, zero)
            while tx <= tiles_x:  # one more, for the last two columns
                stop = tiles_x if 0 < tx < tiles_x else tx + 1  # all of them have the same masks
                count0, count1 = count * (0 <= 2 * tx - left < width), count * (2 * tx + 1 - left < width)
                there = count * (tx < tiles_x)
                for _ in range(tx, stop):
                    columns = columns_of(input_gradient_tile(load_16(v, t, plane, there)))
                    store_column(dx, i, step, count0, y, height, old, column2, columns[0])
                    store_column(dx, i + channels, step, count1, y, height, old, column3, columns[1])
                    column2, column3 = columns[2], columns[3]
                    i, t = i + 2 * channels, t + channels
                tx = stop


@kernel
def transform_products(
    m: Array, bias: Array, y: Array, first: int, last: int, tiles_y: int, tiles_x: int, relu: bool
) -> None:
    """Write y = A' M A + bias of each tile, then ReLU if asked; bias is (F,), or (0,) for none."""
    height, width, filters = y.shape[1], y.shape[2], y.shape[3]
    plane, step = m.shape[1] * filters, width * filters
    lowest = broadcast(y.dtype.type(0 if relu else -np.inf))
    for row in range(first, last):
        n, oy = row // tiles_y, row % tiles_y * 2
        for f in range(0, filters, VECTOR_BYTES // y.itemsize):
            count, start = filters - f, load(bias, f, bias.size - f)
            i, t = (n * height + oy) * step + f, (row - first) * tiles_x * filters + f
            below = count * (oy + 1 < height)
            for tx in range(tiles_x):
                tile, inside = add_to_all(output_tile(load_16(m, t, plane, count)), start), 2 * tx + 1 < width
                store(y, i, count, larger(tile[0], lowest))
                store(y, i + filters, count * inside, larger(tile[1], lowest))
                store(y, i + step, below, larger(tile[2], lowest))
                store(y, i + step + filters, below * inside, larger(tile[3], lowest))
                i, t = i + 2 * filters, t + filters


@kernel
def transform_gradient(dy: Array, m: Array, first: int, last: int, tiles_y: int, tiles_x: int) -> None:
    """Write dM = A dy A' of each tile."""
    height, width, filters = dy.shape[1], dy.shape[2], dy.shape[3]
    plane, step = m.shape[1] * filters, width * filters
    for row in range(first, last):
        n, oy = row // tiles_y, row % tiles_y * 2
        for f in range(0, filters, VECTOR_BYTES // dy.itemsize):
            count, i, t = filters - f, (n * height + oy) * step + f, (row - first) * tiles_x * filters + f
            below = count * (oy + 1 < height)
            for tx in range(tiles_x):
                inside = 2 * tx + 1 < width
                y0, y1 = load(dy, i, count), load(dy, i + filters, count * inside)
                y2, y3 = load(dy, i + step, below), load(dy, i + step + filters, below * inside)
                store_tile(m, t, plane, count, output_gradient_tile((y0, y1, y2, y3)))
                i, t = i + 2 * filters, t + filters


@kernel
def pool_products(
    m: Array, bias: Array, y: Array, place: Array, first: int, last: int, tiles_x: int, relu: bool
) -> None:
    """Write the largest of each tile's outputs, which `transform_products` would write, and where it was.

    Args:
        y: (N, tiles_y, tiles_x, F), written.
        place: as y, written: 0 to 3, the first output that is the largest, or -1 where a ReLU lets no
            gradient pass; or of size 0 if it is not wanted.
    """
    filters, plane = y.shape[3], m.shape[1] * y.shape[3]
    lowest, nowhere = (
        broadcast(y.dtype.type(0 if relu else -np.inf)),
        broadcast(y.dtype.type(-1 if relu else 0)),
    )
    for f in range(0, filters, VECTOR_BYTES // y.itemsize):
        count, start, i = filters - f, load(bias, f, bias.size - f), first * tiles_x * filters + f
        for t in range(f, (last - first) * tiles_x * filters, filters):
            found = largest_of(add_to_all(output_tile(load_16(m, t, plane, count)), start))
            store(y, i, count, larger(found[0], lowest))
            store(place, i, min(count, place.size), where_greater(found[0], lowest, found[1], nowhere))
            i += filters


@kernel
def unpool_gradient(
    dy: Array, place: Array, m: Array, first: int, last: int, tiles_x: int, total: Array
) -> None:
    """Write dM = A dY A' of each tile, in which dY is dy at the place that `pool_products` noted, else 0.

    Args:
        dy, place: (N, tiles_y, tiles_x, F).
        total: (F,), the sum of all dY is added to it; or (0,) if it is not wanted.
    """
    filters, plane = dy.shape[3], m.shape[1] * dy.shape[3]
    zero, nowhere = broadcast(dy.dtype.type(0)), broadcast(dy.dtype.type(-1))
    for f in range(0, filters, VECTOR_BYTES // dy.itemsize):
        count, column_sum, i = filters - f, load(total, f, total.size - f), first * tiles_x * filters + f
        for t in range(f, (last - first) * tiles_x * filters, filters):
            value, where = load(dy, i, count), load(place, i, count)
            column_sum = add(column_sum, where_greater(where, nowhere, value, zero))
            store_tile(m, t, plane, count, output_gradient_tile(put_at(value, where)))
            i += filters
        store(total, f, total.size - f, column_sum)
