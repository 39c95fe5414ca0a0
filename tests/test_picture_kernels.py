"""The kernels for people's pictures, against references from their definitions.

What a kernel reads lies between values that would win every maximum, and what it writes lies between
sentinels, because Numba does not notice when a kernel reads or writes past an array's end.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.images import ink
from tinynet.kernels import picture

DTYPES = [np.float32, np.float64]
GUARD = 64
SENTINEL = 12345


class Buffer:
    """An array in the middle of a buffer, and a check that nobody wrote around it."""

    def __init__(self, content, guard=SENTINEL):
        content = np.asarray(content)
        self.guard = np.array(guard, content.dtype)
        self.buffer = np.full(content.size + 2 * GUARD, self.guard)
        self.array = self.buffer[GUARD : GUARD + content.size].reshape(content.shape)
        self.array[...] = content

    def check_guards(self):
        assert (self.buffer[:GUARD] == self.guard).all()
        assert (self.buffer[GUARD + self.array.size :] == self.guard).all()


def levels(random, shape, dtype):
    """Few values, so that there are many ties, and both ends of the range."""
    return (random.integers(0, 9, shape) / 8).astype(dtype)


# window_maximum


def maximum_reference(x, radius):
    return np.array([x[max(i - radius, 0) : i + radius + 1].max(axis=0) for i in range(len(x))])


def guarded(kernel, x, radius):
    """Run the kernel between guards, and check that x is as before."""
    source, target = Buffer(x, np.inf), Buffer(np.full(x.shape, SENTINEL, x.dtype))
    kernel(source.array, target.array, radius)
    source.check_guards()
    target.check_guards()
    np.testing.assert_array_equal(source.array, x)
    return target.array


window_maximum = functools.partial(guarded, picture.window_maximum)


@pytest.mark.parametrize(
    ("radius", "expected"),
    [
        (0, [1, 3, 2, 0, 5, 4, 0]),
        (1, [3, 3, 3, 5, 5, 5, 4]),
        (2, [3, 3, 5, 5, 5, 5, 5]),
        (3, [3, 5, 5, 5, 5, 5, 5]),
        (6, [5] * 7),
        (100, [5] * 7),
    ],
)
def test_window_maximum_by_hand(radius, expected):
    x = np.float32([[1, 3, 2, 0, 5, 4, 0], [9, 9, 9, 9, 9, 9, 9], [0, 0, 0, 0, 0, 0, 0]]).T
    y = window_maximum(x, radius)
    assert y[:, 0].tolist() == expected
    assert (y[:, 1] == 9).all()  # a column's neighbours do not matter
    assert (y[:, 2] == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_window_maximum_of_every_size_and_radius(dtype):
    """Blocks of 2 · radius + 1 rows that fit, that do not, and that are longer than the array."""
    random = np.random.default_rng(0)
    for rows, radius in itertools.product(range(1, 24), range(14)):
        x = levels(random, (rows, 3), dtype) - dtype(0.5)
        np.testing.assert_array_equal(window_maximum(x, radius), maximum_reference(x, radius))


@pytest.mark.parametrize("columns", [1, 2, 7, 8, 9, 16, 17, 33])
def test_window_maximum_of_any_number_of_columns(columns):
    x = levels(np.random.default_rng(columns), (11, columns), np.float32)
    np.testing.assert_array_equal(window_maximum(x, 2), maximum_reference(x, 2))


def test_window_maximum_finds_a_single_peak_from_every_place():
    for rows, radius in itertools.product((1, 2, 5, 6, 7, 20, 21), (0, 1, 2, 3, 5, 30)):
        for peak in range(rows):
            x = np.full((rows, 1), -np.inf, np.float32)
            x[peak] = 1
            near = np.abs(np.arange(rows) - peak) <= radius
            np.testing.assert_array_equal(window_maximum(x, radius)[:, 0] == 1, near)


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 70), st.integers(0, 20), st.integers(0, 2**32))
def test_window_maximum_properties(rows, columns, radius, more, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns)).astype(np.float32)
    x[random.random(x.shape) < 0.1] = -np.inf
    y = window_maximum(x, radius)
    np.testing.assert_array_equal(y, maximum_reference(x, radius))
    np.testing.assert_array_equal(window_maximum(x[::-1], radius), y[::-1])
    np.testing.assert_array_equal(window_maximum(y, more), window_maximum(x, radius + more))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (7, 12), (30, 20)])
def test_the_square_maximum_covers_both_axes(shape):
    x = levels(np.random.default_rng(0), shape, np.float32)
    before = x.copy()
    for radius in (0, 1, 3, 40):
        expected = maximum_reference(maximum_reference(x, radius).T, radius).T
        y = ink.window_maximum(x, radius)
        np.testing.assert_array_equal(y, expected)
        assert y.flags.c_contiguous
        closed = -ink.window_maximum(-expected, radius)
        np.testing.assert_array_equal(ink._closed(x, radius), closed)
        assert (closed >= x).all()
    np.testing.assert_array_equal(x, before)


# label


def label_reference(mask):
    """Flood each part from its first pixel on."""
    height, width = mask.shape
    labels, count = np.zeros(mask.shape, int), 0
    for start in map(tuple, np.argwhere(mask)):
        if labels[start]:
            continue
        count += 1
        todo = [start]
        while todo:
            y, x = todo.pop()
            if 0 <= y < height and 0 <= x < width and mask[y, x] and not labels[y, x]:
                labels[y, x] = count
                todo += [(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return labels, count


def workspace_size(height, width):
    return ((height + 1) // 2) * ((width + 1) // 2) + 1


def label(mask):
    """Run the kernel between guards, with the smallest workspace that it promises to do with."""
    mask = np.asarray(mask, bool)
    source = Buffer(mask, True)
    labels = Buffer(np.full(mask.shape, SENTINEL, np.int32))
    workspace = Buffer(np.full(workspace_size(*mask.shape), SENTINEL, np.int32))
    count = picture.label(source.array, labels.array, workspace.array)
    for buffer in (source, labels, workspace):
        buffer.check_guards()
    np.testing.assert_array_equal(source.array, mask)
    return labels.array, count


def drawn(text):
    """A mask from lines of dots and letters, and the labels that the letters name: a is 1, b is 2."""
    rows = [[0 if c == "." else ord(c) - ord("a") + 1 for c in row] for row in text.split()]
    return np.array(rows)


@pytest.mark.parametrize(
    "text",
    [
        ".",
        "a",
        "... ... ...",
        "aaa aaa aaa",
        "a.b.c",
        "a . b . c",
        "a.a a.a aaa",  # joined at the end only
        ".aa a.. .aa",
        "a...a .a.a. ..a..",  # corners touch
        "..a.. .a.a. a...a",
        "a.b.. ..... c.d.e",
        "aaaaa a...a a.b.a a...a aaaaa",  # a part inside of another
        "a.a.a.a a.a.a.a aaaaaaa",
        "aaaaaaa a.a.a.a a.a.a.a",
        "..a..b. .a..b.. a..b..c",
        ".....a ...a.a .a.a.a a.a.a.",  # a row of valleys that join from right to left
        "aaaaaaa ......a aaaaa.a a...a.a a.aaa.a a.....a aaaaaaa",  # a spiral
    ],
)
def test_label_by_hand(text):
    expected = drawn(text)
    labels, count = label(expected > 0)
    np.testing.assert_array_equal(labels, expected)
    assert count == expected.max()


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2), (1, 10), (10, 1), (3, 4), (4, 3)])
def test_label_of_every_small_mask(shape):
    size = shape[0] * shape[1]
    step = 1 if size < 10 else 7  # an odd step: every pixel varies
    for number in range(0, 2**size, step):
        mask = (number >> np.arange(size) & 1).astype(bool).reshape(shape)
        labels, count = label(mask)
        expected, parts = label_reference(mask)
        assert count == parts
        assert (labels == expected).all(), mask


@settings(max_examples=60)
@given(st.integers(1, 25), st.integers(1, 25), st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_label_of_random_masks(height, width, share, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    labels, count = label(mask)
    expected, parts = label_reference(mask)
    np.testing.assert_array_equal(labels, expected)
    assert count == parts
    assert label(mask.T)[1] == label(mask[::-1])[1] == parts


def test_label_has_room_for_as_many_parts_as_there_can_be():
    """Isolated pixels in every second row and column: one more would not fit into the workspace."""
    for shape in [*itertools.product(range(1, 8), range(1, 8)), (64, 65), (65, 64), (65, 65), (101, 3)]:
        mask = np.zeros(shape, bool)
        mask[::2, ::2] = True
        labels, count = label(mask)
        assert count == mask.sum() == workspace_size(*shape) - 1
        np.testing.assert_array_equal(labels[mask], np.arange(1, count + 1))
        assert (labels[~mask] == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (6, 6), (6, 7), (7, 6), (7, 7), (33, 50)])
def test_images_gives_label_the_workspace_that_it_needs(shape, monkeypatch):
    sizes = []

    def between_guards(mask, labels, workspace):
        sizes.append(workspace.size)
        buffer = Buffer(workspace)
        count = picture_label(mask, labels, buffer.array)
        buffer.check_guards()
        return count

    picture_label = picture.label
    monkeypatch.setattr(picture, "label", between_guards)
    for top, left in itertools.product((0, 1), repeat=2):
        mask = np.zeros(shape, bool)
        mask[top::2, left::2] = True
        labels, count = ink.label(mask)
        assert count == mask.sum()
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, label_reference(mask)[0])
    assert set(sizes) == {workspace_size(*shape)}


def test_label_starts_anew_each_time():
    labels, workspace = np.full((5, 5), 7, np.int32), np.full(10, 7, np.int32)
    for mask in (np.eye(5, dtype=bool), np.zeros((5, 5), bool), np.ones((5, 5), bool)):
        assert picture.label(mask, labels, workspace) == int(mask.any())
        np.testing.assert_array_equal(labels, mask)


def test_label_follows_long_chains_of_joins():
    """Teeth of a comb that lean to the left join one after the other, each with the one before it."""
    side = 120
    rows, columns = np.indices((side, side))
    leaning = (rows + columns) % 4 == 0
    leaning[-1] = True
    assert label(leaning)[1] == label_reference(leaning)[1]
    labels, count = label(leaning[:, ::-1])
    expected, parts = label_reference(leaning[:, ::-1])
    assert count == parts
    np.testing.assert_array_equal(labels, expected)


# widen


def widen_reference(x, radius):
    """y[p] is the largest x[q] · clip(radius + 1 - |p - q|, 0, 1)."""
    rows, columns = np.indices(x.shape)
    y = np.zeros(x.shape)
    for p in np.ndindex(x.shape):
        far = np.hypot(rows - p[0], columns - p[1])
        y[p] = (x.astype(np.float64) * np.clip(radius + 1 - far, 0, 1)).max()
    return y


widen = functools.partial(guarded, picture.widen)


def test_widen_by_hand():
    x = np.zeros((5, 6), np.float32)
    x[2, 2] = 1
    corner = 2 - 2**0.5
    expected = np.zeros((5, 6))
    expected[1:4, 1:4] = [[corner, 1, corner], [1, 1, 1], [corner, 1, corner]]
    np.testing.assert_allclose(widen(x, 1.0), expected, rtol=1e-6)
    half = np.zeros((5, 6))
    half[1:4, 1:4] = [[1.5 - 2**0.5, 0.5, 1.5 - 2**0.5], [0.5, 1, 0.5], [1.5 - 2**0.5, 0.5, 1.5 - 2**0.5]]
    np.testing.assert_allclose(widen(x, 0.5), half, rtol=1e-6)


def test_widen_by_nothing_changes_nothing():
    x = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    np.testing.assert_array_equal(widen(x, 0.0), x)


@pytest.mark.parametrize("radius", [0.0, 0.1, 0.5, 1.0, 1.5, 2.25, 4.0, 11.3])
def test_widen_of_every_size(radius):
    """From a single pixel to sizes with and without room for the disc, which may be larger than they."""
    random = np.random.default_rng(0)
    for shape in [*itertools.product(range(1, 5), range(1, 5)), (1, 12), (12, 1), (9, 10)]:
        x = levels(random, shape, np.float32)
        np.testing.assert_allclose(widen(x, radius), widen_reference(x, radius), rtol=1e-6, atol=1e-7)


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 15), st.integers(0, 2**32))
def test_widen_properties(height, width, radius, seed):
    random = np.random.default_rng(seed)
    x = (random.random((height, width)) * (random.random((height, width)) < 0.3)).astype(np.float32)
    y = widen(x, radius)
    np.testing.assert_allclose(y, widen_reference(x, radius), rtol=1e-5, atol=1e-6)
    assert (y >= x).all()
    assert y.max() == x.max()
    assert (widen(x, radius + 0.5) >= y).all()
    np.testing.assert_array_equal(widen(np.ascontiguousarray(x.T), radius), y.T)
    np.testing.assert_array_equal(widen(np.ascontiguousarray(x[::-1, ::-1]), radius), y[::-1, ::-1])


def test_a_stroke_gets_wider_and_narrower_by_the_radius_on_each_side():
    x = np.zeros((40, 40), np.float32)
    x[:, 15:25] = 1
    assert widen(x, 3.0)[20].sum() == pytest.approx(16)
    assert (1 - widen(1 - x, 3.0))[20].sum() == pytest.approx(4)
    assert widen(x, 2.5)[20].sum() == pytest.approx(15)


# boxes


def box_reference(labels, number):
    rows, columns = np.nonzero(labels == number)
    return [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]


def boxes(labels, count):
    source, target = Buffer(labels, 3), Buffer(np.full((count + 1, 4), SENTINEL, np.int32))
    picture.boxes(source.array, target.array)
    source.check_guards()
    target.check_guards()
    return target.array


def test_boxes_by_hand():
    labels = np.int32([[0, 1, 0, 2], [1, 0, 0, 2], [0, 0, 0, 2]])
    assert boxes(labels, 2).tolist() == [[3, 0, 4, 0], [0, 2, 0, 2], [0, 3, 3, 4]]


@settings(max_examples=60)
@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 1), st.integers(0, 2**32))
def test_boxes_hold_their_parts(height, width, share, seed):
    labels, count = ink.label(np.random.default_rng(seed).random((height, width)) < share)
    found = boxes(labels, count)
    assert found[1:].tolist() == [box_reference(labels, number) for number in range(1, count + 1)]
