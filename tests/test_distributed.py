"""Several processes train one model: the same bits on any number of them, one error if one of them fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinynet import Sequential, distributed, layers, load_model
from tinynet.distributed import Ranks
from tinynet.training.pairwise import fold, nodes_of, top

pytest.importorskip("mpi4py")

MPIEXEC = Path(sys.executable).with_name("mpiexec")

BEGIN = """
import hashlib, os, signal, sys, time
import numpy as np
from tinynet import Sequential, callbacks, distributed, layers

random = np.random.default_rng(0)
x, y = random.random((103, 10, 10, 1), "float32"), random.integers(0, 5, 103)

def make(*parts, seed=3):
    ends = layers.Flatten(), layers.Dense(9, "relu", kernel_regularizer="l2"), layers.Dense(5, "softmax")
    model = Sequential([*parts, *ends], (10, 10, 1), seed=seed)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def fit(model, **options):
    given = {"epochs": 2, "batch_size": 50, "validation_split": 0.1, "verbose": 2, "distribute": True}
    return model.fit(x, y, **given | options)

def say(model, *more):
    sys.stdout.write(" ".join(map(str, ["bits", hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest(), *more])) + "\\n")
    sys.stdout.flush()
"""  # noqa: E501


def start(ranks, program, folder):
    environment = os.environ | {"TINYNET_NUM_THREADS": "1"}
    command = [MPIEXEC, "-n", str(ranks), sys.executable, "-c", BEGIN + program]
    kinds = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **kinds)


def run(ranks, program, folder, status=0):
    process = start(ranks, program, folder)
    said, errors = process.communicate(timeout=120)
    assert (process.returncode == 0) == (status == 0), errors
    return said, errors


def bits(said):
    return re.findall(r"bits (.*)", said)


KINDS = {
    "dropout": "layers.Conv2D(4, 3, activation='relu'), layers.MaxPool2D(2), layers.Dropout(0.3)",
    "shards that meet": "layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()",
    "a frozen layer": "layers.Conv2D(4, 3, trainable=False)",
}


@pytest.mark.slow
@pytest.mark.parametrize("parts", KINDS.values(), ids=KINDS)
def test_any_number_of_ranks_gives_the_same_bits(parts, tmp_path):
    program = f"model = make({parts}); h = fit(model); say(model, h.history)"
    found = [bits(run(ranks, program, tmp_path)[0]) for ranks in (1, 2, 4)]
    assert [len(lines) for lines in found] == [1, 2, 4]
    assert len({line for lines in found for line in lines}) == 1


@pytest.mark.slow
def test_ranks_compute_what_one_process_computes(tmp_path):
    program = "model = make({}); h = fit(model, distribute={}); say(model, *model.get_weights()[0].ravel())"
    found = [
        np.array(
            bits(run(ranks, program.format("layers.Conv2D(3, 3)", ranks > 1), tmp_path)[0])[0].split()[1:],
            float,
        )
        for ranks in (1, 3)
    ]
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_more_ranks_than_samples_in_a_batch(tmp_path):
    program = (
        "model = make(layers.BatchNormalization()); fit(model, batch_size=46); say(model)"  # 92 = 46 + 46
    )
    small = "model = make(); h = model.fit(x[:5], y[:5], batch_size=3, distribute=True); say(model)"
    for one in (program, small):
        found = [bits(run(ranks, one, tmp_path)[0]) for ranks in (1, 4)]
        assert len({line for lines in found for line in lines}) == 1


@pytest.mark.slow
def test_only_the_first_rank_prints_warns_and_writes(tmp_path):
    program = """
class Mine(callbacks.ModelCheckpoint):
    pass

model = make()
fit(model, callbacks=[Mine("best.safetensors"), callbacks.CSVLogger("log.csv"), callbacks.EarlyStopping()])
if distributed.rank():
    assert os.listdir() and model.save("by_another.safetensors") is None
    import warnings
    warnings.warn("said by another rank")
else:
    model.save("model.safetensors")
"""
    said, errors = run(3, program, tmp_path)
    assert said.count("Epoch 1/2") == 1
    assert "another" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.safetensors",
        "log.csv",
        "model.safetensors",
    ]
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3
    load_model(tmp_path / "best.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("fit(make(seed=distributed.rank()))", "their weights, seeds or epochs differ"),
        ("y = (y + distributed.rank()) % 5; fit(make())", "their targets differ"),
        ("fit(make(), batch_size=0)", "batch_size"),
        (
            "distributed.ranks()\nif distributed.rank() == 1: raise KeyError('only here')\nfit(make())",
            "only here",
        ),
    ],
)
def test_an_error_ends_all_ranks_and_is_said_once(program, what, tmp_path):
    begin = time.monotonic()
    _, errors = run(3, program, tmp_path, status=1)
    assert time.monotonic() - begin < 30
    assert what in errors
    assert errors.count("Traceback") == 1


@pytest.mark.slow
def test_a_killed_rank_ends_all_and_the_training_goes_on_from_its_backup(tmp_path):
    program = """
class Kill(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 3 and distributed.rank() == 1 and not os.path.exists("killed"):
            open("killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

model = make(layers.Conv2D(3, 3), layers.BatchNormalization())
h = fit(model, epochs=6, callbacks=[callbacks.BackupAndRestore("backup", save_freq=1), Kill()])
say(model, h.history["val_loss"])
"""
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "killed").touch()
    whole = bits(run(2, program, tmp_path / "whole")[0])
    begin = time.monotonic()
    said, _ = run(2, program, tmp_path, status=1)
    assert not bits(said)
    assert time.monotonic() - begin < 60
    again = bits(run(4, program, tmp_path)[0])
    assert {*whole} == {*again}


@pytest.mark.slow
def test_a_rank_that_is_killed_from_outside_ends_all_within_seconds(tmp_path):
    process = start(3, "say(make(), os.getpid()); fit(make(), epochs=10**6, verbose=0)", tmp_path)
    numbers = [int(process.stdout.readline().split()[2]) for _ in range(3)]
    time.sleep(2)
    os.kill(numbers[-1], signal.SIGKILL)
    begin = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - begin < 10
    assert process.returncode != 0
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


class World:
    """A rank among several, as far as sharing asks for."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("count", [0, 1, 3, 8, 9])
def test_shares_are_consecutive_and_the_first_rank_has_the_first(count, size):
    shares = [Ranks(World(rank, size)).share(count) for rank in range(size)]
    assert [i for share in shares for i in share] == [*range(count)]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert not count or 0 in shares[0]


def test_alone_there_is_one_rank():
    assert (distributed.rank(), distributed.size()) == (0, 1)


def test_without_mpi_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    distributed.ranks.cache_clear()
    model = Sequential([layers.Dense(1)], 1)
    model.compile("sgd", "mse")
    with pytest.raises(ImportError, match=r"mpi4py mpich.*mpiexec"):
        model.fit([[1.0]], [[1.0]], distribute=True)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 11])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 16])
def test_sums_in_pairs_are_the_same_whoever_adds(count, size):
    shares = [Ranks(World(rank, size)).share(count) for rank in range(size)]

    def one(node):
        return str(node[0]) if node[1] == 1 or node[0] + 1 == count else None

    def both(left, right):
        return f"({left}+{right})"

    nodes = [node for share in shares for node in nodes_of(share, count)]
    known = {node: fold(node, count, one, both) for node in nodes}
    total = fold(top(count), count, known.get, both)
    assert total == fold(top(count), count, one, both)
    assert re.findall(r"\d+", total) == [str(i) for i in range(count)]
