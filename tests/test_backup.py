"""A training that is killed and goes on has the bits of one that never stopped."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, generators, layers, optim, utils
from tinynet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)

draw = np.random.default_rng(5)
X = draw.normal(size=(90, 5)).astype(np.float32)
Y = (X[:, 0] + draw.normal(size=90) * 0.3 > 0).astype(np.int64)


def network(optimizer=None):
    """A model with all kinds of state: statistics, dropout, metrics that are no mean, moments."""
    model = Sequential(
        [
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ],
        5,
        seed=3,
    )
    model.compile(optimizer or optim.Adam(0.01), "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


class Plain:
    """Arguments of `fit` by name, new for each process."""

    epochs = 5

    def arrays(self, folder):
        stop = EarlyStopping("val_loss", patience=2, restore_best_weights=True)
        return (X, Y), {
            "callbacks": [stop, CSVLogger(folder / "log.csv")],
            "validation_split": 0.2,
            "ema_momentum": 0.9,
        }

    def plateau(self, folder):
        plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05)
        best = ModelCheckpoint(folder / "best.safetensors", "loss", save_best_only=True)
        return (X, Y), {"callbacks": [plateau, best]}

    def scheduler(self, folder):
        return (X, Y), {"callbacks": [LearningRateScheduler(lambda epoch, rate: rate * 0.7)]}

    def steps(self, folder):
        return (X, Y), {"callbacks": [], "steps_per_epoch": 3}

    def stream(self, folder):
        def forever():
            step = 0
            while True:
                part = np.random.default_rng(step).integers(0, 90, 8)
                step += 1
                yield X[part], Y[part]

        return (forever(),), {"callbacks": [], "steps_per_epoch": 9}

    def sequence(self, folder):
        class Own(utils.PyDataset):
            def __len__(self):
                return 6

            def __getitem__(self, i):
                return X[i * 15 : i * 15 + 15], Y[i * 15 : i * 15 + 15]

        return (Own(),), {"callbacks": [], "batch_size": None}

    def generator(self, folder):
        made = generators.ImageDataGenerator(horizontal_flip=True, rotation_range=30)
        x = np.repeat(X, 5, axis=1).reshape(90, 5, 5, 1)
        return (made.flow(x, Y, batch_size=20, seed=4),), {"callbacks": [], "batch_size": None}


CASES = ["arrays", "plateau", "scheduler", "steps", "stream", "sequence", "generator"]


def train(case, folder, *others, backup=True, freq=2):
    """Train a new model, as a new process would, and return it."""
    model = network()
    data, keywords = getattr(Plain(), case)(folder)
    keywords["callbacks"] += others
    if backup:
        keywords["callbacks"].insert(0, BackupAndRestore(folder / "backup", save_freq=freq))
    if case == "generator":
        model = Sequential(
            [layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1, "sigmoid")], (5, 5, 1), seed=3
        )
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    size = {"batch_size": 10 if case in ("arrays", "plateau", "scheduler", "steps") else None}
    model.fit(*data, epochs=Plain.epochs, verbose=0, **size | keywords)
    return model


def bits(model, folder):
    """All that may differ between trainings, as text."""
    files = {path.name: path.read_text() for path in folder.glob("*.csv")}
    for path in folder.glob("*.safetensors"):
        saved = tinynet.load_model(path)
        files[path.name] = [saved.optimizer.iterations, saved.flat.value.tobytes().hex()]
    state = {name: value.value.tobytes().hex() for name, value in model.named_parameters().items()}
    moments = [array.tobytes().hex() for arrays in model.optimizer.state.values() for array in arrays]
    counts = model.steps_trained, model.epochs_trained, model.optimizer.iterations
    rate = model.optimizer.current_learning_rate
    return json.dumps([files, state, moments, counts, rate, model.history.history, model.history.epoch])


class Interrupt(Callback):
    """Stop at a training step, as Ctrl-C would."""

    def __init__(self, step, hook="batch"):
        self.step, self.hook = step, hook

    def on_train_batch_end(self, batch, logs=None):
        if self.hook == "batch" and self.model.steps_trained == self.step:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.hook == "epoch" and epoch == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("freq", [1, 3, "epoch"])
def test_a_training_goes_on_to_the_same_bits(case, freq, tmp_path):
    (tmp_path / "whole").mkdir()
    expected = bits(train(case, tmp_path / "whole", backup=False), tmp_path / "whole")
    for hook, steps in {"batch": [1, 6, 8, 9, 14], "epoch": [0, 2]}.items():
        folder = tmp_path / f"{hook}"
        folder.mkdir()
        for step in steps:
            try:
                train(case, folder, Interrupt(step, hook), freq=freq)
            except KeyboardInterrupt:
                assert (folder / "backup" / "latest.safetensors").exists()
            else:
                pytest.fail("was not interrupted")
        assert bits(train(case, folder, freq=freq), folder) == expected
        assert not (folder / "backup").exists()


# Kills


def run_and_tell(case, folder, double, *others):
    """What a child process does: train, and write down the bits."""
    backup = BackupAndRestore(folder / "backup", save_freq=1, double_checkpoint=double)
    model = train(case, folder, backup, *others, backup=False)
    (folder / "bits").write_text(bits(model, folder))


def run_child(case, folder, double, seconds=None):
    """Run a training in a process of its own, and kill it after so long; return whether it ended itself."""
    child = multiprocessing.get_context("fork").Process(target=run_and_tell, args=(case, folder, double))
    child.start()
    child.join(60 if seconds is None else seconds)
    child.kill()
    child.join()
    return child.exitcode == 0


def kill_and_go_on(case, folder, kills, moments):
    """Kill a training so many times at random moments, let it end, and compare it with one that never was."""
    (folder / "whole").mkdir(parents=True)
    start = time.perf_counter()
    assert run_child(case, folder / "whole", False)
    whole, expected = time.perf_counter() - start, (folder / "whole" / "bits").read_text()
    done = 0
    for number in itertools.count():
        if done >= kills:
            break
        trial, double = folder / f"trial_{number}", number % 2 == 1
        trial.mkdir()
        for _ in range(moments.randint(1, 4)):
            if run_child(case, trial, double, moments.uniform(0, whole)):
                break
            done += 1
        else:
            assert run_child(case, trial, double)
        assert (trial / "bits").read_text() == expected, f"after {done} kills"
        assert not (trial / "backup").exists()


ignore_threads = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
@ignore_threads
@pytest.mark.parametrize("case", ["arrays", "plateau"])
def test_a_killed_training_goes_on(case, tmp_path):
    kill_and_go_on(case, tmp_path, 3, random.Random(1))


PROGRAM = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_backup as test
from pathlib import Path

class Kill(test.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == {step}:
            os.kill(os.getpid(), signal.SIGKILL)

test.run_and_tell("arrays", Path({folder!r}), False, Kill())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_program_goes_on_when_it_is_run_again(tmp_path):
    ends = []
    (tmp_path / "whole").mkdir()
    for step in (4, -1):
        program = PROGRAM.format(tests=str(Path(__file__).parent), step=step, folder=str(tmp_path))
        paths = [str(Path(tinynet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        ends += [
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                check=False,
            ).returncode
        ]
    assert ends == [-signal.SIGKILL, 0]
    expected = bits(train("arrays", tmp_path / "whole", backup=False), tmp_path / "whole")
    assert (tmp_path / "bits").read_text() == expected


# What may be wrong


def test_a_backup_is_removed_at_the_end_unless_it_is_to_stay(tmp_path):
    model = network()
    backup = BackupAndRestore(tmp_path / "kept", delete_checkpoint=False)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    assert (tmp_path / "kept" / "latest.safetensors").exists()
    model = network()
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[backup])
    assert history.epoch == [0, 1, 2]
    assert model.epochs_trained == 3
    assert model.fit(X, Y, epochs=3, verbose=0, callbacks=[backup]).epoch == [0, 1, 2]
    assert model.epochs_trained == 3


def test_what_a_kill_in_the_midst_of_a_backup_left_is_removed(tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / ".tinynet-1-0123456789abcdef.tmp").write_bytes(b"half")
    network().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup")])
    assert not (tmp_path / "backup").exists()


def test_a_folder_that_holds_something_else_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    network().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_initial_epoch_gives_way_to_the_backup(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        network().fit(
            X, Y, epochs=6, initial_epoch=2, verbose=0,
            callbacks=[BackupAndRestore(tmp_path / "b"), Interrupt(4, "epoch")],
        )  # fmt: skip
    model = network()
    history = model.fit(
        X, Y, epochs=6, initial_epoch=2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b")]
    )
    assert history.epoch == [2, 3, 4, 5]
    assert model.epochs_trained == 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
@pytest.mark.parametrize("backup", [False, True])
def test_an_interrupted_fit_keeps_its_history(error, backup, tmp_path):
    class Raise(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.epochs_trained == 2:
                raise error

    model = network()
    others = [BackupAndRestore(tmp_path / "b")] if backup else []
    with pytest.raises(error):
        model.fit(X, Y, epochs=6, verbose=0, callbacks=[*others, Raise()])
    assert model.history.epoch == [0, 1]
    assert {len(values) for values in model.history.history.values()} == {2}


def test_a_damaged_backup_is_named_or_the_one_before_it_is_taken(tmp_path):
    expected = network()
    expected.fit(X, Y, epochs=4, verbose=0)
    for double in (False, True):
        folder = tmp_path / str(double)
        with pytest.raises(KeyboardInterrupt):
            network().fit(
                X, Y, epochs=4, verbose=0,
                callbacks=[BackupAndRestore(folder, double_checkpoint=double), Interrupt(2, "epoch")],
            )  # fmt: skip
        latest = folder / "latest.safetensors"
        latest.write_bytes(latest.read_bytes()[:-9])
        model, backup = network(), BackupAndRestore(folder, double_checkpoint=double)
        if not double:
            with pytest.raises(ValueError, match=r"latest.safetensors.*begin the training anew"):
                model.fit(X, Y, epochs=4, verbose=0, callbacks=[backup])
            continue
        with pytest.warns(UserWarning, match="The backup before it is taken"):
            model.fit(X, Y, epochs=4, verbose=0, callbacks=[backup])
        assert model.flat.value.tobytes() == expected.flat.value.tobytes()


def test_a_single_wrong_bit_is_found(tmp_path):
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
    network().fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    content = (tmp_path / "latest.safetensors").read_bytes()
    for place in [*random.Random(3).sample(range(len(content)), 40), len(content) - 1]:
        damaged = bytearray(content)
        damaged[place] ^= 1
        (tmp_path / "latest.safetensors").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"latest.safetensors.*begin the training anew"):
            network().fit(X, Y, epochs=3, verbose=0, callbacks=[backup])


def test_a_backup_of_another_model_changes_nothing(tmp_path):
    backup = BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    network().fit(X, Y, verbose=0, callbacks=[backup])
    other = Sequential([layers.Dense(1, "sigmoid")], 5, seed=3)
    other.compile("adam", "binary_crossentropy")
    before = other.flat.value.copy()
    with pytest.raises(ValueError, match="is of another training: its weights"):
        other.fit(X, Y, verbose=0, callbacks=[backup])
    assert (other.flat.value == before).all()
    other_optimizer = network(optim.SGD(0.1))
    with pytest.raises(ValueError, match="is of another training: its optimizer"):
        other_optimizer.fit(X, Y, verbose=0, callbacks=[backup])
    model = tinynet.Sequential(network().layers, seed=3)
    model.compile(optim.Adam(0.01), "binary_crossentropy")
    with pytest.raises(ValueError, match="it counts the metrics"):
        model.fit(X, Y, verbose=0, callbacks=[backup])


@pytest.mark.parametrize("save_freq", [0, -1, True, False, "batch", 1.5, None])
def test_save_freq_is_checked(save_freq, tmp_path):
    with pytest.raises(ValueError, match="save_freq must be 'epoch' or a positive number of batches"):
        BackupAndRestore(tmp_path, save_freq)


def test_backup_dir_is_checked():
    with pytest.raises(ValueError, match="got an empty one"):
        BackupAndRestore("")


def test_what_cannot_be_written_is_told_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    model = network()
    with pytest.raises(OSError, match="file"):
        model.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "file")])
    assert model.steps_trained == 0


def test_callbacks_of_ones_own_go_on(tmp_path):
    class Count(Callback):
        def __init__(self):
            self.seen, self.best = [], None

        def get_state(self):
            return {"seen": self.seen}

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(batch)

    for step in (3, 8):
        with pytest.raises(KeyboardInterrupt):
            train("arrays", tmp_path, Count(), Interrupt(step), freq=1)
    count = Count()
    train("arrays", tmp_path, count, freq=1)
    assert count.seen == [*range(8)] * (len(count.seen) // 8)
    assert len(count.seen) > 8


def test_state_that_no_file_can_hold_is_named(tmp_path):
    class Set(Callback):
        def get_state(self):
            return {"seen": {1, 2}}

    with pytest.raises(TypeError, match=r"not \{1, 2\}"):
        network().fit(X, Y, verbose=0, callbacks=[Set(), BackupAndRestore(tmp_path)])


def test_another_seed_is_told(tmp_path):
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
    for seed in (1, 2):
        model = Sequential([layers.Dense(1, "sigmoid")], 5, seed=seed)
        model.compile("adam", "binary_crossentropy")
        if seed == 1:
            model.fit(X, Y, verbose=0, callbacks=[backup])
    with pytest.warns(UserWarning, match="had the seed 1, this one has 2"):
        model.fit(X, Y, verbose=0, callbacks=[backup])


def test_another_learning_rate_is_told_once(tmp_path):
    def made(rate):
        model = Sequential([layers.Dense(1, "sigmoid")], 5, seed=1)
        model.compile(optim.Adam(rate), "binary_crossentropy")
        return model

    def fit(model, epochs):
        halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
        backup = BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[halve, backup])
        return [str(one.message) for one in caught]

    first = made(0.01)
    assert fit(first, 1) == []
    assert fit(first, 2) == []  # which has the rate that the training had come to
    assert fit(made(0.01), 3) == []
    (message,) = fit(made(0.5), 4)
    assert "began with learning_rate=0.01" in message
    assert "learning_rate=0.5 has no effect" in message
    assert fit(made(0.01), 5) == []
