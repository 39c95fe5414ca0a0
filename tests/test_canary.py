"""What Numba may change or switch off: replaying is trusted only after a look, and JIT is needed."""

from __future__ import annotations

import subprocess
import sys

import llvmlite
import numba
import numpy as np
import pytest

from tinynet import Sequential, layers
from tinynet.execution import recording
from tinynet.kernels import canary, program


@pytest.fixture(autouse=True)
def ask_again():
    """Forget whether replaying is trusted, before and after."""
    recording.trusted.cache_clear()
    yield
    recording.trusted.cache_clear()


def train():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 6, 6, 1)).astype(np.float32), random.integers(0, 3, 30)
    model = Sequential(
        [
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(3, "softmax"),
        ],
        (6, 6, 1),
        seed=0,
    )
    model.compile("adam")
    model.fit(x, y, batch_size=10, epochs=2, verbose=0)
    outputs = model.predict(x)
    idle = [*model.infer.recorded.idle, *(s for s in model.trainer.steps.sizes.values() if s.outputs.idle)]
    return model.get_weights(), outputs, len(idle)


def test_this_version_is_trusted():
    assert canary.problem() == ""
    assert train()[2] > 0


@pytest.mark.parametrize("fault", ["fields", "order", "values"])
def test_another_layout_is_called_instead_with_a_warning_and_the_same_results(monkeypatch, fault):
    weights, outputs, _ = train()
    recording.trusted.cache_clear()
    if fault == "fields":  # the array's description has other fields
        monkeypatch.setattr(
            canary, "ARRAY", ("meminfo", "parent", "itemsize", "nitems", "data", "shape", "strides")
        )
    elif fault == "order":  # arguments are passed in another way
        monkeypatch.setattr(canary, "CELL", canary.ir.IntType(32))
    else:  # the same, but replaying gives something else
        cells_of = program.cells_of
        monkeypatch.setattr(
            program, "cells_of", lambda kind, value: [0] if value is True else cells_of(kind, value)
        )
    with pytest.warns(RuntimeWarning, match="called instead of replayed") as caught:
        called, same, recorded = train()
    versions = f"Numba {numba.__version__} with llvmlite {llvmlite.__version__}"
    assert len(caught) == 1  # once in a process
    assert versions in str(caught[0].message)
    assert recorded == 0
    for ours, theirs in zip([*weights, outputs], [*called, same], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_version_that_cannot_be_asked_is_not_trusted(monkeypatch):
    def fail():
        raise AttributeError("no attribute 'default_manager'")

    monkeypatch.setattr(canary, "layout_is_known", fail)
    assert "cannot be asked how it calls kernels (AttributeError" in canary.problem()


def test_without_jit_there_is_one_clear_error():
    code = (
        "import numpy as np, tinynet\n"
        "model = tinynet.Sequential([tinynet.layers.Dense(2)], 3)\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        model.predict(np.ones((1, 3)))\n"
        "    except RuntimeError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (
        done.stdout.splitlines()
        == ["tinynet needs Numba's compiler, and NUMBA_DISABLE_JIT switches it off: unset it."] * 2
    ), done.stderr
