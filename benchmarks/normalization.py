"""Measure what batch normalisation costs in the documented CNN, and steps that are called, not replayed.

python benchmarks/normalization.py --rounds 15
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from common import interleave, mnist

from tinynet import Sequential, layers

BATCH, STEPS = 128, 30


def convolutions(norm: str) -> list[layers.Layer]:
    """Return the CNN's convolutions, with normalisations "after pooling", "before pooling", or none."""
    rows: list[layers.Layer] = []
    for _ in range(3):
        if norm == "before pooling":
            rows += [layers.Conv2D(32, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        else:
            rows.append(layers.Conv2D(32, 3, padding="same", activation="relu"))
        rows.append(layers.MaxPool2D(2))
        if norm == "after pooling":
            rows.append(layers.BatchNormalization())
        rows.append(layers.Dropout(0.25))
    return rows


def cnn(norm: str, activation: str = "relu") -> Sequential:
    """Return the CNN, compiled."""
    head = [layers.Flatten(), layers.Dense(128, activation), layers.Dense(10, "softmax")]
    model = Sequential([*convolutions(norm), *head], (28, 28, 1))
    model.compile("adam")
    return model


NETWORKS: dict[str, Callable[[], Sequential]] = {
    "CNN": lambda: cnn("none"),
    "three normalisations after pooling": lambda: cnn("after pooling"),
    "three normalisations before pooling": lambda: cnn("before pooling"),
    "CNN with a tanh, so that steps are called": lambda: cnn("none", "tanh"),
}


def timed(model: Sequential, x: Any, y: Any) -> Callable[[], float]:
    """Return a function that trains for some steps, and returns the milliseconds that each took."""

    def measure() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
        return (time.perf_counter() - start) / STEPS * 1000

    measure()
    return measure


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    options = parser.parse_args()
    (x, y), _ = mnist()
    x, y = x[: BATCH * STEPS], y[: BATCH * STEPS]
    results = interleave({name: timed(make(), x, y) for name, make in NETWORKS.items()}, options.rounds)
    base = np.array(results["CNN"])
    for name, taken in results.items():
        ratio = median(np.array(taken) / base)
        print(f"{name:45}{median(taken):7.2f} ms a step, least {min(taken):6.2f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
