"""A model that goes on from an optimizer's state trains to the same bits as one that never stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, layers, optim
from tinynet.files.keras.own import add_own
from tinynet.models.storage.optimizer_state import optimizer_state, set_optimizer_state

OPTIMIZERS = {
    "sgd": lambda rate: optim.SGD(rate),
    "momentum": lambda rate: optim.SGD(rate, momentum=0.9),
    "nesterov": lambda rate: optim.SGD(rate, momentum=0.9, nesterov=True),
    "adam": lambda rate: optim.Adam(rate),
    "amsgrad": lambda rate: optim.Adam(rate, amsgrad=True, beta_2=0.5),
    "adamw": lambda rate: optim.AdamW(rate),
    "rmsprop": lambda rate: optim.RMSprop(rate),
    "centered": lambda rate: optim.RMSprop(rate, momentum=0.9, centered=True),
    "adagrad": lambda rate: optim.Adagrad(rate),
    "adadelta": lambda rate: optim.Adadelta(rate),
    "adamax": lambda rate: optim.Adamax(rate),
    "nadam": lambda rate: optim.Nadam(rate),
    "clipped": lambda rate: optim.Adam(rate, global_clipnorm=0.1),
}
RATES = {"number": lambda: 0.01, "schedule": lambda: optim.ExponentialDecay(0.02, 3, 0.5)}

random = np.random.default_rng(3)
X = random.normal(size=(40, 6)).astype(np.float32)
Y = random.integers(0, 3, 40)


def network():
    """Return a graph with a shared layer, one that is frozen, one that has statistics, and dropout."""
    given = tinynet.Input((6,))
    shared = layers.Dense(6, activation="tanh", name="shared")
    frozen = layers.Dense(7, name="frozen")
    x = frozen(shared(shared(given)))
    frozen.trainable = False
    x = layers.Dropout(0.3)(layers.BatchNormalization()(x))
    inner = Sequential([layers.Dense(5), layers.PReLU(), layers.Dropout(0.2)], (7,), name="inner")
    return tinynet.Model(given, layers.Dense(3, activation="softmax")(inner(x)), seed=4)


def resumed(model, folder, suffix="safetensors"):
    """Return what a file makes of a model."""
    model.save(folder / f"model.{suffix}")
    return tinynet.load_model(folder / f"model.{suffix}")


def check_same(first, second):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    (steps, slots), (other_steps, other_slots) = optimizer_state(first), optimizer_state(second)
    assert steps == other_steps
    assert slots.keys() == other_slots.keys()
    for name, arrays in slots.items():
        for one, other in zip(arrays, other_slots[name], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fit_goes_on_to_the_same_bits(name, rate, tmp_path):
    model = network()
    model.compile(OPTIMIZERS[name](RATES[rate]()), "sparse_categorical_crossentropy")
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    other = resumed(model, tmp_path)
    before = model.get_weights()
    for one in (model, other):
        one.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    check_same(model, other)
    assert any((one != old).any() for one, old in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_fit_goes_on_to_the_same_bits_from_files_in_keras_formats(suffix, tmp_path):
    model = network()
    model.compile(optim.Adam(optim.ExponentialDecay(0.02, 3, 0.5)), "sparse_categorical_crossentropy")
    model.temperature, model.class_names = 1.5, ["a", "b", "c"]
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    other = resumed(model, tmp_path, suffix)
    for one in (model, other):
        one.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    check_same(model, other)
    assert (other.temperature, other.class_names) == (1.5, ["a", "b", "c"])
    assert (other.steps_trained, other.epochs_trained) == (12, 4)


@pytest.mark.parametrize("suffix", ["safetensors", "keras", "h5"])
def test_a_model_that_keras_trained_is_saved_with_its_state(suffix, tmp_path):
    model = network()
    model.compile("adam")
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    model.steps_trained = model.epochs_trained = 0  # of which Keras's files say nothing
    other = resumed(model, tmp_path, suffix)
    assert other.optimizer.iterations == 6
    check_same(model, other)


@pytest.mark.parametrize(
    "given", ["", "{", "[]", "3", "[" * 100_000, {"seeds": 3}, {"seeds": {"inner": "x"}}, None]
)
def test_what_is_damaged_of_what_tinynet_adds_to_kerass_files(given):
    config = network().config()
    changed = add_own(config, given if not isinstance(given, dict) else json.dumps(given))
    assert {**changed, "layers": 0} == {**config, "layers": 0}


def test_steps_on_single_batches_go_on_to_the_same_bits(tmp_path):
    model = network()
    model.compile("adam")
    for start in (0, 8, 16):
        model.train_on_batch(X[start : start + 8], Y[start : start + 8])
    other = resumed(model, tmp_path)
    assert optimizer_state(other)[0] == 3
    for one in (model, other):
        one.train_on_batch(X[24:32], Y[24:32])
        one.fit(X, Y, epochs=1, verbose=0)
    check_same(model, other)


def test_without_the_state_training_goes_on_differently(tmp_path):
    model = network()
    model.compile("adam")
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.safetensors")
    other = tinynet.load_model(tmp_path / "model.safetensors")
    set_optimizer_state(
        other, 0, {name: [0 * a for a in held] for name, held in optimizer_state(model)[1].items()}
    )
    for one in (model, other):
        one.train_on_batch(X, Y)
    assert any((a != b).any() for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def test_a_state_is_set_between_steps_that_were_recorded():
    model = Sequential([layers.Dense(3)], 6, seed=1)
    model.compile("adam", "mse")
    y = np.zeros((40, 3))
    for _ in range(3):
        model.train_on_batch(X, y)
    state, weights = optimizer_state(model), model.get_weights()
    model.train_on_batch(X, y)
    once, model_state = model.get_weights(), optimizer_state(model)
    model.set_weights(weights)
    set_optimizer_state(model, *state)
    model.train_on_batch(X, y)
    for one, other in zip(once, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert model_state[0] == optimizer_state(model)[0] == 4


def test_the_state_is_a_copy_in_the_order_of_the_weights_that_train():
    model = network()
    model.compile("adam")
    model.train_on_batch(X, Y)
    iterations, slots = optimizer_state(model)
    assert iterations == 1
    assert [*slots] == ["m", "v"]
    shapes = [weight.value.shape for weight in model.trainable_weights]
    assert [array.shape for array in slots["m"]] == shapes
    expected = dict(zip(map(id, model.trainable_weights), slots["m"], strict=True))
    weight = model.get_layer("shared").kernel
    np.testing.assert_allclose(expected[id(weight)], 0.1 * weight.grad, rtol=1e-5)
    slots["m"][0][...] = 7
    assert not (optimizer_state(model)[1]["m"][0] == 7).any()


def test_layers_frozen_or_unfrozen_since_compile_have_what_the_next_compile_needs(tmp_path):
    model = Sequential([layers.Dense(4), layers.Dense(3, activation="softmax")], 6, seed=1)
    model.layers[0].trainable = False
    model.compile(optim.Adagrad(initial_accumulator_value=0.25))
    model.train_on_batch(X, Y)
    model.layers[0].trainable, model.layers[1].trainable = True, False
    (first, second) = optimizer_state(model)[1]["sum"]
    assert first.shape == (6, 4)
    assert (first == 0.25).all()
    assert (second == 0.25).all()
    assert optimizer_state(resumed(model, tmp_path))[0] == 1


def test_momentum_that_was_assigned_after_the_last_step():
    model = Sequential([layers.Dense(3)], 6, seed=1)
    model.compile(optim.SGD(0.1), "mse")
    model.train_on_batch(X, np.zeros((40, 3)))
    model.optimizer.momentum = 0.5
    iterations, slots = optimizer_state(model)
    assert (iterations, [*slots]) == (1, ["velocity"])
    assert not any(array.any() for array in slots["velocity"])
    set_optimizer_state(model, 5, {"velocity": [np.ones((6, 3)), np.ones(3)]})
    before = model.get_weights()
    model.train_on_batch(np.zeros((1, 6)), model.predict(np.zeros((1, 6))))
    np.testing.assert_allclose(model.get_weights()[0], before[0] + 0.5, rtol=1e-6)


SHAPES = [(6, 3), (3,)]


@pytest.mark.parametrize(
    ("iterations", "slots", "error"),
    [
        (-1, {name: [np.zeros(shape) for shape in SHAPES] for name in "mv"}, "at least 0; got -1"),
        (1.5, {name: [np.zeros(shape) for shape in SHAPES] for name in "mv"}, "integer"),
        (1, {}, r"\['m', 'v'\]; got \[\]"),
        (1, {"m": []}, r"\['m', 'v'\]; got \['m'\]"),
        (1, {"m": [], "v": []}, "'m' of its state needs arrays of the shapes"),
        (1, {"m": [np.zeros(s) for s in SHAPES], "v": [np.zeros(s) for s in SHAPES[::-1]]}, "'v' of its"),
        (1, {"m": [np.zeros(s) for s in SHAPES], "v": [np.zeros(s, "U1") for s in SHAPES]}, "numbers"),
    ],
)
def test_what_does_not_fit_changes_nothing(iterations, slots, error):
    model = Sequential([layers.Dense(3)], 6, seed=1)
    model.compile("adam", "mse")
    model.train_on_batch(X, np.zeros((40, 3)))
    before = optimizer_state(model)
    with pytest.raises(ValueError, match=error):
        set_optimizer_state(model, iterations, slots)
    after = optimizer_state(model)
    assert after[0] == before[0] == 1
    for name, arrays in before[1].items():
        for one, other in zip(arrays, after[1][name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_model_that_is_not_compiled_has_no_state():
    model = Sequential([layers.Dense(3)], 6)
    with pytest.raises(RuntimeError, match="compile"):
        optimizer_state(model)
    with pytest.raises(RuntimeError, match="compile"):
        set_optimizer_state(model, 0, {})
