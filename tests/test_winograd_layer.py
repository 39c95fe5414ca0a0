"""Where Conv2D uses Winograd's algorithm, and that nothing but its speed and its rounding shows it."""

from __future__ import annotations

import numba.core.codegen
import numpy as np
import pytest

from tinynet import Sequential, layers, models
from tinynet.layers.config import layer_config, layer_from_config


def uses(filters, shape, **arguments):
    layer = layers.Conv2D(filters, **{"kernel_size": 3} | arguments)
    layer.build(shape)
    return layer.uses_winograd


@pytest.mark.parametrize(
    ("filters", "shape", "arguments", "expected"),
    [
        (32, (14, 14, 32), {}, True),
        (8, (8, 8, 16), {}, True),  # 6 x 6 outputs
        (8, (8, 7, 16), {}, False),
        (8, (6, 6, 16), {"padding": "same"}, True),
        (7, (8, 8, 16), {}, False),
        (8, (8, 8, 15), {}, False),
        (64, (28, 28, 1), {"padding": "same"}, False),
        (32, (14, 14, 32), {"method": "direct"}, False),
        (32, (14, 14, 32), {"method": "im2col"}, False),
        (1, (3, 3, 1), {"method": "winograd"}, True),
        (32, (14, 14, 32), {"strides": 2}, False),
        (32, (14, 14, 32), {"strides": (1, 2)}, False),
        (32, (14, 14, 32), {"dilation_rate": 2}, False),
        (32, (14, 14, 32), {"groups": 2}, False),
        (32, (14, 14, 32), {"kernel_size": (3, 5)}, False),
        (32, (14, 14, 32), {"kernel_size": 2}, False),
        (32, (32, 14, 14), {"data_format": "channels_first"}, True),
    ],
)
def test_the_shapes_decide(filters, shape, arguments, expected):
    assert uses(filters, shape, **arguments) is expected


@pytest.mark.parametrize(
    "arguments",
    [{"kernel_size": 5}, {"kernel_size": (3, 1)}, {"strides": 2}, {"dilation_rate": 2}, {"groups": 2}],
)
def test_what_it_cannot_do_is_refused(arguments):
    with pytest.raises(ValueError, match=r"Conv2D: method='winograd' needs a kernel_size of \(3, 3\)"):
        layers.Conv2D(**{"filters": 4, "kernel_size": 3, "method": "winograd"} | arguments)
    with pytest.raises(ValueError, match="Conv1D: method='winograd' needs"):
        layers.Conv1D(4, 3, method="winograd")


def test_what_the_default_was_called_is_the_default():
    assert layers.Conv2D(4, 3, method="gather").method == "auto"
    assert layer_from_config(layer_config(layers.Conv2D(4, 3)) | {"method": "gather"}).method == "auto"


def network(method="auto", filters=16, dtype="float32"):
    return Sequential(
        [
            layers.Conv2D(filters, 3, padding="same", activation="relu", method=method),
            layers.MaxPool2D(2),
            layers.Conv2D(filters, 3, activation="tanh", method=method),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        (17, 18, 16),
        dtype=dtype,
        seed=3,
    )


def batch(samples):
    random = np.random.default_rng(0)
    return random.normal(size=(samples, 17, 18, 16)), random.integers(0, 3, samples)


@pytest.mark.parametrize("method", ["auto", "direct", "winograd"])
def test_files_keep_the_method_and_keras_sees_none_that_nobody_chose(method, tmp_path):
    model = network(method)
    model.save(tmp_path / "model.safetensors")
    assert [layer.method for layer in models.load_model(tmp_path / "model.safetensors").layers[:3:2]] == [
        method
    ] * 2
    config = model.layers[0].get_config()
    assert config.get("method", "auto") == method
    assert ("method" in config) == (method != "auto")
    assert layers.Conv2D.from_config(config).method == method
    assert '"method"' not in model.to_json()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_methods_agree(dtype):
    x, y = batch(40)
    results = []
    for method in ("direct", "winograd"):
        model = network(method, dtype=dtype)
        assert [layer.uses_winograd for layer in model.layers[:3:2]] == [method == "winograd"] * 2
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = model.predict(x)
        model.fit(x, y, epochs=2, batch_size=20, verbose=0)
        results.append([before, *model.get_weights()])
    for direct, winograd in zip(*results, strict=True):
        np.testing.assert_allclose(
            winograd, direct, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13 * np.abs(direct).max()
        )


def test_the_same_bits_on_any_number_of_threads_and_in_any_batch(set_threads):
    x, y = batch(41)
    found = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = network()
        assert model.layers[0].uses_winograd
        whole = model.predict(x)
        np.testing.assert_array_equal(whole, model.forward(x))
        for part in (slice(0, 1), slice(3, 5), slice(7, 41)):
            np.testing.assert_array_equal(model.predict(x[part]), whole[part])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=2, batch_size=20, verbose=0)
        found.append([whole, *model.get_weights()])
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            assert one.tobytes() == same.tobytes()


def test_a_pixel_that_is_no_number_spoils_the_outputs_that_see_it_and_no_others():
    layer = layers.Conv2D(1, 3, padding="same", method="winograd")
    layer.build((7, 8, 1))
    for y, x in np.ndindex(7, 8):
        for value in (np.nan, np.inf):
            image = np.ones((1, 7, 8, 1))
            image[0, y, x] = value
            spoiled = np.zeros((7, 8), bool)
            spoiled[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
            np.testing.assert_array_equal(~np.isfinite(layer.forward(image)[0, :, :, 0]), spoiled)


def test_weights_that_change_in_place_count_in_the_next_call():
    model, (x, _) = network(), batch(5)
    for samples in (5, 1):
        model.predict(x[:samples])
        model.predict(x[:samples])  # replayed
        for layer in model.layers[:3:2]:
            layer.kernel.value[...] *= -1
            result = model.predict(x[:samples])
            other = network()
            other.set_weights(model.get_weights())
            np.testing.assert_array_equal(result, other.predict(x[:samples]))


BITS = """
import zlib
import numpy as np
from tinynet import Sequential, layers
from tinynet.kernels.cpu import VECTOR_BYTES
random = np.random.default_rng(0)
x, y = random.normal(size=(9, 18, 20, 1)), random.integers(0, 3, 9)
for dtype in ("float32", "float64"):
    model = Sequential([
        layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPool2D(2),
        layers.Conv2D(18, 3, padding="same", activation="relu"), layers.MaxPool2D(2),
        layers.Conv2D(5, 3, method="winograd"), layers.Flatten(), layers.Dense(3, activation="softmax"),
    ], (18, 20, 1), dtype=dtype, seed=1)
    assert model.layers[2].uses_winograd
    model.compile("sgd", "sparse_categorical_crossentropy")
    for _ in range(3):
        model.train_on_batch(x, y)
    for weights in model.get_weights():
        print(zlib.crc32(weights.tobytes()))
print(VECTOR_BYTES)
"""


@pytest.mark.slow
def test_the_bits_do_not_depend_on_how_long_vectors_are(run_python):
    features = numba.core.codegen.get_host_cpu_features().split(",")
    if "+avx512f" not in features or "+fma" not in features:
        pytest.skip("this CPU has no shorter vectors to compare with")
    shorter = ",".join(f.replace("+avx512", "-avx512") for f in features)
    here = run_python(BITS).splitlines()
    there = run_python(BITS, NUMBA_CPU_FEATURES=shorter).splitlines()
    assert (here.pop(), there.pop()) == ("64", "32")
    assert here == there
