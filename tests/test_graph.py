"""What graphs of layers compute: forward, gradients, training steps, copies, files, and wrong use."""

from __future__ import annotations

import copy
import pickle

import hypothesis.strategies as st
import naive
import numpy as np
import pytest
from blocks import LOSS, Residual, by_hand
from hypothesis import given, settings

from tinynet import Input, Model, Sequential, layers, load_model, losses, optim, pretrained
from tinynet.gradcheck import gradcheck
from tinynet.layers import (
    Add,
    Average,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Maximum,
    MaxPool2D,
    Multiply,
    ReLU,
    Subtract,
    Tanh,
)
from tinynet.layers.conv_pool import ConvPool
from tinynet.layers.flow import Flow
from tinynet.training import step as shards

RATE = 0.1


def leaky(z):
    return naive.activation("leaky_relu", z)


def slope(y):
    """Return the derivative of `leaky`, from what it gives."""
    return np.where(y > 0, 1, 0.2)


# Graphs, and what they compute written by hand: from the weights, the inputs and a function that gives the
# gradient of the loss with respect to the output, to the output and the gradients of weights and inputs.


def u_shape(dtype="float64"):
    x = Input((6, 6, 2), dtype=dtype)
    fine = Conv2D(3, 3, padding="same", activation="relu", name="fine")(x)
    coarse = Conv2D(4, 2, activation="leaky_relu", name="coarse")(MaxPool2D(2)(fine))
    back = Dense(3, name="back")(GlobalAveragePool2D()(coarse))
    skip = Concatenate()([fine, Add()([fine, back]), x])  # `back` is spread over the image
    return Model(x, Dense(2, name="last")(Flatten()(Conv2D(2, 1, name="out")(skip))), seed=3)


def u_shape_reference(w, inputs, upstream):
    (x,) = inputs
    one, same, pool = ((1, 1), "valid"), ((1, 1), "same"), ((2, 2), (2, 2), "valid")
    z_fine = naive.convolution(x, w["fine/kernel"], w["fine/bias"], *same)
    fine = np.maximum(z_fine, 0)
    pooled = naive.max_pool(fine, *pool)
    z_coarse = naive.convolution(pooled, w["coarse/kernel"], w["coarse/bias"], *one)
    coarse = leaky(z_coarse)
    means = coarse.mean(axis=(1, 2))
    back = means @ w["back/kernel"] + w["back/bias"]
    skip = np.concatenate([fine, fine + back[:, None, None], x], axis=3)
    out = naive.convolution(skip, w["out/kernel"], w["out/bias"], *one)
    flat = out.reshape(len(x), -1)
    y = flat @ w["last/kernel"] + w["last/bias"]

    dy, g = upstream(y), {}
    g["last/kernel"], g["last/bias"] = flat.T @ dy, dy.sum(axis=0)
    d_out = (dy @ w["last/kernel"].T).reshape(out.shape)
    d_skip, g["out/kernel"], g["out/bias"] = naive.convolution_gradients(skip, w["out/kernel"], d_out, *one)
    d_fine, d_sum, dx = d_skip[..., :3], d_skip[..., 3:6], d_skip[..., 6:]
    d_back = d_sum.sum(axis=(1, 2))
    g["back/kernel"], g["back/bias"] = means.T @ d_back, d_back.sum(axis=0)
    d_coarse = np.broadcast_to((d_back @ w["back/kernel"].T)[:, None, None] / 4, coarse.shape)
    d_pooled, g["coarse/kernel"], g["coarse/bias"] = naive.convolution_gradients(
        pooled, w["coarse/kernel"], d_coarse * slope(coarse), *one
    )
    d_fine = d_fine + d_sum + naive.max_pool_gradient(fine, d_pooled, *pool)
    d_first, g["fine/kernel"], g["fine/bias"] = naive.convolution_gradients(
        x, w["fine/kernel"], d_fine * (z_fine > 0), *same
    )
    return y, g, [dx + d_first]


def two_inputs(dtype="float64"):
    a, b = Input((4,), name="a", dtype=dtype), Input((5,), name="b", dtype=dtype)
    left, right = Dense(3, "leaky_relu", name="left")(a), Dense(3, name="right")(b)
    whole = Concatenate()([Multiply()([left, right]), Subtract()([left, right]), b])
    return Model([a, b], Dense(2, name="last")(whole), seed=3)


def two_inputs_reference(w, inputs, upstream):
    a, b = inputs
    left = leaky(a @ w["left/kernel"] + w["left/bias"])
    right = b @ w["right/kernel"] + w["right/bias"]
    whole = np.concatenate([left * right, left - right, b], axis=1)
    y = whole @ w["last/kernel"] + w["last/bias"]
    dy, g = upstream(y), {}
    g["last/kernel"], g["last/bias"] = whole.T @ dy, dy.sum(axis=0)
    d_product, d_difference, db = np.split(dy @ w["last/kernel"].T, [3, 6], axis=1)
    d_left = (d_product * right + d_difference) * slope(left)
    d_right = d_product * left - d_difference
    g["left/kernel"], g["left/bias"] = a.T @ d_left, d_left.sum(axis=0)
    g["right/kernel"], g["right/bias"] = b.T @ d_right, d_right.sum(axis=0)
    return y, g, [d_left @ w["left/kernel"].T, db + d_right @ w["right/kernel"].T]


def dense_twice(dtype="float64"):
    x = Input((4,), dtype=dtype)
    shared = Dense(4, "leaky_relu", name="shared")
    return Model(x, Dense(2, name="last")(Add()([x, shared(shared(x))])), seed=3)


def dense_twice_reference(w, inputs, upstream):
    (x,) = inputs
    kernel, bias = w["shared/kernel"], w["shared/bias"]
    first = leaky(x @ kernel + bias)
    second = leaky(first @ kernel + bias)
    y = (x + second) @ w["last/kernel"] + w["last/bias"]
    dy, g = upstream(y), {}
    g["last/kernel"], g["last/bias"] = (x + second).T @ dy, dy.sum(axis=0)
    d_sum = dy @ w["last/kernel"].T
    d_second = d_sum * slope(second)
    d_first = d_second @ kernel.T * slope(first)
    g["shared/kernel"] = first.T @ d_second + x.T @ d_first
    g["shared/bias"] = (d_second + d_first).sum(axis=0)
    return y, g, [d_sum + d_first @ kernel.T]


def convolution_twice(dtype="float64"):
    large, small = Input((6, 5, 2), dtype=dtype), Input((3, 4, 2), dtype=dtype)
    shared = Conv2D(3, 2, activation="leaky_relu", name="shared")
    ends = [GlobalAveragePool2D()(shared(one)) for one in (large, small)]
    return Model([large, small], Dense(2, name="last")(Multiply()(ends)), seed=3)


def convolution_twice_reference(w, inputs, upstream):
    one = (1, 1), "valid"
    seen = [leaky(naive.convolution(x, w["shared/kernel"], w["shared/bias"], *one)) for x in inputs]
    ends = [image.mean(axis=(1, 2)) for image in seen]
    y = ends[0] * ends[1] @ w["last/kernel"] + w["last/bias"]
    dy, g = upstream(y), {"shared/kernel": 0, "shared/bias": 0}
    g["last/kernel"], g["last/bias"] = (ends[0] * ends[1]).T @ dy, dy.sum(axis=0)
    d_product, gradients = dy @ w["last/kernel"].T, []
    for x, image, other in zip(inputs, seen, reversed(ends), strict=True):
        d_image = (d_product * other)[:, None, None] / (image.shape[1] * image.shape[2]) * slope(image)
        dx, d_kernel, d_bias = naive.convolution_gradients(x, w["shared/kernel"], d_image, *one)
        g["shared/kernel"] += d_kernel
        g["shared/bias"] += d_bias
        gradients.append(dx)
    return y, g, gradients


def siamese(dtype="float64"):
    encoder = Sequential([Dense(5, "leaky_relu", name="d"), Dense(3, name="e")], 4, seed=1, dtype=dtype)
    encoder.name = "encoder"
    a, b = Input((4,), dtype=dtype), Input((4,), dtype=dtype)
    apart = Subtract()([encoder(a), encoder(b)])
    return Model([a, b], Dense(2, name="last")(Multiply()([apart, apart])), seed=3)


def siamese_reference(w, inputs, upstream):
    w = {name.removeprefix("encoder/"): value for name, value in w.items()}
    hidden = [leaky(x @ w["d/kernel"] + w["d/bias"]) for x in inputs]
    apart = (hidden[0] - hidden[1]) @ w["e/kernel"]  # the biases cancel
    y = apart**2 @ w["last/kernel"] + w["last/bias"]
    dy = upstream(y)
    g = {"last/kernel": (apart**2).T @ dy, "last/bias": dy.sum(axis=0)}
    d_apart, gradients = 2 * apart * (dy @ w["last/kernel"].T), []
    g["encoder/e/kernel"] = (hidden[0] - hidden[1]).T @ d_apart
    g["encoder/e/bias"] = np.zeros(3)
    g["encoder/d/kernel"] = g["encoder/d/bias"] = 0
    for x, h, sign in zip(inputs, hidden, (1, -1), strict=True):
        dz = sign * (d_apart @ w["e/kernel"].T) * slope(h)
        g["encoder/d/kernel"] = g["encoder/d/kernel"] + x.T @ dz
        g["encoder/d/bias"] = g["encoder/d/bias"] + dz.sum(axis=0)
        gradients.append(dz @ w["d/kernel"].T)
    return y, g, gradients


def normalization_twice(dtype="float64"):
    x = Input((4,), dtype=dtype)
    shared = BatchNormalization(momentum=0.5, name="shared")
    first = shared(x)
    second = shared(Dense(4, "leaky_relu", name="between")(first))
    return Model(x, Dense(2, name="last")(Multiply()([first, second])), seed=3)


def normalization_twice_reference(w, inputs, upstream):
    (x,) = inputs
    gamma, beta, zero = w["shared/gamma"], w["shared/beta"], np.zeros_like(x)
    first = naive.normalization(x, zero, gamma, beta, 0.001, over_batch=True)[0]
    between = leaky(first @ w["between/kernel"] + w["between/bias"])
    second = naive.normalization(between, zero, gamma, beta, 0.001, over_batch=True)[0]
    y = first * second @ w["last/kernel"] + w["last/bias"]
    dy, g = upstream(y), {}
    g["last/kernel"], g["last/bias"] = (first * second).T @ dy, dy.sum(axis=0)
    d_product = dy @ w["last/kernel"].T
    _, d_between, d_gamma, d_beta = naive.normalization(
        between, d_product * first, gamma, beta, 0.001, over_batch=True
    )
    dz = d_between * slope(between)
    g["between/kernel"], g["between/bias"] = first.T @ dz, dz.sum(axis=0)
    d_first = d_product * second + dz @ w["between/kernel"].T
    _, dx, more_gamma, more_beta = naive.normalization(x, d_first, gamma, beta, 0.001, over_batch=True)
    g["shared/gamma"], g["shared/beta"] = d_gamma + more_gamma, d_beta + more_beta
    return y, g, [dx]


GRAPHS = {
    "u shape": (u_shape, u_shape_reference),
    "two inputs": (two_inputs, two_inputs_reference),
    "dense twice": (dense_twice, dense_twice_reference),
    "convolution twice": (convolution_twice, convolution_twice_reference),
    "siamese": (siamese, siamese_reference),
    "normalization twice": (normalization_twice, normalization_twice_reference),
}
each_graph = pytest.mark.parametrize(("make", "reference"), GRAPHS.values(), ids=GRAPHS)
each_maker = pytest.mark.parametrize("make", [make for make, _ in GRAPHS.values()], ids=GRAPHS)


def problem(model, samples=7, seed=0):
    """Return inputs, one or a list of several, and labels."""
    random = np.random.default_rng(seed)
    shapes = model.input_shape if model.takes_several else [model.input_shape]
    x = [random.normal(size=(samples, *shape)).astype(model.dtype) for shape in shapes]
    y = random.integers(0, 2, samples)
    return (x if model.takes_several else x[0]), y


def listed(x):
    return x if isinstance(x, list) else [x]


def loss_of(y, labels):
    """Return the mean cross-entropy of logits, and its gradient."""
    probabilities = naive.activation("softmax", y)
    rows = np.arange(len(y))
    return -np.log(probabilities[rows, labels]).mean(), (probabilities - np.eye(2)[labels]) / len(y)


def values_of(model):
    return {name: parameter.value.copy() for name, parameter in model.named_parameters().items()}


def check_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-11)


def check_same(actual, expected):
    """Compare lists of arrays bit for bit."""
    assert [array.tobytes() for array in actual] == [array.tobytes() for array in expected]


def train(model, steps=3, samples=7, seed=0):
    for step in range(steps):
        model.train_on_batch(*problem(model, samples, seed + step))
    return model


# Forward, backward and training steps


@each_graph
def test_forward_and_backward_are_those_by_hand(make, reference):
    model = make()
    for samples in (1, 7, 3):
        x, _ = problem(model, max(samples, 2) if make is normalization_twice else samples)
        before = values_of(model)
        y = model.forward(x, training=True)
        dy = np.random.default_rng(1).normal(size=y.shape)
        expected, gradients, dx = reference(before, listed(x), lambda _, dy=dy: dy)
        check_close(y, expected)
        for actual, one in zip(listed(model.backward(dy)), dx, strict=True):
            check_close(actual, one)
        trained = {name: one for name, one in model.named_parameters().items() if one.trainable}
        assert trained.keys() == gradients.keys()
        for name, parameter in trained.items():
            check_close(parameter.grad, gradients[name])


@pytest.mark.parametrize("called", [False, True], ids=["recorded", "called"])
@pytest.mark.parametrize("cache", [100, 2**20], ids=["many shards", "two shards"])
@each_graph
def test_training_steps_are_those_by_hand(monkeypatch, make, reference, cache, called):
    monkeypatch.setattr(shards, "CACHE_BYTES", cache)
    if called:
        monkeypatch.setattr(Flow, "only_kernels", False)
    model = make()
    model.compile(optim.SGD(RATE), LOSS)
    for step in range(3):
        x, labels = problem(model, seed=step)
        before = values_of(model)
        y, gradients, _ = reference(before, listed(x), lambda y, labels=labels: loss_of(y, labels)[1])
        assert model.train_on_batch(x, labels) == pytest.approx(loss_of(y, labels)[0], rel=1e-9)
        for name, gradient in gradients.items():
            check_close(model.named_parameters()[name].value, before[name] - RATE * gradient)
    (made,) = model.trainer.steps.sizes.values()
    assert bool(made.outputs.idle) != called
    assert len(made.shards) == (7 if cache == 100 else 2)


@each_maker
def test_finite_differences_agree(make):
    model = make()
    model.compile("sgd", LOSS)
    x, y = problem(model, 4)
    errors = gradcheck(model, x, samples=12)
    trained = [name for name, one in model.named_parameters().items() if one.trainable]
    assert [*errors][: len(trained)] == trained
    assert len(errors) == len(trained) + len(listed(x))
    gradcheck(model, x, y, samples=5)


@each_maker
def test_predictions_are_forward(make):
    model = make("float32")
    for samples in (1, 2, 150):
        x, _ = problem(model, samples)
        for _ in range(3):  # called, recorded, replayed
            check_same([model.predict(x)], [model.forward(x)])
        if model.takes_several:
            check_same([model.predict(dict(zip(model.input_names, x, strict=True)))], [model.predict(x)])
        check_same([model(x)], [model.predict(x)])


@each_maker
def test_the_bits_do_not_depend_on_the_number_of_threads(set_threads, make):
    results = []
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        model = make("float32")
        model.compile(optim.Adam(0.01, clipnorm=1.0), LOSS)
        model.fit(*problem(model, 40), batch_size=16, epochs=2, verbose=0)
        results.append([*model.get_weights(), model.predict(problem(model, 40)[0])])
    for other in results[1:]:
        check_same(other, results[0])


def test_the_running_statistics_of_a_layer_called_twice_move_twice():
    model = normalization_twice()
    model.compile(optim.SGD(RATE), LOSS)
    x, y = problem(model)
    w = values_of(model)
    first = naive.normalization(x, x, w["shared/gamma"], w["shared/beta"], 0.001, over_batch=True)[0]
    second = leaky(first @ w["between/kernel"] + w["between/bias"])
    model.train_on_batch(x, y)
    mean = 0.5 * (0.5 * x.mean(axis=0)) + 0.5 * second.mean(axis=0)
    check_close(model.named_parameters()["shared/moving_mean"].value, mean)


def dropout_twice():
    x = Input((50,), dtype="float64")
    drop = Dropout(0.5)
    return Model(x, Concatenate()([drop(x), drop(x), drop(Concatenate()([x, x]))]), seed=5)


def test_dropout_called_twice_drops_different_elements():
    model = dropout_twice()
    x = np.ones((6, 50))
    y = model.forward(x, training=True)
    parts = [y[:, :50], y[:, 50:100], y[:, 100:150], y[:, 150:]]
    assert all(set(np.unique(part)) == {0.0, 2.0} for part in parts)
    assert len({part.tobytes() for part in parts}) == 4
    dx = model.backward(np.ones_like(y))  # each call drops of the gradient what it dropped before
    np.testing.assert_array_equal(dx, sum(parts))
    again = model.forward(x, training=True)
    assert not np.array_equal(again, y)
    np.testing.assert_array_equal(model.predict(x), np.ones((6, 200)))


def test_dropout_called_twice_drops_different_elements_in_steps(monkeypatch):
    monkeypatch.setattr(shards, "CACHE_BYTES", 100)
    x = Input((50,))
    drop = Dropout(0.5)
    both = Concatenate()([drop(x), drop(x)])
    model = Model(x, Dense(100, use_bias=False, kernel_initializer="zeros")(both), seed=5)
    model.compile(optim.SGD(100.0), "mse")
    masks = []
    for _ in range(3):
        model.set_weights([np.zeros((100, 100))])
        model.train_on_batch(np.ones((1, 50)), np.ones((1, 100)))
        masks += [model.get_weights()[0][:50, 0] > 0, model.get_weights()[0][50:, 0] > 0]
    assert len({mask.tobytes() for mask in masks}) == 6
    assert all(10 < mask.sum() < 40 for mask in masks)


# Copies and files


def with_dropout(dtype="float64"):
    """Return a graph of everything: nested and shared models and layers, dropout, normalization."""
    a, b = Input((4,), name="a", dtype=dtype), Input((4,), name="b", dtype=dtype)
    inner = Input((4,), dtype=dtype)
    drop, shared = Dropout(0.3), Dense(4, "tanh")
    hidden = drop(shared(drop(shared(inner))))
    encoder = Model(inner, Add()([inner, BatchNormalization()(hidden)]), seed=1, name="encoder")
    merged = Concatenate()([encoder(a), encoder(b), Dropout(0.4)(Maximum()([a, b]))])
    return Model([a, b], Dense(2)(Dense(3, layers.LeakyReLU(0.2))(merged)), seed=3)


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model))}
every_maker = pytest.mark.parametrize(
    "make", [*(make for make, _ in GRAPHS.values()), with_dropout], ids=[*GRAPHS, "with dropout"]
)


@pytest.mark.parametrize("how", COPIES.values(), ids=COPIES)
@every_maker
def test_copies_go_on_bit_for_bit_and_apart(make, how):
    model = make("float32")
    model.compile(optim.Adam(0.01), LOSS)
    train(model)
    x, _ = problem(model)
    before = model.predict(x)
    twin = how(model)
    check_same([twin.predict(x)], [before])
    train(twin, 4, seed=9)
    check_same([model.predict(x)], [before])
    assert not np.array_equal(twin.predict(x), before)
    train(model, 4, seed=9)
    check_same(twin.get_weights(), model.get_weights())
    check_same([twin.predict(x)], [model.predict(x)])
    assert [*twin.named_parameters()] == [*model.named_parameters()]
    third = how(twin)
    check_same([third.predict(x)], [twin.predict(x)])
    inner = Model(third.inputs, third.layers[-2].output)  # a copy has symbols of its own
    assert len(inner.predict(x)) == 7


@every_maker
def test_files_go_on_bit_for_bit(make, tmp_path):
    model = make("float32")
    model.compile(optim.SGD(0.01), LOSS)
    train(model)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    x, _ = problem(model)
    check_same([again.predict(x)], [model.predict(x)])
    assert again.config() == model.config()
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    for one in (model, again):
        one.fit(*problem(one, 20), batch_size=8, epochs=2, verbose=0)
    check_same(again.get_weights(), model.get_weights())
    again.save(tmp_path / "again")
    check_same(load_model(tmp_path / "again").get_weights(), model.get_weights())


def test_a_file_keeps_sizes_open(tmp_path):
    x = Input((None, None, 2), name="picture")
    model = Model(x, GlobalAveragePool2D()(Conv2D(3, 3)(x)), seed=2)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert again.input_shape == (None, None, 2)
    for size in ((3, 5), (70, 4)):
        image = np.random.default_rng(0).normal(size=(2, *size, 2)).astype(np.float32)
        check_same([again.predict(image)], [model.predict(image)])


def test_layers_may_be_called_in_another_order_than_they_lie_in_memory():
    x = Input((4,), dtype="float64")
    late, early = Dense(3, name="late"), Dense(3, name="early")
    hidden = early(x)
    model = Model(x, Dense(2, name="last")(Concatenate()([late(x), Dense(3, name="middle")(hidden)])), seed=1)
    names = [layer.name for layer in model.layers]
    assert names.index("early") < names.index("late")
    model.compile(optim.SGD(RATE), LOSS)
    values, labels = problem(model)
    _, dy = LOSS.value_and_gradient(labels, model.forward(values, training=True))
    model.backward(dy)
    expected = [p.value - RATE * p.grad for p in model.parameters]
    model.train_on_batch(values, labels)
    for value, one in zip(model.get_weights(), expected, strict=True):
        check_close(value, one)


def test_fit_takes_lists_tuples_and_dicts_of_inputs():
    models = [two_inputs() for _ in range(3)]
    (a, b), labels = problem(models[0], 20)
    histories = []
    for model, x in zip(models, [[a, b], (a, b), {"b": b, "a": a}], strict=True):
        model.compile(optim.Adam(0.01), LOSS, ["accuracy"])
        kept = model.fit(x, labels, 8, 2, validation_split=0.25, verbose=0).history
        held = model.fit(x, labels, 8, validation_data=(x, labels), verbose=0, ema_momentum=0.5).history
        assert held["val_loss"][-1] == model.evaluate(x, labels)[0]
        histories.append((kept, held))
        check_same(model.get_weights(), models[0].get_weights())
    assert histories[0] == histories[1] == histories[2]


def test_inputs_of_equal_names_are_refused():
    a, b = Input((3,), name="a"), Input((3,), name="a")
    with pytest.raises(ValueError, match="two layers have the name 'a': rename one"):
        Model([a, b], Subtract()([a, b]))


def test_inputs_without_names_are_named_in_their_order():
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], Subtract()([a, layers.ReLU()(b)]))
    assert model.input_names == ["input_layer", "input_layer_1"]
    x = {"input_layer": ONES, "input_layer_1": 3 * ONES}
    check_same([model.predict(x)], [np.float32(-2 * ONES)])
    with pytest.raises(ValueError, match="keys input_layer, input_layer_1"):
        model.predict({"input_layer": ONES})


def test_an_input_that_nothing_uses_has_no_gradient():
    a, b = Input((4,), dtype="float64"), Input((3, 2), dtype="float64")
    model = Model([a, b], Dense(2)(a), seed=1)
    model.compile(optim.SGD(RATE), LOSS)
    x, labels = problem(model)
    model.train_on_batch(x, labels)
    check_same([model.predict(x)], [model.layers[-1].forward(x[0])])
    model.forward(x, training=True)
    da, db = model.backward(np.ones((7, 2)))
    assert da.any()
    assert db.shape == (7, 3, 2)
    assert not db.any()


def test_a_model_of_nothing_but_its_input():
    x = Input((2,))
    model = Model(x, x)
    values = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    check_same([model.predict(values)], [values])
    model.compile("sgd", "mse")
    assert model.train_on_batch(values, values) == model.evaluate(values, values) == 0.0


# Frozen parts


def changed(model, steps=2):
    """Return the names of the parameters that training steps change."""
    before = values_of(model)
    train(model, steps)
    return {name for name, value in values_of(model).items() if not np.array_equal(value, before[name])}


@every_maker
def test_frozen_layers_stay_and_the_others_train_as_before(make):
    names = {name.rpartition("/")[0] for name in values_of(make())}
    for frozen in sorted(names):
        model, free = make(), make()
        parts = dict(model.parts())
        parts[frozen].trainable = False
        for one in (model, free):
            one.compile(optim.SGD(RATE), LOSS)
        moved, all_moved = changed(model, 1), changed(free, 1)
        assert moved == {name for name in all_moved if not name.startswith(frozen + "/")}
        if not isinstance(parts[frozen], BatchNormalization):  # which normalizes otherwise while it is frozen
            for name in moved:
                check_same([values_of(model)[name]], [values_of(free)[name]])


def frozen_after(freeze, thaw=()):
    """Return a model of layers that are called twice, frozen and thawed once it is built."""
    a, b = Input((4,), dtype="float64"), Input((4,), dtype="float64")
    norm, dense = BatchNormalization(name="norm"), Dense(4, name="dense")
    ends = [norm(dense(one)) for one in (a, b)]
    model = Model([a, b], Dense(2, name="last")(Subtract()(ends)), seed=1)
    layers_of = {"norm": norm, "dense": dense}
    for name in freeze:
        layers_of[name].trainable = False
    model.compile(optim.SGD(RATE), LOSS)
    model.forward(problem(model)[0])
    for name in thaw:
        layers_of[name].trainable = True
    if thaw:
        model.compile(optim.SGD(RATE), LOSS)
    return model


def test_all_calls_of_a_layer_follow_its_trainable(tmp_path):
    assert not {name for name in changed(frozen_after(["norm"])) if name.startswith("norm")}
    assert not {name for name in changed(frozen_after(["norm", "dense"])) if not name.startswith("last")}
    model, same = frozen_after(["norm", "dense"], ["norm", "dense"]), frozen_after([])
    check_same(train(model).get_weights(), train(same).get_weights())
    model = frozen_after(["norm", "dense"])
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    for one in (model, again, copy.deepcopy(model)):
        assert {name.partition("/")[0] for name in changed(one)} == {"last"}
    check_same(again.get_weights(), model.get_weights())


def test_a_frozen_layer_called_twice_normalizes_by_its_running_statistics_in_forward():
    model = frozen_after(["norm"])
    x, _ = problem(model)
    check_close(model.forward(x, training=True), model.predict(x))
    dict(model.parts())["norm"].trainable = True
    assert np.abs(model.forward(x, training=True) - model.predict(x)).max() > 1e-3


def test_a_frozen_encoder_is_trained_through():
    model = siamese()
    free = siamese()
    dict(model.parts())["encoder/e"].trainable = False
    for one in (model, free):
        one.compile(optim.SGD(RATE), LOSS)
    assert changed(model, 1) == {"encoder/d/kernel", "encoder/d/bias", "last/kernel", "last/bias"}
    changed(free, 1)
    check_same([values_of(model)["encoder/d/kernel"]], [values_of(free)["encoder/d/kernel"]])


# Parts of graphs


def test_a_feature_model_of_every_layer_of_the_shipped_network():
    model = pretrained("mnist_cnn")
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    whole = Model(model.input, [layer.output for layer in model.layers])
    for _ in range(2):  # called, and recorded
        x, everything = images, whole.predict(images)
        for layer, found in zip(model.layers, everything, strict=True):
            x = layer.forward(x)
            check_same([Model(model.input, layer.output).predict(images), found], [x, x])
        check_same([model.predict(images)], [x])
    assert whole.parameters == model.parameters


def test_a_model_may_begin_in_the_midst_of_a_graph():
    model = u_shape("float32")
    fine, skip = model.layers[1], next(one for one in model.layers if isinstance(one, Concatenate))
    x, _ = problem(model)
    begin = Model(model.input, [fine.output, skip.output])
    end = Model(skip.output, model.output)
    assert end.input_shape == (6, 6, 8)
    features, joined = begin.predict(x)
    check_same([end.predict(joined)], [model.predict(x)])
    assert features.shape == (7, 6, 6, 3)
    assert {*end.named_parameters()} < {*model.named_parameters()}
    both = Model([fine.output, model.input], model.output)  # a symbol that depends on another input
    check_same([both.predict([features, x])], [model.predict(x)])
    other = both.predict([features + 1, x])
    assert not np.array_equal(other, model.predict(x))


def test_parts_train_the_whole():
    model = u_shape("float32")
    skip = next(one for one in model.layers if isinstance(one, Concatenate))
    end = Model(skip.output, model.output)
    end.compile(optim.SGD(RATE), LOSS)
    before = values_of(model)
    train(end)
    moved = {name for name, value in values_of(model).items() if not np.array_equal(value, before[name])}
    assert moved == {*end.named_parameters()}


def several(seed=3):
    x = Input((4,))
    hidden = Dense(5, "relu")(x)
    return Model(x, [Dense(2, name="one")(hidden), hidden, Dense(3, name="two")(hidden), x], seed=seed)


def test_several_outputs_are_predicted():
    model = several()
    assert model.output_shape == ((2,), (5,), (3,), (4,))
    x = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
    for _ in range(3):
        outputs = model.predict(x)
        check_same(outputs, [Model(model.input, output).predict(x) for output in model.outputs])
        check_same(outputs, model.forward(x))
    check_same([outputs[3]], [x])
    assert not any(np.shares_memory(one, x) for one in outputs)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        check_same(copied.predict(x), outputs)


def test_several_outputs_survive_files(tmp_path):
    model = several()
    model.save(tmp_path / "m")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    check_same(load_model(tmp_path / "m").predict(x), model.predict(x))


def test_the_gradients_of_several_outputs_add_up():
    x = Input((4,), dtype="float64")
    hidden = Dense(3)(x)
    model = Model(x, [hidden, Dense(2)(hidden), hidden])
    values = np.random.default_rng(0).normal(size=(5, 4))
    dy = [np.random.default_rng(1).normal(size=y.shape) for y in model.forward(values, training=True)]
    dx = model.backward(dy)
    first, second = (layer.kernel.value for layer in model.layers[1:])
    d_hidden = dy[0] + dy[2] + dy[1] @ second.T
    check_close(dx, d_hidden @ first.T)
    check_close(model.layers[1].kernel.grad, values.T @ d_hidden)
    gradcheck(model, values)


def two_ended(wanted, dtype="float64"):
    """Return a model that uses only some of the outputs of a model inside of it."""
    inner = Input((4,), dtype=dtype)
    hidden = Dense(4, name="hidden")(inner)
    ends = [Dense(3, name="left")(hidden), BatchNormalization(name="right")(Dense(3)(hidden))]
    nested = Model(inner, ends, seed=1, name="nested")
    x = Input((4,), dtype=dtype)
    found = nested(x)
    return Model(x, Dense(2, name="last")(wanted(found)), seed=2), nested


@pytest.mark.parametrize("place", [0, 1])
def test_outputs_of_a_model_inside_that_nothing_uses_have_no_gradient(place):
    model, nested = two_ended(lambda found: found[place])
    direct = Model(nested.input, model.layers[-1](nested.outputs[place]))
    x, labels = problem(model)
    check_close(model.forward(x), direct.forward(x))
    results = []
    for one in (model, direct):
        dy = np.ones_like(one.forward(x, training=True))
        for parameter in model.parameters:
            parameter.grad[...] = 7.0
        results.append([one.backward(dy), *(p.grad.copy() for p in direct.parameters if p.trainable)])
    for actual, expected in zip(*results, strict=True):
        check_close(actual, expected)
    unused = nested.layers[-2 if place else -1]
    model.forward(x, training=True)
    model.backward(dy)
    used = {id(parameter) for parameter in direct.parameters}
    for name, parameter in nested.named_parameters().items():
        if id(parameter) not in used and parameter.trainable:
            assert not parameter.grad.any(), (name, unused)
    model.compile(optim.Adam(0.01, clipnorm=0.1), LOSS)
    before = {id(parameter): parameter.value.copy() for parameter in model.parameters}
    for _ in range(3):
        assert np.isfinite(model.train_on_batch(x, labels))
    for parameter in model.parameters:
        same = np.array_equal(parameter.value, before[id(parameter)])
        if parameter.trainable:
            assert same == (id(parameter) not in used)
    gradcheck(model, x, samples=5)


def test_all_outputs_of_a_model_inside_can_be_used():
    model, _ = two_ended(lambda found: Add()(found))
    model.compile(optim.SGD(RATE), LOSS)
    assert "nested/right/gamma" in changed(model)
    gradcheck(model, problem(model)[0], samples=5)


def test_models_inside_of_models_compute_what_their_layers_do():
    inner = Sequential([Dense(4, "relu"), Sequential([Dense(4), Dropout(0.2)])], 4, seed=1, dtype="float64")
    x = Input((4,), dtype="float64")
    middle = Model(x, Add()([inner(x), x]), seed=2)
    outer = Sequential([middle, Dense(2)], 4, seed=3, dtype="float64")
    values = np.random.default_rng(0).normal(size=(6, 4))
    first, (second, _) = inner.layers[0], inner.layers[1].layers
    hidden = second.forward(first.forward(values)) + values
    check_close(outer.predict(values), outer.layers[-1].forward(hidden))
    assert [name.count("/") for name in outer.named_parameters()] == [3, 3, 4, 4, 1, 1]
    outer.compile(optim.SGD(RATE), LOSS)
    assert changed(outer) == {*outer.named_parameters()}
    check_close(middle.predict(values), inner.predict(values) + values)  # which share what was trained
    gradcheck(outer, values, samples=10)


def test_a_model_called_for_other_sizes_shares_its_weights():
    inner = Sequential([Conv2D(2, 3, activation="relu"), MaxPool2D(2)], (None, None, 1), seed=1)
    one, other = Input((8, 8, 1)), Input((7, 12, 1))
    model = Model([one, other], Add()([GlobalAveragePool2D()(inner(image)) for image in (one, other)]))
    x, _ = problem(model)
    y = sum(inner.predict(image).mean(axis=(1, 2)) for image in x)
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-5, atol=1e-6)
    assert model.parameters == inner.parameters


@pytest.mark.parametrize("how", ["alone first", "called first"])
def test_a_row_that_a_symbol_builds_is_a_model_of_its_own(how):
    row = Sequential([Dense(3, "relu"), Dense(2)], seed=1)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    if how == "alone first":
        row.predict(x)
    y = row(Input((4,)))
    alone = row.predict(x)
    row.predict(x)  # recorded
    model = Model(y.call.inputs, y, seed=7)
    check_same([model.predict(x)], [alone])
    check_same([alone], [Sequential([Dense(3, "relu"), Dense(2)], 4, seed=1).predict(x)])
    model.compile(optim.SGD(RATE), LOSS)
    train(model)
    check_same([model.predict(x)], [row.predict(x)])
    assert not np.array_equal(model.predict(x), alone)
    row.compile(optim.SGD(RATE), LOSS)
    train(row)
    check_same([model.predict(x)], [row.predict(x)])


class Doubled(Sequential):
    """Does more than to call its layers: it runs as one layer, and as a twin where it is called again."""

    def forward(self, x, training=False):
        return 2 * super().forward(x, training)

    def backward(self, dy):
        return super().backward(2 * np.asarray(dy))


@pytest.mark.parametrize("kind", [Sequential, Doubled, Residual])
def test_a_block_called_twice_shares_its_weights(kind, tmp_path):
    x, z = Input((4,), dtype="float64"), Input((4,), dtype="float64")
    block = Residual(4) if kind is Residual else kind([Dense(4, "relu"), Dense(4)], seed=1)
    model = Model([x, z], Dense(3)(Concatenate()([block(x), block(block(z))])), seed=2)
    values, labels = problem(model)
    first, second = block.forward(values[0]), block.forward(block.forward(values[1]))
    check_close(model.predict(values), model.layers[-1].forward(np.concatenate([first, second], axis=1)))
    gradcheck(model, values, samples=10)
    model.compile(optim.SGD(RATE), LOSS)
    for _ in range(2):
        _, gradients = by_hand(model, values, labels)
        before = model.get_weights()
        model.train_on_batch(values, labels)
        for value, old, gradient in zip(model.get_weights(), before, gradients, strict=True):
            check_close(value, old - RATE * gradient)
    model.save(tmp_path / "m")
    for one in (load_model(tmp_path / "m"), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        check_same([one.predict(values)], [model.predict(values)])
        check_same(train(one).get_weights(), train(copy.deepcopy(model)).get_weights())
    block.trainable = False
    model.compile(optim.SGD(RATE), LOSS)
    assert changed(model) == {"dense/kernel", "dense/bias"}


def test_a_row_that_a_symbol_builds_keeps_sizes_open():
    row = Sequential([Conv2D(2, 3), Conv2D(2, 3), GlobalAveragePool2D()], seed=1)
    x = Input((None, None, 1), dtype="float64")
    model = Model(x, row(x))
    assert (row.input_shape, row.dtype) == ((None, None, 1), np.float64)
    image = np.random.default_rng(0).normal(size=(2, 9, 7, 1))
    check_same([model.predict(image)], [row.predict(image)])


def test_frozen_layers_stay_for_pictures_of_any_size():
    x = Input((None, None, 1))
    conv = Conv2D(3, 3, padding="same", activation="relu", name="conv")(x)
    pooled = GlobalAveragePool2D()(MaxPool2D(2, padding="same")(Conv2D(2, 3, padding="same")(conv)))
    model = Model(x, Dense(2, "softmax", name="last")(pooled), seed=4)
    for frozen in ("conv", "last"):
        for name, part in dict(model.parts()).items():
            if name:
                part.trainable = name != frozen
        model.compile(optim.SGD(RATE), losses.SparseCategoricalCrossentropy())
        for part in model.parts():
            part[1].remember(_trainable=True)  # too late: compile has read it
        for size in (64, 7, 8):
            before = values_of(model)
            image = np.random.default_rng(0).normal(size=(4, size, size, 1)).astype(np.float32)
            model.train_on_batch(image, [0, 1, 0, 1])
            for name, value in values_of(model).items():
                assert np.array_equal(value, before[name]) == name.startswith(frozen + "/"), (size, name)


# Fusing


def fusable(keep, dtype="float32"):
    """Return a model of a convolution and a pooling, in which the convolution's output is used elsewhere."""
    x = Input((6, 6, 1), dtype=dtype)
    conv = Conv2D(4, 3, padding="same", activation="relu")(x)
    pooled = MaxPool2D(2)(conv)
    ends = [GlobalAveragePool2D()(pooled)]
    if keep == "consumer":
        ends.append(GlobalAveragePool2D()(conv))
    if keep == "pools":
        ends.append(GlobalAveragePool2D()(MaxPool2D(3)(conv)))
    y = Dense(2)(Concatenate()(ends))
    return Model(x, [y, conv] if keep == "output" else y, seed=4)


@pytest.mark.parametrize("keep", ["nothing", "consumer", "pools", "output"])
def test_a_convolution_is_fused_with_the_pooling_only_if_nothing_else_uses_it(keep):
    model = fusable(keep)
    fused = [layer for layer in model.fused().layers if isinstance(layer, ConvPool)]
    assert len(fused) == (keep == "nothing")
    assert not any(isinstance(layer, ConvPool) for layer in model.flow().layers)
    for samples in (1, 2, 70):
        x = np.random.default_rng(samples).normal(size=(samples, 6, 6, 1)).astype(np.float32)
        for _ in range(2):
            outputs, unfused = model.predict(x), model.flow().forward([x])
            check_same(outputs if keep == "output" else [outputs], unfused)


@pytest.mark.parametrize("keep", ["nothing", "consumer", "pools"])
def test_fused_and_other_steps_are_those_of_the_layers(keep):
    model = fusable(keep, "float64")
    model.compile(optim.SGD(RATE), LOSS)
    assert any(isinstance(layer, ConvPool) for layer in model.trainer.flow().layers) == (keep == "nothing")
    for seed in range(3):
        x, labels = problem(model, seed=seed)
        _, dy = LOSS.value_and_gradient(labels, model.forward(x, training=True))
        model.backward(dy)
        expected = [p.value - RATE * p.grad for p in model.parameters]
        model.train_on_batch(x, labels)
        for value, one in zip(model.get_weights(), expected, strict=True):
            check_close(value, one)


def test_a_convolution_called_twice_is_fused_where_it_can_be(monkeypatch):
    x = Input((6, 6, 1), dtype="float64")
    conv = Conv2D(3, 3, padding="same", activation="relu", name="conv")
    first = conv(x)
    second = conv(Conv2D(1, 1)(first))
    ends = [GlobalAveragePool2D()(MaxPool2D(2)(one)) for one in (first, second)]
    model = Model(x, Dense(2)(Concatenate()(ends)), seed=4)
    assert sum(isinstance(layer, ConvPool) for layer in model.fused().layers) == 1
    model.compile(optim.SGD(RATE), LOSS)
    monkeypatch.setattr(shards, "CACHE_BYTES", 100)
    values, labels = problem(model)
    _, dy = LOSS.value_and_gradient(labels, model.forward(values, training=True))
    model.backward(dy)
    expected = [p.value - RATE * p.grad for p in model.parameters]
    model.train_on_batch(values, labels)
    for value, one in zip(model.get_weights(), expected, strict=True):
        check_close(value, one)


@pytest.mark.parametrize("size", [64, 8, 7, 33])
def test_pictures_of_any_size_train_as_those_that_a_model_was_built_for(size):
    def make(shape):
        x = Input(shape)
        conv = Conv2D(3, 3, padding="same", activation="relu")(x)
        pooled = MaxPool2D(2, padding="same")(conv)
        model = Model(x, Dense(2)(GlobalAveragePool2D()(pooled)), seed=4)
        model.compile(optim.SGD(RATE), LOSS)
        return model

    free, fixed = make((None, None, 1)), make((size, size, 1))
    random = np.random.default_rng(0)
    for _ in range(2):
        x, labels = random.normal(size=(4, size, size, 1)).astype(np.float32), random.integers(0, 2, 4)
        assert free.train_on_batch(x, labels) == fixed.train_on_batch(x, labels)
        check_same(free.get_weights(), fixed.get_weights())
        check_same([free.predict(x)], [fixed.predict(x)])


# Wrong use


def pair():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    return Model([a, b], Dense(2, name="last")(Add()([a, b])), seed=1)


SYMBOL = Input((3,), name="symbol")
ONES = np.ones((2, 3))
MIXED = r"all inputs of a layer are symbols, or all are arrays"
NOT_THERE = "stands for an array that is not there yet"


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: Add()([SYMBOL, ONES]), TypeError, MIXED),
        (lambda: Add()([ONES, SYMBOL]), TypeError, MIXED),
        (lambda: pair()([SYMBOL, ONES]), TypeError, MIXED),
        (lambda: Add()(SYMBOL), ValueError, "Add takes a list of inputs"),
        (lambda: Dense(2)([SYMBOL, SYMBOL]), ValueError, "Dense takes one input, and not a list"),
        (lambda: pair()(SYMBOL), ValueError, "Model 'model' takes a list of inputs"),
        (lambda: pair()([SYMBOL, SYMBOL, SYMBOL]), ValueError, "2|two"),
        (lambda: pair()([SYMBOL, Input((4,))]), ValueError, r"\(4,\)"),
        (lambda: Add()([SYMBOL, Input((4,))]), ValueError, "do not fit"),
        (lambda: np.add(SYMBOL, 1), TypeError, NOT_THERE),
        (lambda: np.asarray(SYMBOL), TypeError, NOT_THERE),
        (lambda: np.ones(3) + SYMBOL, TypeError, NOT_THERE),
        (lambda: SYMBOL + 1, TypeError, r"SymbolicTensor"),
        (lambda: [*SYMBOL], TypeError, "no elements"),
        (lambda: pair().predict(SYMBOL), ValueError, "takes 2 inputs"),
        (lambda: Sequential([Dense(2)], 3).predict(SYMBOL), TypeError, NOT_THERE),
        (
            lambda: Model(SYMBOL, Dense(2)(Input((3,), name="other"))),
            ValueError,
            "'other'.*not among the inp",
        ),
        (lambda: Model(Dense(3)(SYMBOL), SYMBOL), ValueError, "'symbol'.*not among the inputs"),
        (lambda: Model([SYMBOL, SYMBOL], SYMBOL), ValueError, "each of them once"),
        (lambda: Model([], SYMBOL), ValueError, "one or more symbols"),
        (lambda: Model(SYMBOL, []), ValueError, "one or more symbols"),
        (lambda: Model(ONES, SYMBOL), TypeError, "inputs must be symbols.*tinynet.Input"),
        (lambda: Model(SYMBOL, Dense(2)), TypeError, "outputs must be symbols"),
        (lambda: Model(SYMBOL, SYMBOL, seed=-1), ValueError, "seed must be an integer"),
        (lambda: pair().predict([ONES]), ValueError, "takes 2 inputs: give a list.*keys a, b"),
        (lambda: pair().predict([ONES] * 3), ValueError, "takes 2 inputs"),
        (lambda: pair().predict(ONES), ValueError, "takes 2 inputs"),
        (lambda: pair().predict({"a": ONES}), ValueError, r"takes 2 inputs.*keys \['a'\]"),
        (lambda: pair().predict({"a": ONES, "c": ONES}), ValueError, r"keys a, b.*keys \['a', 'c'\]"),
        (lambda: pair().predict([ONES, np.ones((3, 3))]), ValueError, "2, 3 samples"),
        (lambda: pair().predict([ONES, np.ones((2, 4))]), ValueError, r"Input 'b'.*\(N, 3\).*\(2, 4\)"),
        (lambda: pair().predict([ONES, ONES.astype(str)]), TypeError, "array of numbers"),
        (lambda: pair().predict([ONES, ONES * np.nan]), ValueError, "NaN"),
        (lambda: pair().backward(np.ones((2, 2))), RuntimeError, "before it"),
        (lambda: Input(), TypeError, "give the shape"),
        (lambda: Input((0,)), ValueError, "positive integers"),
        (lambda: Input((3,), dtype="float16"), ValueError, "float32"),
        (lambda: Dense(2).output, AttributeError, "no input and output yet"),
    ],
)
def test_wrong_use_is_one_clear_error(wrong, error, message):
    with pytest.raises(error, match=message) as caught:
        wrong()
    assert caught.value.__cause__ is None


def test_training_with_several_outputs_is_refused_and_changes_nothing():
    model = several()
    x, before = np.ones((4, 4), np.float32), model.get_weights()
    with pytest.raises(ValueError, match=r"4 outputs, which are for prediction.*model\.outputs\[0\]"):
        model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match="compile"):
        model.fit(x, np.ones((4, 2)))
    check_same(model.get_weights(), before)
    first = Model(model.input, model.outputs[0])
    first.compile("sgd", "mse")
    first.train_on_batch(x, np.ones((4, 2)))
    check_same([model.predict(x)[0]], [first.predict(x)])


def test_wrong_batches_change_nothing():
    model = pair()
    model.compile("sgd", LOSS)
    train(model)
    before, steps = model.get_weights(), model.steps_trained
    labels = np.zeros(2, int)
    for x, y in [
        ([ONES, np.ones((3, 3))], labels),
        ([ONES], labels),
        ([ONES, ONES], np.zeros(3, int)),
        ([ONES, ONES], labels + 5),
        ([ONES, ONES * np.inf], labels),
    ]:
        for method in (model.train_on_batch, model.evaluate, model.fit):
            with pytest.raises(ValueError, match=r"sampl|inputs|Label|infinite"):
                method(x, y)
    check_same(model.get_weights(), before)
    assert model.steps_trained == steps


def test_a_model_that_cannot_be_made_leaves_its_layers_as_they_were():
    x = Input((4,))
    first, second = Dense(3), Dense(2, "tanh")
    hidden = first(x)
    y = second(hidden)
    used = Model(hidden, y)  # the second layer is part of it, in float32
    weights, before = first.get_weights(), used.predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"'dense.*shared.*float64"):
        Model(x, y, dtype="float64")
    assert (first.name, first.dtype) == ("", np.float32)
    check_same(first.get_weights(), weights)
    model = Model(x, y)
    check_same(model.layers[1].get_weights(), weights)
    check_same([used.predict(np.ones((2, 3)))], [before])


def test_a_layer_that_cannot_take_a_symbol_is_as_new():
    flat = Flatten()(Input((None, None, 1)))
    dense, conv = Dense(2), Conv2D(2, 5)
    with pytest.raises(ValueError, match="Dense"):
        dense(flat)
    with pytest.raises(ValueError, match="Conv2D"):
        conv(Input((3, 3, 1)))
    assert dense(Input((7,))).shape == (None, 2)
    assert conv(Input((6, 5, 3))).shape == (None, 2, 1, 2)
    with pytest.raises(ValueError, match=r"was built for inputs of shape \(7,\)"):
        dense(Input((8,)))
    assert dense.input.shape == (None, 7)


# Random graphs, compared with a few lines of automatic differentiation.


class Value:
    """An array that remembers what it was made of, and how gradients go back."""

    def __init__(self, data, parents=(), backward=None):
        self.data, self.parents, self.backward, self.grad = data, parents, backward, np.zeros_like(data)

    def run_backward(self, gradient):
        order, seen = [], set()

        def visit(value):
            if id(value) not in seen:
                seen.add(id(value))
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = self.grad + gradient
        for value in reversed(order):
            if value.backward:
                for parent, part in zip(value.parents, value.backward(value.grad), strict=True):
                    parent.grad = parent.grad + part


def affine(x, kernel, bias):
    def backward(g):
        return g @ kernel.data.T, x.data.T @ g, g.sum(axis=0)

    return Value(x.data @ kernel.data + bias.data, (x, kernel, bias), backward)


def activate(x, name):
    y = naive.activation(name, x.data)
    return Value(y, (x,), lambda g: [naive.activation_gradient(name, x.data, g)])


def merged(kind, parts):
    if kind is Concatenate:
        widths = np.cumsum([part.data.shape[1] for part in parts])[:-1]
        data = np.concatenate([part.data for part in parts], axis=1)
        return Value(data, parts, lambda g: np.split(g, widths, axis=1))
    arrays = [part.data for part in parts]
    if kind is Multiply:
        others = [np.prod([*arrays[:k], *arrays[k + 1 :]], axis=0) for k in range(len(arrays))]
        return Value(np.prod(arrays, axis=0), parts, lambda g: [g * other for other in others])
    share = 1 / len(parts) if kind is Average else 1
    return Value(share * sum(arrays), parts, lambda g: [g * share for _ in parts])


WIDTH = 3


@st.composite
def plans(draw):
    """Draw a graph: how many inputs and shared layers there are, and what each node is made of."""
    inputs, shared = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    nodes = []
    for number in range(inputs, inputs + draw(st.integers(2, 9))):
        kinds = ["dense", "shared", "activation", Add, Multiply, Average, Concatenate]
        kind = draw(st.sampled_from(kinds))
        count = 1 if isinstance(kind, str) else draw(st.integers(1, 3))
        parts = [draw(st.integers(max(0, number - 5), number - 1)) for _ in range(count)]
        detail = draw(st.integers(0, shared - 1) if kind == "shared" else st.sampled_from(["tanh", "relu"]))
        nodes.append((kind, parts, detail))
    return inputs, shared, nodes


def built(plan):
    """Return a model of a plan, and a function that computes the same with `Value`, from the weights."""
    inputs, shared, nodes = plan
    symbols = [Input((WIDTH,), dtype="float64") for _ in range(inputs)]
    values, shares, recipes = [*symbols], [Dense(WIDTH, name=f"shared_{k}") for k in range(shared)], []
    for number, (kind, parts, detail) in enumerate(nodes):
        taken = [values[part] for part in parts]
        if kind == "dense":
            layer = Dense(WIDTH, name=f"own_{number}")
        elif kind == "shared":
            layer = shares[detail]
        elif kind == "activation":
            layer = {"tanh": Tanh, "relu": ReLU}[detail]()
        else:
            layer = kind()
        found = layer(taken[0] if isinstance(kind, str) else taken)
        recipes.append((kind, parts, detail, layer.name))
        if kind is Concatenate:  # to the width that all others have
            narrow = Dense(WIDTH, name=f"narrow_{number}")
            found, name = narrow(found), narrow.name
            recipes[-1] = (kind, parts, detail, name)
        values.append(found)
    # All ends are used, so that all inputs are.
    used = {part for _, parts, _ in nodes for part in parts}
    ends = [k for k in range(len(values)) if k not in used]
    end = Dense(2, name="end")
    model = Model(symbols, end(Concatenate()([values[k] for k in ends])), seed=1)

    def compute(weights, arrays):
        def dense(x, name):
            return affine(x, weights[f"{name}/kernel"], weights[f"{name}/bias"])

        known = [*arrays]
        for kind, parts, detail, name in recipes:
            taken = [known[part] for part in parts]
            if kind in ("dense", "shared"):
                known.append(dense(taken[0], name))
            elif kind == "activation":
                known.append(activate(taken[0], detail))
            else:
                joined = merged(kind, taken)
                known.append(dense(joined, name) if kind is Concatenate else joined)
        return dense(merged(Concatenate, [known[k] for k in ends]), "end")

    return model, compute


@settings(max_examples=60, derandomize=True)
@given(plan=plans(), samples=st.integers(1, 5))
def test_random_graphs(plan, samples):
    model, compute = built(plan)
    x, labels = problem(model, samples)
    weights = {name: Value(value) for name, value in values_of(model).items()}
    arrays = [Value(one) for one in listed(x)]
    expected = compute(weights, arrays)
    check_close(model.forward(x, training=True), expected.data)
    check_close(model.predict(x), expected.data)
    dy = loss_of(expected.data, labels)[1]
    expected.run_backward(dy)
    for actual, value in zip(listed(model.backward(dy)), arrays, strict=True):
        check_close(actual, value.grad)
    for name, parameter in model.named_parameters().items():
        check_close(parameter.grad, weights[name].grad)
    model.compile(optim.SGD(RATE), LOSS)
    model.train_on_batch(x, labels)
    for name, value in values_of(model).items():
        check_close(value, weights[name].data - RATE * weights[name].grad)
    check_same([copy.deepcopy(model).predict(x)], [model.predict(x)])
    again = Model.from_config(model.config())
    again.set_weights(model.get_weights())
    check_same([again.predict(x)], [model.predict(x)])


class DoubledRow(layers.Chain):
    """A row of one's own, which runs as one layer."""

    def forward(self, x, training=False):
        return 2 * super().forward(x, training)

    def backward(self, dy):
        return super().backward(2 * np.asarray(dy))


def test_a_copy_that_predicts_in_between_trains_as_the_original():
    x, y = np.random.default_rng(0).normal(size=(40, 4)), np.random.default_rng(1).normal(size=(40, 2))
    losses_of = []
    for duplicate in (lambda model: model, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))):
        inputs = Input((4,))
        row = DoubledRow([Dense(5, activation="relu"), Dense(4)])
        model = duplicate(Model(inputs, Dense(2)(row(inputs)), seed=3))
        model.compile(optim.SGD(0.1), "mse")
        history = model.fit(x, y, batch_size=8, epochs=3, validation_data=(x, y), verbose=0).history
        losses_of.append(history["loss"])
    assert losses_of[0] == losses_of[1] == losses_of[2]


def test_a_part_of_a_float64_model_is_one():
    inputs = Input((3,))
    model = Model(inputs, Dense(2)(Dense(4)(inputs)), dtype="float64")
    features = Model(model.input, model.layers[1].output)
    assert features.dtype == np.float64
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(features.predict(x), model.layers[1].forward(x))
    layer = Dense(2)
    layer.build(3)
    with pytest.raises(TypeError, match="Dense is built for float32, and its input is of float64"):
        layer(Input((3,), dtype="float64"))


def test_a_model_of_a_class_of_one_s_own_is_loaded_as_that(tmp_path):
    model = Doubled([Dense(3)], 4, seed=1)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("f4")
    model.save(tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert type(loaded) is Doubled
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_rows_without_names_are_told_apart():
    model = Sequential([Sequential([Dense(2)]), Sequential([Dense(2)])], 3)
    assert [*model.sublayers()] == ["sequential", "sequential_1"]
    with pytest.raises(ValueError, match="Two layers have the name 'a'"):
        Sequential([Sequential([Dense(2)], name="a"), Sequential([Dense(2)], name="a")], 3)


def test_a_layer_takes_arrays_of_other_shapes_if_its_weights_fit():
    layer = Conv2D(2, 3)
    for size in (8, 5, 9):
        assert layer(np.ones((1, size, size, 1))).shape == (1, size - 2, size - 2, 2)
    dense = Dense(2)
    dense(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"kernel of shape \(3, 2\).*inputs of \(4,\) would need \(4, 2\)"):
        dense(np.ones((1, 4)))
