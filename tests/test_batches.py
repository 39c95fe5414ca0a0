import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.data import batches, scale_pixels, train_validation_split


def test_scale_pixels_maps_every_value() -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    scaled = scale_pixels(images)
    assert scaled.dtype == np.float32
    assert scaled.min() == 0
    assert scaled.max() == 1  # exactly, which a product with float32(1 / 255) would not promise
    np.testing.assert_array_equal(scaled.ravel(), np.arange(256, dtype=np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("given_shape", "scaled_shape"),
    [
        ((28, 20), (1, 28, 20, 1)),
        ((5, 28, 20), (5, 28, 20, 1)),
        ((0, 28, 20), (0, 28, 20, 1)),
        ((5, 28, 20, 3), (5, 28, 20, 3)),
    ],
)
def test_scale_pixels_gives_batch_and_channel_axes(
    given_shape: tuple[int, ...], scaled_shape: tuple[int, ...]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, given_shape, np.uint8)
    before = images.copy()
    scaled = scale_pixels(images)
    assert scaled.shape == scaled_shape
    np.testing.assert_array_equal(np.rint(scaled * 255).ravel(), images.ravel())
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.int64, np.bool_])
def test_scale_pixels_refuses_other_types(dtype: type) -> None:
    with pytest.raises(TypeError, match=f"expected uint8 .* got {np.dtype(dtype)}; "):
        scale_pixels(np.zeros((2, 28, 28), dtype))


@pytest.mark.parametrize("shape", [(), (784,), (1, 2, 3, 4, 5)])
def test_scale_pixels_refuses_other_ranks(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected images of shape .* reshape"):
        scale_pixels(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(5, 784), (1, 784), (0, 784)])
def test_scale_pixels_refuses_rows(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"rows of images of 28 by 28; reshape .*\.reshape\(-1, 28, 28\)"):
        scale_pixels(np.zeros(shape, np.uint8))
    assert scale_pixels(np.zeros((784, 784), np.uint8)).shape == (1, 784, 784, 1)


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3), (5, 7, 4)])
def test_scale_pixels_refuses_one_image_with_channels(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match=r"one image with its channels; .*images\[np.newaxis\]"):
        scale_pixels(image)
    assert scale_pixels(image[np.newaxis]).shape == (1, *shape)
    assert scale_pixels(np.zeros((9, 3, 3), np.uint8)).shape == (9, 3, 3, 1)


def test_split_takes_the_last_samples_as_views() -> None:
    x, y = np.arange(40).reshape(20, 2), np.arange(20)
    (x_train, y_train), (x_validation, y_validation) = train_validation_split(x, y)
    np.testing.assert_array_equal(y_train, np.arange(18))
    np.testing.assert_array_equal(y_validation, [18, 19])
    np.testing.assert_array_equal(x_train, x[:18])
    np.testing.assert_array_equal(x_validation, x[18:])
    assert x_train.base is not None
    for view, whole in ((x_train, x), (x_validation, x), (y_train, y), (y_validation, y)):
        assert np.shares_memory(view, whole)


@pytest.mark.parametrize(
    ("count", "validation_split", "kept"),
    [(60_000, 0.1, 6_000), (10, 0.9, 9), (100, 0.07, 7), (100, 0.29, 29), (7, 0.5, 4), (10, 0.01, 1)],
)
def test_split_counts(count: int, validation_split: float, kept: int) -> None:
    samples = np.arange(count)
    (train, _), (validation, _) = train_validation_split(samples, samples, validation_split)
    assert (len(train), len(validation)) == (count - kept, kept)


@pytest.mark.parametrize("validation_split", [0, 1, -0.1, 1.5, float("nan")])
def test_split_refuses_other_fractions(validation_split: float) -> None:
    with pytest.raises(ValueError, match=r"expected a validation_split between 0 and 1, got"):
        train_validation_split(np.arange(10), np.arange(10), validation_split)


@pytest.mark.parametrize(("count", "validation_split"), [(0, 0.1), (1, 0.1), (1, 0.9), (5, 0.9)])
def test_split_refuses_an_empty_side(count: int, validation_split: float) -> None:
    with pytest.raises(ValueError, match=f"samples on both sides, got {count} samples"):
        train_validation_split(np.arange(count), np.arange(count), validation_split)


def test_split_refuses_different_counts() -> None:
    with pytest.raises(ValueError, match="got 10 and 9"):
        train_validation_split(np.arange(10), np.arange(9))


@given(
    count=st.integers(1, 300),
    batch_size=st.integers(1, 400),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**70),
    epoch=st.integers(0, 1000),
)
def test_batches_give_every_sample_once(
    count: int, batch_size: int, shuffle: bool, seed: int, epoch: int
) -> None:
    parts = list(batches(count, batch_size, shuffle=shuffle, seed=seed, epoch=epoch))
    assert [len(part) for part in parts[:-1]] == [batch_size] * (len(parts) - 1)
    assert 1 <= len(parts[-1]) <= batch_size
    order = np.concatenate(parts)
    assert order.dtype == np.intp
    np.testing.assert_array_equal(np.sort(order), np.arange(count))
    if not shuffle:
        np.testing.assert_array_equal(order, np.arange(count))


def test_shuffling_permutes_samples_not_batches() -> None:
    """Batches whose starts are shuffled hold neighbours; among permuted samples, few are."""
    neighbours = 0
    for part in batches(1000, 50, shuffle=True, seed=0, epoch=0):
        neighbours += int((np.diff(np.sort(part)) == 1).sum())
    assert neighbours < 150  # 49 expected (each pair with probability 49 / 999), 980 if only starts move


def test_order_depends_on_seed_and_epoch_only() -> None:
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return tuple(np.concatenate(list(batches(100, 7, shuffle=True, seed=seed, epoch=epoch))).tolist())

    assert order(3, 5) == order(3, 5)
    assert len({order(3, 5), order(3, 6), order(4, 5), order(5, 3)}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "at least 1 sample, got 0"),
        ({"batch_size": 0}, "batch_size of at least 1, got 0"),
        ({"seed": -1}, "got seed=-1 and epoch=0"),
        ({"epoch": -1}, "got seed=0 and epoch=-1"),
    ],
)
def test_batches_refuse_bad_numbers_at_once(arguments: dict[str, int], message: str) -> None:
    numbers = {"count": 10, "batch_size": 2, "seed": 0, "epoch": 0} | arguments
    with pytest.raises(ValueError, match=message):
        batches(
            numbers["count"],
            numbers["batch_size"],
            shuffle=False,
            seed=numbers["seed"],
            epoch=numbers["epoch"],
        )
