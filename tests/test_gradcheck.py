from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from tinynet import GradientError, Sequential, gradcheck, layers, losses, optim


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
    gradcheck(model if in_a_model else layer, [[-0.5]])
    layer.bias.value[:] = 0.5  # there the ReLU has its kink, and no gradient
    with pytest.raises(GradientError):
        gradcheck(model if in_a_model else layer, [[-0.5]])


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
    assert gradcheck(mlp(), normal(5, 4), seed=1) == gradcheck(mlp(), normal(5, 4), seed=1)
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
