"""The kernels of normalization that is a part of a convolution and of pooling, against NumPy in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_normalization_kernels import optional
from test_pooling_kernels import Written, reads

from tinynet.kernels import convolution_normalization as kernels
from tinynet.kernels import normalization, pooling

DTYPES = [np.float32, np.float64]
CHANNELS = [1, 7, 16, 17, 33]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}
CASES = [  # samples, height and width, windows
    (1, (2, 2), (2, 2)),
    (2, (5, 7), (2, 2)),  # pixels that no window covers
    (2, (6, 3), (3, 2)),
    (3, (4, 5), (1, 3)),
    (1, (3, 2), (3, 2)),
    (2, (2, 3), (1, 1)),
    (0, (2, 2), (2, 2)),
]
WITHOUT = [(), ("gamma",), ("beta",), ("gamma", "beta")]


def make(case, channels, dtype, without=()):
    samples, image, _ = case
    random = np.random.default_rng([samples, *image, channels])
    x = random.normal(size=(samples, *image, channels)).astype(dtype)
    gamma, beta = random.normal(size=(2, channels)).astype(dtype)
    mean, scale = random.normal(size=channels), random.uniform(0.5, 2, channels)
    return (
        x,
        mean,
        scale,
        gamma[: 0 if "gamma" in without else None],
        beta[: 0 if "beta" in without else None],
    )


def pooled_shape(case, channels):
    samples, image, pool = case
    return samples, image[0] // pool[0], image[1] // pool[1], channels


def windows(x, case):
    """Return the windows' elements, one after the other: (places, N, OH, OW, C)."""
    (height, width), (_, rows, columns, _) = case[2], pooled_shape(case, 1)
    return np.array(
        [
            x[:, a : height * rows : height, b : width * columns : width]
            for a in range(height)
            for b in range(width)
        ]
    )


@pytest.mark.parametrize("without", WITHOUT, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_folded_weights(dtype, without):
    for rows, filters, with_bias in itertools.product((1, 9, 20), CHANNELS, (False, True)):
        random = np.random.default_rng([rows, filters])
        kernel, bias = (
            random.normal(size=(rows, filters)).astype(dtype),
            random.normal(size=filters).astype(dtype),
        )
        _, mean, scale, gamma, beta = make(CASES[0], filters, dtype, without)
        bias = bias if with_bias else bias[:0]
        folded, offset = Written(kernel.shape, dtype), Written(filters, dtype)
        inputs = [reads(array) for array in (kernel, bias, mean, scale, gamma, beta)]
        kernels.fold(*inputs, folded.array, offset.array)
        factor = optional(gamma, filters, 1.0) * scale
        folded.check(kernel * factor, rtol=TOLERANCE[dtype])
        expected = (optional(bias, filters, 0.0) - mean) * factor + optional(beta, filters, 0.0)
        offset.check(expected, atol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("without", WITHOUT, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_as_normalizing_and_then_pooling(dtype, without, relu):
    for case, channels, whole in itertools.product(CASES, CHANNELS, (False, True)):
        x, mean, scale, gamma, beta = make(case, channels, dtype, without)
        if whole:  # many ties and zeros
            x, mean, scale = x.round(), mean.round(), np.ones_like(scale)
            gamma, beta = np.sign(gamma), np.zeros_like(beta)
        if x.size and not whole:
            x[0, 0, 0, 0] = np.nan
        normalized = np.empty_like(x)
        rows = x.reshape(-1, channels), mean, scale, gamma, beta, normalized.reshape(-1, channels)
        normalization.normalize(*rows, relu)
        shape = pooled_shape(case, channels)
        expected, places = np.empty(shape, dtype), np.empty(shape, dtype)
        pooling.max_pool_places(normalized, expected, places, *case[2], relu)
        y, chosen, place = Written(shape, dtype), Written(shape, dtype), Written(shape, dtype)
        inputs = [reads(array) for array in (x, mean, scale, gamma, beta)]
        kernels.normalize_and_pool(*inputs, y.array, chosen.array, place.array, *case[2], relu)
        y.check(expected)
        there = ~np.isnan(expected)
        place.check(np.where(there, places, place.array))
        which = np.maximum(places, 0).astype(int)[None]
        found = np.take_along_axis(windows(x, case), which, 0)[0]
        # Below 0 a ReLU makes all equal, and nothing passes.
        chosen.check(np.where(there & (places >= 0), found, chosen.array))
        assert not relu or (place.array[there & (expected == 0)] == -1).all()


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("without", WITHOUT[:2], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_every_pixel(dtype, without, stays):
    for case, channels in itertools.product(CASES, CHANNELS):
        x, mean, scale, gamma, _ = make(case, channels, dtype, without)
        random, shape = np.random.default_rng(channels), pooled_shape(case, channels)
        place = random.integers(-1, case[2][0] * case[2][1], shape).astype(dtype)
        dy, sums = random.normal(size=shape).astype(dtype), random.normal(size=2 * channels)
        upstream = np.zeros(x.shape)
        for number, part in enumerate(np.ndindex(case[2])):
            view = upstream[:, part[0] : case[2][0] * shape[1] : case[2][0], part[1] :][:, :, :: case[2][1]]
            view[:, :, : shape[2]] = np.where(place == number, dy, 0)
        count = np.array([np.nan, 50.0])[: 0 if stays else 2]
        dx = Written(x.shape, dtype)
        inputs = [reads(array) for array in (x, dy, place, mean, scale, gamma, sums, count)]
        kernels.pooled_gradient(*inputs, dx.array, *case[2])
        total, product = np.split(np.zeros_like(sums) if stays else sums / 50, 2)
        xhat = (x.astype(float) - mean) * scale
        expected = optional(gamma, channels, 1.0) * scale * (upstream - total - xhat * product)
        dx.check(expected, atol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_the_bias(dtype):
    for channels, with_gamma in itertools.product(CHANNELS, (False, True)):
        _, sums, scale, gamma, _ = make(CASES[0], channels, dtype)
        gamma = gamma if with_gamma else gamma[:0]
        dbias, nothing = Written(channels, dtype), Written(0, dtype)
        for written in (dbias, nothing):
            kernels.bias_gradient(reads(np.append(sums, sums)), reads(scale), reads(gamma), written.array)
        dbias.check(optional(gamma, channels, 1.0) * scale * sums, rtol=TOLERANCE[dtype])
        nothing.check([])


def test_by_hand():
    x, gamma, beta = np.array([[1.0, 4], [3, 2]]).reshape(1, 2, 2, 1), np.array([-2.0]), np.array([1.0])
    mean, scale = np.array([2.0]), np.array([0.5])  # x becomes 2, -1, 0, 1
    y, chosen, place = np.zeros((3, 1, 1, 1, 1))
    kernels.normalize_and_pool(x, mean, scale, gamma, beta, y, chosen, place, 2, 2, True)
    assert (y.item(), chosen.item(), place.item()) == (2, 1, 0)
    dx, sums, count = np.zeros_like(x), np.array([3.0, -1.5]), np.array([4.0])
    kernels.pooled_gradient(x, np.full_like(y, 3), place, mean, scale, gamma, sums, count, dx, 2, 2)
    # -1 * (dY - 3 / 4 - (x - 2) / 2 * -1.5 / 4)
    assert dx.ravel().tolist() == [-3 + 0.75 + 0.1875, 0.75 - 0.375, 0.75 - 0.1875, 0.75]
    folded, offset = np.zeros((2, 1)), np.zeros(1)
    kernels.fold(np.array([[1.0], [3.0]]), np.array([5.0]), mean, scale, gamma, beta, folded, offset)
    assert folded.ravel().tolist() == [-1, -3]
    assert offset.item() == -2
