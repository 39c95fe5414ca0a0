"""Random distortions: against a naive twin written with other formulas, and what must never vary."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.data.augment import Augmentation

IDENTITY = (0.0, 0.0, 0.0, 1.0, 0.0)
WORD = 2**64


# The naive twin: Python integers for the random bits, x to the right and y upwards for the geometry.


def naive_bits(key, counter):
    bits = (key + (counter + 1) * 0x9E3779B97F4A7C15) % WORD
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB % WORD
    return bits ^ (bits >> 31)


def naive_key(seed, epoch, index):
    return naive_bits(naive_bits(naive_bits(0, seed), epoch), index)


def naive_affine(key, rotation, shift, scale, shear):
    draws = [naive_bits(key, counter) / 2**63 - 1 for counter in range(5)]
    return (
        math.radians(rotation) * draws[0],
        shift * draws[1],
        shift * draws[2],
        1 + scale * draws[3],
        shear * draws[4],
    )


def naive_smoothing(size, sigma):
    distance = np.subtract.outer(np.arange(size), np.arange(size)) / sigma
    weights = np.where(abs(distance) <= 3, np.exp(-(distance**2) / 2), 0)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def naive_field(key, alpha, sigma, height, width):
    """The displacement (height, 2, width): smoothed noise of variance alpha²."""
    noise = np.zeros((2, height, width))
    for column in range(width):
        for row in range(height):
            bits = naive_bits(key, 5 + column * height + row)
            for direction, half in enumerate((bits >> 32, bits % 2**32)):
                noise[direction, row, column] = (half - 2**32 if half >= 2**31 else half) / 2**31
    noise *= alpha * math.sqrt(3)
    field = naive_smoothing(height, sigma) @ noise @ naive_smoothing(width, sigma).T
    return field.transpose(1, 0, 2)


def naive_warp(image, affine, field):
    """Sum all source pixels, weighted by a hat function: bilinear by definition, zero outside."""
    rotation, shift_down, shift_right, scale, shear = affine
    turn = np.array([[math.cos(rotation), -math.sin(rotation)], [math.sin(rotation), math.cos(rotation)]])
    forward = turn @ np.array([[1, shear], [0, 1]]) * scale
    height, width, _ = image.shape
    centre_row, centre_column = (height - 1) / 2, (width - 1) / 2
    warped = np.zeros(image.shape)
    for row in range(height):
        for column in range(width):
            here = np.array([column - centre_column - shift_right, centre_row - row + shift_down])
            x, y = np.linalg.solve(forward, here)
            source_row = centre_row - y + field[row, 0, column]
            source_column = centre_column + x + field[row, 1, column]
            row_weights = np.maximum(0, 1 - abs(np.arange(height) - source_row))
            column_weights = np.maximum(0, 1 - abs(np.arange(width) - source_column))
            warped[row, column] = np.einsum("r,c,rck->k", row_weights, column_weights, image)
    return warped


def tolerance(dtype):
    return 1e-4 if dtype == np.float32 else 1e-10


def make_images(count=6, height=28, width=28, channels=1, dtype=np.float32):
    return np.random.default_rng(0).random((count, height, width, channels)).astype(dtype)


def warp(image, affine=IDENTITY, field=None):
    """The kernel, with a fresh output that starts as NaN."""
    height, width, _ = image.shape
    to_source = np.empty((2, 3), image.dtype)
    kernels.warp.affine_to_source(affine, height, width, to_source)
    field = np.zeros((height, 2, width), image.dtype) if field is None else field.astype(image.dtype)
    warped = np.full_like(image, np.nan)
    kernels.warp.warp(image, to_source, field, warped)
    return warped


def sample_key(seed, epoch, index):
    """The kernel's key, typed again: a compiled function returns a Python integer."""
    return np.uint64(kernels.warp.sample_key(seed, epoch, index))


# Warping, given the parameters.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(28, 28, 1), (27, 5, 3), (1, 1, 1), (1, 6, 2), (40, 33, 4)])
def test_identity_gives_the_image_back_bit_for_bit(shape, dtype):
    image = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    np.testing.assert_array_equal(warp(image), image, strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_integer_shift_moves_the_pixels_exactly_and_fills_with_zero(dtype):
    image = make_images(1, 5, 4, 2, dtype)[0]
    expected = np.zeros_like(image)
    expected[2:, :-1] = image[:-2, 1:]
    np.testing.assert_array_equal(warp(image, (0.0, 2.0, -1.0, 1.0, 0.0)), expected)


@pytest.mark.parametrize("size", [4, 5])
def test_a_quarter_turn_is_counterclockwise(size):
    image = make_images(1, size, size, 2)[0]
    np.testing.assert_allclose(warp(image, (math.pi / 2, 0.0, 0.0, 1.0, 0.0)), np.rot90(image), atol=1e-5)


@pytest.mark.parametrize(
    ("scale", "expected"), [(2.0, [2, 3, 4, 5, 6]), (0.5, [0, 0, 4, 8, 0]), (1.0, [0, 2, 4, 6, 8])]
)
def test_scale_magnifies_about_the_centre(scale, expected):
    image = np.array([0, 2, 4, 6, 8], np.float32).reshape(1, 5, 1)
    np.testing.assert_array_equal(warp(image, (0.0, 0.0, 0.0, scale, 0.0)).ravel(), expected)


def test_shear_leans_the_top_to_the_right():
    image = np.zeros((3, 3, 1), np.float32)
    image[:, 1] = 1
    np.testing.assert_array_equal(warp(image, (0.0, 0.0, 0.0, 1.0, 1.0))[..., 0], np.fliplr(np.eye(3)))


def test_the_field_moves_the_position_that_is_read():
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    field = np.zeros((3, 2, 4))
    field[1, 0, 2], field[1, 1, 2] = 0.5, -1.0  # half a row down, one column to the left
    expected = image.copy()
    expected[1, 2] = (5 + 9) / 2
    np.testing.assert_array_equal(warp(image, field=field), expected)


@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    affine=st.tuples(
        st.floats(-4, 4), st.floats(-9, 9), st.floats(-9, 9), st.floats(0.3, 3), st.floats(-2, 2)
    ),
    displacement=st.floats(0, 5),
    seed=st.integers(0, 99),
)
def test_warp_agrees_with_the_naive_twin(shape, dtype, affine, displacement, seed):
    rng = np.random.default_rng(seed)
    image = rng.standard_normal(shape).astype(dtype)
    field = (displacement * rng.standard_normal((shape[0], 2, shape[1]))).astype(dtype)
    np.testing.assert_allclose(
        warp(image, affine, field), naive_warp(image, affine, field), atol=tolerance(dtype)
    )


# Random numbers.


def test_random_bits_are_those_of_splitmix64():
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [kernels.warp.random_bits(np.uint64(0), counter) for counter in range(3)] == published


@given(seed=st.integers(-(2**63), 2**63 - 1), epoch=st.integers(0, 2**31), index=st.integers(0, 2**40))
def test_sample_key_agrees_with_the_naive_twin(seed, epoch, index):
    assert sample_key(seed, epoch, index) == naive_key(seed % WORD, epoch, index)


def draws(seed, epoch, count=20_000):
    """The affine parameters of samples 0, 1, 2, ... in units of their ranges: (count, 5) in ±1."""
    unit = (1.0, 1.0, 1.0, 1.0)
    affine = [kernels.warp.draw_affine(sample_key(seed, epoch, index), unit) for index in range(count)]
    return np.array(affine) - [0, 0, 0, 1, 0]


def test_affine_parameters_are_uniform_in_their_ranges():
    values = np.sort(draws(seed=0, epoch=0), axis=0)
    count = len(values)
    assert values.min() >= -1
    assert values.max() < 1
    uniform = (2 * np.arange(count) + 1)[:, np.newaxis] / count - 1
    assert np.max(abs(values - uniform)) < 2 * 1.6 / math.sqrt(count)  # Kolmogorov-Smirnov at 1%
    assert np.max(abs(values.mean(axis=0))) < 4 / math.sqrt(3 * count)


def test_affine_parameters_are_uncorrelated():
    values = draws(seed=0, epoch=0)
    columns = np.concatenate(
        [values, np.roll(values, 1, axis=0), draws(seed=0, epoch=1), draws(seed=1, epoch=0)], axis=1
    )
    correlation = np.corrcoef(columns, rowvar=False) - np.eye(columns.shape[1])
    assert np.max(abs(correlation)) < 4.5 / math.sqrt(len(values))


def test_ranges_scale_the_affine_parameters():
    key = sample_key(5, 6, 7)
    drawn = kernels.warp.draw_affine(key, (math.radians(30), 3.0, 0.2, 0.4))
    assert drawn == pytest.approx(naive_affine(naive_key(5, 6, 7), 30, 3, 0.2, 0.4), abs=1e-15)


# The elastic displacement.


def make_field(key, alpha, sigma, height, width, dtype=np.float64):
    smooth_rows, smooth_columns = np.empty((height, height), dtype), np.empty((width, width), dtype)
    kernels.warp.fill_smoothing(sigma, smooth_rows)
    kernels.warp.fill_smoothing(sigma, smooth_columns)
    field = np.full((height, 2, width), np.nan, dtype)
    kernels.warp.fill_field(key, alpha, smooth_rows, smooth_columns, field)
    return field


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (5, 13), (1, 1), (1, 4)])
@pytest.mark.parametrize("sigma", [0.01, 1.5, 4.0, 1000.0])
def test_field_agrees_with_the_naive_twin(height, width, sigma, dtype):
    key = naive_key(0, 1, 2)
    field = make_field(np.uint64(key), 1.4, sigma, height, width, dtype)
    expected = naive_field(key, 1.4, sigma, height, width)
    np.testing.assert_allclose(field, expected, atol=1e-5 if dtype == np.float32 else 1e-12)


def test_alpha_is_the_root_mean_square_of_the_field_at_every_pixel_and_sigma_its_smoothness():
    sigma = 2.0
    keys = [sample_key(0, 0, index) for index in range(2000)]
    fields = np.array([make_field(key, 1.5, sigma, 25, 21) for key in keys])
    variance = np.mean(fields**2, axis=0)
    np.testing.assert_allclose(np.sqrt(variance), 1.5, rtol=0.08)  # 5 standard errors: also in the corners
    assert np.max(abs(fields.mean(axis=0))) < 5 * 1.5 / math.sqrt(len(fields))
    directions = np.mean(fields[:, :, 0] * fields[:, :, 1], axis=0) / 1.5**2
    assert np.max(abs(directions)) < 5 / math.sqrt(len(fields))
    for distance in (1, 2, 3):  # two Gaussians convolved: a Gaussian of twice the variance
        expected = math.exp(-(distance**2) / (4 * sigma**2))
        along_column = np.mean(fields[:, 11] * fields[:, 11 + distance]) / 1.5**2
        along_row = np.mean(fields[:, 11, :, 9] * fields[:, 11, :, 9 + distance]) / 1.5**2
        assert along_column == pytest.approx(expected, abs=0.06)
        assert along_row == pytest.approx(expected, abs=0.06)


# The whole, from ranges to distorted images.


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(0, 3), st.integers(1, 8), st.integers(1, 8), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    ranges=st.tuples(st.floats(0, 180), st.floats(0, 5), st.floats(0, 0.7), st.floats(0, 1)),
    elastic=st.tuples(st.floats(0, 3), st.floats(0.1, 9)),
    seed=st.integers(0, 2**63 - 1),
)
def test_augmentation_agrees_with_the_naive_twin(shape, dtype, ranges, elastic, seed):
    count, height, width, _ = shape
    images = make_images(*shape, dtype)
    indices = np.arange(count) * 1000
    distorted = Augmentation(*ranges, *elastic)(images, seed=seed, epoch=4, indices=indices)
    assert distorted.shape == images.shape
    assert distorted.dtype == dtype
    for image, index, result in zip(images, indices.tolist(), distorted, strict=True):
        key = naive_key(seed, 4, index)
        field = naive_field(key, *elastic, height, width)
        expected = naive_warp(image, naive_affine(key, *ranges), field)
        np.testing.assert_allclose(result, expected, atol=tolerance(dtype))


AUGMENTATIONS = [Augmentation(), Augmentation(elastic_alpha=1.4)]


@pytest.mark.parametrize("augment", AUGMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_result_depends_on_seed_epoch_and_index_alone(augment, dtype):
    images, indices = make_images(50, dtype=dtype), np.arange(50) * 7
    whole = augment(images, seed=1, epoch=2, indices=indices)
    order = np.random.default_rng(0).permutation(50)
    permuted = augment(images[order], seed=1, epoch=2, indices=indices[order])
    np.testing.assert_array_equal(permuted, whole[order])

    def shard(start):
        part = slice(start, start + 3)
        return augment(images[part], seed=1, epoch=2, indices=indices[part])

    for threads in (1, 4):
        with ThreadPoolExecutor(threads) as pool:
            np.testing.assert_array_equal(np.concatenate(list(pool.map(shard, range(0, 50, 3)))), whole)


@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_every_sample_epoch_and_seed_differs(augment):
    images = np.repeat(make_images(1), 4, axis=0)
    distorted = np.concatenate(
        [
            augment(images, seed=seed, epoch=epoch, indices=np.arange(4))
            for seed in range(3)
            for epoch in range(3)
        ]
    )
    assert len({image.tobytes() for image in distorted}) == len(distorted)


def test_nothing_to_do_gives_an_equal_copy():
    images = make_images()
    distorted = Augmentation(0, 0, 0, 0)(images, seed=0, epoch=0, indices=np.arange(6))
    np.testing.assert_array_equal(distorted, images)
    assert not np.shares_memory(distorted, images)


def test_channels_move_together():
    images = make_images(3, 9, 7, 4)
    distorted = AUGMENTATIONS[1](images, seed=0, epoch=0, indices=np.arange(3))
    for channel in range(4):
        alone = AUGMENTATIONS[1](images[..., [channel]], seed=0, epoch=0, indices=np.arange(3))
        np.testing.assert_array_equal(distorted[..., [channel]], alone)


def test_single_precision_agrees_with_double():
    images = make_images(20, dtype=np.float64)
    double = AUGMENTATIONS[1](images, seed=0, epoch=0, indices=np.arange(20))
    single = AUGMENTATIONS[1](images.astype(np.float32), seed=0, epoch=0, indices=np.arange(20))
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_any_strides_and_integer_types_and_a_read_only_argument():
    base = make_images(12, 20, 24, 3)
    views = base[::2, ::-1, 3:21:2].transpose(0, 2, 1, 3)
    views.flags.writeable = False
    before = base.copy()
    indices = np.arange(24)[::4]
    expected = AUGMENTATIONS[1](np.array(views), seed=0, epoch=0, indices=indices)
    for kind in (np.int64, np.int32, np.uint8, np.uint64):
        distorted = AUGMENTATIONS[1](views, seed=0, epoch=0, indices=indices.astype(kind))
        np.testing.assert_array_equal(distorted, expected)
    np.testing.assert_array_equal(base, before)


def test_numpy_integers_serve_as_seed_and_epoch():
    images, indices = make_images(), np.arange(6)
    np.testing.assert_array_equal(
        Augmentation()(images, seed=np.int32(3), epoch=np.uint8(2), indices=indices),
        Augmentation()(images, seed=3, epoch=2, indices=indices),
    )


# Memory: out-of-bounds reads and writes are silent in compiled code.


class Guarded:
    """An array amid guard values in one buffer: NaN around an input, a sentinel around an output."""

    def __init__(self, values, guard):
        values = np.asarray(values)
        self.buffer = np.full(values.size + 512, guard, values.dtype)
        self.array = self.buffer[256 : 256 + values.size].reshape(values.shape)
        self.array[...] = values
        self.before = self.buffer.copy()

    def assert_guards_intact(self):
        np.testing.assert_array_equal(self.buffer[:256], self.before[:256])
        np.testing.assert_array_equal(self.buffer[-256:], self.before[-256:])

    def assert_unchanged(self):
        np.testing.assert_array_equal(self.buffer, self.before)


GUARDED_SHAPES = [(28, 28, 1), (1, 1, 1), (3, 17, 2), (16, 1, 3), (33, 8, 1)]


@pytest.mark.parametrize("shape", GUARDED_SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reach", [0.5, 100.0, 1e30, np.inf, np.nan])
def test_warp_stays_inside_its_buffers(shape, dtype, reach):
    rng = np.random.default_rng(0)
    height, width, _ = shape
    image = Guarded(rng.random(shape).astype(dtype), np.nan)
    to_source = Guarded(np.array([[1, 0.1, 0.3], [-0.1, 1, -0.3]], dtype), np.nan)
    signs = rng.choice([-1.0, 0.5, 1.0], (height, 2, width))
    field = Guarded((reach * signs).astype(dtype), np.nan)
    warped = Guarded(np.full(shape, np.nan, dtype), 7)
    kernels.warp.warp(image.array, to_source.array, field.array, warped.array)
    assert np.all(np.isfinite(warped.array))
    if reach != 0.5:
        assert not warped.array.any()
    warped.assert_guards_intact()
    for argument in (image, to_source, field):
        argument.assert_unchanged()


@pytest.mark.parametrize("shape", GUARDED_SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_field_and_smoothing_stay_inside_their_buffers(shape, dtype):
    height, width, _ = shape
    smooth_rows = Guarded(np.full((height, height), np.nan, dtype), 7)
    smooth_columns = Guarded(np.full((width, width), np.nan, dtype), 7)
    for smoothing in (smooth_rows, smooth_columns):
        kernels.warp.fill_smoothing(4.0, smoothing.array)
        smoothing.assert_guards_intact()
    smooth_rows = Guarded(smooth_rows.array, np.nan)
    smooth_columns = Guarded(smooth_columns.array, np.nan)
    field = Guarded(np.full((height, 2, width), np.nan, dtype), 7)
    kernels.warp.fill_field(np.uint64(1), 1.0, smooth_rows.array, smooth_columns.array, field.array)
    assert np.all(np.isfinite(field.array))
    field.assert_guards_intact()
    smooth_rows.assert_unchanged()
    smooth_columns.assert_unchanged()


@pytest.mark.parametrize("shape", GUARDED_SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distort_stays_inside_its_buffers(shape, dtype):
    images = Guarded(make_images(3, *shape, dtype), np.nan)
    indices = Guarded(np.arange(3), -1)
    distorted = Guarded(np.full((3, *shape), np.nan, dtype), 7)
    kernels.warp.distort(images.array, 0, 0, indices.array, (0.2, 2.0, 0.1, 0.1), 1.4, 4.0, distorted.array)
    assert np.all(np.isfinite(distorted.array))
    distorted.assert_guards_intact()
    images.assert_unchanged()
    indices.assert_unchanged()


@pytest.mark.parametrize("shape", [(5, 3, 2), (1, 1, 1)])
def test_warp_stays_inside_its_own_scratch_memory(shape):
    """Compiled with Numba's bounds check, an index outside any array is an IndexError."""
    checked = numba.njit(boundscheck=True, error_model="numpy")(kernels.warp.warp.py_func)
    height, width, _ = shape
    image = np.ones(shape, np.float32)
    for target in (-1e9, -2, -1, -0.5, 0, 0.5, height - 1, height, height + 1, width, width + 1, 1e9, np.nan):
        to_source = np.array([[0, 0, target], [0, 0, target]], np.float32)
        checked(image, to_source, np.zeros((height, 2, width), np.float32), np.empty_like(image))


# Errors.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": -1}, "rotation .* at least 0, got -1"),
        ({"shift": -0.5}, "shift"),
        ({"scale": -0.1}, "scale"),
        ({"scale": 1.0}, "scale is a fraction below 1"),
        ({"shear": math.nan}, "shear .* got nan"),
        ({"elastic_alpha": -1}, "elastic_alpha"),
        ({"elastic_alpha": math.inf}, "elastic_alpha .* finite"),
        ({"elastic_sigma": 0}, "elastic_sigma must be above 0"),
        ({"elastic_sigma": -4}, "elastic_sigma"),
    ],
)
def test_impossible_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**arguments)


@pytest.mark.parametrize(
    ("images", "indices", "error", "message"),
    [
        (np.zeros((2, 4, 4, 1), np.uint8), np.arange(2), TypeError, "uint8; data.scale_pixels"),
        (np.zeros((2, 4, 4, 1), np.float16), np.arange(2), TypeError, "float16"),
        (np.zeros((2, 4, 4, 1), ">f4"), np.arange(2), TypeError, "got >f4"),
        (np.zeros((2, 4, 4), np.float32), np.arange(2), ValueError, r"channels\), got \(2, 4, 4\)"),
        (np.zeros((2, 4, 4, 1), np.float32), np.arange(3), ValueError, r"2 images .* got \(3,\)"),
        (np.zeros((2, 4, 4, 1), np.float32), np.zeros((2, 1), int), ValueError, r"got \(2, 1\)"),
        (np.zeros((2, 4, 4, 1), np.float32), np.zeros(2), TypeError, "integers, got float64"),
    ],
)
def test_unusable_input(images, indices, error, message):
    with pytest.raises(error, match=message):
        Augmentation()(images, seed=0, epoch=0, indices=indices)


def test_augmentation_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Augmentation().shift = 3.0
