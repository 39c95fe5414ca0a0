"""What users do by mistake gives one clear error, at once, and loses nothing."""

from __future__ import annotations

import copy
import math
import os
import pickle
import runpy
import signal
import socket
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tinynet import Sequential, data, gradcheck, initializers, layers, load_model, metrics, optim
from tinynet.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from tinynet.execution import parallel
from tinynet.files import atomic_write
from tinynet.files import model_file as model_files


def line(optimizer=None, dtype="float32"):
    """A compiled model of one weight."""
    model = Sequential([layers.Dense(1, use_bias=False)], 1, dtype=dtype)
    model.compile(optimizer or optim.SGD(0.1), "mse")
    return model


X = np.linspace(-1, 1, 20).reshape(-1, 1)


def classifier(seed=0):
    """A compiled classifier, with all that training remembers: means of gradients, dropout, metrics."""
    model = Sequential(
        [layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(3, "softmax")], 2, seed=seed
    )
    model.compile(optim.Adam(0.02), metrics=["accuracy"])
    return model


# Assigning to parameters


@pytest.mark.parametrize("what", ["value", "grad"])
def test_assigning_to_a_parameter_copies_into_its_array(what):
    parameter = layers.Parameter("kernel", np.zeros((2, 3)), np.zeros((2, 3)))
    array, new = getattr(parameter, what), np.arange(6.0).reshape(2, 3)
    setattr(parameter, what, new)
    assert getattr(parameter, what) is array
    np.testing.assert_array_equal(array, new)
    new[:] = 7
    assert array.max() == 5
    setattr(parameter, what, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(array, [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("what", ["value", "grad"])
@pytest.mark.parametrize("shape", [(), (3,), (1, 3), (3, 2), (6,), (1, 2, 3)])  # some would broadcast
def test_a_parameter_refuses_another_shape(what, shape):
    parameter = layers.Parameter("kernel", np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(
        ValueError, match=rf"The {what} of parameter 'kernel' has shape \(2, 3\); got"
    ) as caught:
        setattr(parameter, what, np.ones(shape))
    assert str(shape) in str(caught.value)
    assert (getattr(parameter, what) == 0).all()


def test_assigned_weights_reach_predictions_and_training():
    model = line()
    model.fit(X, X, verbose=0)  # the replicas that train are there, and must see the new weights too
    model.flat.value = [3.0]
    np.testing.assert_array_equal(model.predict([[2.0]]), [[6.0]])
    assert model.train_on_batch([[1.0]], [[1.0]]) == 4.0
    model.layers[0].kernel.value = [[5.0]]
    np.testing.assert_array_equal(model.flat.value, [5.0])
    model.layers[0].kernel.value += 1
    np.testing.assert_array_equal(model.flat.value, [6.0])
    np.testing.assert_array_equal(model.predict([[2.0]]), [[12.0]])


def test_a_layer_of_a_model_cannot_be_built_again():
    model = line()
    before = model.flat.value.copy()
    with pytest.raises(RuntimeError, match=r"Dense 'dense' is part of a model.*make a new layer"):
        model.layers[0].build(1)
    np.testing.assert_array_equal(model.predict([[1.0]]), [before])


# Constructors


@pytest.mark.parametrize("shape", [np.int64(28), [28], (28,), np.array([28]), (np.int32(28),)], ids=repr)
def test_an_input_shape_of_any_integers(shape):
    assert Sequential([layers.ReLU()], shape).input_shape == (28,)
    layer = layers.Dense(2)
    layer.build(shape)
    assert layer.kernel.value.shape == (28, 2)


@pytest.mark.parametrize(
    "shape",
    [
        None,
        28.7,
        (None, 28),
        "28",
        0,
        -28,
        (28, -1),
        (28, 28.0),
        np.array([28.0]),
        np.array([[28, 28]]),
        {28},
    ],
    ids=repr,
)
def test_another_input_shape_is_refused_with_an_example(shape):
    builds = [layers.ReLU().build, lambda shape: Sequential([layers.ReLU()], shape)]
    for build in builds[: 1 if repr(shape) in ("None", "(None, 28)") else 2]:
        with pytest.raises(ValueError, match=r"input_shape must be .* such as \(28, 28, 1\); got") as caught:
            build(shape)
        assert repr(shape) in str(caught.value)


@pytest.mark.parametrize("make", [layers.Dense, lambda units, **named: layers.Conv2D(units, 1, **named)])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activation": layers.ReLU}, r"class ReLU: write ReLU\(\)"),
        ({"activation": layers.Dense(5)}, r"Dense\(units=5\) is not an activation: make it a layer"),
        ({"activation": layers.Flatten()}, r"Flatten\(\) is not an activation: make it a layer"),
        ({"activation": layers.Dropout(0.5)}, r"Dropout\(rate=0.5\) is not an activation: make it a layer"),
        ({"kernel_initializer": initializers.HeNormal}, r"class HeNormal: write HeNormal\(\)"),
        ({"bias_initializer": initializers.Zeros}, r"class Zeros: write Zeros\(\)"),
    ],
)
def test_a_wrong_activation_or_initializer_says_what_to_write(make, arguments, message):
    with pytest.raises(TypeError, match=message):
        make(3, **arguments)


@pytest.mark.parametrize("seed", [2**63, 2**64, np.uint64(2**63)])
def test_a_seed_that_kernels_cannot_hold_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer from 0 to 2\*\*63 - 1"):
        Sequential([layers.ReLU()], 3, seed=seed)


def test_the_largest_seed_serves_everything_random():
    x, y = data.scale_pixels(np.zeros((8, 3, 3), np.uint8)), np.arange(8) % 2
    model = Sequential(
        [layers.Dropout(0.5), layers.Flatten(), layers.Dense(2, "softmax")], (3, 3, 1), 2**63 - 1
    )
    model.compile()
    model.fit(x, y, verbose=0, augment=data.Augmentation())


def test_a_metric_may_not_take_the_name_of_the_loss():
    def loss(y_true, y_pred):
        return 0.0

    with pytest.raises(ValueError, match="metric may not be called 'loss'"):
        metrics.together([loss])


# Copies of models


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_trained_model_goes_on_by_itself(blobs, tmp_path, duplicate):
    x, y = blobs
    model = classifier()
    model.fit(x, y, epochs=2, verbose=0)
    twin, before = duplicate(model), model.flat.value.copy()
    np.testing.assert_array_equal(twin.predict(x), model.predict(x))

    history = twin.fit(x, y, epochs=3, verbose=0).history
    np.testing.assert_array_equal(model.flat.value, before)
    assert history["loss"][-1] < history["loss"][0]
    twin.save(tmp_path / "twin")
    np.testing.assert_array_equal(load_model(tmp_path / "twin").predict(x), twin.predict(x))

    # The original, trained in the same way, takes the same steps: the optimizer's state went along.
    assert model.fit(x, y, epochs=3, verbose=0).history == history
    np.testing.assert_array_equal(twin.flat.value, model.flat.value)
    np.testing.assert_array_equal(twin.layers[-1].kernel.value, model.layers[-1].kernel.value)
    assert twin.optimizer.iterations == model.optimizer.iterations == 5 * 8


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_model_that_was_not_compiled(blobs, duplicate):
    x, y = blobs
    model = Sequential([layers.Dense(3, "softmax")], 2)
    twin = duplicate(model)
    with pytest.raises(RuntimeError, match="compile"):
        twin.fit(x, y)
    twin.compile()
    twin.fit(x, y, verbose=0)
    assert not np.array_equal(twin.predict(x), model.predict(x))


def test_a_layer_can_be_assigned_to_in_a_copy():
    twin = copy.deepcopy(line())
    twin.layers[0].kernel.value = [[5.0]]
    np.testing.assert_array_equal(twin.predict([[2.0]]), [[10.0]])


# Optimizers


def test_an_optimizer_serves_one_model():
    optimizer = optim.SGD(0.1, momentum=0.9)
    first, second = line(optimizer), line()
    first.fit(X, X, verbose=0)
    kept, velocity = second.optimizer, optimizer.state["velocity"][0].copy()
    with pytest.raises(ValueError, match="SGD belongs to another model: make a new one for each"):
        second.compile(optimizer, "mse")
    assert second.optimizer is kept
    np.testing.assert_array_equal(optimizer.state["velocity"][0], velocity)
    first.fit(X, X, verbose=0)
    second.fit(X, X, verbose=0)


# What fit is given


def test_callbacks_may_come_from_a_generator():
    epochs = []
    record = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    line().fit(X, X, epochs=3, verbose=0, callbacks=(callback for callback in [record, record]))
    assert epochs == [0, 0, 1, 1, 2, 2]


def test_no_callbacks_may_be_none():
    assert line().fit(X, X, verbose=0, callbacks=None).epoch == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"callbacks": [EarlyStopping]}, "list of Callback objects; it holds <class .*EarlyStopping"),
        ({"callbacks": [print]}, "list of Callback objects; it holds <built-in function print>"),
        ({"callbacks": [None]}, "list of Callback objects; it holds None"),
        ({"augment": True}, r"augment must be an object such as Augmentation\(\).*got True"),
        ({"augment": data.Augmentation}, r"augment must be an object such as Augmentation\(\).*got <class"),
    ],
)
def test_wrong_helpers_of_fit_are_refused_before_training(arguments, message):
    model = line()
    with pytest.raises(TypeError, match=message):
        model.fit(X, X, verbose=0, **arguments)
    assert model.steps_trained == 0


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_fit_works_without_a_stderr(monkeypatch, verbose):
    monkeypatch.setattr(sys, "stderr", None)  # as in programs that have no console
    assert line().fit(X, X, verbose=verbose).epoch == [0]


# Callbacks fail before the first epoch, not after it


UNUSABLE = {
    "EarlyStopping, monitor": (lambda: EarlyStopping("accuracy"), ValueError, "monitor='accuracy' is not"),
    "ReduceLROnPlateau, monitor": (lambda: ReduceLROnPlateau(), ValueError, "monitor='val_loss' is not"),
    "ModelCheckpoint, monitor": (
        lambda: ModelCheckpoint("m", save_best_only=True), ValueError, "monitor='val_loss' is not"
    ),
    "ModelCheckpoint, in a file": (
        lambda: ModelCheckpoint(f"{__file__}/m"), OSError, "cannot write.*a file is where a folder"
    ),
    "ModelCheckpoint, a folder": (lambda: ModelCheckpoint("folder"), OSError, "'folder': it is a folder"),
    "ModelCheckpoint, a format that export writes": (
        lambda: ModelCheckpoint("m.onnx"), ValueError, r"model.export writes .onnx"
    ),
    "ModelCheckpoint, weights in a format of others": (
        lambda: ModelCheckpoint("m.pt", save_weights_only=True), ValueError, r"and not .pt"
    ),
    "ModelCheckpoint, unknown key": (
        lambda: ModelCheckpoint("{val_loss}"), ValueError, r"may hold {epoch} and any of loss.*val_loss"
    ),
    "ModelCheckpoint, no key": (lambda: ModelCheckpoint("{}"), ValueError, "may hold {epoch}"),
    "ModelCheckpoint, half a key": (lambda: ModelCheckpoint("m{"), ValueError, "may hold {epoch}"),
    "ModelCheckpoint, bad format": (lambda: ModelCheckpoint("{loss:d}"), ValueError, "may hold {epoch}"),
    "CSVLogger, missing folder": (lambda: CSVLogger("nowhere/log.csv"), FileNotFoundError, "nowhere"),
    "CSVLogger, a folder": (lambda: CSVLogger("folder"), OSError, "folder"),
    "CSVLogger, separator": (lambda: CSVLogger("log.csv", separator=", "), TypeError, "1-character"),
    "EarlyStopping, patience": (
        lambda: EarlyStopping("loss", patience=None), (TypeError, ValueError), "patience"
    ),
    "ReduceLROnPlateau, patience": (
        lambda: ReduceLROnPlateau("loss", patience="1"), (TypeError, ValueError), "patience"
    ),
    "ReduceLROnPlateau, cooldown": (
        lambda: ReduceLROnPlateau("loss", patience=0, cooldown=None), (TypeError, ValueError), "cooldown"
    ),
    "ReduceLROnPlateau, min_lr": (
        lambda: ReduceLROnPlateau("loss", patience=0, min_lr=None), (TypeError, ValueError), "min_lr"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_callback_that_cannot_work_says_so_before_the_first_step(case, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    make, error, message = UNUSABLE[case]
    model = line(optim.SGD(0.0))  # nothing improves, so that patience is called for
    with pytest.raises(error, match=message):
        model.fit(X, X, epochs=4, verbose=0, callbacks=[make()])
    assert model.steps_trained == 0
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("thing", [3, "print", [print]])
def test_a_lambda_callback_takes_functions(thing):
    with pytest.raises(TypeError, match="LambdaCallback: on_epoch_end must be a function; got"):
        LambdaCallback(on_epoch_end=thing)


@pytest.mark.parametrize(
    "unusable",
    [lambda log: [CSVLogger(log, separator=", ")], lambda log: [CSVLogger(log), EarlyStopping("accuracy")]],
    ids=["its own separator", "another callback"],
)
def test_a_log_survives_a_fit_that_is_refused(tmp_path, unusable):
    log = tmp_path / "log.csv"
    log.write_text("of an earlier training")
    with pytest.raises((TypeError, ValueError)):
        line().fit(X, X, verbose=0, callbacks=unusable(log))
    assert log.read_text() == "of an earlier training"


# Training that diverges, and Ctrl-C


diverges = pytest.mark.filterwarnings("ignore:fit. the training has diverged")


@diverges
def test_a_checkpoint_does_not_replace_good_weights_with_nan(tmp_path):
    path, model = tmp_path / "model", line()
    model.fit(X, X, verbose=0, callbacks=[ModelCheckpoint(path)])
    good = path.read_bytes()
    model.flat.value[:] = math.nan
    with pytest.warns(UserWarning, match="ModelCheckpoint: not saved, because"):
        model.fit(X, X, verbose=0, callbacks=[ModelCheckpoint(path)])
    assert path.read_bytes() == good


@diverges
def test_a_checkpoint_does_not_save_weights_that_the_last_step_has_ruined(tmp_path):
    # The loss is that of the weights before the step, and finite.
    path, model = tmp_path / "model", line()
    model.fit(X, X, verbose=0, callbacks=[ModelCheckpoint(path)])
    good = path.read_bytes()
    model.optimizer.learning_rate = 1e38
    with pytest.warns(UserWarning, match="ModelCheckpoint: not saved"):
        model.fit(X, 1e10 * X, batch_size=20, verbose=0, callbacks=[ModelCheckpoint(path)])
    assert not np.isfinite(model.flat.value).any()
    assert path.read_bytes() == good


@diverges
def test_terminate_on_nan_says_why_training_stops(capsys):
    model = line()
    model.flat.value[:] = math.nan
    model.fit(X, X, verbose=0, callbacks=[TerminateOnNaN()])
    assert (
        "Batch 0: the loss is nan, so training stops. Try a lower learning rate." in capsys.readouterr().out
    )


def test_ctrl_c_leaves_the_best_average_of_the_weights(blobs):
    def press_ctrl_c(batch, logs):
        if model.epochs_trained == 3 and batch == 4:  # in the fourth epoch
            signal.raise_signal(signal.SIGINT)

    model, best = classifier(), classifier()
    # The larger loss counts as the better one, so that the first epoch is the best.
    keep = EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            *blobs, epochs=9, verbose=0, ema_momentum=0.9,
            callbacks=[LambdaCallback(on_train_batch_end=press_ctrl_c), keep],
        )  # fmt: skip
    best.fit(*blobs, verbose=0, ema_momentum=0.9)
    np.testing.assert_array_equal(model.flat.value, best.flat.value)


@pytest.mark.parametrize("metric", ["mse", "mae", "accuracy"])
@pytest.mark.parametrize("ending", [[], [layers.Softmax], [layers.Sigmoid], [layers.Tanh]], ids=str)
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e19), ("float32", 1e38), ("float64", 1e100)])
def test_weights_that_overflow_warn_nobody(metric, ending, dtype, size):
    model = Sequential([layers.Dense(4), layers.Dense(3), *(kind() for kind in ending)], 2, dtype=dtype)
    model.compile("sgd", "mse", [metric])
    model.flat.value *= size
    x = np.random.default_rng(0).normal(size=(8, 2))
    model.predict(x)
    model.evaluate(x, np.eye(3)[np.arange(8) % 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regression_that_diverges_warns_once(dtype):
    model = Sequential([layers.Dense(8, "relu"), layers.Dense(3)], 2, dtype=dtype)
    model.compile(optim.SGD(1e3), "mse", ["mse"])
    x = np.random.default_rng(0).normal(size=(32, 2))
    y = np.eye(3)[np.arange(32) % 3]
    with pytest.warns(UserWarning, match="the training has diverged") as caught:
        history = model.fit(x, y, batch_size=8, epochs=8, verbose=0).history
    assert len(caught) == 1
    assert not math.isfinite(history["loss"][-1])


def test_the_average_of_weights_that_diverge_warns_nobody():
    def turn(batch, logs):
        model.flat.value *= -1

    model = line(optim.SGD(0.0))
    model.flat.value[:] = 3e38
    nothing = np.zeros((8, 1))  # so that the weights have no gradient
    model.fit(
        nothing, nothing, batch_size=1, verbose=0, ema_momentum=0.9,
        callbacks=[LambdaCallback(on_train_batch_end=turn)],
    )  # fmt: skip


@pytest.mark.parametrize("kind", [layers.Softmax, layers.Sigmoid, layers.Tanh, layers.GlobalAveragePool2D])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_at_the_end_of_their_range_warn_nobody(kind, dtype):
    largest = float(np.finfo(dtype).max)
    layer = kind()
    layer.build((1, 4, 2) if kind is layers.GlobalAveragePool2D else (4, 2), dtype=dtype)
    for values in ([largest, -largest], [largest, largest], [math.inf, -math.inf], [math.nan, 0]):
        x = np.resize(values, (1, *layer.input_shape))
        y = layer.forward(x, training=True)
        layer.backward(np.resize([math.inf, largest, -largest], y.shape))


@pytest.mark.parametrize(
    "ending",
    [[layers.GlobalAveragePool2D], [layers.Flatten], [layers.Flatten, lambda: layers.Dropout(0.5)]],
    ids=["average", "flatten", "dropout"],
)
def test_scores_behind_a_layer_that_only_moves_them_are_no_probabilities_either(ending):
    # As with Dense(3) at the end, the loss would be that of random numbers.
    model = Sequential([layers.Conv2D(3, 4), *(make() for make in ending)], (4, 4, 1))
    with pytest.warns(UserWarning, match=r"takes probabilities.*activation='softmax'"):
        model.compile("sgd", "sparse_categorical_crossentropy")
    model = Sequential([layers.Conv2D(3, 4, activation="softmax"), *(make() for make in ending)], (4, 4, 1))
    model.compile("sgd", "sparse_categorical_crossentropy")


# Gradient checks


@pytest.mark.parametrize(
    ("thing", "x", "samples", "error", "message"),
    [
        (layers.Tanh(), [[0.5, math.nan]], 9, ValueError, "expected finite x"),
        (layers.Tanh(), [[0.5, -math.inf]], 9, ValueError, "expected finite x"),
        (layers.Tanh(), np.empty((0, 2)), 9, ValueError, r"at least one sample.*got x of shape \(0, 2\)"),
        (layers.Tanh(), [[0.5, 1.0]], 0, ValueError, "samples of at least 1.*samples=0"),
        (layers.Tanh, [[0.5, 1.0]], 9, TypeError, "expected a model or a layer; got <class"),
    ],
)
def test_a_gradient_check_that_would_check_nothing_is_refused(thing, x, samples, error, message):
    with pytest.raises(error, match=f"gradcheck: .*{message}"):
        gradcheck(thing, x, samples=samples)


# Extreme, but right


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [30000, (1, 30000), (30000, 2)])
def test_strides_larger_than_the_image_take_no_memory_and_no_time(strides, padding):
    x = np.random.default_rng(0).normal(size=(2, 9, 8, 3))
    results = []
    for method in ("direct", "im2col"):
        layer = layers.Conv2D(4, 3, strides=strides, padding=padding, method=method)
        layer.build((9, 8, 3), dtype="float64")
        y = layer.forward(x, training=True)
        layer.backward(y)  # so that the kernels are compiled
        tracemalloc.start()
        y = layer.forward(x, training=True)
        dx = layer.backward(np.random.default_rng(1).normal(size=y.shape))
        assert tracemalloc.get_traced_memory()[1] < 10**6
        tracemalloc.stop()
        results.append([y, dx, layer.kernel.grad, layer.bias.grad])
    for direct, im2col in zip(*results, strict=True):
        np.testing.assert_allclose(direct, im2col, rtol=1e-12, atol=1e-12)


def memory_mapped(array, path):
    """Return the array as a file shows it, read-only."""
    array.tofile(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape)


def read_only(array, path):
    array = array.copy()
    array.flags.writeable = False
    return array


def unaligned(array, path):
    """Return the array as a buffer with a header of 1 byte holds it."""
    return np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)


@pytest.mark.parametrize("present", [read_only, memory_mapped, unaligned])
def test_data_that_cannot_be_written_gives_the_same_and_stays(present, blobs, tmp_path):
    x, y = blobs
    same_x, same_y = present(x, tmp_path / "x"), present(y, tmp_path / "y")
    assert not same_x.flags.writeable
    model, same = classifier(), classifier()
    history = model.fit(x, y, verbose=0, validation_split=0.2).history
    assert same.fit(same_x, same_y, verbose=0, validation_split=0.2).history == history
    np.testing.assert_array_equal(same.flat.value, model.flat.value)
    np.testing.assert_array_equal(same.predict(same_x), model.predict(x))
    assert same.evaluate(same_x, same_y) == model.evaluate(x, y)
    for layer in (layers.ReLU(), layers.Dense(3), layers.Softmax(), layers.Dropout(0.5)):
        layer.build(2)
        np.testing.assert_array_equal(layer.forward(same_x), layer.forward(x))
        layer.forward(x, training=True)
        dx = layer.backward(layer.forward(x)).copy()
        np.testing.assert_array_equal(layer.backward(present(layer.forward(x), tmp_path / "dy")), dx)
    np.testing.assert_array_equal(same_x, x)
    np.testing.assert_array_equal(same_y, y)


# Model files


def nested(depth):
    activation = {"class": "Tanh"}
    for _ in range(depth):
        activation = {"class": "Dense", "units": 2, "activation": activation}
    return activation


INFINITY, NAN = math.inf, math.nan  # JSON as Python writes and reads it has both

TAMPERINGS = {
    "infinitely many units": lambda d: d["layers"][2].update(units=INFINITY),
    "units not a number": lambda d: d["layers"][2].update(units=NAN),
    "infinitely many filters": lambda d: d["layers"][0].update(filters=INFINITY),
    "very many filters": lambda d: d["layers"][0].update(filters=10**15),
    "an infinite kernel": lambda d: d["layers"][0].update(kernel_size=[3, INFINITY]),
    "a huge kernel": lambda d: d["layers"][0].update(kernel_size=10**15, padding="same"),
    "a negative kernel": lambda d: d["layers"][0].update(kernel_size=-3),
    "infinite strides": lambda d: d["layers"][0].update(strides=INFINITY),
    "negative strides": lambda d: d["layers"][0].update(strides=[-1, 1]),
    "an infinite input": lambda d: d.update(input_shape=[6, INFINITY, 1]),
    "a negative input": lambda d: d.update(input_shape=[6, -6, 1]),
    "a huge input": lambda d: d.update(input_shape=[10**9, 10**9, 1]),
    "an input beyond integers": lambda d: d.update(input_shape=[10**30, 6, 1]),
    "a negative seed": lambda d: d.update(seed=-1),
    "an infinite seed": lambda d: d.update(seed=INFINITY),
    "a seed beyond integers": lambda d: d.update(seed=10**30),
    "a dtype that NumPy cannot parse": lambda d: d.update(dtype="(2,"),
    "a dtype of many parts": lambda d: d.update(dtype="f4," * 1000),
    "a dtype that is a list": lambda d: d.update(dtype=[["a", "<f4"]]),
    "an activation in an activation": lambda d: d["layers"][2].update(activation=nested(3)),
    "activations nested deeply": lambda d: d["layers"][2].update(activation=nested(400)),
    "a layer for an activation": lambda d: d["layers"][2].update(activation={"class": "Flatten"}),
    "a rate that is not a number": lambda d: d["layers"].append({"class": "Dropout", "rate": NAN}),
    "an infinite learning rate": lambda d: d["compile"]["optimizer"]["config"].update(learning_rate=INFINITY),
}


@pytest.fixture
def saved(tmp_path):
    """A small convolutional model's file."""
    model = Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2, "softmax")], (6, 6, 1))
    model.compile()
    model.save(tmp_path / "model")
    return tmp_path / "model"


def tamper(path, change):
    """Change the description of the model in a file, and nothing else."""
    description = model_files.read_safetensors(path)
    change(description.config)
    path.write_bytes(model_files.safetensors_bytes(description))


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_model_file_is_a_value_error(saved, tampering):
    tamper(saved, TAMPERINGS[tampering])
    with pytest.raises(ValueError, match="model' describes no model that this tinynet can build"):
        load_model(saved)


def test_many_layers_ask_for_no_more_together_than_the_file_holds(saved):
    row = [{"class": "Dense", "units": 300}] * 200  # each smaller than the file
    tamper(saved, lambda d: d.update(layers=[d["layers"][1], *row], names=[str(i) for i in range(201)]))
    with pytest.raises(ValueError, match="more than its model's file holds"):
        load_model(saved)


@pytest.mark.parametrize("temperature", [math.nan, 0, -1, 1e-320, math.inf, 1e9])
def test_a_temperature_that_is_none_is_refused(saved, temperature):
    tamper(saved, lambda d: d.update(temperature=temperature))
    with pytest.raises(ValueError, match="the temperature must be"):
        load_model(saved)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused_by_name(saved, value):
    description = model_files.read_safetensors(saved)
    description.weights["dense/bias"][0][1] = value
    saved.write_bytes(model_files.safetensors_bytes(description))
    with pytest.raises(ValueError, match="NaN or infinity in dense/bias: its training had diverged"):
        load_model(saved)


@pytest.mark.parametrize("size", [2**63, 2**31, 10**30])
def test_sizes_beyond_all_bounds_are_refused(saved, size):
    for layer in (
        {"class": "MaxPool2D", "pool_size": size},
        {"class": "ZeroPadding2D", "padding": size},
        {"class": "Resizing", "height": size, "width": size},
    ):
        tamper(saved, lambda d, layer=layer: d["layers"].insert(0, layer))
        with pytest.raises(ValueError, match="describes no model"):
            load_model(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["layers"][0].update(kernel_size=1000, padding="same"),
        lambda d: d.update(input_shape=[1000, 1000, 1]),
    ],
    ids=["kernel", "input"],
)
def test_a_tampered_model_file_allocates_little_more_than_it_holds(saved, change):
    tamper(saved, change)
    tracemalloc.start()
    with pytest.raises(ValueError, match="model'"):
        load_model(saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7  # the millions of weights that it describes would be more


def test_layers_with_names_of_their_own_are_saved_with_them(tmp_path):
    rows = [layers.Dense(3, "relu"), layers.Dense(3), layers.Dense(3)]
    rows[0].name, rows[2].name = "dense_1", "last"
    model = Sequential(rows, 3)
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.flat.value, model.flat.value)
    assert [layer.name for layer in loaded.layers] == ["dense_1", "dense", "last"]


def test_two_layers_may_not_be_given_one_name():
    rows = [layers.Dense(3, "relu"), layers.Dense(3)]
    for layer in rows:
        layer.name = "hidden"
    with pytest.raises(ValueError, match="Two layers have the name 'hidden'"):
        Sequential(rows, 3)


# Writing files


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a pipe"])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        if kind == "socket":
            server.bind("special")
        else:
            os.mkfifo("special")
        if kind.startswith("link"):
            Path("link").symlink_to("special")
        before = sorted(Path().iterdir())
        with pytest.raises(OSError, match="cannot write the file"):
            atomic_write("link" if kind.startswith("link") else "special", b"data")
    assert sorted(Path().iterdir()) == before
    assert not Path("special").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="needs permission bits")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_links_in_a_circle_are_an_os_error(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.symlink_to(second)
    second.symlink_to(first)
    with pytest.raises(OSError, match="cannot write the file"):
        atomic_write(first, b"data")
    assert sorted(tmp_path.iterdir()) == [first, second]


# The examples


@pytest.mark.parametrize("example", ["mnist_mlp.py", "mnist_cnn.py"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--epochs 0", "--epochs must be at least 1"),
        ("--epochs -3", "--epochs must be at least 1"),
        ("--epochs x", "argument --epochs: invalid int value: 'x'"),
        ("--save folder", "--save folder: a folder, or in a folder that cannot be written"),
        ("--save nowhere/model", "--save nowhere/model: a folder, or in a folder that cannot be written"),
    ],
)
def test_an_example_refuses_impossible_flags_before_it_begins(
    example, arguments, message, monkeypatch, capsys, tmp_path
):
    def load_mnist(directory):
        pytest.fail("the example went on")

    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    monkeypatch.setattr(data, "load_mnist", load_mnist)
    monkeypatch.setattr(sys, "argv", [example, *arguments.split()])
    examples = Path(__file__).parents[1] / "examples"
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(examples / example), run_name="__main__")
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1] == f"{example}: error: {message}"


# Threads


@pytest.mark.parametrize("text", ["²", "-1", "0", "1.5", " 2", "0x2"])
def test_a_number_of_threads_that_is_no_number(monkeypatch, text):
    monkeypatch.setattr(parallel, "_num_threads", None)
    monkeypatch.setenv("TINYNET_NUM_THREADS", text)
    with pytest.raises(ValueError, match="TINYNET_NUM_THREADS must be a positive integer; got") as caught:
        parallel.get_num_threads()
    assert repr(text) in str(caught.value)
