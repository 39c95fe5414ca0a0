"""Affine maps of images: against sums over an extended image, and what must never be touched."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.generators.transforming import FILL_MODES

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def moved(images, places, order=1, fill="nearest", cval=0.0):
    images, places = np.asarray(images), np.ascontiguousarray(places, np.float64)
    out = np.empty_like(images)
    kernels.affine.transform(images, places, order, FILL_MODES.index(fill), cval, out)
    return out


def along(line, fill="nearest", order=1, cval=9.0, step=1.0, start=0.0):
    """What is read along a line of pixels, from a start on, in steps."""
    image = np.array(line, np.float64).reshape(1, 1, -1, 1)
    return moved(image, [[[1, 0, 0], [0, step, start]]], order, fill, cval).ravel().tolist()


def pixel_of(index, size, fill):
    """The pixel that an index beyond the border stands for; `wrap` has a period of its own."""
    if fill == "reflect":
        index %= 2 * size
        return index if index < size else 2 * size - 1 - index
    return min(max(index, 0), size - 1)


def naive(image, place, order, fill, cval):
    height, width, channels = image.shape
    out = np.empty((height, width, channels))
    for row in range(height):
        for column in range(width):
            at = place @ [row, column, 1]
            if fill == "constant" and not (0 <= at[0] <= height - 1 and 0 <= at[1] <= width - 1):
                out[row, column] = cval
                continue
            if fill == "wrap":  # the last pixel is the first of the next period
                at = [
                    p if 0 <= p <= n - 1 else p % (n - 1) if n > 1 else 0
                    for p, n in zip(at, (height, width), strict=True)
                ]
            if order == 0:
                at = [math.floor(p + 0.5) for p in at]
            corner = [math.floor(p) for p in at]
            out[row, column] = sum(
                (1 - abs(at[0] - r)) * (1 - abs(at[1] - c))
                * image[pixel_of(r, height, fill), pixel_of(c, width, fill)]
                for r in (corner[0], corner[0] + 1)
                for c in (corner[1], corner[1] + 1)
            )  # fmt: skip
    return out


def test_worked_by_hand():
    assert along([1, 2, 4, 8], start=-0.5) == [1, 1.5, 3, 6]
    assert along([1, 2, 4, 8], start=-2) == [1, 1, 1, 2]
    assert along([1, 2, 4, 8], "constant", start=-0.5) == [9, 1.5, 3, 6]
    assert along([1, 2, 4, 8], "constant", start=2) == [4, 8, 9, 9]
    assert along([1, 2, 4, 8], "reflect", start=-3) == [4, 2, 1, 1]
    assert along([1, 2, 4, 8], "reflect", start=2) == [4, 8, 8, 4]
    assert along([1, 2, 4, 8], "reflect", start=-0.25) == [1, 1.75, 3.5, 7]
    assert along([1, 2, 4, 8], "wrap", start=-2) == [2, 4, 1, 2]
    assert along([1, 2, 4, 8], "wrap", start=2) == [4, 8, 2, 4]
    assert along([1, 2, 4, 8], order=0, start=0.5) == [2, 4, 8, 8]
    assert along([1, 2, 4, 8], step=0.5) == [1, 1.5, 2, 3]


@pytest.mark.parametrize("fill", FILL_MODES)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 2), (5, 1, 1), (2, 2, 4), (7, 9, 3)])
def test_is_the_naive_sum(shape, dtype, order, fill):
    random = np.random.default_rng(0)
    images = (255 * random.random((6, *shape))).astype(dtype)
    places = IDENTITY + random.normal(size=(6, 2, 3)) * [[[0.5, 0.5, shape[0]], [0.5, 0.5, shape[1]]]]
    expected = [naive(image, place, order, fill, 7) for image, place in zip(images, places, strict=True)]
    np.testing.assert_allclose(
        moved(images, places, order, fill, 7.0), expected, atol=1e-4 if dtype == np.float32 else 1e-9
    )


@settings(max_examples=60)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6),
    st.sampled_from(FILL_MODES),
    st.sampled_from([0, 1]),
)
def test_no_map_reads_or_writes_outside(numbers, fill, order):
    buffer = np.full(4 * 3 * 5 * 2, np.nan)
    guarded = np.full_like(buffer, -1.0)
    images, out = (whole.reshape(4, 3, 5, 2)[1:3] for whole in (buffer, guarded))
    images[:] = np.arange(60.0).reshape(2, 3, 5, 2)
    kernels.affine.transform(
        images, np.array(numbers * 2).reshape(2, 2, 3), order, FILL_MODES.index(fill), 5.0, out
    )
    assert out.min() >= 0
    assert out.max() <= 59
    assert (guarded.reshape(4, 3, 5, 2)[[0, 3]] == -1).all()


def test_an_identity_copies_what_is_no_number():
    images = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(moved(images, IDENTITY[None]), images)


def test_the_bits_are_the_same_on_any_number_of_threads():
    random = np.random.default_rng(1)
    images = random.random((8, 9, 9, 3)).astype(np.float32)
    places = IDENTITY + random.normal(size=(8, 2, 3))
    whole = moved(images, places)
    with ThreadPoolExecutor(4) as threads:
        parts = threads.map(lambda i: moved(images[i : i + 1], places[i : i + 1]), range(8))
    np.testing.assert_array_equal(np.concatenate(list(parts)), whole)


@pytest.mark.parametrize("fill", FILL_MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_is_what_scipy_does(fill, order):
    ndimage = pytest.importorskip("scipy.ndimage")
    random = np.random.default_rng(2)
    for shape in ((6, 9, 2), (1, 4, 1), (28, 28, 1)):
        image = (255 * random.random(shape)).astype(np.float32)
        place = IDENTITY + random.normal(size=(2, 3))
        place[:, 2] = np.round(place[:, 2] * 8) / 2  # also exactly on and between pixels
        for exact in (place, np.c_[np.diag([0.5, 1]), place[:, 2]]):
            expected = [
                ndimage.affine_transform(channel, exact[:, :2], exact[:, 2], None, None, order, fill, 7)
                for channel in np.moveaxis(image, 2, 0)
            ]
            np.testing.assert_allclose(
                moved(image[None], exact[None], order, fill, 7.0)[0], np.moveaxis(expected, 0, 2), atol=1e-4
            )
