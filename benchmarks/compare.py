"""Compare tinynet with PyTorch and Keras, side by side: this makes docs/speed.md's table and README's chart.

Every contestant works in a process of its own with the same number of cores, on real MNIST images and from
the same weights. Before anything is timed, all must compute the same probabilities and learn. Then, row by
row, all are called in turn, in another order from round to round; what a first call costs is left out and
told apart, and processes keep the memory that they free, which helps the peers. Imports, first training
steps and memory are measured in a new process for each number. A row's ratio is the median, over the
rounds, of tinynet against the peer with the best median, turned so that more than 1 is better for tinynet.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from common import Array, available_cores, in_new_process, interleave, mnist, use_threads
from machine import describe, sgemm_rate, text
from networks import CNN, MLP, Network
from peers import PEERS, Worker, build_alike, start_workers
from report import OURS, RESULTS, Row, draw, long_table, settings, short_table, write

Data = tuple[tuple[Array, Array], tuple[Array, Array]]

CHECKED, LEARNED = 128, 1280  # images whose probabilities are compared, and that a short training sees
MOST_MEMORY_ROUNDS = 3  # the peak of memory hardly varies, and takes an epoch to measure
ONLY_IMAGES = ("PyTorch channels_last",)  # the same as another peer on a network without convolutions
SAME_START = ("PyTorch channels_last", "PyTorch compiled")  # and these where it is about starting


@dataclasses.dataclass(frozen=True)
class Timed:
    """A row about calls of a peer's method.

    Args:
        name: of the row.
        network: what is built.
        method: "train", on training images, or "predict", on test images.
        images: how many there are in a call; one is a matter of latency.
        goal: the ratio to reach.
        repeat: how many calls make a measurement.
    """

    name: str
    network: Network
    method: str
    images: int
    goal: float
    repeat: int = 1

    def quick(self) -> Timed:
        """Return a row that takes a tenth of the time."""
        images = self.images if self.images == 1 else self.images // 10
        return dataclasses.replace(self, images=images, repeat=-(-self.repeat // 10))


TIMED = (
    Timed("CNN training", CNN, "train", 12_800, 1.5),
    Timed("MLP training", MLP, "train", 60_000, 1.25),
    Timed("CNN inference", CNN, "predict", 10_000, 1.2),
    Timed("MLP inference", MLP, "predict", 10_000, 1.05, repeat=5),
    Timed("CNN latency, one image", CNN, "predict", 1, 3, repeat=300),
    Timed("MLP latency, one image", MLP, "predict", 1, 3, repeat=300),
)
SHARE = "Share of SGEMM's rate in CNN training"
IMPORTS = {
    OURS: ("tinynet", ""),
    "PyTorch": ("torch", ""),
    "Keras/TensorFlow": ("keras", "tensorflow"),
    "Keras/JAX": ("keras", "jax"),
}


def validate(workers: dict[str, Worker], network: Network, data: Data) -> dict[str, float]:
    """Check that all compute the same function and learn; return the largest differences to tinynet."""
    (x, y), _ = data
    differences = build_alike(workers, network, x[:CHECKED])
    for name, worker in workers.items():
        worker.give(images=x[:LEARNED], labels=y[:LEARNED])
        losses = [worker.call("train", "images", "labels", CHECKED)[0] for _ in range(3)]
        if not losses[-1] < losses[0]:
            raise RuntimeError(f"{name} does not learn with the {network.name}: its losses are {losses}.")
    return differences


def measure(timed: Timed, workers: dict[str, Worker], data: Data, batch_size: int, rounds: int) -> Row:
    """Measure a row of calls in processes that stay."""
    training, one = timed.method == "train", timed.images == 1
    x, y = data[0 if training else 1]
    count = timed.images - timed.images % batch_size if training else timed.images  # whole batches
    arguments = ("images", "labels", batch_size) if training else ("images", 1 if one else batch_size)

    def value(worker: Worker) -> float:
        _, seconds = worker.call(timed.method, *arguments, repeat=timed.repeat)
        return 1e6 * seconds if one else count / seconds

    first = {}
    for name, worker in workers.items():
        worker.give(images=x[:count], labels=y[:count])
        first[name] = worker.call("build", timed.network, timed.network.weights())[1]
        first[name] += worker.call(timed.method, *arguments)[1]
    functions = {name: partial(value, worker) for name, worker in workers.items()}
    interleave(functions, 1)  # warms up
    unit = "µs" if one else "images/s"
    return Row(timed.name, unit, interleave(functions, rounds), not one, timed.goal, first=first)


def share_of_sgemm(training: Row, sgemm: float) -> Row:
    """Return what share of the rate of matrix products, in GFLOP/s, training the CNN reaches."""
    percent = 100e-9 * CNN.flops(training=True) / sgemm
    shares = {name: [percent * rate for rate in rates] for name, rates in training.rounds.items()}
    return Row(SHARE, "%", shares, more_is_better=True, limit=70)


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
    """Return the most MB that a process has held that trains the CNN for an epoch."""
    peer = PEERS[name]()
    x, y = np.load(Path(folder, "images.npy")), np.load(Path(folder, "labels.npy"))
    peer.build(CNN, CNN.weights())
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
    """Measure the row of imports."""
    functions = {name: partial(import_seconds, name) for name in names}
    interleave(functions, 1)  # brings the files into the system's cache
    return [Row("Import", "s", interleave(functions, rounds), goal=2, limit=0.35)]


def measure_first_step(names: list[str], x: Array, y: Array, rounds: int) -> list[Row]:
    """Measure the rows of first training steps, with tinynet's kernels to be compiled and compiled before."""

    def cold() -> float:
        with tempfile.TemporaryDirectory() as empty:
            return in_new_process(first_step, OURS, x, y, empty)

    with tempfile.TemporaryDirectory() as cache:
        functions = {name: partial(in_new_process, first_step, name, x, y, cache) for name in names}
        interleave(functions, 1)  # fills the cache
        seconds = interleave(functions | {"cold": cold}, rounds)
    compiling = seconds.pop("cold")
    return [
        Row("First training step, kernels compiled", "s", seconds | {OURS: compiling}, limit=5),
        Row("First training step, kernels cached", "s", seconds, limit=0.5),
    ]


def measure_memory(names: list[str], x: Array, y: Array, batch_size: int, rounds: int) -> list[Row]:
    """Measure the row of memory, on all images given."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "images.npy"), x)
        np.save(Path(folder, "labels.npy"), y)
        functions = {name: partial(in_new_process, peak_memory, name, folder, batch_size) for name in names}
        return [Row("Peak memory of an epoch", "MB", interleave(functions, rounds), goal=2)]


def measure_calls(options: argparse.Namespace, names: list[str], data: Data) -> list[Row]:
    """Measure the rows that need peers whose processes stay."""
    chosen = [timed for timed in TIMED if options.rows in timed.name]
    rows = []
    workers, _ = start_workers(names if chosen else [], options.threads)
    for timed in chosen:
        fitting = {
            name: worker
            for name, worker in workers.items()
            if timed.network is CNN or name not in ONLY_IMAGES
        }
        timed = timed.quick() if options.quick else timed
        rows.append(measure(timed, fitting, data, options.batch_size, options.rounds))
        print(long_table(rows[-1:]), end="\n\n")
    for worker in workers.values():
        worker.stop()
    return rows


def measure_starts(options: argparse.Namespace, names: list[str], data: Data) -> list[Row]:
    """Measure the rows that need a new process for each number."""
    names = [name for name in names if name not in SAME_START]
    (x, y), _ = data
    few = slice(options.batch_size)
    rounds = min(options.rounds, MOST_MEMORY_ROUNDS)
    if options.quick:
        x, y = x[: len(x) // 10], y[: len(y) // 10]
    makers: dict[str, Callable[[], list[Row]]] = {
        "Import": partial(measure_import, names, options.rounds),
        "First training step": partial(measure_first_step, names, x[few], y[few], options.rounds),
        "Peak memory": partial(measure_memory, names, x, y, options.batch_size, rounds),
    }
    rows = []
    for name, maker in makers.items():
        if options.rows in name:
            made = maker()
            print(long_table(made), end="\n\n")
            rows += made
    return rows


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores there are")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument("--batch-size", type=int, default=128, help="default: 128")
    parser.add_argument(
        "--peers", nargs="*", default=list(PEERS)[1:], choices=list(PEERS)[1:], metavar="PEER"
    )
    parser.add_argument("--rows", default="", help="only those whose name contains this text")
    parser.add_argument("--quick", action="store_true", help="two rounds of a tenth of the work")
    parser.add_argument("--output", type=Path, default=RESULTS / "compare", help="without .json, .md, .png")
    options = parser.parse_args()
    options.rounds = min(options.rounds, 2) if options.quick else options.rounds
    return options


def main() -> None:
    """Measure, print and write everything."""
    options = parse()
    use_threads(options.threads)
    machine, data = describe(), mnist()
    workers, missing = start_workers([OURS, *options.peers], options.threads)
    contestants = {name: worker.version for name, worker in workers.items()}
    print(text(machine), f"missing: {', '.join(missing) or 'none'}", sep="\n", end="\n\n")
    differences = {network.name: validate(workers, network, data) for network in (CNN, MLP)}
    for worker in workers.values():
        worker.stop()
    names = list(contestants)
    rows = measure_calls(options, names, data)
    machine["SGEMM, GFLOP/s"] = max(machine["SGEMM, GFLOP/s"], in_new_process(sgemm_rate))
    if rows and rows[0].name == TIMED[0].name:
        rows.append(share_of_sgemm(rows[0], machine["SGEMM, GFLOP/s"]))
    rows += measure_starts(options, names, data)
    print(long_table(rows), text(machine), sep="\n\n")
    write(options.output.with_suffix(".md"), short_table(rows, names, machine))
    write(
        options.output.with_suffix(".json"),
        {
            "machine": machine,
            "options": settings(options),
            "contestants": contestants,
            "missing": missing,
            "largest differences of probabilities": differences,
            "rows": [row.record() for row in rows],
        },
    )
    draw([row for row in rows if row.name != SHARE], names, options.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
