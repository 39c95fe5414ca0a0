"""Images that are read at other places of themselves: turned, moved, zoomed and mirrored at random.

Every sample has a map of its own, of six numbers: output pixel (y, x) is read at
row m[0] * y + m[1] * x + m[2] and column m[3] * y + m[4] * x + m[5]. The random numbers are hashes of (key,
step, position in the batch, counter), so that a batch can be cut anywhere, and the backward pass draws the
same again.

Steele, Lea, Flood. "Fast splittable pseudorandom number generators." OOPSLA 2014 (SplitMix64).
"""

from __future__ import annotations

import math

import numpy as np

from .functions import cosine, sine
from .jit import Array, kernel
from .vector import broadcast, scalar

CONSTANT, NEAREST, REFLECT, WRAP = 0, 1, 2, 3  # what lies outside of an image

ONE = np.uint64(1)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
BITS_11, BITS_27, BITS_30, BITS_31 = (np.uint64(bits) for bits in (11, 27, 30, 31))


@kernel
def random_bits(key: np.uint64, counter: int) -> np.uint64:
    """Compute number ``counter`` of the SplitMix64 sequence that starts at ``key``."""
    bits = key + (np.uint64(counter) + ONE) * GOLDEN
    bits = (bits ^ (bits >> BITS_30)) * MIX_1
    bits = (bits ^ (bits >> BITS_27)) * MIX_2
    return bits ^ (bits >> BITS_31)


@kernel
def uniform(key: np.uint64, counter: int, low: float, high: float) -> float:
    """Compute a number uniform in [low, high), of 53 random bits."""
    return low + (high - low) * (np.float64(random_bits(key, counter) >> BITS_11) * 2.0**-53)


@kernel
def draw_maps(
    key: Array, step: Array, first: int, ranges: Array, height: int, width: int, maps: Array
) -> None:
    """Draw the map of each sample: mirrored, then turned, zoomed and moved about the image's centre.

    Args:
        key: (2,) uint32 of the layer.
        step: (1,) int64, the number of the training step.
        first: the position in the batch of the first sample.
        ranges: (12,) lowest and highest angle (radians, counterclockwise), shift down and to the right (parts
            of the size), height and width of what is read (parts of the image's; a width of NaN: as the
            height), and the probabilities of being mirrored upside down and left to right.
        height, width: of the images.
        maps: (N, 6) float64, written.
    """
    start = random_bits(random_bits(np.uint64(key[0]), int(key[1])), step[0])
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    for n in range(maps.shape[0]):
        own = random_bits(start, first + n)
        angle = uniform(own, 0, ranges[0], ranges[1])
        down = uniform(own, 1, ranges[2], ranges[3]) * height
        right = uniform(own, 2, ranges[4], ranges[5]) * width
        tall = uniform(own, 3, ranges[6], ranges[7])
        wide = tall if np.isnan(ranges[8]) else uniform(own, 4, ranges[8], ranges[9])
        if uniform(own, 5, 0.0, 1.0) < ranges[10]:
            tall = -tall
        if uniform(own, 6, 0.0, 1.0) < ranges[11]:
            wide = -wide
        along, across = scalar(cosine(broadcast(angle))), scalar(sine(broadcast(angle)))
        m = maps[n]
        m[0], m[1] = along * tall, across * tall
        m[3], m[4] = -across * wide, along * wide
        m[2] = middle_y - m[0] * (middle_y + down) - m[1] * (middle_x + right)
        m[5] = middle_x - m[3] * (middle_y + down) - m[4] * (middle_x + right)


@kernel
def inside(place: int, size: int, fill: int) -> int:
    """Return the pixel that stands for a place, or -1 if none does."""
    if 0 <= place < size:
        return place
    if fill == CONSTANT:
        return -1
    if fill == NEAREST:
        return 0 if place < 0 else size - 1
    if fill == WRAP:
        return place % size
    place = place % (2 * size)
    return place if place < size else 2 * size - 1 - place


@kernel
def transform(x: Array, maps: Array, fill: int, value: float, nearest: bool, y: Array) -> None:
    """Write what is read at the places that the maps say, between pixels bilinearly.

    Args:
        x: (N, H, W, C).
        maps: (N, 6) float64.
        fill: what lies outside of an image: CONSTANT, NEAREST, REFLECT or WRAP.
        value: the constant.
        nearest: whether to read the nearest pixel instead.
        y: (N, H, W, C), written.
    """
    samples, height, width, channels = x.shape
    number = x.dtype.type
    constant = number(value)
    for n in range(samples):
        m = maps[n]
        for oy in range(height):
            for ox in range(width):
                row, column = m[0] * oy + m[1] * ox + m[2], m[3] * oy + m[4] * ox + m[5]
                if nearest:
                    row, column = math.floor(row + 0.5), math.floor(column + 0.5)
                first_y, first_x = math.floor(row), math.floor(column)
                y[n, oy, ox] = 0
                for corner in range(4):
                    down, right = corner // 2, corner % 2
                    share = (row - first_y if down else 1 - (row - first_y)) * (
                        column - first_x if right else 1 - (column - first_x)
                    )
                    if share == 0:
                        continue
                    iy = inside(int(first_y) + down, height, fill)
                    ix = inside(int(first_x) + right, width, fill)
                    weight = number(share)
                    for c in range(channels):
                        y[n, oy, ox, c] += weight * (constant if iy < 0 or ix < 0 else x[n, iy, ix, c])


@kernel
def transform_gradient(dy: Array, maps: Array, fill: int, nearest: bool, dx: Array) -> None:
    """Write the gradient of `transform`: each dy goes to the pixels that were read, by their weights.

    Args:
        dy: (N, H, W, C).
        maps, fill, nearest: as for `transform`.
        dx: (N, H, W, C), written.
    """
    samples, height, width, channels = dx.shape
    number = dx.dtype.type
    dx[:] = 0
    for n in range(samples):
        m = maps[n]
        for oy in range(height):
            for ox in range(width):
                row, column = m[0] * oy + m[1] * ox + m[2], m[3] * oy + m[4] * ox + m[5]
                if nearest:
                    row, column = math.floor(row + 0.5), math.floor(column + 0.5)
                first_y, first_x = math.floor(row), math.floor(column)
                for corner in range(4):
                    down, right = corner // 2, corner % 2
                    share = (row - first_y if down else 1 - (row - first_y)) * (
                        column - first_x if right else 1 - (column - first_x)
                    )
                    if share == 0:
                        continue
                    iy = inside(int(first_y) + down, height, fill)
                    ix = inside(int(first_x) + right, width, fill)
                    if iy >= 0 and ix >= 0:
                        weight = number(share)
                        for c in range(channels):
                            dx[n, iy, ix, c] += weight * dy[n, oy, ox, c]
