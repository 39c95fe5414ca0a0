"""Random distortions of images: rotation, shift, scale, shear and elastic displacement.

Images are (height, width, channels); positions are in pixels, rows count downwards. The output pixel
at p reads the source image at ``centre + A⁻¹ · (p − centre − shift) + field[p]``, where A scales, then
shears, then rotates. Between pixels the source is bilinear, outside it is zero.

Every random number is a hash of (seed, epoch, index of the sample, counter), so that the distortion of
a sample does not depend on the batch, the shard or the thread that it is in.

Steele, Lea, Flood. "Fast splittable pseudorandom number generators." OOPSLA 2014 (SplitMix64).
Simard, Steinkraus, Platt. "Best practices for convolutional neural networks applied to visual document
analysis." ICDAR 2003 (elastic distortion).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .functions import cosine, exp, sine
from .jit import kernel
from .vector import broadcast, scalar

Floats = NDArray[np.floating]

# Typed constants: in Numba an unsigned integer and a plain literal meet as a float64.
ONE = np.uint64(1)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
BITS_11, BITS_27, BITS_30, BITS_31, BITS_32 = (np.uint64(bits) for bits in (11, 27, 30, 31, 32))

AFFINE_DRAWS = 5  # counters 0 to 4 of a sample are its affine parameters, the following ones its noise


@kernel
def random_bits(key: np.uint64, counter: int) -> np.uint64:
    """Compute number ``counter`` of the SplitMix64 sequence that starts at ``key``."""
    bits = key + (np.uint64(counter) + ONE) * GOLDEN
    bits = (bits ^ (bits >> BITS_30)) * MIX_1
    bits = (bits ^ (bits >> BITS_27)) * MIX_2
    return bits ^ (bits >> BITS_31)


@kernel
def sample_key(seed: int, epoch: int, index: int) -> np.uint64:
    """Compute the start of a sample's own random sequence in this epoch."""
    return random_bits(random_bits(random_bits(np.uint64(0), seed), epoch), index)


@kernel
def uniform(key: np.uint64, counter: int) -> float:
    """Compute a number uniform in [−1, 1), of 53 random bits."""
    return np.float64(random_bits(key, counter) >> BITS_11) * 2.0**-52 - 1.0


@kernel
def draw_affine(
    key: np.uint64, ranges: tuple[float, float, float, float]
) -> tuple[float, float, float, float, float]:
    """Draw what ``affine_to_source`` takes, given the largest rotation, shift, change of scale and shear."""
    rotation, shift, scale, shear = ranges
    return (
        rotation * uniform(key, 0),
        shift * uniform(key, 1),
        shift * uniform(key, 2),
        1.0 + scale * uniform(key, 3),
        shear * uniform(key, 4),
    )


@kernel
def affine_to_source(
    affine: tuple[float, float, float, float, float], height: int, width: int, to_source: Floats
) -> None:
    """Write the map from an output pixel to the position that it reads.

    Args:
        affine: rotation in radians, counterclockwise as seen; shift down and shift right in pixels; scale
            factor; shear, the pixels that a row moves to the right per pixel that it is above the centre.
        height: of the image in pixels.
        width: of the image in pixels.
        to_source: (2, 3), overwritten so that ``[row, column] = to_source @ [out_row, out_column, 1]``.
    """
    rotation, shift_down, shift_right, scale, shear = affine
    turn = broadcast(rotation)
    down_slope, right_slope = scalar(cosine(turn)) / scale, scalar(sine(turn)) / scale
    row_slope = (down_slope, right_slope)
    column_slope = (shear * down_slope - right_slope, shear * right_slope + down_slope)
    centre_row, centre_column = (height - 1) / 2, (width - 1) / 2
    down, right = centre_row + shift_down, centre_column + shift_right
    to_source[0, 0], to_source[0, 1] = row_slope
    to_source[1, 0], to_source[1, 1] = column_slope
    to_source[0, 2] = centre_row - (row_slope[0] * down + row_slope[1] * right)
    to_source[1, 2] = centre_column - (column_slope[0] * down + column_slope[1] * right)


@kernel
def fill_smoothing(sigma: float, smoothing: Floats) -> None:
    """Write the matrix that smooths a line of independent numbers and keeps their variance.

    Each row is a Gaussian, cut off at 3 sigma and at the border, of unit Euclidean norm: that is what keeps
    the variance the same at the border as in the middle.

    Args:
        sigma: standard deviation of the Gaussian in pixels.
        smoothing: (size, size), overwritten.
    """
    size = len(smoothing)
    for row in range(size):
        squares = 0.0
        for column in range(size):
            distance = (row - column) / sigma
            weight = scalar(exp(broadcast(-0.5 * distance * distance))) if abs(distance) <= 3 else 0.0
            smoothing[row, column] = weight
            squares += weight**2
        for column in range(size):
            smoothing[row, column] /= math.sqrt(squares)


@kernel
def multiply(left: Floats, right: Floats, product: Floats) -> None:
    """Write the matrix product, skipping the zeros of ``left``: a smoothing matrix is a band."""
    for row in range(left.shape[0]):
        product[row] = 0
        for inner in range(left.shape[1]):
            weight = left[row, inner]
            if weight != 0:
                for column in range(right.shape[1]):
                    product[row, column] += weight * right[inner, column]


@kernel
def fill_noise(key: np.uint64, amplitude: float, noise: Floats) -> None:
    """Write independent numbers, uniform in ±amplitude; the halves of one hash serve the two directions.

    Args:
        key: the sample's.
        amplitude: half the width of the distribution.
        noise: (width, 2, height), overwritten.
    """
    width, _, height = noise.shape
    unit = noise.dtype.type(amplitude * 2.0**-31)
    for column in range(width):
        first = AFFINE_DRAWS + column * height
        for row in range(height):
            bits = random_bits(key, first + row)
            noise[column, 0, row] = unit * noise.dtype.type(np.int32(bits >> BITS_32))
            noise[column, 1, row] = unit * noise.dtype.type(np.int32(bits))


@kernel
def fill_field(
    key: np.uint64, alpha: float, smooth_rows: Floats, smooth_columns: Floats, field: Floats
) -> None:
    """Write a random smooth displacement field: uniform noise, smoothed along one axis and then the other.

    Args:
        key: the sample's.
        alpha: root mean square of the displacement in each direction, in pixels.
        smooth_rows: (height, height), smooths along a column of pixels.
        smooth_columns: (width, width), smooths along a row of pixels.
        field: (height, 2, width), overwritten: displacement down and right, in pixels.
    """
    height, _, width = field.shape
    noise = np.empty((width, 2, height), field.dtype)
    smoothed = np.empty((width, 2, height), field.dtype)
    turned = np.empty((height, 2, width), field.dtype)
    fill_noise(key, alpha * math.sqrt(3.0), noise)  # uniform in ±1 has the variance 1/3
    multiply(smooth_columns, noise.reshape(width, 2 * height), smoothed.reshape(width, 2 * height))
    for row in range(height):
        for column in range(width):
            turned[row, 0, column] = smoothed[column, 0, row]
            turned[row, 1, column] = smoothed[column, 1, row]
    multiply(smooth_rows, turned.reshape(height, 2 * width), field.reshape(height, 2 * width))


@kernel
def clamp(value: np.floating, low: np.floating, high: np.floating) -> np.floating:
    """Bring a value, even NaN, between low and high: a position must never lead outside a buffer."""
    value = value if value > low else low
    return value if value < high else high


@kernel
def warp(image: Floats, to_source: Floats, field: Floats, warped: Floats) -> None:
    """Write an image in which each pixel is read from a displaced position of another image.

    Args:
        image: (height, width, channels).
        to_source: (2, 3), from ``affine_to_source``.
        field: (height, 2, width), displacement down and right, in pixels, added to the source position.
        warped: shaped like image, overwritten.
    """
    height, width, channels = image.shape
    number = image.dtype.type
    # A border of zeros, to whose outer edge positions are clamped, makes "zero outside" free of branches.
    stride = width + 2
    padded = np.zeros((channels, (height + 2) * stride), image.dtype)
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                padded[channel, (row + 1) * stride + column + 1] = image[row, column, channel]
    corner = np.empty(width, np.int32)
    down, right = np.empty(width, image.dtype), np.empty(width, image.dtype)
    for row in range(height):
        row_start = to_source[0, 0] * number(row) + to_source[0, 2]
        column_start = to_source[1, 0] * number(row) + to_source[1, 2]
        for column in range(width):
            source_row = row_start + to_source[0, 1] * number(column) + field[row, 0, column]
            source_column = column_start + to_source[1, 1] * number(column) + field[row, 1, column]
            source_row = clamp(source_row + number(1), number(0), number(height + 1))
            source_column = clamp(source_column + number(1), number(0), number(width + 1))
            corner_row = min(np.int32(source_row), np.int32(height))
            corner_column = min(np.int32(source_column), np.int32(width))
            down[column] = source_row - number(corner_row)
            right[column] = source_column - number(corner_column)
            corner[column] = corner_row * np.int32(stride) + corner_column
        for channel in range(channels):
            pixels = padded[channel]
            for column in range(width):
                above = np.uint64(corner[column])  # an unsigned index skips Numba's test for negative ones
                below = above + np.uint64(stride)
                top = pixels[above] + right[column] * (pixels[above + ONE] - pixels[above])
                bottom = pixels[below] + right[column] * (pixels[below + ONE] - pixels[below])
                warped[row, column, channel] = top + down[column] * (bottom - top)


@kernel
def distort(
    images: Floats,
    seed: int,
    epoch: int,
    indices: NDArray[np.int64],
    ranges: tuple[float, float, float, float],
    alpha: float,
    sigma: float,
    distorted: Floats,
) -> None:
    """Write a randomly distorted copy of each image.

    Args:
        images: (samples, height, width, channels).
        seed: of the training run.
        epoch: the number of the epoch.
        indices: (samples,), what distinguishes the samples: their positions in the training set.
        ranges: the largest rotation in radians, shift in pixels, change of scale and shear.
        alpha: root mean square of the elastic displacement in each direction, in pixels; 0 for none.
        sigma: smoothness of the elastic displacement in pixels.
        distorted: shaped like images, overwritten.
    """
    samples, height, width, _ = images.shape
    to_source = np.empty((2, 3), images.dtype)
    field = np.zeros((height, 2, width), images.dtype)
    smooth_rows = np.empty((height, height), images.dtype)
    smooth_columns = np.empty((width, width), images.dtype)
    if alpha > 0:
        fill_smoothing(sigma, smooth_rows)
        fill_smoothing(sigma, smooth_columns)
    for sample in range(samples):
        key = sample_key(seed, epoch, indices[sample])
        affine_to_source(draw_affine(key, ranges), height, width, to_source)
        if alpha > 0:
            fill_field(key, alpha, smooth_rows, smooth_columns, field)
        warp(images[sample], to_source, field, distorted[sample])
