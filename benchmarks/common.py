"""What the benchmarks share: processes and their threads, MNIST, and how time is taken."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Result = TypeVar("Result")

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TINYNET_NUM_THREADS")
# By itself glibc returns freed memory to the system, and then page faults take half of PyTorch's time. Its
# tuning guide advises another allocator; to tell glibc to keep the memory does as much.
KEEP_FREED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32)}
PAUSE = 0.05  # seconds before a measurement, in which the threads of the one before fall asleep


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def use_threads(threads: int) -> None:
    """Give so many cores and threads to the frameworks that this process and its children will import."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ.update(dict.fromkeys(THREADS, str(threads)))


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes that start in the block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def in_new_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Return function(*arguments), computed in a new Python process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def mnist() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return MNIST's training and test images, scaled to (N, 28, 28, 1) in 0..1, with labels as int64."""
    from tinynet.data import load_mnist, scale_pixels

    (x_train, y_train), (x_test, y_test) = load_mnist()
    return (scale_pixels(x_train), y_train.astype(np.int64)), (scale_pixels(x_test), y_test.astype(np.int64))


def in_turn(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield each round with each name, the names in another order from round to round."""
    for i in range(rounds):
        for j in range(len(names)):
            yield i, names[(i + j) % len(names)]


def interleave(measure: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each function once a round, in turn; return their results."""
    results: dict[str, list[float]] = {name: [] for name in measure}
    for _, name in in_turn(list(measure), rounds):
        time.sleep(PAUSE)
        results[name].append(measure[name]())
    return results


def best_seconds(function: Callable[[], Any], seconds: float = 0.2, calls: int = 5) -> float:
    """Return the shortest time that a call takes, of as many as fit in `seconds` and at least `calls`."""
    taken: list[float] = []
    function()
    end = time.perf_counter() + seconds
    while len(taken) < calls or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return min(taken)
