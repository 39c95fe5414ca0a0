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
from .tiles import across, both_ways, down, load_column, load_tile, store_column, store_tile
from .vector import add, broadcast, larger, load, store, where_equal, where_greater

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
    weights, results, size, plane = kernel.reshape(-1), u.reshape(-1), kernel.size // 9, u.size // 16
    for i in range(0, size, VECTOR_BYTES // u.itemsize):
        store_tile(results, i, plane, size - i, kernel_tile(load_9(weights, i, size, size - i)))


@kernel
def transform_kernel_gradient(du: Array, dkernel: Array) -> None:
    """Write dg = G' dU G of each channel and filter."""
    gradients, results, size, plane = du.reshape(-1), dkernel.reshape(-1), dkernel.size // 9, du.size // 16
    for i in range(0, size, VECTOR_BYTES // du.itemsize):
        tile = kernel_gradient_tile(load_16(gradients, i, plane, size - i))
        store_tile(results, i, size, size - i, tile)


@kernel
def transform_input(
    x: Array, v: Array, first: int, last: int, tiles_y: int, tiles_x: int, top: int, left: int
) -> None:
    """Write V = B' d B of each tile; tiles side by side share two columns."""
    _, height, width, channels = x.shape
    pixels, results, plane, step = x.reshape(-1), v.reshape(-1), v.shape[1] * channels, width * channels
    whole = (width + left) // 2 - 1  # so many tiles of a row do not go beyond the image
    for row in range(first, last):
        n, y = row // tiles_y, row % tiles_y * 2 - top
        for c in range(0, channels, VECTOR_BYTES // x.itemsize):
            count = channels - c
            y0, y1 = count * (y >= 0), count
            y2, y3 = count * (y + 2 < height), count * (y + 3 < height)
            i = ((n * height + y) * width - left) * channels + c
            t, tx, inside = (row - first) * tiles_x * channels + c, 0, left == 0
            counts = y0 * inside, y1 * inside, y2 * inside, y3 * inside
            column2 = input_down(load_column(pixels, i, step, counts))
            column3 = input_down(load_column(pixels, i + channels, step, (y0, y1, y2, y3)))
            while tx < tiles_x:
                stop = min(whole, tiles_x) if tx < whole else tx + 1  # all of them have the same masks
                inside = 2 * tx + 2 < width + left
                counts2 = y0 * inside, y1 * inside, y2 * inside, y3 * inside
                inside = 2 * tx + 3 < width + left
                counts3 = y0 * inside, y1 * inside, y2 * inside, y3 * inside
                for _ in range(tx, stop):
                    column0, column1 = column2, column3
                    column2 = input_down(load_column(pixels, i + 2 * channels, step, counts2))
                    column3 = input_down(load_column(pixels, i + 3 * channels, step, counts3))
                    tile = input_across((column0, column1, column2, column3))
                    store_tile(results, t, plane, count, tile)
                    i, t = i + 2 * channels, t + channels
                tx = stop


@kernel
def transform_input_gradient(
    v: Array, dx: Array, first: int, last: int, tiles_y: int, tiles_x: int, top: int, left: int
) -> None:
    """Write to dx the sums of the tiles' B dV B'; rows of tiles that share an image go in their order.

    Pixels that no tile covers are not written.
    """
    _, height, width, channels = dx.shape
    tiles, results, plane, step = v.reshape(-1), dx.reshape(-1), v.shape[1] * channels, width * channels
    zero = broadcast(dx.dtype.type(0))
    for row in range(first, last):
        n, ty = row // tiles_y, row % tiles_y
        y, old = 2 * ty - top, 2 * (ty > 0)  # rows of pixels to which the row of tiles above has written
        for c in range(0, channels, VECTOR_BYTES // dx.itemsize):
            count = channels - c
            y0, y1 = count * (y >= 0), count
            y2, y3 = count * (y + 2 < height), count * (y + 3 < height)
            i = ((n * height + y) * width - left) * channels + c
            t, tx = (row - first) * tiles_x * channels + c, 0
            column2, column3 = (zero, zero, zero, zero), (zero, zero, zero, zero)
            while tx <= tiles_x:  # one more, for the last two columns
                stop = tiles_x if 0 < tx < tiles_x else tx + 1  # all of them have the same masks
                inside = 0 <= 2 * tx - left < width
                counts0 = y0 * inside, y1 * inside, y2 * inside, y3 * inside
                inside = 2 * tx + 1 - left < width
                counts1 = y0 * inside, y1 * inside, y2 * inside, y3 * inside
                there = count * (tx < tiles_x)
                for _ in range(tx, stop):
                    d = input_gradient_tile(load_16(tiles, t, plane, there))
                    column0, column1 = (d[0], d[4], d[8], d[12]), (d[1], d[5], d[9], d[13])
                    store_column(results, i, step, counts0, old, column2, column0)
                    store_column(results, i + channels, step, counts1, old, column3, column1)
                    column2, column3 = (d[2], d[6], d[10], d[14]), (d[3], d[7], d[11], d[15])
                    i, t = i + 2 * channels, t + channels
                tx = stop


@kernel
def transform_products(
    m: Array, bias: Array, y: Array, first: int, last: int, tiles_y: int, tiles_x: int, relu: bool
) -> None:
    """Write y = A' M A + bias of each tile, then ReLU if asked; bias is (F,), or (0,) for none."""
    _, height, width, filters = y.shape
    products, results, plane, step = m.reshape(-1), y.reshape(-1), m.shape[1] * filters, width * filters
    lowest = broadcast(y.dtype.type(0 if relu else -np.inf))
    for row in range(first, last):
        n, oy = row // tiles_y, row % tiles_y * 2
        for f in range(0, filters, VECTOR_BYTES // y.itemsize):
            count, start = filters - f, load(bias, f, bias.size - f)
            i, t = (n * height + oy) * step + f, (row - first) * tiles_x * filters + f
            below = count * (oy + 1 < height)
            for tx in range(tiles_x):
                y0, y1, y2, y3 = output_tile(load_16(products, t, plane, count))
                inside = 2 * tx + 1 < width
                store(results, i, count, larger(add(y0, start), lowest))
                store(results, i + filters, count * inside, larger(add(y1, start), lowest))
                store(results, i + step, below, larger(add(y2, start), lowest))
                store(results, i + step + filters, below * inside, larger(add(y3, start), lowest))
                i, t = i + 2 * filters, t + filters


@kernel
def transform_gradient(dy: Array, m: Array, first: int, last: int, tiles_y: int, tiles_x: int) -> None:
    """Write dM = A dy A' of each tile."""
    _, height, width, filters = dy.shape
    upstream, results, plane, step = dy.reshape(-1), m.reshape(-1), m.shape[1] * filters, width * filters
    for row in range(first, last):
        n, oy = row // tiles_y, row % tiles_y * 2
        for f in range(0, filters, VECTOR_BYTES // dy.itemsize):
            count, i, t = filters - f, (n * height + oy) * step + f, (row - first) * tiles_x * filters + f
            below = count * (oy + 1 < height)
            for tx in range(tiles_x):
                inside = 2 * tx + 1 < width
                y0, y1 = load(upstream, i, count), load(upstream, i + filters, count * inside)
                y2 = load(upstream, i + step, below)
                y3 = load(upstream, i + step + filters, below * inside)
                store_tile(results, t, plane, count, output_gradient_tile((y0, y1, y2, y3)))
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
    filters, number = y.shape[3], y.dtype.type
    products, results, places, plane = m.reshape(-1), y.reshape(-1), place.reshape(-1), m.shape[1] * filters
    zero, one, two = broadcast(number(0)), broadcast(number(1)), broadcast(number(2))
    lowest, nowhere = broadcast(number(0 if relu else -np.inf)), broadcast(number(-1 if relu else 0))
    for f in range(0, filters, VECTOR_BYTES // y.itemsize):
        count, start = filters - f, load(bias, f, bias.size - f)
        i = first * tiles_x * filters + f
        for t in range(f, (last - first) * tiles_x * filters, filters):
            y0, y1, y2, y3 = output_tile(load_16(products, t, plane, count))
            y0, y1, y2, y3 = add(y0, start), add(y1, start), add(y2, start), add(y3, start)
            upper, lower = larger(y0, y1), larger(y2, y3)
            largest = larger(larger(upper, lower), lowest)
            store(results, i, count, largest)
            if places.size:
                where = where_greater(y1, y0, one, zero)
                where = where_greater(lower, upper, add(two, where_greater(y3, y2, one, zero)), where)
                store(places, i, count, where_greater(largest, lowest, where, nowhere))
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
    filters, number = dy.shape[3], dy.dtype.type
    upstream, places, results, plane = dy.reshape(-1), place.reshape(-1), m.reshape(-1), m.shape[1] * filters
    zero, one, two = broadcast(number(0)), broadcast(number(1)), broadcast(number(2))
    three, nowhere = broadcast(number(3)), broadcast(number(-1))
    for f in range(0, filters, VECTOR_BYTES // dy.itemsize):
        count, column_sum = filters - f, load(total, f, total.size - f)
        i = first * tiles_x * filters + f
        for t in range(f, (last - first) * tiles_x * filters, filters):
            value, where = load(upstream, i, count), load(places, i, count)
            column_sum = add(column_sum, where_greater(where, nowhere, value, zero))
            y0, y1 = where_equal(where, zero, value, zero), where_equal(where, one, value, zero)
            y2, y3 = where_equal(where, two, value, zero), where_equal(where, three, value, zero)
            store_tile(results, t, plane, count, output_gradient_tile((y0, y1, y2, y3)))
            i += filters
        store(total, f, total.size - f, column_sum)
