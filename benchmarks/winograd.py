"""Where Winograd's convolution is faster than the direct one, and how exact both are.

A layer with ReLU and 2x2 max-pooling, as many filters as channels, and images with zeros around them: on
one thread, the direct method's seconds over Winograd's, medians of calls that take turns.
`Conv2D(method="auto")` decides by what comes out of it. In each cell: on a batch of 8,192 pixels or more,
training on it, on one image; then the largest error in float32, over the largest output.

    TINYNET_NUM_THREADS=1 python benchmarks/winograd.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinynet import layers
from tinynet.kernels.program import Program
from tinynet.layers.conv_pool import ConvPool

CHANNELS = (1, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256)
SIZES = (4, 6, 7, 8, 10, 14, 20, 28, 64)
PIXELS = 8192  # of a batch, at least
METHODS = ("direct", "winograd")
ERROR_SIZE = 28  # of the images on which errors are measured


def made(method: str, size: int, channels: int, filters: int) -> Any:
    """Return a layer with pooling, as training uses it."""
    conv, pool = (
        layers.Conv2D(filters, 3, padding="same", activation="relu", method=method),
        layers.MaxPool2D(2),
    )
    pool.build(conv.build((size, size, channels)))
    return ConvPool(conv, pool).replica()


def programs(layer: Any, samples: int) -> list[Callable[[], None]]:
    """Return what predicts on a batch, what trains on it, and what predicts on one image."""
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, *layer.input_shape)).astype(np.float32)
    dy = random.normal(size=(samples, *layer.output_shape)).astype(np.float32)

    def train() -> None:
        layer.forward(x, training=True)
        layer.backward(dy)

    recorded = []
    for function in (lambda: layer.forward(x), train, lambda: layer.forward(x[:1])):
        program = Program()
        with program.recording():
            function()
        recorded.append(program.run)
    return recorded


def medians(functions: Sequence[Callable[[], None]], seconds: float) -> list[float]:
    """Return the median of each function's seconds, of this process's own time; they take turns."""
    found: list[list[float]] = [[] for _ in functions]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found[0]) < 3:
        for function, times in zip(functions, found, strict=True):
            start = time.process_time()
            function()
            times.append(time.process_time() - start)
    return [float(np.median(times)) for times in found]


def ratios(size: int, channels: int, filters: int, seconds: float) -> list[float]:
    """Return the direct method's seconds over Winograd's: on a batch, training on it, on one image."""
    samples = max(-(-PIXELS // size**2), 2)
    pairs = zip(
        *(programs(made(method, size, channels, filters), samples) for method in METHODS), strict=True
    )
    return [direct / winograd for direct, winograd in (medians(pair, seconds / 3) for pair in pairs)]


def errors(size: int, channels: int) -> list[float]:
    """Return the largest error of each method in float32, over the largest output."""
    x = np.random.default_rng(0).normal(size=(4, size, size, channels)).astype(np.float32)
    results = []
    for method, dtype in (("direct", "float64"), ("direct", "float32"), ("winograd", "float32")):
        layer = layers.Conv2D(channels, 3, padding="same", use_bias=False, method=method)
        layer.build(x.shape[1:], 0, dtype)
        layer.kernel.value[...] = layer.kernel.value.astype(np.float32)
        results.append(layer.forward(x))
    exact = results[0]
    return [float(np.abs(result - exact).max() / np.abs(exact).max()) for result in results[1:]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each layer; default 1")
    parser.add_argument("--channels", type=int, nargs="+", default=CHANNELS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    columns = ["channels", *(f"{size}x{size}" for size in arguments.sizes), "error: direct", "Winograd"]
    print("|", " | ".join(columns), "|\n|", " | ".join(["---:"] * len(columns)), "|")
    for channels in arguments.channels:
        rows = (ratios(size, channels, channels, arguments.seconds) for size in arguments.sizes)
        cells = [" ".join(f"{ratio:.2f}" for ratio in row) for row in rows]
        cells += [f"{error:.1e}" for error in errors(ERROR_SIZE, channels)]
        print("|", channels, "|", " | ".join(cells), "|", flush=True)
