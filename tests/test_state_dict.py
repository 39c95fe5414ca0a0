"""State dicts of PyTorch's as weights of models, from bytes that were written by hand."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file
from state_dicts import saved

import tinynet
from tinynet import Input, Model, Sequential, layers
from tinynet.layers import (
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LayerNormalization,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    PReLU,
    Reshape,
    SeparableConv2D,
    UpSampling2D,
)

RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def load(model, arrays, tmp_path, legacy=False):
    path = tmp_path / "net.pt"
    path.write_bytes(saved(arrays, legacy))
    model.load_weights(path)
    return model


def weights(model):
    return {name: parameter.value.copy() for name, parameter in model.named_parameters().items()}


def flat(images):
    """Images with their channels last, as PyTorch flattens its own."""
    return np.moveaxis(images, -1, 1).reshape(len(images), -1)


def correlated(image, kernel):
    """The valid correlation of one image (channels, height, width) with a kernel (O, I, KH, KW)."""
    _, _, height, width = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), (1, 2))
    return np.einsum("iyxhw,oihw->oyx", windows, kernel)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_network_of_convolutions(tmp_path, legacy):
    arrays = {
        "conv.weight": numbers(4, 2, 3, 3), "conv.bias": numbers(4),
        "fc.weight": numbers(3, 4 * 4 * 5), "fc.bias": numbers(3),
    }  # fmt: skip
    model = Sequential([Conv2D(4, 3), Dropout(0.5), Flatten(), Dense(3)], (6, 7, 2))
    load(model, arrays, tmp_path, legacy)
    x = numbers(2, 6, 7, 2)
    for image, y in zip(x, model.predict(x), strict=True):
        y_conv = correlated(np.moveaxis(image, -1, 0), arrays["conv.weight"])
        features = (y_conv + arrays["conv.bias"][:, None, None]).reshape(-1)
        np.testing.assert_allclose(
            y, arrays["fc.weight"] @ features + arrays["fc.bias"], rtol=1e-4, atol=1e-4
        )


def test_a_hand_worked_flatten(tmp_path):
    arrays = {"weight": np.arange(8, dtype=np.float32).reshape(1, 8)}
    model = load(Sequential([Flatten(), Dense(1, use_bias=False)], (2, 2, 2)), arrays, tmp_path)
    # The channels of PyTorch's image are [[0, 1], [2, 3]] and [[4, 5], [6, 7]].
    assert model.get_weights()[0][:, 0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_depthwise_separable_and_grouped(tmp_path):
    arrays = {
        "a.weight": numbers(6, 1, 2, 3), "a.bias": numbers(6), "b.weight": numbers(12, 1, 3, 3),
        "c.weight": numbers(5, 12, 1, 1), "c.bias": numbers(5), "d.weight": numbers(10, 1, 2, 2),
    }  # fmt: skip
    stack = [
        DepthwiseConv2D((2, 3), depth_multiplier=2), SeparableConv2D(5, 3, depth_multiplier=2),
        Conv2D(10, 2, groups=5, use_bias=False),
    ]  # fmt: skip
    found = load(Sequential(stack, (8, 8, 3)), arrays, tmp_path).get_weights()
    assert found[0][1, 2, 2, 1] == arrays["a.weight"][2 * 2 + 1, 0, 1, 2]
    assert found[2][0, 2, 4, 1] == arrays["b.weight"][4 * 2 + 1, 0, 0, 2]
    assert found[3][0, 0, 7, 4] == arrays["c.weight"][4, 7, 0, 0]
    assert found[5][1, 0, 0, 9] == arrays["d.weight"][9, 0, 1, 0]


def test_normalizations_and_prelu(tmp_path):
    batch = ("weight", "bias", "running_mean", "running_var")
    arrays = {f"0.{own}": numbers(3) for own in batch} | {"0.num_batches_tracked": np.array(5)}
    arrays |= {"1.weight": numbers(3), "2.weight": numbers(1)}
    arrays |= {f"4.{own}": numbers(12) for own in batch}
    arrays |= {
        "5.weight": numbers(12),
        "5.bias": numbers(12),
        "6.running_mean": numbers(12),
        "6.running_var": numbers(12),
    }
    stack = [
        BatchNormalization(epsilon=1e-5), PReLU(shared_axes=[1, 2]), PReLU(), Flatten(),
        BatchNormalization(epsilon=1e-5), LayerNormalization(epsilon=1e-5),
        BatchNormalization(center=False, scale=False, epsilon=1e-5),
    ]  # fmt: skip
    model = load(Sequential(stack, (2, 2, 3)), arrays, tmp_path)
    found = [layer.get_weights() for layer in model.layers]
    np.testing.assert_array_equal(found[0], [arrays[f"0.{own}"] for own in batch])
    np.testing.assert_array_equal(found[1][0][0, 0], arrays["1.weight"])
    np.testing.assert_array_equal(found[2][0], np.full((2, 2, 3), arrays["2.weight"]))
    order = np.arange(12).reshape(3, 4).T.reshape(-1)
    np.testing.assert_array_equal(found[4], [arrays[f"4.{own}"][order] for own in batch])
    np.testing.assert_array_equal(found[5], [arrays["5.weight"][order], arrays["5.bias"][order]])
    np.testing.assert_array_equal(found[6], [arrays["6.running_mean"][order], arrays["6.running_var"][order]])


def dense_rows(stack, shape, tmp_path, features):
    """The features of PyTorch's Linear in the order in which a model's Dense got them."""
    arrays = {"fc.weight": np.arange(features, dtype=np.float32).reshape(1, -1)}
    model = Sequential([*stack, Dense(1, use_bias=False, name="fc")], shape)
    others = {
        f"{layer.name}.weight": np.zeros([*kernel.shape[:-3:-1], *kernel.shape[:-2]], np.float32)
        for layer in model.layers[:-1]
        for kernel in layer.get_weights()
    }
    path = tmp_path / "net.pt"
    path.write_bytes(saved(others | arrays))
    model.load_weights(path)
    return model.layers[-1].get_weights()[0][:, 0].astype(int)


TURNED = np.arange(2 * 3 * 4).reshape(4, 2, 3).transpose(1, 2, 0).reshape(-1)  # channels 4, height 2, width 3
PLAIN = np.arange(24)
STEPS = PLAIN.reshape(4, 6).T.reshape(-1)
CONV = {"use_bias": False}
FIRST = {"data_format": "channels_first"}
ORDERS = {
    "an image": ([Flatten()], (2, 3, 4), TURNED),
    "a matrix": ([Flatten()], (4, 6), PLAIN),
    "a vector": ([], (24,), PLAIN),
    "after a convolution": ([Conv2D(4, 1, **CONV), Flatten()], (2, 3, 1), TURNED),
    "pooled": ([MaxPooling2D(2), Dropout(0.1), Flatten(), layers.ReLU()], (4, 6, 4), TURNED),
    "sequences": ([Conv1D(4, 1, **CONV), MaxPooling1D(2), Flatten()], (12, 2), STEPS),
    "by Reshape": ([Conv2D(4, 1, **CONV), Reshape((-1,))], (2, 3, 1), TURNED),
    "in steps": ([Conv2D(4, 1, **CONV), Reshape((6, 4)), Flatten()], (2, 3, 1), TURNED),
    "permuted": ([Conv2D(4, 1, **CONV), Permute((3, 1, 2)), Flatten()], (2, 3, 1), PLAIN),
    "permuted otherwise": (
        [Conv2D(4, 1, **CONV), Permute((2, 1, 3)), Flatten()], (2, 3, 1),
        PLAIN.reshape(4, 2, 3).transpose(2, 1, 0).reshape(-1),
    ),
    "channels first": (
        [Conv2D(4, 1, **FIRST, **CONV), layers.ReLU(), Reshape((24,))], (1, 2, 3), PLAIN,
    ),
    "channels first, flattened last": (
        [Conv2D(4, 1, **FIRST, **CONV), Flatten(**FIRST)], (1, 2, 3), TURNED,
    ),
    "one channel": ([Flatten()], (4, 6, 1), PLAIN),
    "pixels alone": ([layers.GlobalAveragePooling2D()], (2, 3, 24), PLAIN),
    "rows as images": ([Reshape((2, 3, 4)), Conv2D(4, 1, **CONV), Flatten()], (24,), TURNED),
    "an image made by hand": (
        [Dense(24, use_bias=False), Reshape((4, 2, 3)), Permute((2, 3, 1)), UpSampling2D(1), Flatten()],
        (5,), TURNED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERS)
def test_the_order_of_features(case, tmp_path):
    stack, shape, expected = ORDERS[case]
    np.testing.assert_array_equal(dense_rows(stack, shape, tmp_path, 24), expected)


def test_the_order_of_features_side_by_side(tmp_path):
    x = Input((2, 3, 2))
    both = Concatenate()([Flatten()(Conv2D(4, 1)(x)), Dense(3)(Flatten()(x)), Flatten()(x)])
    model = Model(x, Dense(1, use_bias=False)(both))
    arrays = {
        "a.weight": numbers(4, 2, 1, 1), "a.bias": numbers(4),
        "b.weight": numbers(3, 12), "b.bias": numbers(3),
        "c.weight": np.arange(39, dtype=np.float32).reshape(1, -1),
    }  # fmt: skip
    load(model, arrays, tmp_path)
    image = 27 + np.arange(12).reshape(2, 6).T.reshape(-1)
    expected = [*TURNED, 24, 25, 26, *image]
    assert model.layers[-1].get_weights()[0][:, 0].tolist() == expected


def test_the_order_of_features_of_images_with_their_channels_first(tmp_path):
    x = Input((4, 2, 3))
    first = Reshape((6,))(Conv2D(1, 1, use_bias=False, **FIRST)(x))
    model = Model(x, Dense(1, use_bias=False)(Concatenate()([first, Reshape((24,))(x)])))
    arrays = {"a.weight": numbers(1, 4, 1, 1), "b.weight": np.arange(30, dtype=np.float32).reshape(1, -1)}
    load(model, arrays, tmp_path)
    assert model.layers[-1].get_weights()[0][:, 0].tolist() == [*range(30)]


def test_the_order_of_features_of_a_shared_layer(tmp_path):
    x, other, shared = Input((2, 3, 4)), Input((2, 3, 4)), Dense(1, use_bias=False)
    arrays = {"a.weight": np.arange(24, dtype=np.float32).reshape(1, -1)}
    model = Model([x, other], layers.Add()([shared(Flatten()(x)), shared(Flatten()(other))]))
    load(model, arrays, tmp_path)
    np.testing.assert_array_equal(shared.get_weights()[0][:, 0], TURNED)
    x, shared = Input((2, 3, 4)), Dense(1, use_bias=False)
    turned = Flatten()(Permute((2, 1, 3))(x))
    model = Model(x, layers.Add()([shared(Flatten()(x)), shared(turned)]))
    with pytest.raises(ValueError, match=r"is called for features that PyTorch has in different orders"):
        load(model, arrays, tmp_path)


def test_images_of_learned_features_in_another_order_are_refused(tmp_path):
    model = Sequential([Dense(24), Reshape((2, 3, 4)), Conv2D(1, 1)], 5)
    with pytest.raises(ValueError, match=r"make them by Reshape\(\(4, 2, 3\)\) and Permute\(\(2, 3, 1\)\)"):
        load(model, {"x.weight": numbers(1)}, tmp_path)


def test_shared_layers_and_blocks(tmp_path):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = Dense(4), Dense(4)

        def declare(self, input_shape, random):
            self.first.build(input_shape)
            return self.second.build(4)

        def forward(self, x, training=False):
            return self.second.forward(self.first.forward(x, training), training)

    x, shared = Input((4,)), Dense(4)
    model = Model(x, Dense(2)(Block()(shared(shared(x)))))
    arrays = {
        f"{i}.{own}": numbers(*shape) for i in range(3) for own, shape in (("weight", (4, 4)), ("bias", (4,)))
    }
    arrays |= {"3.weight": numbers(2, 4), "3.bias": numbers(2)}
    load(model, arrays, tmp_path)
    y = x = numbers(3, 4)
    for i in (0, 0, 1, 2, 3):
        y = y @ arrays[f"{i}.weight"].T + arrays[f"{i}.bias"]
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-4, atol=1e-4)


# Which module belongs to which layer


def two(*names):
    return {f"{own}.weight": np.full((4, 4), i, np.float32) for i, own in enumerate(names)}


def rows(*names):
    return Sequential([Dense(4, use_bias=False, name=own) for own in names], 4)


def kernels(model):
    return [int(array[0, 0]) for array in model.get_weights()]


def test_modules_of_equal_shapes_are_taken_in_order(tmp_path):
    assert kernels(load(rows("a", "b", "c"), two("z", "y", "x"), tmp_path)) == [0, 1, 2]


def test_all_names_together_win_over_the_order(tmp_path):
    assert kernels(load(rows("a", "b", "c"), two("c", "a", "b"), tmp_path)) == [1, 2, 0]
    assert kernels(load(rows("a", "b", "c"), two("c", "a", "d"), tmp_path)) == [0, 1, 2]


def test_shapes_say_which_is_which_where_they_can(tmp_path):
    arrays = (
        {"norm.weight": numbers(4), "norm.bias": numbers(4)} | two("a", "b") | {"out.weight": numbers(2, 4)}
    )
    stack = [
        Dense(4, use_bias=False),
        Dense(4, use_bias=False),
        LayerNormalization(epsilon=1e-5),
        Dense(2, use_bias=False),
    ]
    model = load(Sequential(stack, 4), arrays, tmp_path)
    assert [int(array[0, 0]) for array in model.get_weights()[:2]] == [0, 1]


def stored(model, arrays, tmp_path):
    save_file(arrays, tmp_path / "net.safetensors")
    model.load_weights(tmp_path / "net.safetensors")
    return kernels(model)


def test_safetensors_of_other_programs_do_not_keep_the_order(tmp_path):
    assert stored(rows("a", "b", "c"), two("fc1", "fc9", "fc10"), tmp_path) == [0, 1, 2]
    assert stored(rows("a", "b", "c"), two("c", "a", "b"), tmp_path) == [1, 2, 0]
    model = rows("a", "b", "c")
    before = weights(model)
    with pytest.raises(ValueError, match=r"a \(Dense\) may be any of last, one, two, because .* order"):
        stored(model, two("one", "two", "last"), tmp_path)
    np.testing.assert_equal(weights(model), before)


def test_safetensors_in_bfloat16(tmp_path):
    header = b'{"fc.weight":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}'
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\x80\x3f\x20\xc0")
    model = Sequential([Dense(1, use_bias=False)], 2)
    model.load_weights(path)
    assert model.get_weights()[0].tolist() == [[1.0], [-2.5]]


GOOD = {
    "conv.weight": numbers(4, 2, 3, 3), "conv.bias": numbers(4),
    "fc.weight": numbers(3, 36), "fc.bias": numbers(3),
}  # fmt: skip
WRONG = {
    "another size": (
        {"fc.weight": numbers(3, 35)},
        "dense (Dense) expects, in PyTorch's order, weight (3, 36) and bias (3,), "
        "and there is 'fc' with weight (3, 35) and bias (3,)",
    ),
    "transposed": ({"fc.weight": numbers(36, 3)}, "there is 'fc' with weight (36, 3) and bias (3,)"),
    "as in Keras": ({"conv.weight": numbers(3, 3, 2, 4)}, "there is 'conv' with weight (3, 3, 2, 4)"),
    "no bias": ({"conv.bias": None}, "there is 'conv' with weight (4, 2, 3, 3)."),
    "no layer": ({"fc.weight": None, "fc.bias": None}, "and there is nothing more"),
    "one more": ({"out.weight": numbers(2, 3)}, "it holds, in excess, 'out' with weight (2, 3)"),
    "integers": ({"fc.bias": np.arange(3)}, "its fc.bias is of int64 and should be floats"),
}


@pytest.mark.parametrize("case", WRONG)
def test_state_dicts_of_other_networks_change_nothing(case, tmp_path):
    changes, message = WRONG[case]
    model = Sequential([Conv2D(4, 3), Flatten(), Dense(3)], (5, 5, 2))
    before = weights(model)
    arrays = {own: array for own, array in (GOOD | changes).items() if array is not None}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load(model, arrays, tmp_path)
    assert "net.pt" in str(caught.value)
    assert "stays as it is" in str(caught.value)
    np.testing.assert_equal(weights(model), before)
    load(model, GOOD, tmp_path)


def test_long_lists_are_cut_short(tmp_path):
    arrays = {f"{i}.weight": numbers(1, i + 1) for i in range(300)}
    with pytest.raises(ValueError, match=r"and 294 more") as caught:
        load(Sequential([Dense(1)], 3), arrays, tmp_path)
    assert len(str(caught.value)) < 1000


def test_a_layer_that_pytorch_does_not_have(tmp_path):
    class Scale(layers.Layer):
        def declare(self, input_shape, random):
            self.factor = self.add_parameter("factor", (1,), tinynet.initializers.Ones(), random)
            return input_shape

        def forward(self, x, training=False):
            return x * self.factor.value

    with pytest.raises(ValueError, match=r"scale \(Scale\) is no layer of which is known"):
        load(Sequential([Scale()], 3), GOOD, tmp_path)


def test_another_epsilon_is_said(tmp_path):
    arrays = {f"0.{own}": numbers(3) for own in ("weight", "bias")}
    with pytest.warns(UserWarning, match=r"epsilon .* is 1e-05.* layer_normalization 0.001") as caught:
        load(Sequential([LayerNormalization()], 3), arrays, tmp_path)
    assert caught[0].filename == __file__


def test_training_goes_on(tmp_path):
    model = Sequential([Conv2D(4, 3), Flatten(), Dense(3)], (5, 5, 2))
    model.compile("sgd", "mse")
    load(model, GOOD, tmp_path)
    x = numbers(8, 5, 5, 2)
    before = model.predict(x)
    model.fit(x, before + 1, epochs=2, verbose=0)
    assert np.abs(model.predict(x) - before).max() > 0.01


def test_half_precision_and_large_numbers(tmp_path):
    model = load(
        Sequential([Dense(1, use_bias=False)], 2), {"weight": np.array([[1.5, 2]], np.float16)}, tmp_path
    )
    assert model.get_weights()[0].tolist() == [[1.5], [2.0]]
    load(model, {"weight": np.array([[1e300, 2]])}, tmp_path)
    assert model.get_weights()[0].tolist() == [[np.inf], [2.0]]


def test_a_state_dict_is_no_model(tmp_path):
    for legacy in (False, True):
        path = tmp_path / "net.pt"
        path.write_bytes(saved(GOOD, legacy))
        with pytest.raises(ValueError, match=r"net\.pt.*PyTorch.*load_weights"):
            tinynet.load_model(path)


def test_reasons_come_with_the_path(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(saved(GOOD)[:400])
    with pytest.raises(ValueError, match=r"load_weights: .*net\.pt"):
        Sequential([Dense(1)], 2).load_weights(path)
