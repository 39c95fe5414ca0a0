"""Describe this machine, and measure the most that it can do.

`python benchmarks/machine.py --threads 2` prints the processor, the versions of tinynet and its peers, the
rate of float32 matrix products, and two rates of copying. The first is the best of several products of two
2048 x 2048 matrices by OpenBLAS, through NumPy, in a new process that has so many threads; the others are
the best of several copies, on one thread, of an array much larger than the caches and of one that fits in a
core's own.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from common import available_cores, best_seconds, in_new_process, use_threads
from quiet import Moment, share_of_others
from report import number

SIZE = 2048  # of the matrices
MEMORY, CACHE = 2**30, 2**19  # bytes that a copy reads and writes
PACKAGES = (
    *("tinynet", "numpy", "numba", "torch", "keras", "tensorflow", "tensorflow-cpu", "jax"),
    *("onnxruntime", "openvino", "scikit-learn"),
)


def sgemm_rate(seconds: float = 2) -> float:
    """Return the GFLOP/s of the best of several products of two float32 matrices."""
    a, b = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), np.float32)
    product = np.empty_like(a)
    return 2e-9 * SIZE**3 / best_seconds(lambda: np.matmul(a, b, out=product), seconds=seconds, calls=10)


def bandwidth(size: int) -> float:
    """Return the GB/s of copying on one thread, where reading and writing together touch `size` bytes."""
    source = np.ones(size // 2, np.uint8)
    target = np.zeros_like(source)
    return 1e-9 * size / best_seconds(lambda: np.copyto(target, source))


def look(seconds: float = 0.5) -> Moment:
    """Look at the machine when nothing is measured, for about two seconds."""
    load = os.getloadavg()[0]
    time.sleep(0.2)  # until threads that wait for work have gone to sleep
    others = share_of_others()
    return Moment(in_new_process(sgemm_rate, seconds), others, load)


def tile() -> str:
    """Return the shape of tinynet's register tile."""
    from tinynet.kernels.cpu import ROWS, VECTOR_BYTES

    return f"{ROWS} rows of 2 vectors of {8 * VECTOR_BYTES} bits"


def processor() -> str:
    """Return the processor's name."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Describe this machine with as many cores and threads as this process may use."""
    return {
        "processor": processor(),
        "threads": available_cores(),
        "memory, GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} on {platform.machine()}",
        "load before": round(os.getloadavg()[0], 2),
        "register tile": in_new_process(tile),
        "versions": versions(),
        "SGEMM, GFLOP/s": in_new_process(sgemm_rate),
        "copying in memory, GB/s": in_new_process(bandwidth, MEMORY),
        "copying in a core's cache, GB/s": in_new_process(bandwidth, CACHE),
    }


def text(machine: dict[str, Any]) -> str:
    """Return a description as lines of text."""
    cells = machine | {
        "versions": ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    }
    shown = {name: number(cell) if isinstance(cell, float) else str(cell) for name, cell in cells.items()}
    width = max(map(len, shown))
    return "\n".join(f"{name:{width}}  {cell}" for name, cell in shown.items())


def main() -> None:
    """Print the description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores there are")
    use_threads(parser.parse_args().threads)
    print(text(describe()))


if __name__ == "__main__":
    main()
