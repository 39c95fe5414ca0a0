"""Convolutions that are pooled in registers, and their kernel's gradient, against tests/naive.py."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from test_gather_gemm import Written, reads

from tinynet.kernels import pooled_convolution as kernels
from tinynet.kernels.gather_gemm import offsets

DTYPES = [np.float32, np.float64]
CASES = [  # samples, height and width of padded, channels, filters, window, strides
    (1, (4, 4), 1, 1, (3, 3), (1, 1)),
    (2, (6, 9), 1, 32, (3, 3), (1, 1)),  # 4 x 7 outputs: a column left over
    (3, (7, 6), 3, 17, (3, 3), (1, 1)),
    (2, (5, 8), 2, 16, (2, 5), (1, 1)),
    (1, (3, 2), 4, 40, (1, 1), (1, 1)),
    (2, (8, 7), 1, 15, (5, 5), (1, 1)),
    (2, (5, 5), 1, 70, (4, 2), (1, 1)),
    (2, (9, 12), 1, 32, (3, 3), (2, 2)),
    (2, (7, 9), 3, 17, (2, 3), (1, 3)),
    (1, (8, 4), 2, 5, (1, 2), (3, 1)),
]


def make(case, dtype):
    samples, image, channels, filters, window, _ = case
    random = np.random.default_rng(0)
    padded = random.normal(size=(samples, *image, channels)).astype(dtype)
    kernel = random.normal(size=(*window, channels, filters)).astype(dtype)
    bias = random.normal(size=filters).astype(dtype)
    taps = offsets(*window, channels, image[1] * channels, channels, 1, 0)
    return padded, taps, kernel, bias


def pooled(y, relu):
    """Return the largest of each 2x2 outputs, and its place."""
    rows, columns = y.shape[1] // 2, y.shape[2] // 2
    y = np.maximum(y, 0) if relu else y
    tiles = [y[:, a : 2 * rows : 2, b : 2 * columns : 2] for a in (0, 1) for b in (0, 1)]
    largest = np.max(tiles, 0)
    return largest, np.where((largest > 0) | (not relu), np.argmax(tiles, 0), -1)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_the_largest_outputs_and_their_places(case, dtype, relu):
    padded, taps, kernel, bias = make(case, dtype)
    for start in (bias, bias[:0]):
        added = start if start.size else np.zeros(len(bias))
        y, place = pooled(naive.convolution(padded, kernel, added, case[-1], "valid"), relu)
        result, places = Written(y.shape, dtype), Written(y.shape, dtype)
        nothing = Written((0, *y.shape[1:]), dtype)
        for where in (places, nothing):
            result.array[...] = np.nan
            kernels.convolve_and_pool(
                reads(padded), taps, reads(kernel), reads(start), result.array, where.array, *case[-1], relu
            )
            result.check(y)
        places.check(place)
        nothing.check(np.empty(nothing.array.shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_the_gradients_of_kernel_and_bias(case, dtype):
    padded, taps, kernel, bias = make(case, dtype)
    y = naive.convolution(padded, kernel, bias, case[-1], "valid")
    largest, place = pooled(y, True)
    dy = np.random.default_rng(1).normal(size=largest.shape).astype(dtype)
    upstream = np.zeros_like(y)
    for n in range(4):
        part = upstream[:, n // 2 : 2 * dy.shape[1] : 2, n % 2 : 2 * dy.shape[2] : 2]
        part[...] = np.where(place == n, dy, 0)
    _, dkernel, dbias = naive.convolution_gradients(padded, kernel, upstream, case[-1], "valid")
    for size in (len(bias), 0):
        result, total = Written(kernel.shape, dtype), Written(size, dtype)
        kernels.pooled_kernel_gradient(
            reads(padded), taps, reads(dy), reads(place.astype(dtype)), result.array, total.array, *case[-1]
        )
        result.check(dkernel)
        total.check(dbias[:size])


def test_by_hand():
    padded = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
    kernel, bias = np.array([[1, 0], [0, -2]], np.float32).reshape(2, 2, 1, 1), np.full(1, 10, np.float32)
    taps = offsets(2, 2, 1, 3, 1, 1, 0)
    y, place = np.zeros((2, 1, 1, 1, 1), np.float32)
    kernels.convolve_and_pool(padded, taps, kernel, bias, y, place, 1, 1, True)
    assert (y.item(), place.item()) == (1 - 2 * 5 + 10, 0)  # the others: 0, -2 and -3
    dkernel, total = np.zeros_like(kernel), np.zeros(1, np.float32)
    place[...] = 3
    kernels.pooled_kernel_gradient(padded, taps, np.full_like(y, 2), place, dkernel, total, 1, 1)
    assert dkernel.ravel().tolist() == [10, 12, 16, 18]
    assert total.item() == 2
    place[...] = -1
    kernels.pooled_kernel_gradient(padded, taps, np.full_like(y, 2), place, dkernel, total, 1, 1)
    assert not dkernel.any()
    assert total.item() == 0
