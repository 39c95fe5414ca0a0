"""Layers that turn, move, zoom and mirror images at random: what they draw, and when."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Sequential, layers, load_model
from tinynet.kernels import transforms


def draw(ranges, samples=20000, step=0, first=0, size=(5, 7), key=(1, 2)):
    maps = np.zeros((samples, 6))
    cells = np.array(key, np.uint32), np.array([step], np.int64)
    transforms.draw_maps(*cells, first, np.array(ranges, float), *size, maps)
    return maps


def test_what_is_drawn_is_uniform_and_independent():
    maps = draw([0, 0, -0.2, 0.4, -0.5, 0.1, 1, 1, 1, 1, 0, 0])
    for values, low, high in ((-maps[:, 2] / 5, -0.2, 0.4), (-maps[:, 5] / 7, -0.5, 0.1)):
        assert low <= values.min() < low + 0.01
        assert high - 0.01 < values.max() <= high
        counts = np.histogram(values, 10, (low, high))[0]
        assert np.abs(counts - 2000).max() < 6 * math.sqrt(2000)
    assert abs(np.corrcoef(maps[:, 2], maps[:, 5])[0, 1]) < 0.03
    flips = draw([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0.5, 0.5])
    upside, mirrored = flips[:, 0] < 0, flips[:, 4] < 0
    for share in (upside, mirrored, upside ^ mirrored):
        assert share.mean() == pytest.approx(0.5, abs=0.02)
    angles = draw([-0.3, 0.5, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0])
    found = np.arctan2(angles[:, 1], angles[:, 0])
    assert -0.3 <= found.min() < -0.29
    assert 0.49 < found.max() <= 0.5


def test_draws_depend_on_key_step_and_place_alone():
    ranges = [-1, 1, -1, 1, -1, 1, 0.5, 1, 0.5, 1, 0.5, 0.5]
    whole = draw(ranges, 10)
    np.testing.assert_array_equal(draw(ranges, 4, first=6), whole[6:])
    for other in (draw(ranges, 10, step=1), draw(ranges, 10, key=(1, 3)), draw(ranges, 10, key=(2, 2))):
        assert (other[:, 1] != whole[:, 1]).all()
    assert len(np.unique(whole[:, 1])) == 10


@settings(max_examples=30)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)),
    st.sampled_from(["reflect", "wrap", "nearest"]),
    st.sampled_from(["bilinear", "nearest"]),
    st.integers(0, 2**32),
)
def test_constant_images_stay_and_backward_is_the_transpose(shape, fill, interpolation, seed):
    layer = layers.RandomRotation(1.0, fill, interpolation)
    layer.build(shape, seed, "float64")
    np.testing.assert_allclose(layer.forward(np.full((2, *shape), 3.0), training=True), 3.0, rtol=1e-9)
    random = np.random.default_rng(seed)
    x, dy = random.normal(size=(2, 2, *shape))
    y = layer.forward(x, training=True)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, layer.backward(dy)), abs=1e-9)


def test_a_flip_is_one_of_four():
    layer = layers.RandomFlip()
    layer.build((2, 3, 1))
    x = np.arange(6.0).reshape(1, 2, 3, 1).repeat(40, 0)
    found = {one.tobytes() for one in layer(x, training=True)}
    wanted = {np.ascontiguousarray(x[0, ::a, ::b], np.float32).tobytes() for a in (1, -1) for b in (1, -1)}
    assert found == wanted


def model(seed=None):
    row = [
        layers.RandomFlip("horizontal", seed=seed), layers.RandomZoom(0.2, seed=seed),
        layers.Flatten(), layers.Dense(3),
    ]  # fmt: skip
    return Sequential(row, (6, 5, 1), seed=4)


def test_models_train_on_transforms_recorded_and_reproducibly(tmp_path):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(21, 6, 5, 1)), random.normal(size=(21, 3))
    results = []
    for seed in (None, None, 5):
        one = model(seed)
        one.compile("sgd", "mse")
        one.fit(x, y, epochs=3, verbose=0)
        assert one.only_kernels
        results.append(one.get_weights()[0])
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()
    one.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(x), one.predict(x))
    again.compile("sgd", "mse")
    one.compile("sgd", "mse")
    assert again.fit(x, y, verbose=0).history == one.fit(x, y, verbose=0).history


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: layers.RandomFlip("up"), "mode must be one of.*got 'up'"),
        (lambda: layers.RandomRotation(2), "factor must be a number from -1 to 1.*got 2"),
        (lambda: layers.RandomRotation("a"), "factor must be"),
        (lambda: layers.RandomRotation(0.1, "mirror"), "fill_mode must be one of.*got 'mirror'"),
        (lambda: layers.RandomZoom(0.1, interpolation="cubic"), "interpolation must be.*got 'cubic'"),
        (lambda: layers.RandomTranslation(0.1, (1, 2, 3)), "width_factor must be"),
        (lambda: layers.RandomFlip().build((3, 4)), r"expected input_shape \(height, width, channels\)"),
    ],
)
def test_what_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
