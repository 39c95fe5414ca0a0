"""Callbacks decide from the same logs what Keras's decide."""

from __future__ import annotations

import inspect
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import callbacks, optim

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

# Numbers that float32, in which Keras compares, holds exactly, also after min_delta is subtracted.
eighths = st.integers(-24, 24).map(lambda number: number / 8)
values = st.lists(eighths | st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1, max_size=14)
counts = st.integers(0, 4)
modes = st.sampled_from(["auto", "min", "max"])


class Model:
    """What callbacks see of a model, whose weights are the number of the epoch."""

    def __init__(self, optimizer, metrics=("loss",)):
        self.optimizer, self.stop_training = optimizer, False
        self.log_names = [*metrics, *(f"val_{name}" for name in metrics)]
        self.weights, self.saved, self.parameters = [np.zeros(1)], [], []

    def get_weights(self):
        return [self.weights[0].copy()]

    def set_weights(self, weights):
        self.weights = weights

    def check_saves(self, path, weights_only):
        pass

    def save(self, path, overwrite=True):
        self.saved.append((path, int(self.weights[0][0])))


def feed(callback, optimizer, logged, batches=2):
    """Pretend epochs with these logs, until the callback stops them; return what was seen."""
    model, rates, printed = Model(optimizer), [], []
    callback.set_params({"epochs": len(logged), "steps": batches, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, logs in enumerate(logged):
        callback.on_epoch_begin(epoch, {})
        rates.append(float(model.optimizer.learning_rate))
        model.weights = [np.full(1, float(epoch))]
        for batch in range(batches):
            callback.on_train_batch_begin(batch, {})
            callback.on_train_batch_end(batch, {"loss": logs["loss"] + batch})
        logs = dict(logs)
        callback.on_epoch_end(epoch, logs)
        printed.append(logs)
        if model.stop_training:
            break
    callback.on_train_end({})
    return SimpleNamespace(
        stopped=model.stop_training, epochs=len(rates), rates=rates, logs=printed, saved=model.saved,
        weights=model.weights[0][0],
    )  # fmt: skip


def both(kind, logged, arguments, rate=1.0, theirs=None):
    """Feed tinynet's and Keras's callback; return what was seen, and the two callbacks."""
    made = getattr(callbacks, kind)(**arguments), getattr(keras.callbacks, kind)(**arguments | (theirs or {}))
    optimizers = optim.SGD(rate), keras.optimizers.SGD(rate)
    return [
        (feed(callback, optimizer, logged), callback)
        for callback, optimizer in zip(made, optimizers, strict=True)
    ]


def logs_of(numbers):
    return [{"loss": 1.0, "val_loss": number} for number in numbers]


@settings(max_examples=300)
@given(
    numbers=values, patience=counts, min_delta=eighths, mode=modes, baseline=st.none() | eighths,
    restore_best_weights=st.booleans(), start_from_epoch=counts,
)  # fmt: skip
def test_early_stopping_stops_and_restores_as_in_keras(numbers, **arguments):
    (ours, our), (theirs, their) = both("EarlyStopping", logs_of(numbers), arguments)
    assert (ours.stopped, ours.epochs, ours.weights) == (theirs.stopped, theirs.epochs, theirs.weights)
    for name in ("wait", "stopped_epoch", "best_epoch"):
        assert getattr(our, name) == getattr(their, name), name
    np.testing.assert_equal(our.best, their.best)


@settings(max_examples=300)
@given(
    numbers=values, factor=st.sampled_from([0.5, 0.25, 0.75]), patience=counts, mode=modes, min_delta=eighths,
    cooldown=counts, min_lr=st.sampled_from([0.0, 0.0625, 0.3, 2.0]),
)  # fmt: skip
def test_the_learning_rate_is_lowered_as_in_keras(numbers, **arguments):
    (ours, our), (theirs, their) = both("ReduceLROnPlateau", logs_of(numbers), arguments)
    np.testing.assert_allclose(ours.rates, theirs.rates, rtol=1e-6)
    for one, other in zip(ours.logs, theirs.logs, strict=True):
        assert one["learning_rate"] == pytest.approx(other["learning_rate"], rel=1e-6)
    for name in ("wait", "cooldown_counter"):
        assert getattr(our, name) == getattr(their, name), name
    np.testing.assert_equal(our.best, their.best)


@settings(max_examples=200)
@given(
    numbers=values, save_best_only=st.booleans(), mode=modes, initial_value_threshold=st.none() | eighths,
    save_freq=st.just("epoch") | st.integers(1, 7), batches=st.integers(1, 3),
)  # fmt: skip
def test_checkpoints_are_those_of_keras(numbers, batches, **arguments):
    epochs = arguments["save_freq"] == "epoch"
    assume(epochs or not arguments["save_best_only"])  # where Keras calls None
    arguments |= {"monitor": "val_loss" if epochs else "loss"}
    arguments |= {"filepath": "{epoch:02d}-{loss:.2f}.keras" if epochs else "{epoch}-{batch:02d}.keras"}
    logged = [{"loss": float(-k), "val_loss": number} for k, number in enumerate(numbers)]
    made = callbacks.ModelCheckpoint(**arguments), keras.callbacks.ModelCheckpoint(**arguments)
    ours, theirs = (feed(callback, optim.SGD(), logged, batches) for callback in made)
    assert ours.saved == theirs.saved
    np.testing.assert_equal(made[0].best, made[1].best)


@pytest.mark.parametrize(
    "schedule", [lambda epoch: 0.5**epoch, lambda epoch, lr: lr * 0.5, lambda epoch, lr=1.0: lr / (epoch + 1)]
)
def test_scheduled_learning_rates_are_those_of_keras(schedule):
    (ours, _), (theirs, _) = both("LearningRateScheduler", logs_of([1, 2, 3, 4]), {"schedule": schedule})
    np.testing.assert_allclose(ours.rates, theirs.rates, rtol=1e-6)
    for one, other in zip(ours.logs, theirs.logs, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("logs", [{"loss": 1.0, "val_loss": 2.0}, {"loss": 1.0, "accuracy": 0.5}], ids=str)
@pytest.mark.parametrize("append", [False, True])
def test_tables_are_those_of_keras(tmp_path, logs, append):
    for kind in (callbacks, keras.callbacks):
        for _ in range(2):
            logger = kind.CSVLogger(tmp_path / kind.__name__, separator=";", append=append)
            feed(logger, optim.SGD(), [logs, logs | {"more": 3.0}])
    ours, theirs = ((tmp_path / kind.__name__).read_bytes() for kind in (callbacks, keras.callbacks))
    assert ours == theirs


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [math.nan, 1.0], [1.0, math.inf, 3.0]], ids=str)
def test_what_is_no_number_stops_where_it_stops_in_keras(numbers):
    logged = [{"loss": number} for number in numbers]
    (ours, _), (theirs, _) = both("TerminateOnNaN", logged, {})
    assert (ours.stopped, ours.epochs) == (theirs.stopped, theirs.epochs)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("EarlyStopping", {"restore_best_weights": True}), ("ReduceLROnPlateau", {"factor": 0.5, "patience": 1}),
     ("LearningRateScheduler", {"schedule": lambda epoch: 0.5})],
)  # fmt: skip
def test_messages_say_what_those_of_keras_say(kind, arguments, capsys):
    printed = []
    made = (
        getattr(callbacks, kind)(verbose=1, **arguments),
        getattr(keras.callbacks, kind)(verbose=1, **arguments),
    )
    for callback, optimizer in zip(made, (optim.SGD(1.0), keras.optimizers.SGD(1.0)), strict=True):
        feed(callback, optimizer, logs_of([1, 2]))
        printed.append(capsys.readouterr().out.split())
    assert printed[0] == printed[1] != []


def recorder_of(base):
    """A callback that notes all calls of its methods, with the names of the logs."""

    def noting(name):
        if "batch" in name or "epoch" in name:
            return lambda self, number, logs=None: self.calls.append((name, number, sorted(logs or {})))
        return lambda self, logs=None: self.calls.append((name, sorted(logs or {})))

    hooks = [name for name in vars(callbacks.Callback) if name.startswith("on_")]
    hooks = [name for name in hooks if name not in ("on_batch_begin", "on_batch_end")]
    recorder = type("Mine", (base,), {name: noting(name) for name in hooks})()
    recorder.calls = []
    return recorder


def test_fit_calls_the_methods_that_keras_calls():
    x, y = np.ones((10, 3), np.float32), np.ones((10, 1), np.float32)
    calls = []
    for library, base in ((tinynet, callbacks.Callback), (keras, keras.callbacks.Callback)):
        recorder = recorder_of(base)
        model = library.Sequential([library.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        model.fit(
            x, y, batch_size=4, epochs=2, validation_data=(x[:4], y[:4]), verbose=0, callbacks=[recorder]
        )
        assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 3}
        assert recorder.model is model
        calls.append(recorder.calls)
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    "kind",
    ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint", "CSVLogger", "LambdaCallback",
     "LearningRateScheduler", "TerminateOnNaN"],
)  # fmt: skip
def test_arguments_have_keras_names_order_and_defaults(kind):
    ours, theirs = (
        [(one.name, one.default) for one in inspect.signature(getattr(module, kind)).parameters.values()
         if one.kind is not one.VAR_KEYWORD and one.name != "period"]
        for module in (callbacks, keras.callbacks)
    )  # fmt: skip
    assert ours == theirs


def test_a_callback_has_keras_methods():
    ours, theirs = (
        {name: [*inspect.signature(method).parameters] for name, method in vars(kind).items()
         if name.startswith("on_") or name in ("set_model", "set_params")}
        for kind in (callbacks.Callback, keras.callbacks.Callback)
    )  # fmt: skip
    assert ours == theirs
