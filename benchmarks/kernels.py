"""Measure every kernel of tinynet on one thread against what this machine can do at most.

Each kernel is called again and again on one set of arrays, in the shapes of the documented networks' layers
and in others, and the best call counts. A matrix product is given in GFLOP/s, and its roof is the rate of
OpenBLAS's matrix products or, where that is less, its floating-point operations per byte times the rate of
copying as many bytes. A kernel that only moves data is given in GB/s, and its roof is the rate of copying.
Bytes are counted each time that an array must be read or written; writing where it has just read can beat a
copy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from common import Array, best_seconds, use_threads
from machine import bandwidth, describe, text
from report import RESULTS, number, table, write

CONVOLUTIONS = (  # samples, height and width, channels, filters, height and width of the kernel
    *((16, 28, 1, 32, 3), (16, 14, 32, 32, 3), (16, 7, 32, 32, 3)),  # the documented network's
    *((samples, 14, 32, 32, 3) for samples in (1, 4, 128)),
    *((16, 14, filters, filters, 3) for filters in (8, 16, 48, 64, 128)),
    *((16, 14, 32, 32, size) for size in (1, 5)),
)
DENSES = (  # samples, features, units
    *(
        (32, 784, 512),
        (32, 512, 512),
        (32, 512, 10),
        (32, 288, 128),
        (32, 128, 10),
    ),  # the documented networks'
    *((samples, 784, 512) for samples in (1, 8, 128)),
)
IMAGES = ((1, 28, 28, 32), (16, 28, 28, 32), (16, 14, 14, 32), (16, 28, 28, 10), (128, 28, 28, 32))
PARAMETERS = (57_098, 669_706, 10_000_000)  # of the documented networks, and many


@dataclass(frozen=True)
class Case:
    """A call of a kernel.

    Args:
        kernel: its name.
        shape: the sizes, as text.
        run: calls it.
        arrays: those that it must read or write, each as often.
        flops: the multiplications and additions, if they are what matters.
    """

    kernel: str
    shape: str
    run: Callable[[], Any]
    arrays: tuple[Array, ...]
    flops: int = 0

    @property
    def touched(self) -> int:
        """Return the bytes read and written."""
        return sum(array.nbytes for array in self.arrays)

    @property
    def unit(self) -> str:
        """Return the unit of the rate."""
        return "GFLOP/s" if self.flops else "GB/s"


def normal(*shape: int) -> Array:
    """Return an array of random numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def convolutions() -> Iterator[Case]:
    """Yield a convolution and its gradients for every shape."""
    from tinynet.kernels import gather_gemm

    for samples, side, channels, filters, size in CONVOLUTIONS:
        around = size // 2
        padded = normal(samples, side + 2 * around, side + 2 * around, channels)
        kernel, bias = normal(size, size, channels, filters), normal(filters)
        exchanged = normal(size, size, filters, channels)
        x, y = normal(samples, side, side, channels), normal(samples, side, side, filters)
        dy = normal(samples, side + 3 * around, side + 3 * around, filters)
        shape = f"{samples} x {side} x {side} x {channels}, {filters} of {size} x {size}"
        flops = 2 * y.size * size * size * channels
        forward = padded, kernel, bias, y, 1, 1, True
        backward = padded, dy, kernel, 1, 1, 2 * around, 2 * around
        further = dy, exchanged, x, 1, 1, around, around
        yield case(gather_gemm.convolution, forward, shape, (padded, kernel, y), flops)
        yield case(gather_gemm.convolution_kernel_gradient, backward, shape, (padded, dy, kernel), flops)
        yield case(gather_gemm.convolution_input_gradient, further, shape, (dy, kernel, x), flops)


def denses() -> Iterator[Case]:
    """Yield a dense layer's product and its gradients for every shape."""
    from tinynet.kernels import gather_gemm

    for samples, features, units in DENSES:
        x, kernel, bias = normal(samples, features), normal(features, units), normal(units)
        y, dy, dkernel = normal(samples, units), normal(samples, units), np.empty_like(kernel)
        columns = np.empty((units, samples), np.float32), np.empty((features, samples), np.float32)
        shape = f"{samples} x {features}, {units} units"
        arrays, flops = (x, kernel, y), 2 * samples * features * units
        yield case(gather_gemm.dense, (x, kernel, bias, y, True), shape, arrays, flops)
        yield case(gather_gemm.dense_kernel_gradient, (x, dy, dkernel), shape, arrays, flops)
        yield case(gather_gemm.dense_input_gradient, (dy, kernel, x, *columns), shape, arrays, flops)


def movers() -> Iterator[Case]:
    """Yield the kernels that only move data, for every shape."""
    from tinynet.kernels import elementwise, pooling, update

    key, step_number = np.array([1, 2], np.uint32), np.array([1])
    for samples, height, width, channels in IMAGES:
        x, dx = normal(samples, height, width, channels), normal(samples, height, width, channels)
        y, place = normal(2, samples, height // 2, width // 2, channels)
        padded, total = normal(samples, height + 3, width + 3, channels), normal(channels)
        shape = f"{samples} x {height} x {width} x {channels}"
        flat = x.reshape(-1), dx.reshape(-1), 0.25, key, step_number, 0
        yield case(pooling.max_pool, (x, y, 2, 2, 2, 2, 0, 0), shape, (x, y))
        yield case(pooling.max_pool_gradient, (x, y, y, dx, 2, 2, 2, 2, 0, 0), shape, (x, y, y, dx))
        yield case(pooling.max_pool_places, (x, y, place, 2, 2, True), shape, (x, y, place))
        pooled = y, place, padded, 2, 2, 2, 2, total
        yield case(pooling.max_pool_places_gradient, pooled, shape, (y, place, padded))
        yield case(elementwise.bias_gradient, (x, dx, padded, 2, 2, total, True), shape, (x, dx, padded))
        yield case(elementwise.dropout, flat, shape, (x, dx))
    settings = np.array([0.001, 0, 1, 1, 0.9, 0.999, 1e-7, 0])  # Adam's usual ones, at its first step
    for size in PARAMETERS:
        value, gradient, mean, square = normal(size), normal(size), normal(size), normal(size) ** 2
        arrays = value, value, gradient, mean, mean, square, square
        step = value, gradient, mean, square, settings
        yield case(update.adam, step, f"{size:,} parameters", arrays)


def case(
    kernel: Any, arguments: tuple[Any, ...], shape: str, arrays: tuple[Array, ...], flops: int = 0
) -> Case:
    """Return a case."""
    return Case(kernel.__name__, shape, lambda: kernel(*arguments), arrays, flops)


@lru_cache
def copying(size: int) -> float:
    """Return the GB/s of copying where reading and writing touch so many bytes, or up to twice as many."""
    return bandwidth(2 ** (size - 1).bit_length())


def roof(case: Case, sgemm: float) -> float:
    """Return the most that a kernel could reach, in its unit."""
    copied = copying(case.touched)
    return min(sgemm, copied * case.flops / case.touched) if case.flops else copied


def measure(case: Case, sgemm: float) -> dict[str, Any]:
    """Measure a case; return its rate and its roof."""
    work = case.flops or case.touched
    return {
        "kernel": case.kernel,
        "shape": case.shape,
        "unit": case.unit,
        "rate": 1e-9 * work / best_seconds(case.run),
        "roof": roof(case, sgemm),
        "flops": case.flops,
        "bytes": case.touched,
    }


def show(results: list[dict[str, Any]]) -> str:
    """Return a table of all cases."""
    lines = [
        [
            f"{result['kernel']}, {result['unit']}",
            result["shape"],
            number(result["rate"]),
            number(result["roof"]),
            f"{result['rate'] / result['roof']:.0%}",
        ]
        for result in results
    ]
    return table(["", "", "rate", "roof", "share"], lines)


def draw(results: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> None:
    """Draw the matrix products under their roofs."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    intensities = np.geomspace(0.5, 200, 100)
    sgemm = machine["SGEMM, GFLOP/s"]
    for name in ("copying in memory, GB/s", "copying in a core's cache, GB/s"):
        roofs = np.minimum(sgemm, machine[name] * intensities)
        axes.plot(intensities, roofs, color="black", linewidth=0.8)
        axes.text(0.6, 0.5 * machine[name], name.removesuffix(", GB/s"), fontsize=8, va="center")
    products = [result for result in results if result["flops"]]
    for kernel in dict.fromkeys(result["kernel"] for result in products):
        own = [result for result in products if result["kernel"] == kernel]
        x = [result["flops"] / result["bytes"] for result in own]
        axes.plot(x, [result["rate"] for result in own], "o", label=kernel, alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="floating-point operations per byte", ylabel="GFLOP/s")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    print(f"Wrote {path}")


def main() -> None:
    """Measure, print and write everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default="", help="only the kernels whose name contains this text")
    parser.add_argument("--output", type=Path, default=RESULTS / "kernels", help="without .json, .png")
    options = parser.parse_args()
    use_threads(1)
    machine = describe()
    print(text(machine), end="\n\n")
    results = [
        measure(case, machine["SGEMM, GFLOP/s"])
        for cases in (convolutions, denses, movers)
        for case in cases()
        if options.cases in case.kernel
    ]
    print(show(results))
    write(options.output.with_suffix(".json"), {"machine": machine, "results": results})
    draw(results, machine, options.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
