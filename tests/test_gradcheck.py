from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from blocks import Held, Residual

from tinynet import GradientError, Sequential, data, gradcheck, layers, losses, optim
from tinynet.data.batches import ORDER
from tinynet.differences import Comparison
from tinynet.gradcheck import GRADIENT_CHECKS
from tinynet.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPool2D
from tinynet.layers.building import INITIAL_WEIGHTS


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


def mlp(tail="softmax", **arguments):
    return Sequential(
        [layers.Dense(6, "tanh"), layers.Dropout(0.4), layers.Dense(5, "relu"), layers.Dense(3, tail)],
        4,
        **arguments,
    )


def cnn():
    return Sequential(
        [
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(4, (2, 3), strides=(1, 2), method="im2col"),
            layers.LeakyReLU(0.1),
            layers.AveragePool2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(3),
            layers.Softmax(),
        ],
        (7, 8, 2),
    )


@dataclass(eq=False, repr=False)
class Scale(layers.Layer):
    """y = factor * x, with one trainable factor; its gradients can be made wrong."""

    error_of_factor: float = 0.0
    error_of_input: float = 0.0

    def declare(self, input_shape, random):
        self.factor = layers.Parameter("factor", np.full(1, 2, self.dtype), np.zeros(1, self.dtype))
        return input_shape

    def forward(self, x, training=False):
        x = self.check_input(x)
        if training:
            self.x = x
        return x * self.factor.value

    def backward(self, dy):
        x, dy = self.check_upstream(self.x, dy)
        self.factor.grad[0] = np.sum(x * dy) + self.error_of_factor
        dx = dy * self.factor.value
        dx.reshape(-1)[-1] += self.error_of_input  # one element only
        return dx


class WrongTanh(layers.Tanh):
    """Forgets the square in 1 − y²."""

    def backward(self, dy):
        y, dy = self.check_upstream(self.y, dy)
        return dy * (1 - y)


class LazyDense(layers.Dense):
    """Adds to the gradient instead of overwriting it."""

    def backward(self, dy):
        before = self.kernel.grad.copy()
        dx = super().backward(dy)
        self.kernel.grad += before
        return dx


# Right ones pass


def test_a_right_model_passes_and_names_its_parameters():
    errors = gradcheck(mlp(), normal(5, 4))
    assert list(errors) == [
        "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias", "x",
    ]  # fmt: skip
    assert all(type(error) is float for error in errors.values())
    assert 0 < max(errors.values()) <= 1e-6


def test_a_convolutional_model_passes():
    assert max(gradcheck(cnn(), normal(3, 7, 8, 2), samples=50).values()) <= 1e-6


@pytest.mark.parametrize(
    ("tail", "loss", "y"),
    [
        ("softmax", losses.SparseCategoricalCrossentropy(label_smoothing=0.1), [0, 2, 1, 1, 0]),
        ("softmax", "categorical_crossentropy", np.eye(3)[[0, 2, 1, 1, 0]]),
        ("sigmoid", "binary_crossentropy", np.eye(3)[[0, 2, 1, 1, 0]]),
        (None, losses.SparseCategoricalCrossentropy(from_logits=True), [0, 2, 1, 1, 0]),
        ("tanh", "mse", np.eye(3)[[0, 2, 1, 1, 0]]),
    ],
)
def test_a_model_with_its_loss_passes(tail, loss, y):
    model = mlp(tail)
    model.compile(optim.SGD(0.1), loss)
    assert max(gradcheck(model, normal(5, 4), y).values()) <= 1e-6


@pytest.mark.parametrize("built", [False, True])
def test_a_layer_passes_built_or_not(built):
    layer = layers.Dense(2, "sigmoid")
    if built:
        layer.build(3, seed=1)
    assert list(gradcheck(layer, normal(4, 3))) == ["kernel", "bias", "x"]


def test_a_layer_of_the_users_own_passes():
    assert list(gradcheck(Scale(), normal(4, 3))) == ["factor", "x"]


def test_a_model_with_a_layer_of_the_users_own_passes():
    model = Sequential([layers.Dense(3), Scale(), layers.Softmax()], 4)
    assert list(gradcheck(model, normal(5, 4))) == ["dense/kernel", "dense/bias", "scale/factor", "x"]


@pytest.mark.parametrize("in_a_model", [False, True])
def test_the_parameters_that_it_has_are_checked(in_a_model):
    layer = layers.Dense(1, "relu")
    model = Sequential([layer], 1)
    layer.kernel.value[:], layer.bias.value[:] = 1.0, 1.0
    assert gradcheck(model if in_a_model else layer, [[-0.5]]).kinks == {}
    layer.bias.value[:] = 0.5  # there the ReLU has its kink
    kinks = gradcheck(model if in_a_model else layer, [[-0.5]]).kinks
    assert list(kinks.values()) == [1, 1, 1]


# Wrong ones raise


def test_a_wrong_backward_is_found():
    with pytest.raises(GradientError, match="relative error"):
        gradcheck(WrongTanh(), normal(4, 3))


def test_a_wrong_layer_in_a_model_is_found():
    model = Sequential([layers.Dense(3), WrongTanh(), layers.Dense(2)], 4)
    with pytest.raises(GradientError, match=r"dense/(kernel|bias)\[|x\["):
        gradcheck(model, normal(5, 4))


def test_a_wrong_layer_is_found_through_the_loss():
    model = Sequential([layers.Dense(3), WrongTanh(), layers.Dense(2, "softmax")], 4)
    model.compile()
    with pytest.raises(GradientError):
        gradcheck(model, normal(5, 4), [0, 1, 0, 1, 1])


def test_a_gradient_that_is_added_to_is_found():
    with pytest.raises(GradientError, match="kernel"):
        gradcheck(LazyDense(2), normal(4, 3))


def test_softmax_without_its_jacobian_is_found(monkeypatch):
    # With an upstream gradient of ones the true gradient is 0, and so is this one.
    def backward(self, dy):
        return self.y * (dy - np.mean(dy, axis=-1, keepdims=True))

    monkeypatch.setattr(layers.Softmax, "backward", backward)
    with pytest.raises(GradientError):
        gradcheck(layers.Softmax(), normal(4, 3))


def test_a_small_error_is_found():
    with pytest.raises(GradientError, match=r"factor\[0\]"):
        gradcheck(Scale(error_of_factor=1e-4), normal(4, 3))
    gradcheck(Scale(error_of_factor=1e-4), normal(4, 3), tolerance=1e-2)


@pytest.mark.parametrize(
    ("of_factor", "of_input", "worst", "error"),
    [(1e-3, 1.0, r"x\[3, 2\]", 1.0), (30.0, 1e-3, r"factor\[0\]", 30.0)],
)
def test_the_error_names_the_worst_place_and_both_values(of_factor, of_input, worst, error):
    with pytest.raises(GradientError) as caught:
        gradcheck(Scale(of_factor, of_input), normal(4, 3))
    pattern = rf"{worst}: backward gives (\S+), differences give (\S+) \(relative error"
    analytic, numeric = map(float, re.search(pattern, str(caught.value)).groups())
    assert analytic - numeric == pytest.approx(error, rel=1e-6)


def test_a_gradient_of_nan_is_found():
    with pytest.raises(GradientError, match=r"factor\[0\]: backward gives nan"):
        gradcheck(Scale(error_of_factor=np.nan), normal(4, 3))


def test_only_some_elements_are_checked_and_the_seed_chooses_them():
    layer = Scale(error_of_input=1.0)  # in one of a thousand elements
    gradcheck(layer, normal(10, 100), samples=3)
    with pytest.raises(GradientError):
        gradcheck(layer, normal(10, 100), samples=1000)


def test_a_gradient_that_is_not_finite_is_found_wherever_it_is():
    class Full(layers.Tanh):
        def backward(self, dy):
            dx = super().backward(dy)
            dx[7, 77] = np.inf
            return dx

    with pytest.raises(GradientError, match=r"x\[7, 77\]: backward gives inf"):
        gradcheck(Full(), normal(10, 100), samples=1)


# Kinks: images of digits have thousands of them


def digits(count=2, size=16, seed=0):
    """Images like MNIST's: exactly black, with a few strokes of k/255, and their labels."""
    random = np.random.default_rng([seed, 4])
    images = np.zeros((count, size, size, 1))
    for image in images:
        for _ in range(3):
            top, left = random.integers(3, size - 6, 2)
            height, width = random.permutation([2, 5])
            image[top : top + height, left : left + width, 0] = random.integers(1, 256, (height, width)) / 255
    return images, random.integers(0, 10, count)


def on_images(*parts, size=16, seed=0):
    return Sequential(list(parts), (size, size, 1), seed)


RIGHT = {
    "ReLU": lambda: [layers.ReLU()],
    "LeakyReLU": lambda: [layers.LeakyReLU(0.2)],
    "pooling": lambda: [MaxPool2D(2)],
    "overlapping pooling": lambda: [MaxPool2D(3, strides=2, padding="same")],
    "convolution": lambda: [Conv2D(4, 3, activation="relu")],
    "all": lambda: [Conv2D(4, 3, activation="relu"), MaxPool2D(2)],
    "all, other order": lambda: [Conv2D(4, 3, padding="same"), MaxPool2D(2), layers.LeakyReLU(0.1)],
    "normalized": lambda: [Conv2D(8, 3), BatchNormalization(), layers.ReLU(), MaxPool2D(2), Dropout(0.3)],
    "blocks": lambda: [
        Held([Conv2D(4, 3, activation="relu"), layers.Chain([MaxPool2D(2), Dropout(0.2)])]),
        Flatten(),
        Dense(6),
        Residual(6, 0.3),
        Dense(10, "softmax"),
    ],
    "network": lambda: [
        Conv2D(4, 3, activation="relu"),
        MaxPool2D(2),
        Conv2D(6, 3, activation="relu", method="im2col"),
        MaxPool2D(2),
        Flatten(),
        Dense(12, "relu"),
        Dense(10, "softmax"),
    ],
    "network that begins with zeros": lambda: [
        Conv2D(4, 3, activation="relu", kernel_initializer="zeros"),
        MaxPool2D(2),
        Flatten(),
        Dense(10, "softmax"),
    ],
}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
@pytest.mark.parametrize("name", RIGHT)
def test_right_layers_are_right_at_kinks(name, seed):
    model = on_images(*RIGHT[name](), seed=seed)
    x, y = digits(seed=seed)
    results = [gradcheck(model, x, seed=seed)]
    if model.output_shape == (10,):
        model.compile()
        results.append(gradcheck(model, x, y, seed=seed))
    for result in results:
        assert sum(result.kinks.values()) > 0
        assert max(result.values()) <= 1e-6
        assert all(0 < kinks <= result.places[name] for name, kinks in result.kinks.items())


def faulty(kind, fault):
    """Return a class of layers of that kind, with something done to the gradients at the end of backward."""

    def backward(self, dy):
        dx = kind.backward(self, dy)
        changed = fault(self, dx, np.asarray(dy))
        return dx if changed is None else changed

    return type("Faulty", (kind,), {"backward": backward})


def scale(name, factor):
    def fault(layer, dx, dy):
        getattr(layer, name).grad[...] *= factor

    return fault


def nothing_at_black(layer, dx, dy):
    return np.where(layer.x == 0, 0, dx)


def kernel_from_black_pixels(layer, dx, dy):
    layer.kernel.grad[...] += np.sum(layer.x == 0)


FAULTS = {
    "kernel": (Conv2D, scale("kernel", 1.01)),
    "bias": (Conv2D, scale("bias", 0.99)),
    "no bias": (Conv2D, scale("bias", 0)),
    "input": (Conv2D, lambda layer, dx, dy: 1.01 * dx),
    "nothing at black": (Conv2D, nothing_at_black),
    "kernel from black pixels": (Conv2D, kernel_from_black_pixels),
    "doubled": (MaxPool2D, lambda layer, dx, dy: 2 * dx),
    "another window": (MaxPool2D, lambda layer, dx, dy: np.roll(dx, 2, axis=1)),
    "another place": (MaxPool2D, lambda layer, dx, dy: np.roll(dx, 1, axis=2)),
    "evenly": (MaxPool2D, lambda layer, dx, dy: np.kron(dy, np.full((1, 2, 2, 1), 0.25))),
    "leaks": (layers.ReLU, lambda layer, dx, dy: np.where(layer.y > 0, dy, 0.01 * dy)),
    "open": (layers.ReLU, lambda layer, dx, dy: dy),
    "nan": (layers.ReLU, lambda layer, dx, dy: np.where(layer.y == 0, np.nan, dx)),
}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.parametrize("name", FAULTS)
def test_wrong_layers_are_wrong_among_kinks(name, seed):
    kind, fault = FAULTS[name]
    kinds = {Conv2D: Conv2D, layers.ReLU: layers.ReLU, MaxPool2D: MaxPool2D} | {kind: faulty(kind, fault)}
    model = on_images(kinds[Conv2D](4, 3), kinds[layers.ReLU](), kinds[MaxPool2D](2), seed=seed)
    with pytest.raises(GradientError):
        gradcheck(model, digits(seed=seed)[0], seed=seed)
    if kind is not Conv2D:
        with pytest.raises(GradientError):
            gradcheck(kinds[kind](2) if kind is MaxPool2D else kinds[kind](), digits(seed=seed)[0], seed=seed)


def test_what_is_wrong_only_at_zeros_is_no_kink():
    gradcheck(on_images(Flatten(), Dense(5, "tanh")), digits()[0])
    for fault in (nothing_at_black, kernel_from_black_pixels):
        with pytest.raises(GradientError, match="is wrong at"):
            gradcheck(on_images(Flatten(), faulty(Dense, fault)(5, "tanh")), digits()[0])


@pytest.mark.parametrize("seed", range(20))
def test_a_wrong_gradient_behind_a_relu_that_may_be_off_is_found(seed):
    layer = faulty(Dense, lambda layer, dx, dy: 2 * dx)(1, "relu", use_bias=False)
    with pytest.raises(GradientError, match="next to x"):
        gradcheck(layer, [[0.0]], seed=seed)


def test_other_choices_at_a_kink_are_right_too():
    def to_all_that_tie(layer, dx, dy):
        y, dy = (np.kron(array, np.ones((1, 2, 2, 1))) for array in (layer.y, dy))
        return np.where(layer.x == y, dy, 0)

    assert gradcheck(faulty(MaxPool2D, to_all_that_tie)(2), digits()[0]).kinks

    class OpenAtZero(layers.ReLU):
        def forward(self, x, training=False):
            self.remember(open=np.asarray(x) >= 0)
            return super().forward(x, training)

        def backward(self, dy):
            return dy * self.open

    assert gradcheck(OpenAtZero(), digits()[0]).kinks


def test_what_is_right_at_no_point_is_wrong_and_no_kink():
    class Rough(layers.Tanh):  # it jumps wherever one looks
        def forward(self, x, training=False):
            return super().forward(x, training) + 1e-3 * np.sin(1e12 * np.asarray(x))

    with pytest.raises(GradientError):
        gradcheck(Rough(), normal(4, 3))


def test_several_inputs_are_compared_each():
    one, other, random = normal(3, 2), 2 * normal(3, 2), np.random.default_rng(0)
    for factor, verdict in ((1, "right"), (1.01, "wrong")):
        elements = Comparison(
            [],
            [one, other],
            lambda: one * other,
            lambda factor=factor: [other.copy(), factor * one],
            1e-6,
            random,
        ).elements(100)
        assert [e.verdict for e in elements] == ["right"] * 6 + [verdict] * 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", RIGHT)
def test_real_images(name, seed):
    (images, labels), _ = data.load_mnist()
    x, y = data.scale_pixels(images[2 * seed : 2 * seed + 2]), labels[2 * seed : 2 * seed + 2]
    model = on_images(*RIGHT[name](), size=28, seed=seed)
    assert gradcheck(model, x, seed=seed).kinks
    if model.output_shape == (10,):
        model.compile()
        assert gradcheck(model, x, y, seed=seed).kinks


# In words


def test_the_result_is_a_text_of_a_line_for_each_gradient_and_a_conclusion():
    result = gradcheck(on_images(Conv2D(4, 3, activation="relu")), digits()[0])
    assert str(result) == repr(result)
    lines = str(result).splitlines()
    assert len(lines) == 4
    for line, name in zip(lines, result, strict=False):
        assert re.match(rf"{name} +right  largest relative error {result[name]:.2g}", line)
    assert lines[1].endswith("; 4 of 4 places lie at a kink; next to it, right")
    assert result.kinks["conv2d/bias"] == result.places["conv2d/bias"] == 4
    assert "kink" not in lines[0]
    kinks = sum(result.kinks.values())
    assert re.match(
        rf"Right: .* in all 140 places, next to kinks .* in {kinks} of them .*\(tolerance 1e-06\)\.$",
        lines[3],
    )
    assert isinstance(result, dict)
    assert dict(result) == result


def test_the_error_tells_wrong_gradients_from_right_ones():
    model = Sequential([Dense(3), faulty(Dense, scale("bias", 1.01))(2)], 4)
    with pytest.raises(GradientError) as caught:
        gradcheck(model, normal(5, 4))
    lines = str(caught.value).splitlines()
    assert [re.split(" +", line)[:2] for line in lines[1:-1]] == [
        ["dense/kernel", "right"], ["dense/bias", "right"], ["faulty/kernel", "right"],
        ["faulty/bias", "WRONG"], ["x", "right"],
    ]  # fmt: skip
    assert lines[-1].startswith("Wrong: of 1 of 5 arrays,")


# Trees


@pytest.mark.parametrize("make", [lambda: Dense(4, "tanh"), BatchNormalization])
def test_layers_that_are_frozen_are_checked_too(make):
    layer = make()
    model = Sequential([Dense(4), layer, Dense(2)], 4)
    layer.trainable = False
    errors = gradcheck(model, normal(5, 4))
    assert [name for name, p in model.named_parameters().items() if p.trainable] == [*errors][:-1]


# What it leaves alone


def test_the_model_is_not_changed():
    model, x = mlp(dtype="float32"), normal(5, 4)
    model.compile()
    model.train_on_batch(x, [0, 1, 2, 0, 1])
    x.flags.writeable = False
    before = [model.flat.value.tobytes(), model.flat.grad.tobytes(), model.dtype, repr(model.config())]
    remembered = [dict(vars(layer)) for layer in model.layers]
    gradcheck(model, x)
    gradcheck(model, x, [0, 1, 2, 0, 1])
    after = [model.flat.value.tobytes(), model.flat.grad.tobytes(), model.dtype, repr(model.config())]
    assert before == after
    for layer, variables in zip(model.layers, remembered, strict=True):
        assert vars(layer).keys() == variables.keys()
        assert all(vars(layer)[name] is value for name, value in variables.items())


def test_an_unbuilt_layer_stays_unbuilt():
    layer = layers.Dense(2)
    gradcheck(layer, normal(4, 3))
    assert layer.input_shape is None
    assert layer.parameters == []


def test_dropout_is_frozen_and_drops():
    errors = gradcheck(layers.Dropout(0.5), normal(8, 6))
    assert max(errors.values()) <= 1e-6

    class Forgetful(layers.Dropout):
        def backward(self, dy):
            return dy  # as if nothing had been dropped

    with pytest.raises(GradientError):
        gradcheck(Forgetful(0.5), normal(8, 6))


def test_the_same_seed_gives_the_same_errors():
    model = mlp()
    assert gradcheck(model, normal(5, 4), seed=1) == gradcheck(model, normal(5, 4), seed=1)
    assert gradcheck(mlp(), normal(5, 4), seed=1) != gradcheck(mlp(), normal(5, 4), seed=2)


# Wrong use


def test_targets_need_a_compiled_model():
    with pytest.raises(RuntimeError, match="compile"):
        gradcheck(mlp(), normal(5, 4), [0, 1, 2, 0, 1])


def test_targets_do_not_go_with_a_layer():
    with pytest.raises(ValueError, match="a layer is checked without it"):
        gradcheck(layers.Dense(2), normal(5, 4), [0, 1, 2, 0, 1])


def test_the_upstream_gradient_is_not_x_though_both_are_drawn_with_one_seed():
    class Deaf(layers.Tanh):
        def forward(self, x, training=False):
            y = super().forward(x, training)
            self.x = np.asarray(x)
            return y

        def backward(self, dy):
            return self.x * (1 - self.y**2)  # right only where dy is x

    with pytest.raises(GradientError):
        gradcheck(Deaf(), np.random.default_rng(0).normal(size=(3, 5)))


@pytest.mark.parametrize("seed", range(5))
def test_a_bias_before_a_normalization_has_no_gradient_and_is_not_called_wrong(seed):
    model = Sequential(
        [layers.Dense(4), layers.BatchNormalization(), layers.ReLU(), layers.Dense(3)], 8, seed=seed
    )
    gradcheck(model, np.random.default_rng(seed).normal(size=(6, 8)))


def test_the_upstream_gradient_is_not_the_initial_weights():
    assert len({GRADIENT_CHECKS, INITIAL_WEIGHTS, ORDER}) == 3
    drawn = []

    class Drawing(layers.Tanh):
        def declare(self, input_shape, random):
            drawn.append(random.standard_normal(input_shape))
            return input_shape

        def backward(self, dy):
            drawn.append(np.asarray(dy)[0])
            return super().backward(dy)

    layer = Drawing()
    layer.build(5, seed=3)
    gradcheck(layer, normal(1, 5), seed=3)
    assert len(drawn) > 2
    assert not any(np.isclose(drawn[0], upstream).any() for upstream in drawn[2:])
