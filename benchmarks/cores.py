"""Say on paper what more cores than there are would reach in training: this makes a table of docs/speed.md.

On one thread, the parts of a recorded step are replayed one by one. What is left of a step in `fit` is
Python's, and what parts take longer whose arrays have left the cache. On so many cores, a step takes as long
as what is left, and as each stage of the program with its parts shared out; that barriers cost something, and
that cores share memory's bandwidth, is not in this. Medians of interleaved rounds.

    python benchmarks/cores.py
"""

from __future__ import annotations

import argparse
import heapq
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from common import Array, mnist
from networks import CNN, MLP, Network
from peers import layers_of
from report import RESULTS, TIMES, markdown, write

import tinynet
from tinynet.kernels.program import run_table

CORES = (2, 4, 8, 16, 64)
BATCH_SIZES = (128, 512)
STEPS = 20  # in an epoch, of which a step's own time is taken

Stages = list[list[float]]  # of each stage of a step, the seconds of its parts


def seconds_of(function: Callable[..., Any], *arguments: Any) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def measure(network: Network, x: Array, y: Array, batch_size: int, rounds: int) -> tuple[float, Stages]:
    """Return the seconds of a step on one thread, and of each part of its program."""
    model = tinynet.Sequential(layers_of(network, tinynet.layers), network.input_shape, 0)
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = x[: STEPS * batch_size], y[: STEPS * batch_size]
    fit = partial(model.fit, x, y, batch_size, 1, verbose=0)
    fit()  # records
    (trained,) = model.trainer.steps.sizes.values()
    tables = trained.outputs.made[0].program.plan.kept
    steps, replays = [], []
    for _ in range(rounds):
        steps.append(seconds_of(fit) / STEPS)
        replays.append([[seconds_of(run_table, *map(int, part)) for part in stage] for stage in tables])
    return float(np.median(steps)), [
        np.median(parts, axis=0).tolist() for parts in zip(*replays, strict=True)
    ]


def shared_out(parts: Sequence[float], cores: int) -> float:
    """Return how long the parts of a stage take where each core takes the next one as soon as it is free."""
    free = [0.0] * cores
    for seconds in parts:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def speed_up(step: float, stages: Stages, cores: int) -> float:
    """Return how many times as fast a step is on so many cores as on one."""
    left = max(step - sum(map(sum, stages)), 0.0)
    return step / (left + sum(shared_out(parts, cores) for parts in stages))


def line(name: str, step: float, stages: Stages) -> list[str]:
    """Return the table's line of a network."""
    longest = max(stages, key=sum)
    program = sum(map(sum, stages))
    cells = [f"{len(longest)} {TIMES} {1e6 * sum(longest) / len(longest):.0f}"]
    cells += [f"{1e6 * (program - sum(longest)):.0f}", f"{1e6 * max(step - program, 0):.0f}"]
    return [name, *cells, *(f"{speed_up(step, stages, cores):.1f}{TIMES}" for cores in CORES)]


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    options = parser.parse_args()
    tinynet.set_num_threads(1)
    (x, y), _ = mnist()
    lines = [
        line(f"{network.name}, batches of {size}", *measure(network, x, y, size, options.rounds))
        for network in (CNN, MLP)
        for size in BATCH_SIZES
    ]
    header = ["", "shards, µs", "other parts, µs", "left, µs", *(f"{cores} cores" for cores in CORES)]
    print(text := markdown(header, lines))
    write(RESULTS / "cores.md", text)


if __name__ == "__main__":
    main()
