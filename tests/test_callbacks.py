from __future__ import annotations

import copy
import gc
import math
import pickle
import re
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tinynet import Sequential, callbacks, layers, load_model, metrics, optim
from tinynet.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)


@pytest.fixture
def model():
    """A model of one weight, which tests set to the number of the epoch."""
    model = Sequential([layers.Dense(1, use_bias=False)], 1)
    model.compile(optim.SGD(1.0), "mse")
    return model


def feed(callback, model, values, monitor="val_loss"):
    """Pretend epochs that logged these values, until the callback stops them; return what was seen."""
    learning_rates = []
    callback.model, model.stop_training = model, False
    model.log_names = ["loss", monitor]
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.flat.value[:] = epoch
        callback.on_epoch_end(epoch, {"loss": 9.0, monitor: value})
        learning_rates.append(model.optimizer.current_learning_rate)
        if model.stop_training:
            break
    callback.on_train_end()
    return SimpleNamespace(
        epochs=len(learning_rates), learning_rates=learning_rates, weight=model.flat.value[0]
    )


X = np.linspace(-1, 1, 20).reshape(-1, 1)
SCHEDULE = optim.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)


# EarlyStopping


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [3, 2, 1, 1, 0], 4),
        ({}, [3, 2, 1], 3),
        ({"patience": 1}, [3, 4, 2, 3, 1], 2),
        ({"patience": 2}, [3, 4, 2, 3, 2, 1], 5),
        ({"patience": 2}, [3, 4, 2, 3, 1, 2, 0], 7),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.2, 1], 2),
        ({"patience": 1, "min_delta": -0.5}, [3, 2.6, 2.2, 1], 2),
        ({"mode": "max"}, [1, 2, 3, 2, 5], 4),
        ({"mode": "min"}, [1, 2, 3], 2),
        ({"patience": 3}, [math.nan] * 9, 4),
        ({"baseline": 2, "patience": 2}, [5, 4, 3, 2, 1], 5),
        ({"baseline": 2, "patience": 2}, [5, 4, 4, 1], 3),
        ({"baseline": 4, "patience": 2}, [5, 3, 4, 4, 1], 4),
        ({"start_from_epoch": 2}, [1, 2, 3, 2, 2, 1], 5),
        ({"patience": 0}, [3, 3, 1], 2),
    ],
)
def test_early_stopping_stops_after_its_patience(model, arguments, values, epochs):
    callback = EarlyStopping(**arguments)
    assert feed(callback, model, values).epochs == epochs
    assert callback.stopped_epoch == (epochs - 1 if model.stop_training else 0)


def test_early_stopping_takes_larger_accuracy_for_better(model):
    callback = EarlyStopping("val_accuracy")
    assert feed(callback, model, [0.5, 0.6, 0.7, 0.7, 0.9], "val_accuracy").epochs == 4


def test_early_stopping_restores_the_best_weights(model):
    callback = EarlyStopping(patience=2, restore_best_weights=True)
    assert feed(callback, model, [3, 1, 2, 2, 0]).weight == 1


def test_early_stopping_restores_the_best_weights_of_a_training_that_ends_by_itself(model):
    callback = EarlyStopping(patience=9, restore_best_weights=True)
    assert feed(callback, model, [3, 1, 2]).weight == 1


def test_early_stopping_leaves_the_last_weights_unless_told_otherwise(model):
    assert feed(EarlyStopping(patience=2), model, [3, 1, 2, 2, 0]).weight == 3


def test_early_stopping_starts_anew_at_each_fit(model):
    callback = EarlyStopping(restore_best_weights=True)
    feed(callback, model, [1, 2])
    assert feed(callback, model, [5, 4, 3, 3]).weight == 2
    assert feed(callback, model, [math.nan]).weight == 0
    feed(callback, model, [1])
    assert callback.stopped_epoch == 0


def test_early_stopping_stops_fit(model):
    model.optimizer.learning_rate = 0.0
    history = model.fit(
        X, X, epochs=9, shuffle=False, verbose=0, callbacks=[EarlyStopping("loss", patience=3)]
    )
    assert history.epoch == [0, 1, 2, 3]


def test_early_stopping_says_what_it_does(model, capsys):
    feed(EarlyStopping(patience=2, verbose=1, restore_best_weights=True), model, [3, 1, 2, 2, 0])
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )
    feed(EarlyStopping(patience=2, restore_best_weights=True), model, [3, 1, 2, 2, 0])
    assert not capsys.readouterr().out


# ModelCheckpoint


def saved(folder):
    return {path.name: load_model(path).flat.value[0] for path in folder.iterdir()}


def test_checkpoint_saves_each_epoch_under_its_name(model, tmp_path):
    callback = ModelCheckpoint(tmp_path / "m-{epoch:02d}-{val_loss:.3f}.safetensors")
    feed(callback, model, [3, 1, 2])
    assert saved(tmp_path) == {
        "m-01-3.000.safetensors": 0,
        "m-02-1.000.safetensors": 1,
        "m-03-2.000.safetensors": 2,
    }


def test_checkpoint_saves_only_the_best(model, tmp_path):
    feed(ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True), model, [3, 4, 2, 2, 1])
    assert saved(tmp_path) == {"1": 0, "3": 2, "5": 4}


def test_checkpoint_replaces_its_file(model, tmp_path):
    callback = ModelCheckpoint(str(tmp_path / "best"), "val_accuracy", save_best_only=True)
    feed(callback, model, [0.1, 0.3, 0.2], "val_accuracy")
    assert saved(tmp_path) == {"best": 1}


@pytest.mark.parametrize("suffix", ["h5", "keras", "weights.h5", "hdf5", "safetensors", "anything"])
@pytest.mark.parametrize("weights_only", [True, False])
def test_checkpoint_saves_under_any_suffix(model, tmp_path, suffix, weights_only):
    path = tmp_path / f"new folder/{{epoch:02d}}-{{val_loss:.2f}}.{suffix}"
    if weights_only and suffix == "keras":  # which promises a whole model
        with pytest.raises(ValueError, match="save_weights: "):
            feed(ModelCheckpoint(path, save_weights_only=True), model, [3])
        return
    feed(ModelCheckpoint(path, save_weights_only=weights_only), model, [3, 0.125])
    assert sorted(path.name for path in (tmp_path / "new folder").iterdir()) == [
        f"01-3.00.{suffix}", f"02-0.12.{suffix}",
    ]  # fmt: skip
    model.flat.value[:] = 9
    model.load_weights(tmp_path / f"new folder/02-0.12.{suffix}")
    assert model.flat.value[0] == 1


def test_checkpoint_begins_at_its_threshold_and_goes_on_at_the_next_fit(model, tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True, initial_value_threshold=2.5)
    feed(callback, model, [3, 2.5, 2])
    feed(callback, model, [2, 1])
    assert saved(tmp_path) == {"3": 2, "2": 1}


@pytest.mark.parametrize("save_freq", [1, 3, 4, 7, 50])
def test_checkpoint_saves_after_so_many_batches(model, tmp_path, save_freq):
    path = tmp_path / "{epoch}-{batch}-{loss:.0f}"
    model.flat.value[:] = 0
    model.fit(
        X, 0 * X, batch_size=5, epochs=3, verbose=0, callbacks=[ModelCheckpoint(path, save_freq=save_freq)]
    )
    steps = [f"{epoch}-{batch}-0" for epoch in (1, 2, 3) for batch in (1, 2, 3, 4)]
    assert sorted(path.name for path in tmp_path.iterdir()) == steps[save_freq - 1 :: save_freq]


def test_checkpoint_of_the_best_batch(model, tmp_path):
    callback = ModelCheckpoint(tmp_path / "{batch}", monitor="loss", save_best_only=True, save_freq=1)
    callback.model, model.log_names = model, ["loss"]
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch, loss in enumerate([3.0, 2.0, 2.0, 1.0]):
        callback.on_train_batch_end(batch, {"loss": loss})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "4"]


def test_checkpoint_takes_the_old_word_period(model, tmp_path):
    with pytest.warns(DeprecationWarning, match="period is deprecated: use save_freq"):
        callback = ModelCheckpoint(tmp_path / "{epoch}", period=2)
    feed(callback, model, [1, 2, 3, 4, 5])
    assert saved(tmp_path) == {"2": 1, "4": 3}


def test_checkpoint_says_what_it_does(model, tmp_path, capsys):
    feed(ModelCheckpoint(tmp_path / "m", save_best_only=True, verbose=1), model, [3, 4, 2])
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 3.00000\n\nEpoch 1: saving model to {tmp_path / 'm'}\n"
        "\nEpoch 2: val_loss did not improve from 3.00000\n"
        f"\nEpoch 3: val_loss improved from 3.00000 to 2.00000\n\nEpoch 3: saving model to {tmp_path / 'm'}\n"
    )


@pytest.mark.parametrize("save_freq", [0, -1, 2.5, "batch", True, None])
def test_an_impossible_save_freq(save_freq):
    with pytest.raises(ValueError, match="save_freq must be 'epoch' or a positive number of batches"):
        ModelCheckpoint("never-written", save_freq=save_freq)


def test_checkpoint_of_every_epoch_needs_no_monitor(model, tmp_path):
    model.fit(X, X, epochs=2, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{epoch}-{loss:.0f}")])
    assert len(saved(tmp_path)) == 2


def test_checkpoint_saves_what_was_validated(model, tmp_path):
    best = ModelCheckpoint(tmp_path / "m", save_best_only=True)
    model.optimizer.learning_rate = 0.1
    history = model.fit(
        X, 3 * X, epochs=3, validation_data=(X, 3 * X), ema_momentum=0.5, verbose=0, callbacks=[best]
    ).history
    assert load_model(tmp_path / "m").evaluate(X, 3 * X) == min(history["val_loss"])


# CSVLogger


def test_csv_logger_writes_a_line_an_epoch(model, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("from an earlier training\n")
    feed(CSVLogger(log), model, [0.5, 0.25])
    assert log.read_bytes() == b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n1,9.0,0.25\r\n"


def test_csv_logger_appends_without_a_second_header(model, tmp_path):
    log = tmp_path / "log.csv"
    for _ in range(2):
        feed(CSVLogger(str(log), separator=";", append=True), model, [0.5])
    assert log.read_bytes() == b"epoch;loss;val_loss\r\n0;9.0;0.5\r\n0;9.0;0.5\r\n"


def test_csv_logger_starts_anew_at_each_fit(model, tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    for _ in range(2):
        feed(logger, model, [0.5])
    assert (tmp_path / "log.csv").read_bytes() == b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n"


def test_csv_logger_has_written_each_line_when_the_next_epoch_begins(model, tmp_path):
    log, lines = tmp_path / "log.csv", []
    count = LambdaCallback(on_epoch_begin=lambda epoch: lines.append(len(log.read_text().splitlines())))
    model.fit(X, X, epochs=3, verbose=0, callbacks=[CSVLogger(log), count])
    assert lines == [0, 2, 3]


def test_csv_logger_has_the_columns_of_keras(model, tmp_path):
    log = tmp_path / "log.csv"
    model.compile(optim.SGD(0.5), "mse", metrics=["mae"])
    rate = LearningRateScheduler(lambda epoch: 0.5)
    model.fit(0 * X, 0 * X, verbose=0, callbacks=[rate, CSVLogger(log)])
    assert log.read_text().splitlines() == [
        "epoch,learning_rate,loss,mae,val_learning_rate,val_loss,val_mae", "0,0.5,0.0,0.0,NA,NA,NA",
    ]  # fmt: skip


def test_csv_logger_finds_out_before_the_first_step_whether_it_can_write(model, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "absent" / "log.csv", tmp_path / "file" / "log.csv"):
        with pytest.raises(OSError, match=re.escape(str(path))):
            model.fit(X, X, verbose=0, callbacks=[CSVLogger(path)])
    assert model.steps_trained == 0


def test_csv_logger_leaves_what_others_add(model, tmp_path):
    log = tmp_path / "log.csv"

    def add(epoch, logs):
        with log.open("a") as file:
            file.write("# mine\n")

    model.fit(X, 0 * X, epochs=2, verbose=0, callbacks=[CSVLogger(log), LambdaCallback(on_epoch_end=add)])
    assert [line[:2] for line in log.read_text().splitlines()] == ["ep", "0,", "# ", "1,", "# "]


@pytest.mark.parametrize(
    ("torn", "kept", "removed"),
    [
        (
            b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n1,9.0,0.",
            b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n",
            "1,9.0,0.",
        ),
        (b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n\xc3", b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n", "\ufffd"),
        (b"epoch,lo", b"epoch,loss,val_loss\r\n", "epoch,lo"),
        (b"epoch,loss,val_loss\r\n0,9.0,0.5\r", b"epoch,loss,val_loss\r\n0,9.0,0.5\r\n", None),
        (b"epoch,loss,val_loss\n0,9.0,0.5\n", b"epoch,loss,val_loss\n0,9.0,0.5\n", None),
    ],
)
def test_csv_logger_takes_out_a_line_that_a_killed_program_left(model, tmp_path, torn, kept, removed):
    log = tmp_path / "log.csv"
    log.write_bytes(torn)
    told = (
        pytest.warns(UserWarning, match=re.escape(f"is taken out: {removed!r}")) if removed else nullcontext()
    )
    with told:
        feed(CSVLogger(log, append=True), model, [0.25])
    assert log.read_bytes() == kept + b"0,9.0,0.25\r\n"


FULL_DISK = """
import resource, warnings, numpy as np
from tinynet import Sequential, layers, callbacks

def limit(epoch, logs):  # in the second and third epoch no file can become longer than it is
    resource.setrlimit(resource.RLIMIT_FSIZE, ({size} if epoch in (1, 2) else -1, -1))

model = Sequential([layers.Dense(1)], 1)
model.compile("sgd", "mse")
model.fit(X := np.ones((4, 1)), X, verbose=0)
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    try:
        limits = callbacks.LambdaCallback(on_epoch_begin=limit)
        model.fit(X, X, epochs=5, verbose=0, callbacks=[limits, {callback}])
    except OSError as error:
        print(error)
print(model.epochs_trained, *(str(one.message) for one in found), sep="\\n")
"""


def test_a_full_disk_does_not_end_a_training_for_its_log(tmp_path, run_python):
    pytest.importorskip("resource")
    log = tmp_path / "log.csv"
    code = FULL_DISK.replace("{size}", "60").replace("{callback}", f"callbacks.CSVLogger({str(log)!r})")
    epochs, *told = run_python(code).splitlines()
    assert epochs == "6"
    assert len(told) == 2
    assert all(text.startswith(f"CSVLogger: cannot write {str(log)!r}: File too large") for text in told)
    lines = log.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", *"01234"]
    assert all(line.count(",") == 2 for line in lines)


def test_a_full_disk_ends_a_training_whose_checkpoints_it_cannot_hold_and_names_the_file(
    tmp_path, run_python
):
    pytest.importorskip("resource")
    path = tmp_path / "model-{epoch}.safetensors"
    callback = f"callbacks.ModelCheckpoint({str(path)!r})"
    told = run_python(FULL_DISK.replace("{size}", "80").replace("{callback}", callback)).splitlines()
    assert told[0].endswith(
        f"cannot write the file: File too large: {str(tmp_path / 'model-2.safetensors')!r}"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["model-1.safetensors"]


def test_a_checkpoint_finds_out_before_the_first_step_whether_there_is_room(tmp_path, run_python):
    pytest.importorskip("resource")
    callback = f"callbacks.ModelCheckpoint({str(tmp_path / 'a' / 'model')!r})"
    code = FULL_DISK.replace("in (1, 2)", "> 9").replace("{size}", "0").replace("{callback}", callback)
    limited = code.replace("with warn", "resource.setrlimit(resource.RLIMIT_FSIZE, (80, -1))\nwith warn")
    told = run_python(limited).splitlines()
    assert told[0].endswith(f"cannot write the file: File too large: {str(tmp_path / 'a' / 'model')!r}")
    assert told[1:] == ["1"]
    assert not [*tmp_path.rglob("*")]
    assert run_python(code).splitlines() == ["6"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody may write")
def test_a_checkpoint_finds_out_before_the_first_step_whether_it_can_write(model):
    with pytest.raises(OSError, match=r"cannot write the file.*/proc/absent/model"):
        model.fit(X, X, verbose=0, callbacks=[ModelCheckpoint("/proc/absent/model")])
    for name in ("/dev/full", "a\0b"):  # a device, and no name at all
        with pytest.raises(OSError, match=f"cannot write {re.escape(repr(name))}: it is no file"):
            model.fit(X, X, verbose=0, callbacks=[ModelCheckpoint(name)])
    assert model.steps_trained == 0


# LearningRateScheduler


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch: 0.5**epoch, [1, 0.5, 0.25]),
        (lambda epoch, lr: lr / 2 if epoch else lr, [1, 0.5, 0.25]),
        (lambda epoch, factor=2: factor * (epoch + 1), [1, 2, 6]),
        (lambda *arguments: len(arguments), [2, 2, 2]),
        (lambda epoch: np.float32(0.5), [0.5, 0.5, 0.5]),
    ],
)
def test_a_learning_rate_for_each_epoch(model, schedule, rates, capsys):
    assert feed(LearningRateScheduler(schedule), model, [1, 2, 3]).learning_rates == rates
    assert not capsys.readouterr().out
    model.optimizer.learning_rate = 1.0
    feed(LearningRateScheduler(schedule, verbose=1), model, [1])
    assert capsys.readouterr().out.startswith("\nEpoch 1: LearningRateScheduler setting learning rate to ")


def test_learning_rates_change_the_training_and_are_logged(model):
    seen, callback = [], LearningRateScheduler(lambda epoch: 0.0)
    record = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["learning_rate"]))
    before = model.get_weights()[0].copy()
    model.fit(X, 3 * X, epochs=2, verbose=0, callbacks=[callback, record])
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert seen == [0, 0]


@pytest.mark.parametrize("rate", ["0.1", None, [0.1], True])
def test_a_learning_rate_that_is_no_number(model, rate):
    with pytest.raises(ValueError, match="schedule must return a number; it returned"):
        feed(LearningRateScheduler(lambda epoch: rate), model, [1])
    with pytest.raises(TypeError, match="schedule must be a function"):
        LearningRateScheduler(rate)


def test_an_error_of_a_schedule_is_shown(model):
    with pytest.raises(TypeError, match="unsupported operand"):
        feed(LearningRateScheduler(lambda epoch, lr: lr + "1"), model, [1])


# ReduceLROnPlateau


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 1}, [3, 2, 2, 2], [1, 1, 0.5, 0.25]),
        ({"patience": 2}, [3, 3, 3, 3, 3, 1], [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 2}, [3, 3, 2, 2, 2], [1, 1, 1, 1, 0.5]),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.2], [1, 0.5, 0.5]),
        ({"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3, 3], [1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 1, "cooldown": 1}, [3, 3, 2, 2, 2], [1, 0.5, 0.5, 0.25, 0.125]),
        ({"patience": 2, "cooldown": 1}, [3, 3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 0}, [3, 3, 2, 2], [1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "min_lr": 0.4}, [3, 3, 3, 3], [1, 0.5, 0.4, 0.4]),
        ({"patience": 1, "mode": "max"}, [1, 2, 2, 3], [1, 1, 0.5, 0.5]),
        ({}, [3] * 11, [1] * 10 + [0.5]),
    ],
)
def test_the_learning_rate_is_lowered_on_a_plateau(model, arguments, values, rates):
    assert feed(ReduceLROnPlateau(factor=0.5, **arguments), model, values).learning_rates == rates


def test_a_learning_rate_below_the_minimum_is_not_raised(model):
    model.optimizer.learning_rate = 0.001
    callback = ReduceLROnPlateau(patience=1, min_lr=0.01)
    assert feed(callback, model, [3, 3, 3]).learning_rates == [0.001] * 3


def test_lowering_the_learning_rate_changes_the_training(model):
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    model.fit(X, X, epochs=3, verbose=0, callbacks=[callback])
    assert model.optimizer.learning_rate == 0.25


@pytest.mark.parametrize("callback", [ReduceLROnPlateau("loss"), LearningRateScheduler(lambda epoch: 0.1)])
def test_a_schedule_cannot_be_lowered(model, callback):
    model.compile(optim.SGD(SCHEDULE), "mse")
    with pytest.raises(
        ValueError, match=rf"{type(callback).__name__} cannot change a learning rate.*schedule"
    ):
        model.fit(X, X, callbacks=[callback])
    assert model.steps_trained == 0


def test_lowering_is_announced_and_logged(model, capsys):
    logs = {"val_loss": 1.0}
    callback = ReduceLROnPlateau(factor=0.5, patience=1, verbose=1)
    feed(callback, model, [3, 3])
    assert capsys.readouterr().out == "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    callback.on_epoch_end(2, logs)
    assert logs["learning_rate"] == 0.5


@pytest.mark.parametrize("factor", [0, 1, 2, -0.1, math.nan])
def test_an_impossible_factor(factor):
    with pytest.raises(ValueError, match="factor must be above 0 and below 1"):
        ReduceLROnPlateau(factor=factor)


# TerminateOnNaN


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_terminate_on_nan_stops_after_the_batch(model, value):
    callback = TerminateOnNaN()
    callback.model, model.stop_training = model, False
    callback.on_train_batch_end(0, {"loss": 0.5})
    assert not model.stop_training
    callback.on_train_batch_end(1, {"loss": value})
    assert model.stop_training


diverges = pytest.mark.filterwarnings("ignore:fit. the training has diverged")


@diverges
def test_terminate_on_nan_ends_fit_at_once(model):
    model.flat.value[:] = math.nan
    history = model.fit(X, X, batch_size=2, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    assert model.steps_trained == 1
    assert math.isnan(history.history["loss"][0])


@diverges
def test_terminate_on_nan_raises_if_wanted(model):
    model.flat.value[:] = math.nan
    with pytest.raises(RuntimeError, match="Batch 0: the loss is nan"):
        model.fit(X, X, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])


# LambdaCallback, and the order of calls


def recorder(name, calls):
    return LambdaCallback(
        on_train_begin=lambda logs: calls.append((name, "train begin", *logs)),
        on_epoch_begin=lambda epoch: calls.append((name, "epoch begin", epoch)),  # without logs
        on_train_batch_begin=lambda batch, logs=None: calls.append((name, "batch begin", batch, *logs)),
        on_train_batch_end=lambda batch, logs: calls.append((name, "batch end", batch, *logs)),
        on_epoch_end=lambda epoch, logs: calls.append((name, "epoch end", epoch, *logs)),
        on_train_end=lambda logs: calls.append((name, "train end", *logs)),
        on_test_begin=lambda: calls.append((name, "test begin")),
        on_test_batch_begin=lambda batch: calls.append((name, "test batch begin", batch)),
        on_test_batch_end=lambda batch, logs: calls.append((name, "test batch end", batch, *logs)),
        on_test_end=lambda logs: calls.append((name, "test end", *logs)),
        on_predict_begin=lambda: calls.append((name, "never")),
    )


def test_callbacks_are_called_in_order(model):
    calls = []
    model.fit(
        X, X, batch_size=10, epochs=2, validation_data=(X, X), verbose=0, callbacks=[recorder(0, calls)]
    )
    epochs = [
        [(0, "epoch begin", epoch), (0, "batch begin", 0), (0, "batch end", 0, "loss"),
         (0, "batch begin", 1), (0, "batch end", 1, "loss"), (0, "test begin"), (0, "test batch begin", 0),
         (0, "test batch end", 0, "loss"), (0, "test end", "loss"),
         (0, "epoch end", epoch, "loss", "val_loss")]
        for epoch in range(2)
    ]  # fmt: skip
    assert calls == [(0, "train begin"), *epochs[0], *epochs[1], (0, "train end", "loss", "val_loss")]


def test_several_callbacks_take_turns(model):
    calls = []
    model.fit(X, X, batch_size=99, verbose=0, callbacks=[recorder(0, calls), recorder(1, calls)])
    assert [name for name, *_ in calls] == [0, 1] * 6


class WithLogs(Callback):
    """As Keras's documentation writes them."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(("train begin", logs, self.params["epochs"], self.params["steps"], self.model.name))

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch begin", epoch, logs))

    def on_batch_begin(self, batch, logs=None):
        self.calls.append(("batch begin", batch, logs))

    def on_batch_end(self, batch, logs=None):
        self.calls.append(("batch end", batch, [*logs]))

    def on_epoch_end(self, epoch, logs={}):  # noqa: B006  (as Keras's own examples were written)
        self.calls.append(("epoch end", epoch, [*logs]))

    def on_train_end(self, logs=None):
        self.calls.append(("train end", [*logs]))


class WithoutLogs(Callback):
    """As tinynet 0.1 had them."""

    def __init__(self):
        self.calls = []

    def on_train_begin(self):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch):
        self.calls.append(epoch)

    def on_batch_end(self, batch):
        self.calls.append(batch)

    def on_epoch_end(self, *arguments):
        self.calls.append(arguments)

    def on_train_end(self):
        self.calls.append("train end")


def test_methods_are_called_with_logs_or_without(model):
    one, other = WithLogs(), WithoutLogs()
    model.fit(X, 0 * X, batch_size=15, verbose=0, callbacks=[one, other])
    loss = {"loss": pytest.approx(model.history.history["loss"][0])}
    assert one.calls == [
        ("train begin", {}, 1, 2, model.name), ("epoch begin", 0, {}), ("batch begin", 0, {}),
        ("batch end", 0, ["loss"]), ("batch begin", 1, {}), ("batch end", 1, ["loss"]),
        ("epoch end", 0, ["loss"]), ("train end", ["loss"]),
    ]  # fmt: skip
    assert other.calls == ["train begin", 0, 0, 1, (0, loss), "train end"]


def test_a_lambda_callback_needs_no_function(model):
    model.fit(X, X, verbose=0, callbacks=[LambdaCallback(), Callback()])


def test_a_lambda_callback_refuses_other_names():
    with pytest.raises(TypeError, match=r"Unknown method 'on_epoch'.*Did you mean"):
        LambdaCallback(on_epoch=print)
    with pytest.raises(TypeError, match="on_test_end must be a function; got 3"):
        LambdaCallback(on_test_end=3)


def test_what_callbacks_see_is_what_the_history_records(model):
    seen = []
    record = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs)))
    history = model.fit(X, X, epochs=3, validation_split=0.2, verbose=0, callbacks=[record]).history
    assert {name: [logs[name] for logs in seen] for name in seen[0]} == history


# History


def test_fit_fills_the_history_that_it_is_given(model):
    history = History()
    assert model.fit(X, X, epochs=2, verbose=0, callbacks=[history]) is history is model.history
    assert history.epoch == [0, 1]
    assert history.model is model


def test_a_history_keeps_no_model_alive():
    model = Sequential([layers.Dense(1)], 1)
    model.compile("sgd", "mse")
    history = model.fit(X, X, verbose=0)
    copied, loaded = copy.deepcopy(history), pickle.loads(pickle.dumps(history))
    assert copied.model is loaded.model is None
    assert copied.history == loaded.history == history.history
    assert copy.deepcopy(model).history.history == history.history
    del model
    gc.collect()
    assert history.model is None


def test_the_history_records_what_callbacks_add(model):
    callback = LearningRateScheduler(lambda epoch: 0.5**epoch)
    history = model.fit(X, X, epochs=3, verbose=0, callbacks=callback).history
    assert history["learning_rate"] == [1, 0.5, 0.25]


def test_a_history_records_epochs_and_goes_on_as_in_keras():
    history = History()
    for epochs in (2, 3):
        history.on_train_begin()
        for epoch in range(epochs):
            history.on_epoch_end(epoch, {"loss": float(epoch)})
    assert history.epoch == [0, 1, 2]
    assert history.history == {"loss": [0, 1, 0, 1, 2]}


# What all monitors share


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping(), ReduceLROnPlateau(), ModelCheckpoint("never-written", save_best_only=True)],
    ids=lambda callback: type(callback).__name__,
)
def test_a_monitor_that_is_not_logged(model, callback):
    with pytest.raises(ValueError, match="monitor='val_loss'") as caught:
        model.fit(X, X, verbose=0, callbacks=[callback])
    assert type(callback).__name__ in str(caught.value)
    assert "logs: loss" in str(caught.value)
    assert "validation_split" in str(caught.value)


@pytest.mark.parametrize(
    ("monitor", "larger_is_better"),
    [
        ("loss", False), ("val_loss", False), ("val_mse", False), ("mean_absolute_error", False),
        ("val_binary_crossentropy", False), ("accuracy", True), ("val_acc", True), ("val_AUC", True),
        ("recall_1", True), ("val_mean_io_u", True), ("false_positives", False), ("true_negatives", True),
    ],
)  # fmt: skip
def test_the_direction_follows_from_the_name(monitor, larger_is_better):
    assert EarlyStopping(monitor).larger_is_better is larger_is_better
    assert EarlyStopping(monitor, mode="max").larger_is_better is True
    assert EarlyStopping(monitor, mode="min").larger_is_better is False


def test_a_name_that_says_no_direction(model):
    model.compile("sgd", "mse", metrics=[worst])
    with pytest.raises(
        ValueError, match=r"is a larger 'worst' better or worse\? Say mode='max' or mode='min'"
    ):
        model.fit(X, X, verbose=0, callbacks=[EarlyStopping("worst")])
    model.fit(X, X, verbose=0, callbacks=[EarlyStopping("worst", mode="min")])


def worst(y_true, y_pred):
    return np.abs(y_true - y_pred).max()


@pytest.mark.parametrize(
    "kind", [EarlyStopping, ReduceLROnPlateau, lambda mode: ModelCheckpoint("m", mode=mode)]
)
def test_an_unknown_mode(kind):
    with pytest.raises(ValueError, match="mode must be 'auto', 'min' or 'max'; got 'best'"):
        kind(mode="best")


def test_every_callback_is_tested_here():
    kinds = [
        kind for kind in vars(callbacks).values() if isinstance(kind, type) and issubclass(kind, Callback)
    ]
    elsewhere = {"BackupAndRestore"}  # in test_backup.py
    assert {kind.__name__ for kind in kinds} - elsewhere <= set(globals())


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
def test_epochs_that_are_not_validated_decide_nothing(model, kind):
    """With validation_freq=2, every other epoch logs no val_loss; these are as if they were not there."""
    callback = kind(patience=1, min_delta=100)
    validated = {"x": X, "y": X, "validation_data": (X, 0 * X), "verbose": 0, "batch_size": 20}
    model.compile(optim.SGD(1e-3), "mse")
    history = model.fit(**validated, epochs=8, validation_freq=2, callbacks=[callback])
    assert len(history.history["val_loss"]) == (4 if kind is ReduceLROnPlateau else 2)
    if kind is ReduceLROnPlateau:
        rates = history.history["learning_rate"]
        np.testing.assert_allclose(rates, [1e-3] * 4 + [1e-4] * 2 + [1e-5] * 2)


def test_the_best_epoch_is_one_that_was_validated(model, tmp_path):
    path = tmp_path / "{epoch}.safetensors"
    callback = ModelCheckpoint(path, save_best_only=True)
    model.compile(optim.SGD(1e-3), "mse")
    model.fit(
        X, 0 * X, validation_data=(X, 0 * X), validation_freq=2, epochs=5, verbose=0, callbacks=[callback]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.safetensors", "4.safetensors"]
    between = ModelCheckpoint(path, save_best_only=True, save_freq=2)
    with pytest.raises(ValueError, match=r"'val_loss' is measured after epochs.*leave save_freq out"):
        model.fit(X, X, validation_split=0.5, verbose=0, callbacks=[between])


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping("f1_score"),
        lambda: ReduceLROnPlateau("f1_score"),
        lambda: ModelCheckpoint("best.safetensors", "f1_score", save_best_only=True),
    ],
)
def test_a_metric_of_several_numbers_cannot_be_the_best(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = np.eye(3), np.eye(3)
    model = Sequential([layers.Dense(3, activation="softmax")], 3, seed=0)
    model.compile("sgd", "mse", metrics=[metrics.F1Score()])
    with pytest.raises(ValueError, match=r"monitor='f1_score' is 3 numbers.*metrics\.F1Score\(\"macro\"\)"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[make()])
    model.compile("sgd", "mse", metrics=[metrics.F1Score("macro")])
    model.fit(x, y, epochs=2, verbose=0, callbacks=[make()])
