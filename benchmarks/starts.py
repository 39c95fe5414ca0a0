"""What needs a new process for each number: imports, first training steps, and memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from common import Array, in_new_process, interleave
from networks import CNN, CNN_OF_PIXELS
from peers import PEERS, able
from report import OURS, Row

GROUP = "Starting, and memory"
IMPORTS = {
    OURS: ("tinynet", ""),
    "PyTorch": ("torch", ""),
    "Keras/TensorFlow": ("keras", "tensorflow"),
    "Keras/JAX": ("keras", "jax"),
    "ONNX Runtime": ("onnxruntime", ""),
    "OpenVINO": ("openvino", ""),
    "scikit-learn": ("sklearn.neural_network", ""),
}


def trainers(names: list[str]) -> list[str]:
    """Return those that train the CNN, each framework once."""
    return able([name for name in names if name in IMPORTS], CNN, "train")


def import_seconds(name: str) -> float:
    """Return the seconds that an import takes in a new process, measured inside of it."""
    module, backend = IMPORTS[name]
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def first_step(name: str, x: Array, y: Array, cache: str) -> float:
    """Return the seconds from after the imports to the end of a training step, building included."""
    os.environ["NUMBA_CACHE_DIR"] = cache
    peer, weights = PEERS[name](), CNN.weights()
    start = time.perf_counter()
    peer.build(CNN, weights)
    peer.train(x, y, len(x))
    return time.perf_counter() - start


def peak_memory(name: str, folder: str, batch_size: int) -> float:
    """Return the most MB that a process has held that trains the CNN for an epoch on uint8 pixels."""
    peer = PEERS[name]()
    x, y = np.load(Path(folder, "images.npy")), np.load(Path(folder, "labels.npy"))
    peer.build(CNN_OF_PIXELS, CNN.weights())
    peer.train(x, y, batch_size)
    return high_water() / 2**20


def high_water() -> int:
    """Return the most bytes of memory that this process has held."""
    try:  # what getrusage says on Linux may be the parent's
        status = Path("/proc/self/status").read_text()
        return 1024 * int(re.findall(r"VmHWM:\s*(\d+)", status)[0])
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # on macOS in bytes


def measure_import(names: list[str], rounds: int) -> list[Row]:
    """Measure the row of imports, beside the frameworks that train as tinynet does."""
    functions = {name: partial(import_seconds, name) for name in trainers(names)}
    interleave(functions, 1)  # brings the files into the system's cache
    return [Row("Import", "s", interleave(functions, rounds), goal=2, limit=0.35, group=GROUP)]


def measure_first_step(names: list[str], x: Array, y: Array, rounds: int) -> list[Row]:
    """Measure the rows of first training steps, with tinynet's kernels to be compiled and compiled before."""

    def cold() -> float:
        with tempfile.TemporaryDirectory() as empty:
            return in_new_process(first_step, OURS, x, y, empty)

    with tempfile.TemporaryDirectory() as cache:
        functions = {name: partial(in_new_process, first_step, name, x, y, cache) for name in trainers(names)}
        interleave(functions, 1)  # fills the cache
        seconds = interleave(functions | {"cold": cold}, rounds)
    compiling = seconds.pop("cold")
    return [
        Row("First step, empty cache", "s", seconds | {OURS: compiling}, limit=5.8, group=GROUP),
        Row("First step, warm cache", "s", seconds, limit=0.45, group=GROUP),
    ]


def measure_memory(names: list[str], x: Array, y: Array, batch_size: int, rounds: int) -> list[Row]:
    """Measure the row of memory, on all pixels given."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "images.npy"), x)
        np.save(Path(folder, "labels.npy"), y)
        functions = {
            name: partial(in_new_process, peak_memory, name, folder, batch_size) for name in trainers(names)
        }
        return [Row("Peak memory of an epoch", "MB", interleave(functions, rounds), goal=2, group=GROUP)]
